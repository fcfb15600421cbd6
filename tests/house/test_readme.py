"""What the documents say is run: Python as it stands, commands as installed, models checked."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/language.md", "docs/architecture.md")
# The first two lines are the whole point and the whole suite; here a taste of the first will do.
SHORTER = {"graphdl train digits": "graphdl train digits --epochs 1"}


def blocks(document: str, language: str) -> list[str]:
    text = (ROOT / document).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.M | re.S)


def commands(document: str) -> list[str]:
    lines = [line for block in blocks(document, "console") for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.removeprefix("$ ").split("&&")]
    return [SHORTER.get(part, part) for part in parts if part.startswith("graphdl ")]


def script(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is not installed"
    return found


def test_python_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("README.md", "python")
    exec(compile(block, "README.md", "exec"), {"__name__": "__main__"})


def test_console_blocks_run(tmp_path: Path) -> None:
    ran = commands("README.md")
    assert len(ran) >= 6
    for command in ran:
        words = shlex.split(command)
        if words[1] == "draw" and not shutil.which("dot"):
            continue
        run = subprocess.run(
            [script(words[0]), *words[1:]], cwd=tmp_path, capture_output=True, text=True
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param(document, text, id=f"{document}-{number}")
        for document in DOCUMENTS
        for number, text in enumerate(blocks(document, "gdl"), 1)
    ],
)
def test_models_in_documents_check(document: str, text: str) -> None:
    import graphdl as gdl

    assert [d.message for d in gdl.check(text) if d.is_error] == [], document


@pytest.mark.parametrize("document", [*DOCUMENTS, "CONTRIBUTING.md"])
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in t]
    broken = [t for t in targets if not ((ROOT / document).parent / t).exists()]
    assert broken == []


def test_every_shipped_model_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    missing = [m.name for m in (ROOT / "models").glob("*.gdl") if f"models/{m.name}" not in text]
    assert missing == []

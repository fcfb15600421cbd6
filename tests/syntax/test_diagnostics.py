"""Snapshots: a wrong text, what is said about it, and the text put right.

Set GRAPHDL_REWRITE=1 to write what is said now into the files, then read the difference.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from graphdl.errors import CODES, ModelError, Source, render
from graphdl.syntax import parse

FOLDER = Path(__file__).parent / "diagnostics"
FILES = sorted(FOLDER.glob("*.txt"))


def read_case(path: Path) -> dict[str, str]:
    parts = re.split(r"^=== (wrong|says|right)\n", path.read_text("utf-8"), flags=re.MULTILINE)
    return {
        name: text.removesuffix("\n") for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def complaint(text: str) -> str:
    with pytest.raises(ModelError) as caught:
        parse(Source("model.gdl", text))
    return "\n\n".join(render(d) for d in caught.value.diagnostics)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_mistake_is_explained(path: Path) -> None:
    case = read_case(path)
    said = complaint(case["wrong"])
    if os.environ.get("GRAPHDL_REWRITE"):
        case["says"] = said
        path.write_text("".join(f"=== {key}\n{text}\n" for key, text in case.items()), "utf-8")
    assert said == case["says"]
    assert said.startswith(f"error[{path.stem[:5]}]")
    assert parse(Source("model.gdl", case["right"])).statements


def test_every_syntax_code_has_a_snapshot() -> None:
    shown = {path.stem[:5] for path in FILES}
    # the text of a model over a mebibyte is in test_hostile
    assert {code for code in CODES if code.startswith("E01")} - shown == {"E0123"}


def test_no_message_holds_a_name_of_the_grammar() -> None:
    said = "\n".join(read_case(path)["says"] for path in FILES)
    assert not re.search(
        r"\b(_NL|LPAR|RPAR|LSQB|RSQB|LBRACE|RBRACE|NAME|NUMBER|STRING|COMPARE)\b", said
    )
    assert "Traceback" not in said
    assert not re.search(r"\$END|__\w+|Token\(", said)

"""What `check` warns of is seen wherever the model is used: once, and beside the results."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

import graphdl as gdl

from .conftest import Invoke

MODEL = """
input image[1, 8, 8]
target digit: int(10)
unused = image -> flatten
output p = image -> flatten -> linear(10) -> softmax
loss = p -> cross_entropy(digit)
train {
  data = digits(image = "pixels", digit = "label", limit = 64)
  epochs = 1
}
"""
CODES = ["W0301", "W0701"]


def told(text: str) -> list[str]:
    return sorted(line[8:13] for line in text.splitlines() if line.startswith("warning["))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.gdl").write_text(MODEL, "utf-8")
    return Path("net.gdl")


@pytest.mark.parametrize(
    "command",
    ["show net.gdl", "show net.gdl --tree", "show net.gdl --json", "draw net.gdl -o -",
     "show net.gdl --stage program", "gradcheck net.gdl --samples 1", "train net.gdl --json"],
)  # fmt: skip
@pytest.mark.usefixtures("file")
def test_each_command_warns_once_on_stderr(graphdl: Invoke, command: str) -> None:
    result = graphdl(*command.split())
    assert result.exit_code == 0, result.output
    assert told(result.stderr) == CODES
    assert not told(result.stdout)
    if "--json" in command:
        for part in [result.stdout] if "show" in command else result.stdout.splitlines():
            json.loads(part)


@pytest.mark.usefixtures("file")
def test_commands_on_a_run_warn_too(graphdl: Invoke) -> None:
    assert told(graphdl("train", "net.gdl", "-q").stderr) == CODES
    for command in ("eval runs/net-1", "predict runs/net-1", "train --resume runs/net-1 -q"):
        result = graphdl(*command.split())
        assert result.exit_code == 0, result.output
        assert told(result.stderr) == CODES
        assert not told(result.stdout)


def test_python_warns_in_its_own_way(file: Path, tmp_path: Path) -> None:
    for model in (MODEL, file):
        with pytest.warns(gdl.ModelWarning) as caught:
            net = gdl.compile(model)
        assert sorted(str(w.message)[8:13] for w in caught) == CODES
        assert {w.filename for w in caught} == {__file__}
    net.save(tmp_path / "net.safetensors")
    with pytest.warns(gdl.ModelWarning) as caught:
        gdl.load(tmp_path / "net.safetensors")
    assert sorted(str(w.message)[8:13] for w in caught) == CODES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gdl.ModelWarning)
        gdl.compile(MODEL)

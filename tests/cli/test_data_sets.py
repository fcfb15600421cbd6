"""`graphdl data`, and the constants of `--set`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

import graphdl as gdl
from graphdl.errors import UsageError

Invoke = Callable[..., Result]
# cli/ installs as graphdl.cli, where a type checker does not look for it.
line: Any = importlib.import_module("graphdl.cli.json_lines").line
overrides: Any = importlib.import_module("graphdl.cli.settings").overrides


def test_the_sets_are_listed_with_the_folders(graphdl: Invoke, tmp_path: Path) -> None:
    result = graphdl("data", "--data-dir", tmp_path)
    assert result.exit_code == 0
    assert "digits" in result.output
    assert str(tmp_path) in result.output
    sets = json.loads(graphdl("data", "--json").output)["sets"]
    assert {"digits", "mnist", "csv"} <= {one["name"] for one in sets}


def test_a_set_says_what_it_holds(graphdl: Invoke, tmp_path: Path) -> None:
    assert "1,290 train" in graphdl("data", "digits").output
    (tmp_path / "iris.csv").write_text("length,kind\n1.5,setosa\n2.5,virginica\n")
    result = graphdl("data", "csv", tmp_path / "iris.csv", "--json")
    facts = json.loads(result.output)
    assert facts["splits"] == {"train": 2}
    assert facts["classes"]["kind"] == ["setosa", "virginica"]


def test_an_unknown_set_has_a_suggestion(graphdl: Invoke) -> None:
    result = graphdl("data", "digit")
    assert result.exit_code == 2
    assert "did you mean `digits`?" in result.output


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300", 300),
        ("-1e-3", -1e-3),
        ("2^10 - 24", 1000),
        ("7 // 2", 3),
        ("[3, 5] + [7]", [3, 5, 7]),
        ("true", True),
        ("same", "same"),
        ('"a = b"', "a = b"),
    ],
)
def test_set_takes_constants(text: str, value: Any) -> None:
    assert overrides((f"k={text}",)) == ({"k": value}, {})


TABLES = [
    ("train.max_norm={s.linear: 3}", {"s.linear": 3}),
    ('train.max_norm={"s.linear#2": 3, s: 1}', {"s.linear#2": 3, "s": 1}),
    ("train.schedule={5: 0.5, 6: 0.25}", {5: 0.5, 6: 0.25}),
    ("train.freeze=[]", []),
]


@pytest.mark.parametrize(("setting", "value"), TABLES)
def test_set_takes_tables(setting: str, value: Any) -> None:
    ((found,),) = (overrides((setting,))[1].values(),)
    assert found == value


def test_the_word_training_is_a_part_of_a_run() -> None:
    assert overrides(("train.carry_state=training",))[1]["carry_state"].name == "training"
    text = "input x[2]\nloss = mean(x -> linear(2))\ntrain { carry_state = training }"
    settings = gdl.compile(text).graph.settings
    assert settings["carry_state"].value.name == "training"


@pytest.mark.parametrize("text", ["1 / 0", "x -> relu", "9^9^9", "1..3", '"a" * 2', "-[1]", "@"])
def test_set_refuses_what_is_no_constant(text: str) -> None:
    with pytest.raises(UsageError):
        overrides((f"k={text}",))


def test_a_line_of_json_has_no_word_for_what_is_not_finite() -> None:
    assert json.loads(line({"test": {"loss": float("inf")}, "epoch": 1})) == {
        "test": {"loss": None},
        "epoch": 1,
    }


def test_names_of_a_file_do_not_steer_the_terminal(graphdl: Invoke) -> None:
    names = np.array(["[red]a\x1b[2J", "b[/]", "c\r\u202e"] * 8)
    np.savez("t.npz", x=np.arange(48.0).reshape(24, 2) % 5, y=names)
    text = "input x[2]\ntarget y: int(3)\ns = x -> linear(3)\noutput p = s -> softmax\n"
    text += 'loss = s -> cross_entropy(y)\ntrain { data = npz("t.npz")\n  epochs = 1 }\n'
    Path("m.gdl").write_text(text)
    assert graphdl("train", "m.gdl", "-q").exit_code == 0
    for command in (["data", "npz", "t.npz"], ["eval", "runs/m-1"]):
        said = graphdl(*command).output
        for spelled in (r"[red]a\x1b[2J", "b[/]", r"c\r\u202e"):
            assert spelled in said
        assert said.replace("\n", "").isprintable()

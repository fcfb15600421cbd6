"""Tables on the command line: what is bound is said, and classes are written by name."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Invoke = Callable[..., Result]
MODEL = """
input  x[2]
target species: int(3)
hidden = x -> linear(3) -> tanh
s = hidden -> linear(3)
output p = s -> softmax
output inner = hidden
loss   = s -> cross_entropy(species)
metric = s -> accuracy(species)
train {
  data      = csv("birds.csv", x = ["bill", "wing"])
  optimizer = adam(lr = 0.1)
  epochs    = 40
}
"""
NAMES = ("Gentoo", "Adelie", "Chinstrap")


def table(path: str, columns: str, rows: list[str]) -> None:
    Path(path).write_text("\n".join([columns, *rows]) + "\n", "utf-8")


@pytest.fixture
def birds(graphdl: Invoke) -> Invoke:
    rows = [f"{i},{NAMES[i % 3]},{i % 3 - 1 + i / 100},{2 - 2 * (i % 3)}" for i in range(30)]
    table("birds.csv", "id,species,bill,wing", rows)
    Path("birds.gdl").write_text(MODEL, "utf-8")
    result = graphdl("train", "birds.gdl")
    assert result.exit_code == 0, result.output
    assert [line for line in result.stderr.splitlines() if "compiling" not in line] == [
        "x [2] <- bill, wing (2 columns of birds.csv)",
        "target species <- species: Adelie, Chinstrap, Gentoo",
        "unused: id",
    ]
    return graphdl


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return list(csv.reader(result.stdout.splitlines()))


def test_classes_are_written_by_name(birds: Invoke) -> None:
    named = rows(birds("predict", "runs/birds-1"))
    assert named[:4] == [["Id", "species"], ["0", "Gentoo"], ["1", "Adelie"], ["2", "Chinstrap"]]
    ids = rows(birds("predict", "runs/birds-1", "--ids"))
    assert ids[:4] == [["Id", "species id"], ["0", "2"], ["1", "0"], ["2", "1"]]
    shares = rows(birds("predict", "runs/birds-1", "--probabilities"))
    assert shares[0] == ["Id", "Adelie", "Chinstrap", "Gentoo"]
    assert max(shares[1][1:], key=float) == shares[1][3]
    mapped = rows(birds("predict", "runs/birds-1", "--labels", "0=a,1=c,2=g"))
    assert mapped[:2] == [["Id", "Prediction"], ["0", "g"]]
    own = rows(birds("predict", "runs/birds-1", "--header", "n,bird"))
    assert own[:2] == [["n", "bird"], ["0", "Gentoo"]]


def test_numbers_that_score_no_classes_are_written_as_numbers(birds: Invoke) -> None:
    found = rows(birds("predict", "runs/birds-1", "--output", "inner"))
    assert found[0] == ["Id", "0", "1", "2"]
    assert all(-1 <= float(cell) <= 1 for cell in found[1][1:])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ids", "--probabilities"], "exclude each other"),
        (["--output", "inner", "--ids"], "--ids is for classes; `inner` is written as numbers"),
    ],
)
def test_misused_ids(birds: Invoke, arguments: list[str], said: str) -> None:
    result = birds("predict", "runs/birds-1", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


# Columns and rows of another file, and the class in its first row; or the error.
OTHERS: dict[str, tuple[str, list[str], str]] = {
    "another order": ("wing,species,bill", ["-2,Chinstrap,1", "0,Adelie,0"], "Chinstrap"),
    "a class alone": ("bill,wing,species", ["1,-2,Chinstrap", "1,-2,Chinstrap"], "Chinstrap"),
    "no target": ("wing,bill", ["2,-1"], "Gentoo"),
    "texts and holes beside": ("note,wing,n,bill", ["a,0,,0", ",0,7,0"], "Adelie"),
    "one of them is missing": ("bill,species", ["1,Adelie"], "has no column `wing`, which `x`"),
    "a hole": ("bill,wing", ["1,2", "NA,2"], "line 3, column `bill`: a number is missing"),
    "no header": ("1,2", ["3,4"], "there is no header, only numbers: write `header = false`"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_files_are_read_by_the_names_of_training(birds: Invoke, case: str) -> None:
    columns, lines, expected = OTHERS[case]
    table("new.csv", columns, lines)
    result = birds("predict", "runs/birds-1", "--data", 'csv("new.csv")')
    if expected not in NAMES:
        assert result.exit_code == 4, result.output
        assert expected in result.stderr
        return
    assert rows(result)[1] == ["0", expected]
    assert "x [2] <- bill, wing (2 columns of new.csv)\n" in result.stderr
    if "species" in columns:
        judged = birds("eval", "runs/birds-1", "--data", 'csv("new.csv")', "--json")
        assert json.loads(judged.stdout)["metrics"]["accuracy"] == 1.0
        assert "target species <- species: Adelie, Chinstrap, Gentoo\n" in judged.stderr


def test_a_scale_goes_with_the_checkpoint(birds: Invoke) -> None:
    model = MODEL.replace('"wing"]', '"wing"], scale = 0.5').replace("species", "y")
    Path("scaled.gdl").write_text(model.replace('"birds.csv",', '"birds.csv", y = "species",'))
    assert birds("train", "scaled.gdl").exit_code == 0
    whole = birds("eval", "runs/scaled-1", "--json")
    other = birds("eval", "runs/scaled-1", "--data", 'csv("birds.csv")', "--json")
    assert whole.stdout == other.stdout
    assert "(2 columns of birds.csv, divided by 0.5)" in other.stderr
    unlike = birds("eval", "runs/scaled-1", "--data", 'csv("birds.csv", scale = 1)', "--json")
    assert whole.stdout != unlike.stdout


def test_what_a_file_holds_is_told_with_what_is_wrong_in_it(graphdl: Invoke) -> None:
    table("t.csv", "a;b;c", ["1,5;x;", "2;y;NA", "?;x;3"])
    result = graphdl("data", 'csv("t.csv", delimiter = ";", decimal = ",")')
    assert result.stdout.splitlines() == [
        "csv: 3 train; b []",
        "b: 2 classes: x, y",
        "a: not usable: t.csv: line 4, column `a`: a number is missing, there is `?`",
        "c: not usable: t.csv: line 2, column `c`: is empty",
    ]
    result = graphdl("data", "csv", "t.csv", "--json")
    assert result.exit_code == 4
    assert 'write `delimiter = ";"`' in result.stderr

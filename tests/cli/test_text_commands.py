"""Commands on models of text: sample, eval with perplexity and tags, predict with numbers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Invoke = Callable[..., Result]
LM = """
input  words[T]: int(9)
target following[T]: int(9)
scores = words -> embedding(8) -> gru(8) -> linear(9)
output p = scores -> softmax
loss     = scores -> cross_entropy(following)
metric   = scores -> perplexity(following)
train {
  data        = text("a.txt", test = 0.2)
  batch       = 2
  window      = 5
  carry_state = true
  epochs      = 1
}
"""
TAGGER = """
input  words[T]: int(9, pad = 0)
target tag[T]: int(2)
scores = words -> embedding(8) -> linear(2)
output p = scores -> softmax
loss     = scores -> cross_entropy(tag)
metric   = scores -> accuracy(tag)
train {
  data      = lines("tags.tsv", columns = ["text", "tags"], tag = "tags")
  optimizer = adam(lr = 0.1)
  epochs    = 20
}
"""
CLASSIFIER = """
input  words[T]: int(9, pad = 0)
target label: int(2)
scores = words -> embedding(8) -> mean_over_time -> linear(2)
output p = scores -> softmax
loss     = scores -> cross_entropy(label)
train {
  data      = lines("neg.txt", "pos.txt")
  optimizer = adam(lr = 0.1)
  epochs    = 20
}
"""
POINTS = """
input  x[1]
target kind: int(2)
s = x -> linear(2)
output p = s -> softmax
loss     = s -> cross_entropy(kind)
train {
  data      = csv("pets.csv")
  optimizer = adam(lr = 0.1)
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("the cat sat\nthe dog sat\n" * 20, "utf-8")
    (tmp_path / "tags.tsv").write_text("the cat\tD N\ncat\tN\nthe dog the\tD N D\n", "utf-8")
    (tmp_path / "neg.txt").write_text("bad\nvery bad\n", "utf-8")
    (tmp_path / "pos.txt").write_text("good\nvery good\n", "utf-8")
    (tmp_path / "new.txt").write_text("7,good good\n3,bad, bad\n", "utf-8")
    for name, text in {"lm": LM, "tagger": TAGGER, "classifier": CLASSIFIER}.items():
        (tmp_path / f"{name}.gdl").write_text(text, "utf-8")
    return tmp_path


def test_a_language_model(graphdl: Invoke, folder: Path) -> None:
    result = graphdl("train", "lm.gdl", "-q")
    assert result.exit_code == 0, result.output
    run = folder / "runs" / "lm-1"
    assert "tokens_per_second" in (run / "metrics.csv").read_text("utf-8")
    figures = graphdl("eval", run)
    assert figures.exit_code == 0, figures.output
    assert "perplexity" in figures.output
    words = graphdl("sample", run, "--n", "5", "--prime", "the", "--seed", "1")
    assert words.exit_code == 0, words.output
    assert words.output.startswith("the ")
    facts = json.loads(graphdl("sample", run, "--n", "5", "--prime", "the", "--json").output)
    assert set(facts) == {"text", "seed", "temperature"}
    refused = graphdl("predict", run)
    assert refused.exit_code == 2
    assert "one long text" in refused.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--prime", "zebra"], "`zebra` is not among the words this model knows"),
        (["--temperature", "-1"], "is not in the range"),
        (["--temperature", "inf"], "temperature is a finite number from 0, not inf"),
        (["--seed", "99999999999999999999999"], "seed is a whole number from 0 to 2^64 - 1"),
        (["--top-k", "0"], "is not in the range"),
    ],
)
def test_misused_sampling_is_told(
    arguments: list[str], says: str, graphdl: Invoke, folder: Path
) -> None:
    graphdl("train", "lm.gdl", "-q")
    result = graphdl("sample", folder / "runs" / "lm-1", *arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_tags_are_measured_by_class_without_padding(graphdl: Invoke, folder: Path) -> None:
    graphdl("train", "tagger.gdl", "-q")
    result = graphdl("eval", folder / "runs" / "tagger-1", "--json")
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert facts["metrics"]["accuracy"] == 1.0
    assert facts["confusion"] == [[3, 0], [0, 3]]
    assert [row["name"] for row in facts["classes"]] == ["D", "N"]
    (folder / "new.txt").write_text("the dog\nthe\n", "utf-8")
    told = graphdl("predict", folder / "runs" / "tagger-1", "--data", 'lines("new.txt")')
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == ["Id,tag", "0,D N", "1,D"]


@pytest.mark.parametrize("model", ["tagger", "classifier"])
def test_sentences_without_padding_come_one_by_one(
    model: str, graphdl: Invoke, folder: Path
) -> None:
    text = (folder / f"{model}.gdl").read_text("utf-8")
    text = text.replace(", pad = 0", "").replace("epochs ", "batch = 1\n  epochs ")
    (folder / "single.gdl").write_text(text, "utf-8")
    trained = graphdl("train", "single.gdl", "-q")
    assert trained.exit_code == 0, trained.output
    run = folder / "runs" / "single-1"
    for arguments in ([], ["--batch", "1"]):
        judged = graphdl("eval", run, "--json", *arguments)
        assert judged.exit_code == 0, judged.output
        told = graphdl("predict", run, "--split", "train", *arguments)
        assert told.exit_code == 0, told.output
    assert len(told.stdout.splitlines()) == (4 if model == "tagger" else 5)
    refused = graphdl("eval", run, "--batch", "2")
    assert refused.exit_code == 4
    assert "take them one by one: `batch = 1`" in refused.output


def test_numbers_of_steps_are_as_many_as_of_the_longest(graphdl: Invoke, folder: Path) -> None:
    graphdl("train", "tagger.gdl", "-q")
    told = graphdl("predict", folder / "runs" / "tagger-1", "--probabilities", "--batch", "1")
    assert told.exit_code == 0, told.output
    assert len({line.count(",") for line in told.stdout.splitlines()}) == 1


def test_predictions_carry_the_numbers_of_the_file(graphdl: Invoke, folder: Path) -> None:
    graphdl("train", "classifier.gdl", "-q")
    run = folder / "runs" / "classifier-1"
    new = 'lines("new.txt", numbered = true)'
    result = graphdl("predict", run, "--data", new, "--labels", "0=-1,1=1")
    assert result.exit_code == 0, result.output
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert rows == [["Id", "Prediction"], ["7", "1"], ["3", "-1"]]
    # The classes are those of training, whatever files are given.
    (folder / "some.txt").write_text("pos\tgood\n", "utf-8")
    judged = graphdl("eval", run, "--data", 'lines("some.txt")', "--json")
    assert judged.exit_code == 0, judged.output
    assert json.loads(judged.stdout)["confusion"] == [[0, 0], [0, 1]]
    (folder / "some.txt").write_text("neutral\tgood\n", "utf-8")
    wrong = graphdl("eval", run, "--data", 'lines("some.txt")')
    assert wrong.exit_code == 4
    assert "line 1: no class is called `neutral`; there are: neg, pos" in wrong.output


def test_a_table_is_measured_by_the_names_of_training(graphdl: Invoke, folder: Path) -> None:
    rows = [(x, "dog" if x > 0 else "cat") for x in range(-8, 9)]
    for name, kept in {"pets": rows, "dogs": [row for row in rows if row[1] == "dog"]}.items():
        text = "x,kind\n" + "".join(f"{x},{kind}\n" for x, kind in kept)
        (folder / f"{name}.csv").write_text(text, "utf-8")
    (folder / "pets.gdl").write_text(POINTS, "utf-8")
    assert graphdl("train", "pets.gdl", "-q").exit_code == 0
    judged = graphdl("eval", folder / "runs" / "pets-1", "--data", 'csv("dogs.csv")', "--json")
    assert judged.exit_code == 0, judged.output
    assert json.loads(judged.stdout)["confusion"] == [[0, 0], [0, 8]]

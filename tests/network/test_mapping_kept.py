"""What the file's `data` maps to what holds for other files too, whichever reader it is."""

from __future__ import annotations

from pathlib import Path

import pytest

import graphdl as gdl
from graphdl.graph import Named

SENTENCES = """
input  words[T]: int(9, pad = 0)
target mood: int(2)
s = words -> embedding(2) -> mean_over_time -> linear(2)
output p = s -> softmax
loss = s -> cross_entropy(mood)
train {
  data = lines("a.tsv", columns = ["mark", "other", "phrase"], words = "phrase", mood = "mark")
  epochs = 1
}
"""
FAR = """
input  words[T]: int(9)
target next_but_one[T]: int(9)
s = words -> embedding(3) -> linear(9)
output p = s -> softmax
loss = s -> cross_entropy(next_but_one)
train {
  data = text("a.txt", words = 0, next_but_one = 2)
  window = 4
  epochs = 1
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.tsv").write_text("good\tx\ta b\nbad\ty\tc d\n")
    Path("b.tsv").write_text("x\tc d\tbad\n")
    Path("a.txt").write_text("a b c d e f a b c d e f\n" * 3)
    return tmp_path


def kept(text: str) -> gdl.Network:
    """The network of a checkpoint of a short training."""
    Path("net.gdl").write_text(text)
    net = gdl.compile("net.gdl")
    net.fit()
    net.save("net.safetensors")
    return gdl.load("net.safetensors")


def test_columns_of_sentences(folder: Path) -> None:
    net = kept(SENTENCES)
    source = Named("lines", ("b.tsv",), {"columns": ["other", "phrase", "mark"]})
    told: list[str] = []
    found = net.dataset(data=source, data_dir=folder, report=told.append)
    assert told == [
        "words [T] <- phrase (b.tsv)",
        "target mood <- mark: bad, good",
        "unused: other (text)",
    ]
    assert found.train.fields["mood"].tolist() == [0]
    words = net.vocabularies["words"].words
    assert [words[i] for i in found.train.fields["words"].flat()] == ["c", "d"]


def test_places_along_a_text(folder: Path) -> None:
    net = kept(FAR)
    told: list[str] = []
    found = net.dataset(data=Named("text", ("a.txt",)), data_dir=folder, report=told.append)
    assert told == [
        "words [T] <- words (a.txt)",
        "target next_but_one [T] <- next_but_one (2 steps ahead in a.txt)",
    ]
    steps = found.train.fields
    assert steps["words"][2:].tolist() == steps["next_but_one"][:-2].tolist()

"""A trained network keeps the names of its classes, and what it was trained with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError, GdlError

POINTS = """
input  x[2]
target y: int(2)
s = x -> linear(2)
output p = s -> softmax
loss     = s -> cross_entropy(y)
metric   = s -> accuracy(y)
train { optimizer = adam(lr = 0.05) }
"""
X = np.random.default_rng(0).normal(size=(80, 2))
PETS = np.where(X[:, 0] > 0, "dog", "cat")
DOGS = PETS == "dog"


def trained(**more: Any) -> gdl.Network:
    net = gdl.compile(POINTS, seed=1)
    net.fit(x=X, y=PETS, epochs=20, **more)
    return net


def loaded(folder: Path) -> gdl.Network:
    trained().save(folder / "pets.safetensors")
    return gdl.load(folder / "pets.safetensors")


@pytest.mark.parametrize("origin", ["trained", "loaded"])
def test_arrays_are_judged_by_the_names_of_training(origin: str, tmp_path: Path) -> None:
    net = trained() if origin == "trained" else loaded(tmp_path)
    assert net.labels == {"y": ("cat", "dog")}
    assert net.evaluate(x=X, y=PETS)["accuracy"] > 0.9
    assert net.evaluate(x=X[DOGS], y=PETS[DOGS])["accuracy"] > 0.9
    assert net.evaluate(gdl.Dataset.from_arrays(x=X[DOGS], y=PETS[DOGS]))["accuracy"] > 0.9
    # A further fit goes on with the same classes, and so do ids.
    net.fit(x=X[DOGS], y=PETS[DOGS], validation={"x": X[DOGS], "y": PETS[DOGS]}, epochs=1)
    assert net.evaluate(x=X[DOGS], y=DOGS[DOGS].astype(int))["accuracy"] > 0.9
    with pytest.raises(DataError, match="row 0: no class is called `horse`; there are: cat, dog"):
        net.evaluate(x=X[:2], y=["horse", "cow"])


def test_a_network_drawn_anew_takes_other_names() -> None:
    net = trained()
    net.initialise(2)
    assert (net.labels, net.vocabularies, net.trained_with) == ({}, {}, {})
    net.fit(x=X, y=np.where(DOGS, "cow", "hen"), epochs=0)
    assert net.labels == {"y": ("cow", "hen")}


def test_training_that_cannot_begin_teaches_no_names() -> None:
    net = gdl.compile(POINTS, seed=1)
    with pytest.raises(GdlError):
        net.fit(x=X, y=PETS, window=3)
    assert (net.labels, net.trained_with) == ({}, {})


WORDS = """
input  words[T]: int(20, pad = 0)
target y: int(2)
s = words -> embedding(4) -> mean_over_time -> linear(2)
loss = s -> cross_entropy(y)
"""
TEXTS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: ["a", "b"],
        "`words` holds texts such as `a`, and which words its ids stand for is not",
    ),
    (lambda: [["a", "b"], ["b"]], "its rows hold lists of texts or of objects, ids are needed"),
    (lambda: [["a"], ["b"]], r"`words` is \[2, 1\] texts: give one for each example"),
    (lambda: np.array([["b"], ["a"]]), r"`words` is \[2, 1\] texts: give one for each example"),
]


@pytest.mark.parametrize(("words", "says"), TEXTS)
def test_an_input_takes_no_texts(words: Callable[[], Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        gdl.compile(WORDS).fit(words=words(), y=[0, 1], epochs=1)


TEXT = """
input  words[T]: int(12)
target following[T]: int(12)
scores = words -> embedding(8) -> {layers} -> linear(12)
output p = scores -> softmax
loss     = scores -> cross_entropy(following)
train {{
  data = text("a.txt")
  {more}
}}
"""


def reader(folder: Path, layers: str, more: str = "") -> gdl.Network:
    (folder / "a.txt").write_text("the cat sat on the mat\nthe dog sat on it\n" * 20, "utf-8")
    (folder / "reader.gdl").write_text(TEXT.format(layers=layers, more=more), "utf-8")
    return gdl.compile(folder / "reader.gdl", seed=1)


def test_what_fit_was_told_holds_for_evaluation_and_in_the_file(tmp_path: Path) -> None:
    net = reader(tmp_path, "rnn(8)")
    history = net.fit(window=7, batch=3, carry_state=True, epochs=1, validation=0)
    found = net.evaluate()
    assert len(history) == 1
    assert net.trained_with["window"] == 7
    net.save(tmp_path / "reader.safetensors")
    again = gdl.load(tmp_path / "reader.safetensors")
    assert again.trained_with == net.trained_with
    assert again.evaluate(data_dir=tmp_path) == found


@pytest.mark.parametrize("where", ["file", "fit", "compiled"])
def test_a_text_is_written_in_the_windows_of_training(where: str, tmp_path: Path) -> None:
    written = "" if where == "fit" else "window = 6"
    net = reader(tmp_path, "add_positions(6)", written)
    given: dict[str, Any] = {"window": 6} if where == "fit" else {}
    net.fit(epochs=1, **given)
    if where == "compiled":
        net.trained_with = {}
    assert net.sample(9, prime="the cat", seed=1).startswith("the cat")

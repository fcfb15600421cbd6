"""`load`: weights by name, and where rows stand for words or classes, by what these are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import graphdl as gdl
from graphdl.elaborate import elaborate
from graphdl.errors import Source
from graphdl.program.counted import counted_axes

PLAIN = "input x[2]\ns = x -> linear(3) -> batch_norm\nloss = mean(s ^ 2)"
SENTENCES = """
input words[T]: int({words}, pad = 0)
target label: int(2)
layer embed = embedding(3)
scores = words -> embed -> mean_over_time -> linear(2)
loss = scores -> cross_entropy(label)
train {{ data = lines("a.tsv")  }}
"""
LM = """
input words[T]: int({words})
target following[T]: int({words})
scores = words -> embedding(3) -> rnn(4) -> linear({words})
loss = scores -> cross_entropy(following)
train {{
  data = text("a.txt", level = "{level}")
  window = 3
}}
"""
TIED = """
input words[T]: int({words})
target following[T]: int({words})
layer e = embedding(3)
scores = (words -> e -> rnn(3)) @ transpose(e.weight)
loss = scores -> cross_entropy(following)
train {{
  data = text("a.txt", level = "{level}")
  window = 3
}}
"""


def trained(folder: Path, model: str, data: str, name: str, **params: Any) -> gdl.Network:
    """A network that saw the data; its weights are numbers of their own."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(data)
    (folder / "net.gdl").write_text(model)
    net = gdl.compile(folder / "net.gdl", seed=len(data), **params)
    net.fit(epochs=1)
    return net


def test_what_fits_is_taken_and_the_rest_told(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "s.linear.weight": np.ones((3, 2)),
        "s.linear.bais": np.ones(3),
        "s.batch_norm.average": np.full(3, 2.0),
        "s.batch_norm.scale": np.ones(4),
    }
    np.savez(tmp_path / "w.npz", **arrays)
    save_file(arrays, tmp_path / "w.safetensors")
    for form in ("npz", "safetensors"):
        told: list[str] = []
        net = gdl.compile(PLAIN)
        net.fit(x=np.ones((4, 2)), load=tmp_path / f"w.{form}", epochs=0, report=told.append)
        assert net["s.linear.weight"].tolist() == np.ones((3, 2)).tolist()
        assert net["s.batch_norm.average"].tolist() == [2, 2, 2]
        assert told[0].startswith(f"loaded 2 weights from {tmp_path / f'w.{form}'}\n")
        assert "`s.linear.bias` is not in the file; it has `s.linear.bais`" in told[0]
        assert "`s.batch_norm.scale` is [3] in the model, [4] in the file" in told[0]


def test_nothing_that_fits_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", other=np.zeros(5))
    with pytest.raises(gdl.DataError, match=r"nothing in .*w\.npz fits this model"):
        gdl.compile(PLAIN).fit(x=np.ones((4, 2)), load=str(tmp_path / "w.npz"), epochs=0)


def rows(net: gdl.Network, weight: str, of: str, words: list[str]) -> np.ndarray[Any, Any]:
    """The entries of a weight for some words."""
    return net[weight][[net.vocabularies[of].ids[word] for word in words]]


@pytest.mark.parametrize("other", [6, 9])
def test_rows_are_matched_by_word(other: int, tmp_path: Path) -> None:
    first = trained(
        tmp_path / "a", SENTENCES.format(words=6), "0\ta a b\n1\tb a c\n0\td a\n", "a.tsv"
    )
    first.save(tmp_path / "first.safetensors")
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "a.tsv").write_text("0\td d c\n1\td c a\n1\te e e f\n")
    (folder / "net.gdl").write_text(SENTENCES.format(words=other))
    net = gdl.compile(folder / "net.gdl", seed=5)
    drawn = net["embed.weight"].copy()
    told: list[str] = []
    net.fit(epochs=0, load=tmp_path / "first.safetensors", report=told.append)
    assert first.vocabularies["words"].words != net.vocabularies["words"].words
    both = sorted({"a", "c", "d"} & set(net.vocabularies["words"].words))
    assert (
        rows(net, "embed.weight", "words", both) == rows(first, "embed.weight", "words", both)
    ).all()
    new = [net.vocabularies["words"].ids[word] for word in ("e",)]
    assert (net["embed.weight"][new] == drawn[new]).all()
    assert (net["embed.weight"][0] == first["embed.weight"][0]).all()  # padding
    words = len(net.vocabularies["words"].words)
    assert (
        f"`embed.weight`: {len(both) + 2} of {words} words found" in told[-1]
    )  # and padding, unknown
    assert (net["scores.linear.weight"] == first["scores.linear.weight"]).all()


@pytest.mark.parametrize(("model", "weights"), [
    (LM, ["scores.embedding.weight", "scores.linear.weight", "scores.linear.bias"]),
    (TIED, ["e.weight"]),
])  # fmt: skip
def test_a_language_models_outputs_are_words_too(
    model: str, weights: list[str], tmp_path: Path
) -> None:
    text = model.format(words=7, level="word")
    first = trained(tmp_path / "a", text, "a b a c a b d\n" * 9, "a.txt")
    first.save(tmp_path / "first.safetensors")
    (tmp_path / "a" / "a.txt").write_text("d d c d c a e\n" * 9)
    net = gdl.compile(tmp_path / "a" / "net.gdl", seed=8)
    told: list[str] = []
    net.fit(epochs=0, load=str(tmp_path / "first.safetensors"), report=told.append)
    for weight in weights:
        both = ["a", "c", "d", "<eos>"]
        assert (rows(net, weight, "words", both) == rows(first, weight, "words", both)).all()
        assert f"`{weight}`: 4 of 5 words found, the other 1 start anew" in told[-1]


def test_words_are_not_letters(tmp_path: Path) -> None:
    first = trained(tmp_path / "a", LM.format(words=7, level="word"), "a b a c\n" * 9, "a.txt")
    first.save(tmp_path / "first.safetensors")
    (tmp_path / "a" / "net.gdl").write_text(LM.format(words=7, level="character"))
    told: list[str] = []
    net = gdl.compile(tmp_path / "a" / "net.gdl")
    net.fit(epochs=0, load=str(tmp_path / "first.safetensors"), report=told.append)
    assert "`scores.embedding.weight`: 0 of 5 characters found" in told[-1]


@pytest.mark.parametrize("missing", ["file", "here", "tensors alone"])
def test_words_that_only_one_side_knows_are_refused(missing: str, tmp_path: Path) -> None:
    text = SENTENCES.format(words=6)
    named = trained(tmp_path / "a", text, "0\ta a b\n1\tb a c\n0\td a\n", "a.tsv")
    ids: dict[str, Any] = {"words": np.array([[1, 2, 0], [3, 4, 5]]), "label": np.array([0, 1])}
    if missing == "here":
        named.save(tmp_path / "w.safetensors")
        net = gdl.compile(text.replace("train", "# train"))
        with pytest.raises(gdl.DataError, match=r"w\.safetensors names, and the data does not say"):
            net.fit(**ids, epochs=0, load=str(tmp_path / "w.safetensors"))
        return
    if missing == "file":
        gdl.compile(text).save(tmp_path / "w.safetensors")
    else:
        save_file({n: np.array(named[n]) for n in named}, tmp_path / "w.safetensors")
    net = gdl.compile(tmp_path / "a" / "net.gdl")
    with pytest.raises(gdl.DataError, match=r"the data names, and .*w\.safetensors does not say"):
        net.fit(epochs=0, load=str(tmp_path / "w.safetensors"))
    assert net["embed.weight"].tobytes() == gdl.compile(text)["embed.weight"].tobytes()


def test_plain_ids_mean_themselves(tmp_path: Path) -> None:
    text = SENTENCES.format(words=6).replace("train", "# train")
    ids: dict[str, Any] = {"words": np.array([[1, 2, 0], [3, 4, 5]]), "label": np.array([0, 1])}
    first = gdl.compile(text, seed=3)
    first.fit(**ids, epochs=1)
    first.save(tmp_path / "w.safetensors")
    net = gdl.compile(text)
    net.fit(**ids, epochs=0, load=str(tmp_path / "w.safetensors"))
    assert (net["embed.weight"] == first["embed.weight"]).all()


CLASSES = "input x[2]\ntarget kind: int(3)\ns = x -> linear(3)\nloss = s -> cross_entropy(kind)"


def test_outputs_are_matched_by_the_names_of_classes(tmp_path: Path) -> None:
    x = np.arange(12.0).reshape(6, 2)
    first = gdl.compile(CLASSES, seed=3)
    first.fit(x=x, kind=["cat", "dog", "emu"] * 2, epochs=1)
    first.save(tmp_path / "w.safetensors")
    net = gdl.compile(CLASSES)
    told: list[str] = []
    more: Any = {"epochs": 0, "load": str(tmp_path / "w.safetensors"), "report": told.append}
    net.fit(x=x, kind=["ant", "cat", "dog"] * 2, **more)
    assert (net["s.linear.weight"][1:] == first["s.linear.weight"][:2]).all()
    assert (net["s.linear.bias"][1:] == first["s.linear.bias"][:2]).all()
    assert "`s.linear.weight`: 2 of 3 classes found, the other 1 start anew" in told[-1]
    with pytest.raises(gdl.DataError, match="an entry for each of the classes that"):
        gdl.compile(CLASSES).fit(x=x, kind=[0, 1, 2] * 2, **more)


ALIKE = "input x[2]\ntarget same: int(2)\nd = x -> linear(1) -> reshape([])\n"
ALIKE += "loss = mean(same * d ^ 2 + (1 - same) * max(0, 1 - d) ^ 2)"


def test_classes_that_are_numbers_must_be_the_same_numbers(tmp_path: Path) -> None:
    x = np.arange(12.0).reshape(6, 2)
    first = gdl.compile(ALIKE)
    first.fit(x=x, same=["no", "yes"] * 3, epochs=0)
    first.save(tmp_path / "w.safetensors")
    more: Any = {"epochs": 0, "load": str(tmp_path / "w.safetensors")}
    gdl.compile(ALIKE).fit(x=x, same=["yes", "no"] * 3, **more)
    with pytest.raises(gdl.DataError, match=r"the classes of `same` are ja, nein here and no, yes"):
        gdl.compile(ALIKE).fit(x=x, same=["nein", "ja"] * 3, **more)


AXES_HEAD = """
block x -> res() { x + (x -> linear(3)) }
block x -> cell(n) {
  state h[n]
  next h = tanh(x -> linear(n)) + h
  next h -> linear(3)
}
input w[T]: int(9)
target y: int(3)
"""
AXES: dict[str, tuple[str, dict[str, dict[int, tuple[str, ...]]]]] = {
    "embedding": (
        "embedding(4) -> mean_over_time -> linear(5)",
        {"s.embedding.weight": {0: ("w",)}},
    ),
    "scores": (
        "embedding(4) -> last -> linear(7) -> tanh -> linear(3)",
        {
            "s.embedding.weight": {0: ("w",)},
            "s.linear#2.weight": {0: ("y",)},
            "s.linear#2.bias": {0: ("y",)},
        },
    ),
    "residual": (
        "embedding(3) -> last -> res",
        {
            "s.embedding.weight": {0: ("w",), 1: ("y",)},
            "s.res.linear.weight": {0: ("y",), 1: ("y",)},
            "s.res.linear.bias": {0: ("y",)},
        },
    ),
    "inside a scan": (
        "embedding(4) -> scan { cell(5) } -> last",
        {
            "s.embedding.weight": {0: ("w",)},
            "s.scan.cell.linear#2.weight": {0: ("y",)},
            "s.scan.cell.linear#2.bias": {0: ("y",)},
        },
    ),
}


@pytest.mark.parametrize("name", AXES)
def test_axes_that_count_ids(name: str) -> None:
    chain, expected = AXES[name]
    loss = "s -> cross_entropy(y)" if "y" in str(expected) else "mean(s ^ 2) + 0 * mean(number(y))"
    model = elaborate(Source("net.gdl", AXES_HEAD + f"s = w -> {chain}\nloss = {loss}"))
    assert counted_axes(model.builder.inputs, model.builder.ops) == expected

"""Embeddings that start from word vectors in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError

MODEL = """
input  words[T]: int(9, pad = 0)
target label: int(2)
scores = words -> embedding(2) -> mean_over_time -> linear(2)
loss   = scores -> cross_entropy(label)
"""
VECTORS: dict[str, tuple[bytes, str]] = {
    "another width": (b"x 1 2 3\n", "line 1: 3 numbers to a word, the model wants 2"),
    "another width, said at the top": (b"5 7\nx 1 2\n", "write `embedding(7)`"),
    "cut off": (b"x 1 2\ny 1\n", "line 2: 1 numbers to a word, the model wants 2; is the line cut"),
    "no number": (b"x 1 z\n", "line 1: the vector of `x` has a cell that is no number"),
    "not finite": (b"x 1 nan\n", "line 1: the vector of `x` has a cell that is no number"),
    "nothing in it": (b"q 1 2\n", "none of the 4 words is in it"),
}


def with_vectors(content: bytes, folder: Path, fit: Callable[[gdl.Network], object]) -> gdl.Network:
    (folder / "v.txt").write_bytes(content)
    (folder / "a").write_bytes(b"0\tx y\n1\tx\n")
    path = folder / "model.gdl"
    model = MODEL.replace("embedding(2)", 'embedding(2, init = vectors("v.txt"))')
    path.write_text(f'{model}train {{\n  data = lines("a")\n  epochs = 0\n}}\n', "utf-8")
    net = gdl.compile(path, seed=3)
    fit(net)
    return net


@pytest.mark.parametrize(("content", "says"), VECTORS.values(), ids=VECTORS)
def test_vectors_that_do_not_fit(content: bytes, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        with_vectors(content, tmp_path, lambda net: net.fit())
    assert says in str(caught.value)


def test_an_embedding_starts_from_vectors(tmp_path: Path) -> None:
    said: list[str] = []
    content = b"2 2\ny 1 2\nq 0 0\nx 3 -4\ny 9 9\n"
    net = with_vectors(content, tmp_path, lambda net: net.fit(report=said.append))
    weight = net["scores.embedding.weight"]
    assert net.vocabularies["words"].words == ("<pad>", "<unk>", "x", "y")
    assert weight[2:4].tolist() == [[3, -4], [1, 2]]
    (tmp_path / "model.gdl").write_text(
        (tmp_path / "model.gdl").read_text("utf-8").replace('"v.txt"', '"v.txt", 0.5'), "utf-8"
    )
    half = gdl.compile(tmp_path / "model.gdl")
    half.fit()
    assert half["scores.embedding.weight"][2:4].tolist() == [[1.5, -2], [0.5, 1]]
    others = np.delete(weight, [2, 3], axis=0)
    assert abs(others.std() / np.std([1, 2, 3, -4]) - 1) < 0.5
    assert said[2:] == [
        "v.txt: vectors of 2 of 4 words for `scores.embedding.weight`, the other 2 are drawn"
    ]


def test_vectors_need_words(tmp_path: Path) -> None:
    def fit(net: gdl.Network) -> None:
        with pytest.raises(gdl.GdlError, match=r"which words the ids of `words` are"):
            net.fit(words=[[1, 2]], label=[0])

    with_vectors(b"x 1 2\n", tmp_path, fit)

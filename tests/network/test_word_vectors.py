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
    "another width": (
        b"x 1 2 3\n",
        "line 1: 3 numbers to a word, the model wants 2; write `embedding(3)`",
    ),
    "another width, the first word with a blank": (b"a b 1 2 3\n", "write `embedding(3)`"),
    "another width, set off by tabs": (b"x\t1\t2\t3\n", "write `embedding(3)`"),
    "too narrow": (b"x 1\n", "1 numbers to a word, the model wants 2; write `embedding(1)`"),
    "another width, said at the top": (b"5 7\nx 1 2\n", "write `embedding(7)`"),
    "cut off": (b"x 1 2\ny 1\n", "line 2: 1 numbers to a word, the model wants 2; is the line cut"),
    "cut off behind the word": (b"x 1 2\ny\n", "line 2: 0 numbers to a word, the model wants 2"),
    "a decimal comma": (b"x 1 0,5\n", "line 1: the vector of `x` has a cell that is no number"),
    "too large": (b"x 1 1e39\n", "line 1: the vector of `x` has a cell that is no number"),
    "no word of a text": (
        b"x\xff 1 2\na b 1 2\n",
        "is in it; lines whose word is none of a text: 2",
    ),
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


@pytest.mark.parametrize(
    ("content", "passed"),
    [
        (b"y\t1\t2\nx\t3\t-4\n", 0),
        (b"y\t1 2\nx\t3 -4\n", 0),
        (b"\xef\xbb\xbfy 1 2 \r\n\r\nx 3 -4\r\n", 0),
        (b"y 1 2\n. . . 9 9\nx at x.org 8 8\nx 3 -4\nx \xc2\xa0 7 7\n", 3),
        (b". . 9 9\ny 1 2\nx 3 -4\n", 1),
        (b"2 2\ny\xe9 9 9\ny 1 2\nx\xff 1 1\nx 3 -4\n", 2),
    ],
)
def test_vectors_as_people_have_them(content: bytes, passed: int, tmp_path: Path) -> None:
    said: list[str] = []
    net = with_vectors(content, tmp_path, lambda net: net.fit(report=said.append))
    assert net["scores.embedding.weight"][2:4].tolist() == [[3, -4], [1, 2]]
    assert said[-1].endswith(
        f"; lines whose word is none of a text: {passed}" if passed else "drawn"
    )


def test_vectors_need_words(tmp_path: Path) -> None:
    def fit(net: gdl.Network) -> None:
        with pytest.raises(gdl.GdlError, match=r"which words the ids of `words` are"):
            net.fit(words=[[1, 2]], label=[0])

    with_vectors(b"x 1 2\n", tmp_path, fit)

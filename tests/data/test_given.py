"""What Python may hand over for an array: each is taken as what it means, or refused in words."""

from __future__ import annotations

import array
import collections
import decimal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DataError

MODEL = """
input x[3]
target y: int(2)
s = x -> linear(4) -> tanh -> linear(2)
output p = s -> softmax
loss = s -> cross_entropy(y)
"""
WORDS = """
input words[T]: int(9, pad = 0)
target y: int(2)
s = words -> embedding(4) -> mean_over_time -> linear(2)
output p = s -> softmax
loss = s -> cross_entropy(y)
"""
X = np.arange(18).reshape(6, 3) % 5 - 1.5
Y = np.array([0, 1, 1, 0, 1, 0])


class Column:
    """A column of a table as other libraries have it: only `__array__`, and rows by name."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.values if dtype is None else self.values.astype(dtype)

    def __getitem__(self, key: Any) -> Any:
        raise KeyError(key)

    def __len__(self) -> int:
        return len(self.values)


class Sparse:
    """As SciPy's: not an array, and the iteration of another one."""

    shape = (6, 3)

    def toarray(self) -> Any:
        raise AssertionError("this may be larger than memory")


def mapped(folder: Path) -> Any:
    np.save(folder / "x.npy", X)
    return np.load(folder / "x.npy", mmap_mode="r")


def objects(values: Any) -> Any:
    found = np.empty(len(values), object)
    found[:] = list(values)
    return found


SAME_X: dict[str, Callable[[Path], Any]] = {
    "lists": lambda _: X.tolist(),
    "tuples": lambda _: tuple(map(tuple, X.tolist())),
    "rows": lambda _: list(X),
    "deque": lambda _: collections.deque(X.tolist()),
    "other byte order": lambda _: X.astype(">f8"),
    "other byte order, single": lambda _: X.astype(">f4"),
    "backwards": lambda _: X[::-1].copy()[::-1],
    "columns backwards": lambda _: X[:, ::-1].copy()[:, ::-1],
    "every second": lambda _: np.repeat(X, 2, axis=0)[::2],
    "by columns": lambda _: np.asfortranarray(X),
    "read only": lambda _: np.frombuffer(X.tobytes()).reshape(X.shape),
    "memory map": mapped,
    "long double": lambda _: X.astype(np.longdouble),
    "matrix": lambda _: np.asmatrix(X),
    "masked, none of it": lambda _: np.ma.array(X, mask=False),
    "objects": lambda _: X.astype(object),
    "objects of rows": lambda _: objects(X.tolist()),
    "objects of arrays": lambda _: objects(X),
    "table": lambda _: Column(X),
    "table of objects": lambda _: Column(X.astype(object)),
    "list of columns": lambda _: [Column(row) for row in X],
    "memory": lambda _: memoryview(X.tobytes()).cast("d", X.shape),
}
SAME_Y: dict[str, Any] = {
    "bool": Y.astype(bool),
    "bool objects": Y.astype(bool).astype(object),
    "other byte order": Y.astype(">i4"),
    "backwards": Y[::-1].copy()[::-1],
    "small": Y.astype(np.int8),
    "unsigned": Y.astype(np.uint64),
    "floats": Y.astype(float),
    "objects": Y.astype(object),
    "column": Column(Y),
    "array": array.array("b", Y.tolist()),
}


def everything(x: Any, y: Any) -> dict[str, Any]:
    """Whatever a network says of some examples, from every way to give them."""
    net = gdl.compile(MODEL, seed=1)
    found: dict[str, Any] = {
        "call": net(x=x)["p"],
        "predict": net.predict(x=x),
        "loss": net.loss(x=x, y=y),
        "evaluate": net.evaluate(x=x, y=y)["loss"],
    }
    found |= {f"gradient {n}": g for n, g in net.gradients(x=x, y=y).items()}
    found["step"] = net.step(x=x, y=y, lr=0.1)
    history = net.fit(x=x, y=y, epochs=2, batch=4, validation=1)
    return found | {"fit": [record["loss"] for record in history]}


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return everything(X, Y)


def agree(found: dict[str, Any], plain: dict[str, Any]) -> None:
    for name, value in plain.items():
        np.testing.assert_array_equal(found[name], value, name)


@pytest.mark.filterwarnings("ignore:.*matrix:PendingDeprecationWarning")
@pytest.mark.parametrize("name", SAME_X)
def test_the_same_numbers(name: str, plain: dict[str, Any], tmp_path: Path) -> None:
    agree(everything(SAME_X[name](tmp_path), Y), plain)


@pytest.mark.parametrize("name", SAME_Y)
def test_the_same_classes(name: str, plain: dict[str, Any]) -> None:
    agree(everything(X, SAME_Y[name]), plain)


def masked(row: int) -> Any:
    mask = np.zeros(X.shape, bool)
    mask[row, 1] = True
    return np.ma.array(X, mask=mask)


def with_one(value: Any) -> Any:
    found = X.astype(object)
    found[4, 1] = value
    return found


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "None": (lambda: None, "`x` is None, an array is needed"),
    "text": (lambda: "x.csv", "`x` is the text `x.csv`, an array is needed"),
    "bytes": (lambda: b"abc", "`x` is bytes, an array is needed"),
    "table": (lambda: {"a": X}, "`x` is a table by name: give each of its arrays by its name"),
    "set": (lambda: {1.0, 2.0}, "`x` is a set, which has no order: give a list"),
    "generator": (
        lambda: (row for row in X),
        "`x` is of the type `generator`: give `list(...)` of it",
    ),
    "map": (lambda: map(list, X), "`x` is of the type `map`: give `list(...)` of it"),
    "zip": (lambda: zip(X, X, strict=True), "`x` is of the type `zip`: give `list(...)` of it"),
    "values": (lambda: {1: X}.values(), "`x` is of the type `dict_values`: give `list(...)` of it"),
    "keys": (lambda: {1: X}.keys(), "`x` is of the type `dict_keys`: give `list(...)` of it"),
    "object": (object, "`x` is of the type `object`, an array is needed"),
    "sparse": (Sparse, "`x` is sparse: give `.toarray()` of it"),
    "masked": (lambda: masked(4), "`x`, row 4: is masked: fill it in, or leave the row out"),
    "masked rows": (lambda: list(masked(2)), "`x`, row 2: is masked: fill it in, or leave the row"),
    "complex": (lambda: X + 0j, "`x` holds complex128, complex numbers: give the real and the"),
    "complex objects": (lambda: with_one(1j), "`x`, row 4: is `complex`, a number is needed"),
    "dates": (lambda: X.astype("M8[s]"), "`x` holds datetime64[s], dates: give numbers"),
    "spans": (lambda: X.astype("m8[s]"), "`x` holds timedelta64[s], spans of time: give numbers"),
    "records": (lambda: np.zeros(6, "f4,f4,f4"), "records: give each of their fields by itself"),
    "bytes inside": (lambda: X.astype("S"), "bytes: give texts, `x.astype(str)`"),
    "nothing": (lambda: with_one(None), "`x`, row 4: is None, a number is needed"),
    "text inside": (lambda: with_one("7"), "`x`, row 4: is `7`, a number is needed"),
    "decimal": (lambda: with_one(decimal.Decimal(1)), "row 4: is `Decimal`, a number is needed"),
    "huge": (lambda: with_one(10**400), "`x`, row 4: is too large a number"),
    "dicts": (lambda: [{"a": 1}] * 6, "`x`, row 0: is `dict`, a number is needed"),
    "vectors": (
        lambda: [np.ones((2, 3)), np.ones((4, 3))],
        (
            "`x`: its rows are [T, 3] and differ in length, from 2 to 4 steps; only sequences of "
            "single numbers may: fill these up to one length, or take them one by one, "
            "`net.step(x = row[None], ...)`"
        ),
    ),
    "shapes": (lambda: [np.ones((2, 3)), np.ones((2, 4))], "`x`: its rows differ in shape"),
    "numbers and rows": (lambda: [1, [2, 3]], "`x`: its rows differ in shape"),
    "escape": (lambda: with_one("\x1b[2J"), "`x`, row 4: is `\\x1b[2J`, a number is needed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_sentence(name: str) -> None:
    make, message = REFUSED[name]
    net = gdl.compile(MODEL)
    labels: dict[str, Any] = {"y": Y}
    for way in (net, net.predict, net.loss, net.step, net.gradients, net.evaluate, net.fit):
        with pytest.raises(DataError) as caught:
            way(x=make(), **({} if way in (net, net.predict) else labels))
        assert message in str(caught.value), way


@pytest.mark.parametrize("name", [n for n in REFUSED if n not in {"numbers and rows", "vectors"}])
def test_a_weight_takes_no_other_things(name: str) -> None:
    make, message = REFUSED[name]
    net = gdl.compile("input x[3]\noutput y = x -> linear(6)")
    with pytest.raises(DataError) as caught:
        net["y.linear.weight"] = make()
    assert message.replace("`x`", "`y.linear.weight`") in str(caught.value)


LABELS: dict[str, tuple[Callable[[], Any], str]] = {
    "numbers and texts": (
        lambda: ["cat", 3, "cat", "dog", "dog", "cat"],
        "`y`, row 1: is `3`, others are texts",
    ),
    "texts and None": (
        lambda: objects(["cat", None, "cat", "dog", "dog", "cat"]),
        "`y`, row 1: is None, a text is needed",
    ),
    "texts and nan": (
        lambda: objects(["cat", float("nan"), "cat", "dog", "dog", "cat"]),
        "`y`, row 1: is `nan`, a text is needed",
    ),
    "masked": (
        lambda: np.ma.array(Y, mask=Y == 1),
        "`y`, row 1: is masked: fill it in, or leave the row out",
    ),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_that_are_none(name: str) -> None:
    make, message = LABELS[name]
    with pytest.raises(DataError) as caught:
        gdl.compile(MODEL).fit(x=X, y=make(), epochs=1)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [
        list,
        tuple,
        np.array,
        objects,
        lambda names: Column(objects(names)),
        lambda names: np.array(names, ">U3"),
        lambda names: np.array(names, np.dtypes.StringDType()),
    ],
)
def test_texts_name_classes(names: Callable[[Any], Any]) -> None:
    net = gdl.compile(MODEL, seed=1)
    net.fit(x=X, y=names(["dog", "cat", "cat", "dog", "cat", "dog"]), epochs=1)
    assert net.labels == {"y": ("cat", "dog")}


@pytest.mark.parametrize(
    "rows",
    [
        lambda rows: rows,
        objects,
        lambda rows: Column(objects(rows)),
        lambda rows: objects(list(map(np.array, rows))),
        lambda rows: [np.array(row, ">i2") for row in rows],
    ],
)
def test_ids_of_different_lengths(rows: Callable[[Any], Any]) -> None:
    ids = [[1, 2, 3], [4], [5, 6], [1, 1, 1, 1]]
    net = gdl.compile(WORDS, seed=1)
    padded = [row + [0] * (4 - len(row)) for row in ids]
    np.testing.assert_allclose(net.predict(words=rows(ids)), net.predict(words=padded), rtol=1e-6)
    assert net.evaluate(words=rows(ids), y=[0, 1, 1, 0]) == pytest.approx(
        net.evaluate(words=padded, y=[0, 1, 1, 0])
    )


def test_numbers_of_different_lengths_have_no_padding() -> None:
    net = gdl.compile("input x[T]\noutput y = mean(x, 0)")
    rows = [[0.5, 1.5], [2.5]]
    assert np.ravel(net.predict(x=rows, batch=1)).tolist() == [1.0, 2.5]
    with pytest.raises(DataError) as caught:
        net(x=rows)
    assert str(caught.value) == (
        "the sequences of `x` in a batch differ in length, from 1 to 2: take them one by one: "
        "`batch = 1`"
    )

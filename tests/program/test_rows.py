"""Rows added into tables: in the order in which they stand, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphdl.program import Builder, Program, Type, Value
from graphdl.program.primitives.add_rows import BLOCK
from graphdl.program.reference import run

# Rows of an even and an odd width, without axes, of two axes, and wider than what is done at once.
SHAPES = [(4,), (3,), (), (5, 2), (2 * BLOCK + 3,)]


def data(ids: tuple[int, ...], shape: tuple[int, ...], dtype: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((*ids, *shape)) * 10.0 ** rng.integers(-6, 6, (*ids, *shape))
    places = rng.integers(0, 30, (7, 3))
    return {
        "ids": rng.integers(0, 20, ids),
        "rows": rows.astype(dtype),
        "turned": np.moveaxis(rows, 0, -1).astype(dtype),
        "places": places,
    }


def merged(ids: tuple[int, ...], shape: tuple[int, ...], count: int) -> Program:
    build = Builder()
    i = build.input("ids", Type(ids, "int"), "data", "ids")
    rows = build.input("rows", Type((*ids, *shape)), "data", "rows")
    turned = build.input("turned", Type((*ids[1:], *shape, ids[0])), "data", "turned")
    places = build.input("places", Type((7, 3), "int"), "data", "places")
    rank = len(turned.type.shape)
    view = build.transpose(turned, (rank - 1, *range(rank - 1)))
    outputs = {
        "table": build.scatter_add(i, rows, count),
        "of a view": build.scatter_add(i, view, count),
        "rows": build.merge_rows(i, rows, i, count),
        "elsewhere": build.merge_rows(i, rows, places, count),
    }
    return build.finish(list(outputs.items()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("ids", [(60,), (6, 4), (0,)], ids=str)
@pytest.mark.parametrize("count", [30, 500])
def test_sums_are_taken_in_order(
    ids: tuple[int, ...], shape: tuple[int, ...], count: int, dtype: str
) -> None:
    given = data(ids, shape, dtype)
    table = np.zeros((count, *shape), dtype)
    for place in np.ndindex(ids):
        table[given["ids"][place]] += given["rows"][place]
    found = run(merged(ids, shape, count), {}, given, dtype)
    assert np.array_equal(found["table"], table)
    assert np.array_equal(found["of a view"], table)
    assert np.array_equal(found["rows"], table[given["ids"]])
    assert np.array_equal(found["elsewhere"], table[given["places"]])


VIEWS: dict[str, Callable[[Builder, Value], Value]] = {
    "in order": lambda _, x: x,
    "turned": lambda build, x: build.transpose(x, (1, 2, 0)),
    "backwards": lambda build, x: build.reverse(x, 2),
    "every other": lambda build, x: build.slice(x, 2, 0, 6, 2),
    "repeated": lambda build, x: build.broadcast(build.slice(x, 0, 0, 1), (4, 5, 6)),
    "backwards and turned": lambda build, x: build.transpose(build.reverse(x, 0), (2, 0, 1)),
}


@pytest.mark.parametrize("kind", ["float", "int", "bool"])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_numbers_are_picked_out_of_any_view(view: Any, kind: Any) -> None:
    build = Builder()
    x = build.input("x", Type((4, 5, 6), kind), "data", "x")
    seen = view(build, x)
    i = build.input("ids", Type(seen.type.shape[:-1], "int"), "data", "ids")
    program = build.finish([("whole", build.cast(seen, "float")), ("out", build.pick(seen, i))])
    rng = np.random.default_rng(0)
    ids = rng.integers(0, seen.type.shape[-1], seen.type.shape[:-1])
    numbers: dict[str, Any] = {
        "float": rng.normal(size=(4, 5, 6)),
        "int": rng.integers(0, 9, (4, 5, 6)),
    }
    numbers["bool"] = numbers["float"] > 0
    found = run(program, {}, {"x": numbers[kind], "ids": ids})
    expected = np.take_along_axis(found["whole"], ids[..., None], -1)[..., 0]
    assert np.array_equal(found["out"], expected)

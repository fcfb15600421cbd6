"""Rows added into tables: in the order in which they stand, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphdl.program import Builder, Program, Type
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

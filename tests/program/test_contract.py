"""Contractions with random specs, layouts and geometries against a sum over every label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphdl.program import Builder, Size, Type, differentiate, verify
from graphdl.program.primitives import Contract, Fold, Unfold, blocks, shifted
from graphdl.program.reference import run


def naive(spec: str, sizes: dict[str, int], *arrays: Any) -> Any:
    """Sum over a grid of all labels; an axis is a Python expression of them."""
    text = spec.replace("->", ",").split(",")
    axes = [part.split() for part in text]
    labels = sorted({c for part in axes for axis in part for c in axis if c.isalpha()})
    grid = dict(zip(labels, np.indices([sizes[label] for label in labels]), strict=True))
    shapes = [*(a.shape for a in arrays), tuple(sizes[axis] for axis in axes[-1])]
    places = []
    inside = np.ones(next(iter(grid.values())).shape, bool)
    for names, shape in zip(axes, shapes, strict=True):
        place = [np.broadcast_to(eval(name, {}, grid), inside.shape) for name in names]
        for index, size in zip(place, shape, strict=True):
            inside &= (index >= 0) & (index < size)
        places.append(place)
    total = np.zeros(shapes[-1])
    terms = np.prod([a[tuple(i[inside] for i in q)] for a, q in zip(arrays, places)], 0)  # noqa: B905
    np.add.at(total, tuple(i[inside] for i in places[-1]), terms)
    return total


@dataclass(frozen=True)
class Case:
    spec: str
    sizes: dict[str, int]
    extents: tuple[tuple[str, int], ...]
    seed: int
    dtype: str

    def shapes(self) -> list[list[int]]:
        parts = self.spec.split("->")[0].split(",")
        return [[self.sizes[axis] for axis in part.split()] for part in parts]


@st.composite
def plain(draw: Any) -> Case:
    """Any mix of shared, summed and free labels, every operand in its own order."""
    roles = draw(st.lists(st.sampled_from(["lr", "lo", "ro", "lro"]), min_size=1, max_size=6))
    labels = "abcdef"[: len(roles)]
    parts = []
    for operand in "lro":
        own = [c for c, role in zip(labels, roles, strict=True) if operand in role]
        parts.append(" ".join(draw(st.permutations(own))))
    sizes = {c: draw(st.sampled_from([1, 2, 3, 4])) for c in labels}
    spec = f"{parts[0]}, {parts[1]} -> {parts[2]}"
    return Case(spec, sizes, (), draw(st.integers(0, 99)), draw(DTYPES))


DTYPES = st.sampled_from(["float32", "float64"])


@st.composite
def windowed(draw: Any) -> Case:
    """Convolutions of one or two sides with any geometry, and with or without batch and groups.

    The features come before the sides or after, and the batch first or last.
    """
    rank = draw(st.integers(1, 2))
    sizes = {c: draw(st.integers(1, 5 if c in "co" else 3)) for c in "bgco"}
    axes = []
    for position, offset in list(zip("yx", "ij", strict=True))[:rank]:
        stride, dilation = draw(st.sampled_from([1, 1, 1, 2, 3])), draw(st.integers(1, 2))
        pad = draw(st.integers(-1, 2))
        sizes[position], sizes[offset] = draw(st.integers(1, 5)), draw(st.integers(1, 3))
        text = position + (f"*{stride}" if stride > 1 else "") + "+" + offset
        text += (f"*{dilation}" if dilation > 1 else "") + (f"{-pad:+d}" if pad else "")
        axes.append((text, position, offset))
        reach = (sizes[position] - 1) * stride + (sizes[offset] - 1) * dilation + 1
        sizes[text] = max(1, reach + draw(st.integers(-3, 3)))
    batch, group = draw(st.sampled_from(["b ", ""])), draw(st.sampled_from(["g ", ""]))
    order = draw(st.sampled_from(["{b}{g}{f} {s}", "{b}{g}{s} {f}", "{g}{f} {s} {b}"])).format
    wide = order(b=batch, g=group, f="c", s=" ".join(a[0] for a in axes)).strip()
    weight = f"{group}o c {' '.join(a[2] for a in axes)}"
    result = order(b=batch, g=group, f="o", s=" ".join(a[1] for a in axes)).strip()
    forms = {
        "forward": (f"{wide}, {weight} -> {result}", [a[1] for a in axes]),
        "to weight": (f"{wide}, {result} -> {weight}", [a[2] for a in axes]),
        "to input": (f"{result}, {weight} -> {wide}", [a[0] for a in axes]),
    }
    spec, open_sizes = draw(st.sampled_from(sorted(forms.values())))
    extents = tuple((name, sizes[name]) for name in open_sizes)
    return Case(spec, sizes, extents, draw(st.integers(0, 99)), draw(DTYPES))


def operands(case: Case) -> list[Any]:
    """Normal numbers, under some seeds as transposed or reversed views."""
    rng = np.random.default_rng(case.seed)
    arrays = []
    for shape in case.shapes():
        array = rng.normal(size=shape)
        if case.seed % 3 == 1 and array.ndim:
            array = np.ascontiguousarray(array.T).T
        if case.seed % 3 == 2 and array.ndim:
            array = np.ascontiguousarray(array[::-1])[::-1]
        arrays.append(array.astype(case.dtype, order="K"))
    return arrays


def computed(primitive: Any, dtype: str, *arrays: Any) -> Any:
    types = [Type(a.shape) for a in arrays]
    shape = primitive.infer(*types).shape
    out = np.full(shape, np.nan, dtype)
    kinds = {"float": dtype, "int": "int64", "bool": "bool"}

    def scratch(shape: tuple[int, ...], kind: str) -> Any:
        return np.full(shape, np.nan, kinds[kind])

    calls = list(primitive.kernel(np, scratch, {}, out, *arrays))
    for _ in range(2):
        for call in calls:
            call()
    return out


@settings(max_examples=150, deadline=None)
@given(plain())
def test_plain(case: Case) -> None:
    arrays = operands(case)
    want = np.einsum(case.spec.replace(" ", ""), *(a.astype("float64") for a in arrays))
    got = computed(Contract(case.spec), case.dtype, *arrays)
    assert np.allclose(got, want, rtol=0, atol=1e-4 if case.dtype == "float32" else 1e-12)


WAYS = {
    "whole": (blocks.BLOCK, (1e9,) * 3),
    "rows": (64, (1e9,) * 3),
    "row by row": (1, (1e9,) * 3),
    "shifted": (64, (0.0,) * 3),
}


@pytest.mark.parametrize(("block", "gains"), WAYS.values(), ids=WAYS)
@settings(max_examples=100, deadline=None)
@given(case=windowed())
def test_windows(block: int, gains: tuple[float, ...], case: Case) -> None:
    arrays = operands(case)
    want = naive(case.spec, case.sizes, *arrays)
    with mock.patch.object(blocks, "BLOCK", block), mock.patch.object(shifted, "GAINS", gains):
        got = computed(Contract(case.spec, case.extents), case.dtype, *arrays)
    assert got.shape == want.shape
    assert np.allclose(got, want, rtol=0, atol=1e-4 if case.dtype == "float32" else 1e-12)


@settings(max_examples=50, deadline=None)
@given(windowed())
def test_unfold_and_fold_share_the_work(case: Case) -> None:
    """A contraction is an unfold and a product, or a product and a fold."""
    left, right, out = (part.strip() for part in case.spec.replace("->", ",").split(","))
    arrays = operands(case)
    want = computed(Contract(case.spec, case.extents), "float64", *arrays)
    wide = left if "+" in left else out
    labels = " ".join(c for c in wide if c.isalpha())
    extents = tuple((n, case.sizes[n]) for n in [*labels.split(), *wide.split()])
    if wide is left:
        unfolded = computed(Unfold(f"{left} -> {labels}", extents), "float64", arrays[0])
        got = computed(Contract(f"{labels}, {right} -> {out}"), "float64", unfolded, arrays[1])
    else:
        product = computed(Contract(f"{left}, {right} -> {labels}"), "float64", *arrays)
        got = computed(Fold(f"{labels} -> {out}", extents), "float64", product)
    assert np.allclose(got, want, rtol=0, atol=1e-4 if case.dtype == "float32" else 1e-12)


Geometry = tuple[Any, ...]
CONVOLUTIONS: dict[str, Geometry] = {
    "pad": ((2, 3, 7, 6), (4, 3, 5, 5), (1, 1), ((2, 2), (2, 2)), (1, 1), 1, True),
    "uneven": ((2, 3, 7, 6), (4, 3, 2, 3), (2, 1), ((0, 1), (2, 0)), (1, 2), 1, True),
    "1x1": ((2, 3, 4, 4), (5, 3, 1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1), 1, True),
    "1x1, stride": ((2, 3, 5, 4), (5, 3, 1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1), 1, True),
    "1x3": ((2, 3, 4, 4), (5, 3, 1, 3), (1, 1), ((0, 0), (1, 1)), (1, 1), 1, True),
    "groups": ((2, 4, 5, 5), (6, 2, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 2, True),
    "depthwise": ((2, 4, 5, 5), (4, 1, 3, 3), (2, 2), ((1, 1), (1, 1)), (1, 1), 4, True),
    "one side": ((2, 3, 9), (4, 3, 3), (2,), ((1, 0),), (2,), 1, True),
    "no batch": ((3, 9), (4, 3, 3), (2,), ((1, 0),), (1,), 1, False),
    "batch of one": ((1, 3, 6, 6), (4, 3, 3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1), 1, True),
}


def convolved(
    x: Any, w: Any, stride: Any, pad: Any, dilation: Any, groups: int, batched: bool
) -> Any:
    """The definition, one output number at a time."""
    x = x if batched else x[None]
    x = np.pad(x, ((0, 0), (0, 0), *pad))
    counts = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation, strict=True)
    ]
    y = np.zeros((len(x), len(w), *counts))
    size = w.shape[1]
    for place in np.ndindex(*counts):
        seen = tuple(
            slice(a * s, a * s + (k - 1) * d + 1, d)
            for a, s, k, d in zip(place, stride, w.shape[2:], dilation, strict=True)
        )
        for o in range(len(w)):
            g = o // (len(w) // groups)
            part = x[(slice(None), slice(g * size, (g + 1) * size), *seen)]
            y[(slice(None), o, *place)] = (part * w[o]).reshape(len(x), -1).sum(1)
    return y if batched else y[0]


@pytest.mark.parametrize("geometry", CONVOLUTIONS.values(), ids=list(CONVOLUTIONS))
def test_convolve(geometry: Geometry) -> None:
    shape, kernel, *rest = geometry
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=shape), rng.normal(size=kernel)
    build = Builder()
    B, N = Size.named("B"), Size.named("N")
    symbolic = (*([B] if rest[-1] else []), shape[1 if rest[-1] else 0], *shape[-len(rest[0]) : -1])
    given = build.input("x", Type((*symbolic, N)), "data", "x")
    weight = build.input("w", Type(kernel), "weight", "w")
    y = build.convolve(given, weight, *rest)
    want = convolved(x, w, *rest)
    probe = build.input("r", y.type, "data", "r")
    loss = build.sum(build.mul(y, probe))
    gx, gw = differentiate(build, loss, [given, weight])
    program = verify(build.finish([("y", y), ("loss", loss), ("gx", gx), ("gw", gw)]))
    data = {"x": x, "w": w, "r": rng.normal(size=want.shape)}
    sizes = {"B": shape[0], "N": shape[-1]}
    got = run(program, sizes, data)
    assert np.allclose(got["y"], want)
    # The loss is linear in each: its change along a direction is exact.
    for key, slope in (("x", got["gx"]), ("w", got["gw"])):
        step = rng.normal(size=data[key].shape)
        moved = run(program, sizes, {**data, key: data[key] + step})["loss"]
        assert np.isclose(moved - got["loss"], (slope * step).sum())


def test_empty_batches_and_sums() -> None:
    assert (
        computed(Contract("b k, n k -> b n"), "float64", np.ones((0, 3)), np.ones((2, 3))).size == 0
    )
    nothing = computed(Contract("b k, n k -> b n"), "float64", np.ones((4, 0)), np.ones((2, 0)))
    assert not nothing.any()

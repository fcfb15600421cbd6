"""The table of primitives: a row or more for each, with another formula for what it computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from graphdl.program import Primitive, Size, Type, evaluate
from graphdl.program import primitives as p

B, T = Size.named("B"), Size.named("T")
SIZES = {"B": 2, "T": 7}


def f(*shape: Any) -> Type:
    return Type(shape)


def i(*shape: Any) -> Type:
    return Type(shape, "int")


def b(*shape: Any) -> Type:
    return Type(shape, "bool")


@dataclass(frozen=True)
class Row:
    """A primitive with its constants, arguments it takes, what it computes, arguments it refuses.

    gradient: by central "differences"; "zero" though the value changes; "none" is refused.
    Floats are drawn from `low` to 2, ints from 0 to `below`.
    """

    primitive: Primitive
    types: tuple[Type, ...]
    formula: Callable[..., Any]
    wrong: tuple[tuple[Type, ...], ...] = ()
    gradient: str = "differences"
    low: float = -2.0
    below: int = 3

    sizes = SIZES

    @property
    def name(self) -> str:
        return str(self.primitive)

    @property
    def data(self) -> dict[str, Any]:
        return drawn(self)


def first_largest(x: Any) -> Any:
    """Zeros with a one at the first largest of the last axis."""
    return (np.arange(x.shape[-1]) == x.argmax(-1)[..., None]).astype(x.dtype)


def windows(x: Any, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Any:
    """[..., positions, offsets] of a padded array."""
    axes = tuple(range(-len(kernel), 0))
    every: Any = sliding_window_view(x, kernel, axes)
    steps = tuple(slice(None, None, s) for s in stride)
    return every[(..., *steps, *(slice(None),) * len(kernel))]


def window_max(x: Any) -> Any:
    """Kernel 3, stride 2, pad 1 before."""
    return windows(np.pad(x, ((0, 0), (1, 0)), constant_values=-9), (3,), (2,)).max(-1)


def max_gradient(x: Any, _largest: Any, grad: Any) -> Any:
    """One axis, kernel 3, stride 2, pad 1 before."""
    gx = np.zeros_like(x)
    for row, place in np.ndindex(grad.shape):
        seen = range(max(0, 2 * place - 1), min(x.shape[1], 2 * place + 2))
        gx[row, max(seen, key=lambda j: (x[row, j], -j))] += grad[row, place]
    return gx


def mean_gradient(grad: Any) -> Any:
    gx = np.zeros((grad.shape[0], 8), grad.dtype)
    for row, place in np.ndindex(grad.shape):
        gx[row, max(0, 2 * place - 1) : 2 * place + 2] += grad[row, place] / 3
    return gx[:, :7]


def folded(x: Any, places: int = 7) -> Any:
    """`i b y -> b y*2+i-1` onto so many places."""
    wide = np.zeros((x.shape[1], 99), x.dtype)
    for offset, row, place in np.ndindex(x.shape):
        wide[row, place * 2 + offset] += x[offset, row, place]
    return wide[:, 1 : places + 1]


def scattered(ids: Any, rows: Any) -> Any:
    one_hot = (ids.reshape(-1)[:, None] == np.arange(4)).astype(rows.dtype)
    return one_hot.T @ rows.reshape(ids.size, -1)


def philox(seed: int, node: int, draw: int, count: int) -> list[float]:
    """Philox4x64-10 as published, 24 bits of every 32."""
    word = 2**64 - 1
    numbers: list[float] = []
    for block in range(1, count + 1):
        counter, key = [block, draw, 0, 0], [seed, node]
        for _ in range(10):
            first = 0xD2E7470EE14C6C93 * counter[0]
            second = 0xCA5A826395121157 * counter[2]
            counter = [
                (second >> 64) ^ counter[1] ^ key[0],
                second & word,
                (first >> 64) ^ counter[3] ^ key[1],
                first & word,
            ]
            key = [(key[0] + 0x9E3779B97F4A7C15) & word, (key[1] + 0xBB67AE8584CAA73B) & word]
        numbers += [((n >> low) & 0xFFFFFF) / 2**24 for n in counter for low in (8, 40)]
    return numbers[:count]


def unary(primitive: Primitive, formula: Callable[[Any], Any], low: float = -2.0) -> Row:
    return Row(primitive, (f(B, 3),), formula, ((b(2),),), low=low)


def binary(
    primitive: Primitive, formula: Callable[[Any, Any], Any], low: float = -2.0, kind: str = "float"
) -> Row:
    types = (Type((B, T), kind), Type((B, T), kind))  # type: ignore[arg-type]
    wrong = ((f(B, T), f(T, B)), (f(2), i(2)), (f(3), f(1)))
    return Row(primitive, types, formula, wrong, low=low)


CONV = p.Contract("b c y*2+i-1, o c i -> b o y", (("y", (T - 1) // 2 + 1),))
UNCONV = p.Contract("b o y, o c i -> b c y*2+i-1", (("y*2+i-1", 2 * T + 1),))
POOL = ((3,), (2,), ((1, 0),))

ROWS = [
    unary(p.Neg(), lambda x: -x),
    unary(p.Exp(), lambda x: math.e**x),
    unary(p.Log(), lambda x: np.log2(x) * math.log(2), low=0.5),
    unary(p.Sqrt(), lambda x: x**0.5, low=0.5),
    unary(p.Abs(), lambda x: np.where(x < 0, -x, x)),
    unary(p.Sign(), lambda x: np.where(x < 0, -1.0, 1.0)),
    unary(p.Floor(), lambda x: np.trunc(x) - (x < 0)),
    unary(p.Tanh(), lambda x: 1 - 2 / (np.exp(2 * x) + 1)),
    unary(p.Erf(), np.vectorize(math.erf)),
    unary(p.Expm1(), lambda x: np.exp(x) - 1),
    unary(p.Log1p(), lambda x: np.log(1 + x), low=-0.5),
    unary(p.Sigmoid(), lambda x: np.exp(x) / (1 + np.exp(x))),
    unary(p.Softplus(), lambda x: np.log(1 + np.exp(x))),
    unary(p.NormalCdf(), np.vectorize(lambda x: math.erfc(-x * 0.5**0.5) / 2)),
    Row(p.LogicalNot(), (b(B, 3),), lambda x: ~x, ((f(2),),)),
    Row(p.Cast("float"), (i(B),), lambda x: x * 1.0),
    Row(p.Cast("float"), (f(B),), lambda x: x),
    Row(p.Cast("int"), (f(B),), lambda x: np.trunc(x).astype(int)),
    Row(p.Cast("bool"), (i(B),), lambda x: x > 0),
    Row(p.Copy(), (f(B, 3),), lambda x: x),
    binary(p.Add(), lambda x, y: x + y),
    binary(p.Sub(), lambda x, y: x - y),
    binary(p.Mul(), lambda x, y: x * y),
    binary(p.Div(), lambda x, y: x / y, low=0.5),
    binary(p.FloorDiv(), lambda x, y: np.floor(x / y), low=0.5),
    binary(p.Mod(), lambda x, y: x - y * np.floor(x / y), low=0.5),
    binary(p.Power(), lambda x, y: np.exp(y * np.log(x)), low=0.5),
    binary(p.Maximum(), lambda x, y: np.where(x >= y, x, y)),
    binary(p.Minimum(), lambda x, y: np.where(x <= y, x, y)),
    binary(p.Add(), lambda x, y: x + y, kind="int"),
    binary(p.Equal(), lambda x, y: ~((x > y) | (x < y)), kind="int"),
    binary(p.NotEqual(), lambda x, y: (x > y) | (x < y), kind="int"),
    binary(p.Less(), lambda x, y: y - x > 0),
    binary(p.LessEqual(), lambda x, y: y - x >= 0, kind="int"),
    binary(p.Greater(), lambda x, y: x - y > 0),
    binary(p.GreaterEqual(), lambda x, y: x - y >= 0, kind="int"),
    binary(p.LogicalAnd(), lambda x, y: x & y, kind="bool"),
    binary(p.LogicalOr(), lambda x, y: x | y, kind="bool"),
    Row(
        p.Select(),
        (b(B, T), f(B, T), f(B, T)),
        lambda c, x, y: c * x + ~c * y,
        ((b(2), f(2), f(3)), (f(2), f(2), f(2)), (b(2), f(2), i(2))),
    ),
    Row(p.Sum((0, 2)), (f(B, 3, T),), lambda x: x.sum(2).sum(0), ((f(2, 3),), (b(2, 3, 4),))),
    Row(p.Mean((0, 2)), (f(B, 3, T),), lambda x: x.mean(2).mean(0), ((f(2, 3),), (i(2, 3, 4),))),
    Row(p.Amax((1,)), (f(B, T),), lambda x: np.sort(x, 1)[:, -1], ((f(2),),)),
    Row(p.Amax((0, 2)), (f(B, 3, T),), lambda x: x.swapaxes(0, 1).reshape(3, -1).max(1)),
    Row(p.Amin((0,)), (f(B, T),), lambda x: np.sort(x, 0)[0], ((f(),),)),
    Row(p.ArgMax(0), (f(B, T),), lambda x: np.argsort(-x, 0, "stable")[0], ((f(),),)),
    Row(p.ArgMax(1), (i(B, T),), lambda x: first_largest(x).argmax(-1)),
    Row(
        p.Contract("b t k, n k -> b t n"),
        (f(B, T, 3), f(4, 3)),
        lambda x, w: np.einsum("btk,nk->btn", x, w),
        ((f(B, T, 3), f(4, 2)), (f(B, T), f(4, T)), (i(B, T, 3), f(4, 3))),
    ),
    Row(
        p.Contract("b h q d, b h k d -> b h q k"),
        (f(B, 2, T, 3), f(B, 2, 4, 3)),
        lambda x, w: np.einsum("bhqd,bhkd->bhqk", x, w),
    ),
    Row(
        CONV,
        (f(B, 2, T), f(4, 2, 3)),
        lambda x, w: np.einsum(
            "bcyi,oci->boy", windows(np.pad(x, ((0, 0), (0, 0), (1, 1))), (3,), (2,)), w
        ),
        ((f(B, 3, T), f(4, 2, 3)), (f(B, 2), f(4, 2, 3))),
    ),
    Row(
        UNCONV,
        (f(B, 4, T), f(4, 2, 3)),
        lambda y, w: np.stack(
            [folded(np.einsum("boy,oi->iby", y, w[:, c]), 15) for c in range(2)], 1
        ),
    ),
    Row(
        p.ContractSpread("b t k, b n t -> n k", 2, T, 1),
        (i(B, 4), f(B, 4), f(B, T, 3)),
        lambda ids, values, x: np.einsum("bn,bnk->nk", values, x[[[0], [1]], ids]),
        ((f(B, 4), f(B, 4), f(B, T, 3)), (i(B, 4), f(B, 3), f(B, T, 3)), (i(2), f(2), f(3))),
        below=7,
    ),
    Row(
        p.Unfold("b c y*2+i -> i c b y", (("y", (T - 1) // 2), ("i", 3))),
        (f(B, 2, T),),
        lambda x: windows(x, (3,), (2,)).transpose(3, 1, 0, 2),
        ((f(B, 2),),),
    ),
    Row(p.Fold("i b y -> b y*2+i-1", (("y*2+i-1", T),)), (f(3, B, 5),), folded, ((f(3, B),),)),
    Row(
        p.WindowMax(*POOL),
        (f(B, 7),),
        window_max,
        ((f(B, 1),), (i(B, 9),), (f(),)),
    ),
    Row(
        p.WindowMax((2, 2), (2, 2), ((0, 0), (0, 0)), ceil=True),
        (f(B, 2, 5, 4),),
        lambda x: windows(
            np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0)), constant_values=-9), (2, 2), (2, 2)
        ).max((-1, -2)),
    ),
    Row(
        p.WindowMaxGradient(*POOL),
        (f(B, 7), f(B, 3), f(B, 3)),
        max_gradient,
        ((f(B, 7), f(B, 3), f(B, 4)),),
        gradient="none",
    ),
    Row(
        p.WindowMean(*POOL),
        (f(B, T),),
        lambda x: windows(np.pad(x, ((0, 0), (1, 0))), (3,), (2,)).mean(-1),
        ((f(B, 1),), (i(B, 9),)),
    ),
    Row(
        p.WindowMean((2,), (2,), ((0, 0),), ceil=True),
        (f(B, T),),
        lambda x: np.stack([x[:, j : j + 2].mean(1) for j in range(0, x.shape[1], 2)], 1),
    ),
    Row(
        p.WindowMeanGradient(*POOL, sides=(T,)),
        (f(B, T // 2),),
        mean_gradient,
        ((f(B, T),),),
    ),
    Row(p.Reshape((B * 2, 3)), (f(B, 6),), lambda x: x.reshape(-1, 3), ((f(B, 5),), (f(T, 6),))),
    Row(p.Transpose((2, 0, 1)), (f(B, 3, T),), lambda x: np.moveaxis(x, 2, 0), ((f(2, 3),),)),
    Row(
        p.Slice(1, 1, T - 1, 2),
        (f(B, T),),
        lambda x: x[:, [1, 3, 5]],
        ((f(2),), (f(),)),
    ),
    Row(p.Slice(0, 1, 3), (f(4),), lambda x: x[[1, 2]], ((f(2),), (f(),))),
    Row(
        p.Broadcast((B, 3, T)),
        (f(3, 1),),
        lambda x: np.einsum("ci,bit->bct", x, np.ones((2, 1, 7))),
        ((f(2, 1),), (f(3, B),), (f(1, 1, 1, 1),)),
    ),
    Row(p.Reverse(1), (f(B, T),), np.fliplr, ((f(2),),)),
    Row(p.Stop(), (f(B, 3),), lambda x: x, gradient="zero"),
    Row(
        p.Pad(1, 2, 1, -1.5, 3),
        (f(B, 2),),
        lambda x: np.insert(x, [0, 0, 1, 1, 2], -1.5, axis=1),
        ((f(2),),),
    ),
    Row(
        p.Pad(0, 1, T - 5),
        (f(B),),
        lambda x: np.concatenate([[0], x, [0, 0]]),
        ((f(),),),
    ),
    Row(
        p.Concat(1),
        (f(B, 2), f(B, T), f(B, 1)),
        lambda *xs: np.hstack(xs),
        ((f(B, 2), f(T, 2)), (f(B, 2), i(B, 2)), (f(B), f(B))),
    ),
    Row(
        p.Gather(),
        (f(3, 2), i(B, T)),
        lambda table, ids: np.eye(3)[ids] @ table,
        ((f(3), f(2)), (f(), i(2))),
    ),
    Row(
        p.ScatterAdd(4),
        (i(B, 3), f(B, 3, 2)),
        scattered,
        ((i(B, 3), f(B, 2)), (f(B), f(B))),
    ),
    Row(
        p.MergeRows(4),
        (i(B, 3), f(B, 3, 2), i(T)),
        lambda ids, rows, places: scattered(ids, rows)[places],
        ((i(B, 3), f(B, 2), i(T)), (f(B), f(B), i(T)), (i(B), f(B), f(T))),
        below=4,
    ),
    Row(
        p.MergeRows(9),
        (i(B), f(B), i(B, T)),
        lambda ids, rows, places: (ids[:, None, None] == places).transpose(1, 2, 0) @ rows,
        below=9,
    ),
    Row(
        p.PutRows(),
        (f(T, 2), i(B), f(B, 2)),
        lambda table, ids, rows: np.stack(
            [rows[list(ids).index(n)] if n in ids else row for n, row in enumerate(table)]
        ),
        ((f(), i(B), f(B)), (f(T, 2), i(B), f(B, 3)), (f(T, 2), f(B), f(B, 2))),
        gradient="none",
        below=7,
    ),
    Row(
        p.Pick(),
        (f(B, T, 3), i(B, T)),
        lambda x, ids: (x * np.eye(3)[ids]).sum(-1),
        ((f(B, 3), i(3)), (f(B, 3), f(B))),
    ),
    Row(
        p.Spread(3),
        (i(B, T), f(B, T)),
        lambda ids, values: values[..., None] * np.eye(3)[ids],
        ((i(B), f(T)), (f(B), f(B))),
    ),
    Row(p.Constant(2.5), (), lambda: 2.5),
    Row(p.Constant(3, "int"), (), lambda: 3),
    Row(p.Extent(B * T + 1), (), lambda: 15.0),
    Row(p.Iota((B, 3), 1), (), lambda: np.array([[0, 1, 2]] * 2)),
    Row(
        p.Random((B, T), 5),
        (i(), i()),
        lambda seed, draw: np.reshape(philox(int(seed), 5, int(draw), 14), (2, 7)),
        ((i(), f()),),
    ),
]


def drawn(row: Row) -> dict[str, Any]:
    """Arguments by their place."""
    rng = np.random.default_rng(7)
    data: dict[str, Any] = {}
    for place, type in enumerate(row.types):
        shape = tuple(evaluate(dim, row.sizes) for dim in type.shape)
        numbers = {
            "float": rng.uniform(row.low, 2, shape),
            "int": rng.integers(0, row.below, shape),
            "bool": rng.random(shape) < 0.5,
        }
        data[str(place)] = numbers[type.kind]
    if isinstance(row.primitive, p.WindowMaxGradient):
        data["1"] = window_max(data["0"])
    return data


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that ask for `row`, `smooth`, `flat` or `refusal` run once for each."""
    cases: dict[str, list[Any]] = {
        "row": [pytest.param(row, id=row.name) for row in ROWS],
        "smooth": [pytest.param(r, id=r.name) for r in ROWS if r.gradient == "differences"],
        "flat": [pytest.param(r, id=r.name) for r in ROWS if r.gradient != "differences"],
        "refusal": [pytest.param((r.primitive, w), id=r.name) for r in ROWS for w in r.wrong],
    }
    for name in cases:
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases[name])


@pytest.fixture
def rows() -> list[Row]:
    return ROWS

"""The builder: broadcasting, promotion, reshapes of strided views, what it refuses and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphdl.program import Builder, Kind, ShapeError, Size, Type, Value, text, verify
from graphdl.program.reference import run

B, T = Size.named("B"), Size.named("T")


def data(build: Builder, name: str, *shape: Any, kind: Kind = "float") -> Value:
    return build.input(name, Type(shape, kind), "data", name)


def value(build: Builder, y: Value, **arrays: Any) -> Any:
    return run(verify(build.finish([("y", y)])), {"B": 2, "T": 5}, arrays)["y"]


Case = tuple[str, Callable[[Builder], Value], str]
REFUSED: list[Case] = [
    (
        "add",
        lambda m: m.add(data(m, "a", 16, 32, 32), data(m, "b", 32, 16, 16)),
        "cannot add [16, 32, 32] and [32, 16, 16]",
    ),
    (
        "symbolic",
        lambda m: m.mul(data(m, "a", B, T), data(m, "b", B, 4)),
        "cannot multiply [B, T] and [B, 4]",
    ),
    (
        "matmul",
        lambda m: m.matmul(data(m, "a", B, 3), data(m, "b", 4, 5)),
        "cannot multiply [B, 3] by [4, 5] as matrices",
    ),
    (
        "batches",
        lambda m: m.matmul(data(m, "a", 2, 4, 3), data(m, "b", 3, 3, 5)),
        "cannot multiply [2, 4, 3] by [3, 3, 5] as matrices",
    ),
    (
        "reshape",
        lambda m: m.reshape(data(m, "a", B, 3), (B, 4)),
        "cannot reshape [B, 3] to [B, 4]: 3*B numbers do not fill 4*B",
    ),
    (
        "concat",
        lambda m: m.concat([data(m, "a", 3, 24), data(m, "b", 3, 26)], 0),
        "`concat` needs equal sizes except axis 0: 24 vs 26 on axis 1",
    ),
    (
        "kernel",
        lambda m: m.convolve(
            data(m, "x", B, 3, 4, 4), data(m, "w", 8, 3, 5, 5), (1, 1), ((0, 0),) * 2, (1, 1), 1
        ),
        "the kernel 5x5 is larger than its input 4x4",
    ),
    (
        "channels",
        lambda m: m.convolve(data(m, "x", B, 4, 9), data(m, "w", 8, 3, 5), (1,), ((0, 0),), (1,)),
        "the kernel takes 3 channels, the input has 4",
    ),
    (
        "groups",
        lambda m: m.convolve(
            data(m, "x", B, 4, 9), data(m, "w", 7, 2, 5), (1,), ((0, 0),), (1,), 2
        ),
        "7 maps do not fall into 2 equal groups",
    ),
    ("axis", lambda m: m.sum(data(m, "a", 3, 4), [2]), "[3, 4] has no axis 2"),
    (
        "window",
        lambda m: m.window_max(data(m, "a", 3, 4), (5,), (5,), ((0, 0),)),
        "the kernel 5 is larger than its input 4",
    ),
]


@pytest.mark.parametrize(
    ("case", "message"), [pytest.param(c, message, id=name) for name, c, message in REFUSED]
)
def test_refused(case: Callable[[Builder], Value], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        case(Builder())
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("method", "kinds", "want"),
    [
        ("add", ("int", "int"), "int"),
        ("add", ("bool", "bool"), "float"),
        ("mul", ("bool", "float"), "float"),
        ("sub", ("int", "float"), "float"),
        ("div", ("int", "int"), "float"),
        ("power", ("int", "int"), "float"),
        ("maximum", ("int", "int"), "int"),
        ("mod", ("int", "int"), "int"),
        ("equal", ("bool", "bool"), "bool"),
        ("less", ("int", "float"), "bool"),
        ("logical_and", ("float", "bool"), "bool"),
    ],
)
def test_kinds_of_two(method: str, kinds: tuple[Kind, Kind], want: Kind) -> None:
    build = Builder()
    a, b = (data(build, name, 3, kind=kind) for name, kind in zip("ab", kinds, strict=True))
    assert getattr(build, method)(a, b).type == Type((3,), want)


def test_numbers_take_the_kind_of_the_others() -> None:
    build = Builder()
    ids = data(build, "ids", B, kind="int")
    assert build.add(ids, 1).type.kind == "int"
    assert build.add(ids, 0.5).type.kind == "float"
    assert build.maximum(0, data(build, "x", B)).type == Type((B,))
    assert build.exp(ids).type.kind == "float"
    assert build.sum(build.equal(ids, 1)).type.kind == "float"


def test_broadcasting_is_explicit() -> None:
    build = Builder()
    y = build.add(data(build, "x", B, 1, 3), data(build, "z", T, 1))
    assert y.type.shape == (B, T, 3)
    assert [op.primitive.name for op in build.ops] == ["broadcast", "broadcast", "add"]


def test_a_reshape_copies_only_what_is_not_in_order() -> None:
    build = Builder()
    x = data(build, "x", B, 3, 4)
    build.reshape(x, (B * 3, 4))
    build.reshape(build.slice(x, 0, 1), (B * 12 - 12,))
    turned = build.transpose(x, (0, 2, 1))
    build.reshape(turned, (B, 1, 2, 2, 3))
    assert "copy" not in text(build.finish([]))
    flat = build.reshape(turned, (B, 12))
    assert build.ops[-2].primitive.name == "copy"
    every_other = build.slice(x, 0, 0, None, 2)
    build.reshape(every_other, ((B - 1) // 2 * 12 + 12,))
    assert build.ops[-2].primitive.name == "copy"
    array = np.arange(24.0).reshape(2, 3, 4)
    assert (value(build, flat, x=array) == array.swapaxes(1, 2).reshape(2, 12)).all()


MATMUL = [
    ((4, 3), (3, 5)),
    ((B, T, 3), (3, 5)),
    ((3,), (3, 5)),
    ((B, 3), (3,)),
    ((3,), (3,)),
    ((B, T, 3), (B, 3, 4)),
    ((B, 2, T, 3), (B, 2, 3, T)),
    ((B, 2, T, 3), (2, 3, T)),
    ((B, 1, T, 3), (2, 3, T)),
    ((T, 3), (B, 3, 4)),
    ((B, T, 3), (3,)),
]


@pytest.mark.parametrize(("left", "right"), MATMUL, ids=str)
def test_matmul_is_numpys(left: tuple[Any, ...], right: tuple[Any, ...]) -> None:
    build = Builder()
    y = build.matmul(data(build, "a", *left), data(build, "b", *right))
    rng = np.random.default_rng(0)
    a, b = (
        rng.normal(size=[{B: 2, T: 5}.get(dim, dim) for dim in shape]) for shape in (left, right)
    )
    assert np.allclose(value(build, y, a=a, b=b), np.matmul(a, b))


def test_mean_and_keep() -> None:
    build = Builder()
    x = data(build, "x", B, T, 3)
    y = build.mean(x, [-1, 0], keep=True)
    assert y.type.shape == (1, T, 1)
    array = np.random.default_rng(0).normal(size=(2, 5, 3))
    assert np.allclose(value(build, y, x=array), array.mean((0, 2), keepdims=True))


@pytest.mark.parametrize("exponent", [-1, 0, 0.5, 1, 2, 3, 2.5])
def test_powers(exponent: float) -> None:
    build = Builder()
    y = build.power(data(build, "x", B), exponent)
    array = np.array([0.5, 3.0])
    assert np.allclose(value(build, y, x=array), array**exponent)


def test_slices_count_from_the_end() -> None:
    build = Builder()
    x = data(build, "x", B, T)
    y = build.slice(x, -1, -3, -1)
    array = np.arange(10.0).reshape(2, 5)
    assert y.type.shape == (B, 2)
    assert (value(build, y, x=array) == array[:, -3:-1]).all()
    assert build.slice(x, 0) is x


def test_names_stay_apart() -> None:
    build = Builder()
    a, b = data(build, "1", B), data(build, "1", B)
    build.add(a, b)
    verify(build.finish([]))


def test_random_depends_on_its_three_keys_only() -> None:
    build = Builder()
    seed, draw = (data(build, name, kind="int") for name in ("seed", "draw"))
    a, b = (build.random((T, 300), node, seed, draw) for node in (1, 2))
    program = build.finish([("a", a), ("b", b)])

    def numbers(seed: int, draw: int, dtype: str = "float64") -> dict[str, Any]:
        return run(program, {"T": 5}, {"seed": seed, "draw": draw}, dtype)

    first = numbers(3, 4)
    assert (first["a"] == numbers(3, 4)["a"]).all()
    assert (first["a"] == numbers(3, 4, "float32")["a"]).all()
    others = [first["b"], numbers(4, 4)["a"], numbers(3, 5)["a"], numbers(-3, 4)["a"]]
    assert all((first["a"] != other).mean() > 0.99 for other in others)
    assert 0 <= first["a"].min() < 0.01 < 0.99 < first["a"].max() < 1

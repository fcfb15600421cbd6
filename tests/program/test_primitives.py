"""Each primitive of the table: value, type, gradient, refusals, and other array modules."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
import pytest

from graphdl.program import (
    Array,
    Builder,
    Primitive,
    Program,
    ShapeError,
    Type,
    Value,
    differentiate,
    evaluate,
    verify,
)
from graphdl.program import primitives as p
from graphdl.program.reference import run


class Row(Protocol):
    """A row of the table in conftest."""

    primitive: Primitive
    types: tuple[Type, ...]
    gradient: str
    sizes: dict[str, int]
    data: dict[str, Array]

    def formula(self, *arrays: Array) -> Array: ...


def inputs(build: Builder, row: Row) -> list[Value]:
    return [build.input(f"a{n}", t, "data", str(n)) for n, t in enumerate(row.types)]


def extents(row: Row, type: Type) -> tuple[int, ...]:
    return tuple(evaluate(dim, row.sizes) for dim in type.shape)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value(row: Row, dtype: str) -> None:
    build = Builder()
    y = build.emit(row.primitive, *inputs(build, row))
    got = run(verify(build.finish([("y", y)])), row.sizes, row.data, dtype)["y"]
    rounded = [a.astype(dtype) if a.dtype.kind == "f" else a for a in row.data.values()]
    want = np.asarray(row.formula(*rounded))
    assert got.shape == want.shape == extents(row, y.type)
    assert got.dtype == {"float": dtype, "int": "int64", "bool": "bool"}[y.type.kind]
    assert np.allclose(got, want, rtol=0, atol=1e-5 if dtype == "float32" else 1e-12)


def test_every_primitive_has_a_row(rows: list[Row]) -> None:
    missing = sorted(c.__name__ for c in set(p.ALL) - {type(row.primitive) for row in rows})
    assert not missing, f"add a row for {missing} to ROWS in tests/program/conftest.py"


def test_refused(refusal: tuple[Primitive, tuple[Type, ...]]) -> None:
    primitive, types = refusal
    with pytest.raises(ShapeError):
        primitive.infer(*types)


def test_gradient(smooth: Row) -> None:
    build = Builder()
    args = inputs(build, smooth)
    y = build.emit(smooth.primitive, *args)
    floats = [n for n, t in enumerate(smooth.types) if t.kind == "float"]
    if y.type.kind != "float" or not floats:
        return
    probe = build.input("r", y.type, "data", "r")
    loss = build.sum(build.mul(y, probe))
    slopes = differentiate(build, loss, [args[n] for n in floats])
    named = [(f"g{n}", slope) for n, slope in zip(floats, slopes, strict=True)]
    program = verify(build.finish([("loss", loss), *named]))
    data = {**smooth.data, "r": np.random.default_rng(8).normal(size=extents(smooth, y.type))}
    got = run(program, smooth.sizes, data)
    for n in floats:
        want = differences(program, smooth.sizes, data, str(n))
        assert np.allclose(got[f"g{n}"], want, rtol=0, atol=1e-7)


def differences(program: Program, sizes: dict[str, int], data: dict[str, Array], key: str) -> Array:
    """Central differences of the loss."""
    eps = 1e-6
    slope = np.zeros_like(data[key])
    for place in np.ndindex(slope.shape):
        ends = []
        for step in (eps, -eps):
            moved = data[key].copy()
            moved[place] += step
            ends.append(run(program, sizes, {**data, key: moved})["loss"])
        slope[place] = (ends[0] - ends[1]) / (2 * eps)
    return slope


def test_no_gradient(flat: Row) -> None:
    build = Builder()
    args = inputs(build, flat)
    loss = build.sum(build.emit(flat.primitive, *args))
    args = [arg for arg in args if arg.type.kind == "float"]
    if flat.gradient == "none":
        with pytest.raises(ShapeError, match="derivative"):
            differentiate(build, loss, args)
        return
    (slope,) = differentiate(build, loss, args)
    assert not run(build.finish([("g", slope)]), flat.sizes, flat.data)["g"].any()


class Device(np.ndarray):
    """An array that, like one on a device, meets no array of NumPy and no list."""

    def __array_ufunc__(self, ufunc: Any, method: Any, *args: Any, **kwargs: Any) -> Any:
        outs = kwargs.pop("out", ())
        for array in (*args, *outs):
            assert isinstance(array, Device | int | float), f"{ufunc} got {type(array)}"
        if outs:
            kwargs["out"] = tuple(out.view(np.ndarray) for out in outs)
        bare = [a.view(np.ndarray) if isinstance(a, Device) else a for a in args]
        result = getattr(ufunc, method)(*bare, **kwargs)
        return outs[0] if outs else device(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        assert set(types) == {Device}, f"{function} got {types}"
        return super().__array_function__(function, types, args, kwargs)

    def set(self, host: Array) -> None:
        assert type(host) is np.ndarray
        assert (host.dtype, host.shape) == (self.dtype, self.shape)
        np.copyto(self.view(np.ndarray), host)


def device(array: Any) -> Array:
    return np.array(array).view(Device)


class Module:
    """NumPy's functions for such arrays, as CuPy has them: `take` knows no mode."""

    __name__ = "device"

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def take(self, a: Array, indices: Array, axis: int | None = None, out: Any = None) -> Array:
        return np.take(a, indices, axis, out, mode="clip")

    def arange(self, *args: Any) -> Array:
        return device(np.arange(*args))

    def asarray(self, numbers: Any, dtype: Any = None) -> Array:
        return device(np.asarray(numbers, dtype))

    lib = SimpleNamespace(
        stride_tricks=SimpleNamespace(
            as_strided=lambda x, shape, strides: np.lib.stride_tricks.as_strided(
                x, shape, strides, subok=True
            )
        )
    )


def test_another_array_module(row: Row) -> None:
    kinds = {"float": "float64", "int": "int64", "bool": "bool"}
    args = [device(array) for array in row.data.values()]
    type = row.primitive.infer(*row.types)
    if row.primitive.view:
        out = row.primitive.alias(Module(), row.sizes, args[0])  # type: ignore[arg-type]
    else:
        out = device(np.empty(extents(row, type), kinds[type.kind]))
        scratch = lambda shape, kind: device(np.empty(shape, kinds[kind]))  # noqa: E731
        for call in row.primitive.kernel(Module(), scratch, row.sizes, out, *args):  # type: ignore[arg-type]
            call()
    assert np.allclose(np.asarray(out), row.formula(*row.data.values()))

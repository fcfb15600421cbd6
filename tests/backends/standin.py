"""A module that behaves like CuPy where CuPy differs from NumPy, on NumPy underneath.

It has its own array class, which never becomes a NumPy array by itself nor meets one in a call; no
ufunc has `where=`; `take` has no mode and wraps; results of reductions have no axes but are arrays;
functions that kernels do not need, or that CuPy lacks, are absent.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class ndarray:  # noqa: N801 - CuPy's name
    """An array on a device that is not there."""

    __array_priority__ = 100

    def __init__(self, array: Any) -> None:
        self._array = np.asarray(array)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    @property
    def __array_interface__(self) -> Any:
        raise AttributeError("device memory has no host address")

    dtype = property(lambda self: self._array.dtype)
    shape = property(lambda self: self._array.shape)
    strides = property(lambda self: self._array.strides)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    nbytes = property(lambda self: self._array.nbytes)
    itemsize = property(lambda self: self._array.itemsize)
    flags = property(lambda self: self._array.flags)
    T = property(lambda self: ndarray(self._array.T))

    def get(self) -> Any:
        return self._array.copy()

    def set(self, array: Any) -> None:
        if not isinstance(array, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if array.dtype != self.dtype:
            raise TypeError(f"{array.dtype} array cannot be set to {self.dtype} array")
        if array.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {array.shape}")
        if not (self.flags.c_contiguous or self.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        self._array[...] = array

    def item(self) -> Any:
        return self._array.item()

    def fill(self, value: Any) -> None:
        self._array.fill(value.item() if isinstance(value, ndarray) else value)

    def reshape(self, *shape: Any) -> ndarray:
        return ndarray(self._array.reshape(*shape))

    def transpose(self, *axes: Any) -> ndarray:
        return ndarray(self._array.transpose(*axes))

    def view(self, dtype: Any) -> ndarray:
        return ndarray(self._array.view(dtype))

    def copy(self) -> ndarray:
        return ndarray(self._array.copy())

    def astype(self, dtype: Any) -> ndarray:
        return ndarray(self._array.astype(dtype))

    def _reduced(self, name: str, axis: Any, dtype: Any, out: Any) -> ndarray:
        given = {} if dtype is None else {"dtype": dtype}
        found = getattr(self._array, name)(axis=axis, out=_bare(out), **given)
        return out if out is not None else ndarray(found)

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None) -> ndarray:
        return self._reduced("sum", axis, dtype, out)

    def max(self, axis: Any = None, out: Any = None) -> ndarray:
        return self._reduced("max", axis, None, out)

    def min(self, axis: Any = None, out: Any = None) -> ndarray:
        return self._reduced("min", axis, None, out)

    def argmax(self, axis: Any = None, dtype: Any = None, out: Any = None) -> ndarray:
        return self._reduced("argmax", axis, dtype, out)

    def all(self, axis: Any = None, out: Any = None) -> ndarray:
        return self._reduced("all", axis, None, out)

    def __getitem__(self, index: Any) -> ndarray:
        found = self._array[self._wrapped(index)]
        return ndarray(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._array[self._wrapped(index)] = _bare(value)

    def _wrapped(self, index: Any) -> Any:
        """Arrays of ids run around; so does CuPy, in silence."""
        if not isinstance(index, tuple):
            index = (index,)
        return tuple(
            i._array % self.shape[n] if isinstance(i, ndarray) and i.dtype.kind == "i" else _bare(i)
            for n, i in enumerate(index)
        )

    def __len__(self) -> int:
        return len(self._array)

    def __int__(self) -> int:
        return int(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __add__(self, other: Any) -> ndarray:
        return ndarray(self._array + _bare(other))

    def __mul__(self, other: Any) -> ndarray:
        return ndarray(self._array * _bare(other))

    __rmul__ = __mul__


def _bare(value: Any) -> Any:
    """What NumPy understands; a NumPy array where CuPy wants its own is refused as CuPy does."""
    if isinstance(value, ndarray):
        return value._array
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    return value


class Ufunc:
    """A ufunc with CuPy's arguments: out, dtype, casting and nothing else."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> ndarray:
        if wrong := kwargs.keys() - {"out", "dtype", "casting"}:
            raise TypeError(f"Wrong arguments {wrong}")
        out = kwargs.pop("out", None)
        if len(args) > self.function.nin:
            args, out = args[:-1], args[-1]
        if out is not None and not isinstance(out, ndarray):
            raise TypeError("return arrays must be of ArrayType")
        found = self.function(*map(_bare, args), out=_bare(out), **kwargs)
        return out if out is not None else ndarray(found)

    def at(self, a: ndarray, indices: ndarray, b: Any) -> None:
        if self.function is not np.add:
            raise NotImplementedError(f"`{self.function.__name__}.at` is not supported yet")
        np.add.at(a._array, indices._array % a.shape[0], _bare(b))


UFUNCS = [
    "absolute",
    "add",
    "copysign",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "divide",
    "equal",
    "exp",
    "expm1",
    "floor",
    "fmod",
    "greater",
    "greater_equal",
    "isfinite",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "power",
    "sign",
    "sqrt",
    "subtract",
    "tanh",
    "matmul",
]


class Rounded:
    """CuPy's `floor_divide` and `remainder`: of floats the quotient is rounded down as it comes."""

    nin = 2

    def __init__(self, name: str) -> None:
        self.name = self.__name__ = name

    def __call__(self, a: Any, b: Any, out: Any = None, **kwargs: Any) -> Any:
        if not np.issubdtype(np.result_type(a, b), np.floating):
            return getattr(np, self.name)(a, b, out=out, **kwargs)
        with np.errstate(all="ignore"):
            quotient = np.floor(np.divide(a, b))
            found = quotient if self.name == "floor_divide" else a - quotient * b
        if out is None:
            return found
        out[...] = found
        return out


remainder, floor_divide = Rounded("remainder"), Rounded("floor_divide")


def copyto(dst: ndarray, src: Any, casting: Any = "same_kind", where: Any = None) -> None:
    np.copyto(_bare(dst), _bare(src), casting, where=True if where is None else _bare(where))


def take(a: ndarray, indices: ndarray, axis: Any = None, out: Any = None) -> ndarray:
    found = np.take(_bare(a), _bare(indices), axis, out=_bare(out), mode="wrap")
    return out if out is not None else ndarray(found)


def asarray(a: Any, dtype: Any = None) -> ndarray:
    return ndarray(np.array(a._array if isinstance(a, ndarray) else a, dtype=dtype))


def _as_strided(x: ndarray, shape: Any = None, strides: Any = None) -> ndarray:
    return ndarray(np.lib.stride_tricks.as_strided(x._array, shape, strides))


def _wrapping(name: str) -> Callable[..., ndarray]:
    def function(*args: Any, **kwargs: Any) -> ndarray:
        bare = {k: _bare(v) for k, v in kwargs.items()}
        return ndarray(getattr(np, name)(*map(_bare, args), **bare))

    return function


def module() -> ModuleType:
    """The stand-in, as a module to pass for `xp`."""
    xp = ModuleType("standin")
    contents: dict[str, Any] = {name: Ufunc(getattr(np, name)) for name in UFUNCS}
    contents["remainder"] = Ufunc(remainder)
    contents["floor_divide"] = Ufunc(floor_divide)
    contents |= {name: _wrapping(name) for name in ("empty", "zeros", "arange", "broadcast_to")}
    contents |= {name: _wrapping(name) for name in ("moveaxis", "vdot")}
    contents |= {"inf": np.inf, "ndarray": ndarray}
    contents |= {"copyto": copyto, "take": take, "asarray": asarray}
    contents["argmax"] = lambda a, axis=None, dtype=None, out=None: a.argmax(axis, dtype, out)
    contents["asnumpy"] = lambda a: a.get() if isinstance(a, ndarray) else np.asarray(a)
    contents["may_share_memory"] = lambda a, b: np.may_share_memory(_bare(a), _bare(b))
    contents["lib"] = SimpleNamespace(stride_tricks=SimpleNamespace(as_strided=_as_strided))
    vars(xp).update(contents)
    return xp

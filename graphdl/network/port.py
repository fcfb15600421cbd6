"""What flows in and out of a network: shape and dtype of its inputs, targets and outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.given import array_of
from ..data.ragged import Ragged
from ..errors import DataError, UsageError, did_you_mean
from ..graph import Shaped

Array = np.ndarray[Any, Any]
# Numbers that are looked at one by one.
FEW = 64
# Arrays of just these types are taken as they are.
READY = {name: np.dtype(name) for name in ("float32", "float64", "int64", "bool")}


@dataclass(frozen=True, slots=True)
class Port:
    """An input, target or output. `shape` is per example; a size known only when running is a text.

    `classes` is the n of `int(n)`: the values are 0 to n - 1; `pad` the id that fills short
    sequences up.
    """

    shape: tuple[int | str, ...]
    dtype: str
    classes: int | None = None
    pad: int | None = None
    rank: int = field(init=False, repr=False, compare=False)
    ready: np.dtype[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # What is asked at every step: the axes of a batch, and the type that is taken as it is.
        object.__setattr__(self, "rank", len(self.shape) + 1)
        object.__setattr__(self, "ready", READY[self.dtype])

    @classmethod
    def of(cls, shaped: Shaped, dtype: str) -> Port:
        """The port of a typed edge; floats have the network's dtype."""
        kinds = {"float": dtype, "int": "int64", "bool": "bool"}
        shape = tuple(d if isinstance(d, int) else str(d) for d in shaped.shape)
        return cls(shape, kinds[shaped.kind], shaped.classes, shaped.pad)


def accepted(
    ports: Mapping[str, Port], given: Mapping[str, Any], missing_ok: bool
) -> dict[str, Array]:
    """Arrays in the dtypes of the ports, ids checked.

    Raises UsageError for unknown and missing names, DataError for what does not fit.
    """
    found = {}
    for name, values in given.items():
        port = ports.get(name)
        if port is None:
            hint = did_you_mean(name, ports) or f"there are: {', '.join(ports)}"
            raise UsageError(f"this model has no input or target `{name}`; {hint}")
        found[name] = _converted(name, port, values)
    if not missing_ok and len(found) < len(ports):
        absent = next(n for n in ports if n not in found)
        raise UsageError(f"`{absent}` is missing: write `{absent} = array`")
    return found


def _converted(name: str, port: Port, values: Any) -> Array:
    if type(values) is np.ndarray and values.dtype is port.ready and values.ndim == port.rank:
        if values.size > FEW or not _are_fine(port.classes, values.ravel().tolist()):
            _look_through(name, port, values)
        return values
    found = array_of(values, f"`{name}`")
    if isinstance(found, Ragged):
        if not port.shape or isinstance(port.shape[0], int):
            shape = ", ".join(map(str, ("examples", *port.shape)))
            raise DataError(f"`{name}` wants [{shape}], its rows differ in length")
        found = found.even(name) if port.pad is None else found.padded(port.pad)
    array: Array = found
    if array.dtype.kind == "U":
        raise DataError(f"`{name}` holds texts, the model takes numbers")
    if array.ndim != len(port.shape) + 1:
        shape = ", ".join(map(str, ("examples", *port.shape)))
        hint = ""
        if array.ndim == len(port.shape):
            hint = "; for a single example write `array[None]`"
        raise DataError(f"`{name}` wants [{shape}], got {list(array.shape)}{hint}")
    if port.dtype != "int64":
        with np.errstate(over="ignore"):
            array = array.astype(port.dtype, copy=False)
        _look_through(name, port, array)
        return array
    if array.dtype.kind == "f" and not np.array_equal(array, np.floor(array)):
        raise DataError(f"`{name}` must be whole numbers")
    array = array.astype(np.int64, copy=False)
    _look_through(name, port, array)
    return array


def _are_fine(classes: int | None, few: list[Any]) -> bool:
    """Whether a few numbers are finite, or inside; Python finds that faster than NumPy."""
    if classes is None:
        return math.isfinite(sum(few))
    return not few or (min(few) >= 0 and max(few) < classes)


def _look_through(name: str, port: Port, array: Array) -> None:
    """DataError where a number is not finite, or an id outside."""
    if port.dtype == "int64":
        _in_range(name, port, array)
    elif port.dtype != "bool":
        _finite(name, array)


def _finite(name: str, array: Array) -> None:
    # One product is the cheapest look at all numbers; it may overflow where none is infinite.
    if math.isfinite(np.vdot(array, array)):
        return
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        row = int(bad[0]) // max(array[0].size, 1)
        raise DataError(f"`{name}`, row {row}: {array.flat[bad[0]]}, not a number")


def _in_range(name: str, port: Port, array: Array) -> None:
    if not array.size or port.classes is None:
        return
    if array.min() >= 0 and array.max() < port.classes:
        return
    place = int(np.flatnonzero((array < 0) | (array >= port.classes))[0])
    row = place // max(array[0].size, 1)
    value = array.flat[place]
    raise DataError(f"`{name}`, row {row}: {value} is not in 0..{port.classes - 1}")

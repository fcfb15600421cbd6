"""What flows in and out of a network: shape and dtype of its inputs, targets and outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data.bind import fitting_shape
from ..data.classes import no_class
from ..data.dataset import Column, converted
from ..data.given import array_of
from ..data.pixels import scale_of
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
    shaped: Shaped | None = field(default=None, repr=False, compare=False)
    target: bool = field(default=False, repr=False, compare=False)
    exact: tuple[int, ...] | None = field(init=False, repr=False, compare=False)
    rank: int = field(init=False, repr=False, compare=False)
    ready: np.dtype[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # What is asked at every step: the shape of an example, where it is fixed, the number of
        # axes of a batch, and the type that is taken as it is.
        fixed = tuple(size for size in self.shape if isinstance(size, int))
        object.__setattr__(self, "exact", fixed if len(fixed) == len(self.shape) else None)
        object.__setattr__(self, "rank", len(self.shape) + 1)
        object.__setattr__(self, "ready", READY[self.dtype])

    @classmethod
    def of(cls, shaped: Shaped, dtype: str, *, target: bool = False) -> Port:
        """The port of a typed edge; floats have the network's dtype."""
        kinds = {"float": dtype, "int": "int64", "bool": "bool"}
        shape = tuple(d if isinstance(d, int) else str(d) for d in shaped.shape)
        return cls(shape, kinds[shaped.kind], shaped.classes, shaped.pad, shaped, target)


def accepted(
    ports: Mapping[str, Port],
    given: Mapping[str, Any],
    missing_ok: bool,
    names: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, Array]:
    """Arrays in the shapes and dtypes of the ports, as a data set gives the same arrays.

    `names` are those of classes, by port. Raises UsageError for unknown and missing names,
    DataError for what does not fit.
    """
    found = {}
    for name, values in given.items():
        port = ports.get(name)
        if port is None:
            hint = did_you_mean(name, ports) or f"there are: {', '.join(ports)}"
            raise UsageError(f"this model has no input or target `{name}`; {hint}")
        if _is_ready(port, values):
            if values.size > FEW or not _are_fine(port.classes, values.ravel().tolist()):
                _look_through(name, port, values, values)
            found[name] = values
        else:
            found[name] = _converted(name, ports, values, (names or {}).get(name, ()))
    if not missing_ok and len(found) < len(ports):
        absent = next(n for n in ports if n not in found)
        raise UsageError(f"`{absent}` is missing: write `{absent} = array`")
    return found


def _is_ready(port: Port, values: Any) -> bool:
    return (
        type(values) is np.ndarray
        and values.dtype is port.ready
        and values.ndim == port.rank
        and (port.exact is None or values.shape[1:] == port.exact)
    )


def _converted(
    name: str, ports: Mapping[str, Port], values: Any, classes: tuple[str, ...]
) -> Array:
    port, place = ports[name], f"`{name}`"
    found = array_of(values, place)
    if isinstance(found, Ragged):
        found = _filled(name, ports, found)
    array: Array = found
    if array.dtype.kind == "U":
        array = _numbered(name, port, array, classes)
    shaped = port.shaped or Shaped(())
    shape = fitting_shape(array.shape[1:], shaped.shape, {}) if array.ndim else None
    if shape is None:
        hint = ""
        if array.ndim == len(port.shape):
            hint = "; for a single example write `array[None]`"
        raise DataError(f"{place} wants {_wanted(port)}, got {list(array.shape)}{hint}")
    if shaped.kind == "int" and array.dtype.kind == "f":
        _insist_on_whole(name, array)
    scale = scale_of(array, shaped, place, target=port.target)
    with np.errstate(over="ignore"):
        taken = converted(array, Column(scale=scale, kind=shaped.kind), port.dtype)
    _look_through(name, port, taken, array)
    return taken if taken.shape[1:] == shape else taken.reshape(len(taken), *shape)


def _wanted(port: Port) -> str:
    return f"[{', '.join(map(str, ('examples', *port.shape)))}]"


def _filled(name: str, ports: Mapping[str, Port], rows: Ragged) -> Array:
    """Rows of one length, filled up by the port's own padding or where another has its length."""
    port = ports[name]
    if not port.shape or isinstance(port.shape[0], int):
        raise DataError(f"`{name}` wants {_wanted(port)}, its rows differ in length")
    others = (p.shape[0] for p in ports.values() if p.pad is not None)
    pad = 0 if port.pad is None and port.shape[0] in others else port.pad
    return rows.even(name) if pad is None else rows.padded(pad)


def _numbered(name: str, port: Port, texts: Array, classes: tuple[str, ...]) -> Array:
    """Names of classes as the ids that training gave them."""
    if not classes or port.classes is None:
        raise DataError(f"`{name}` holds texts, the model takes numbers")
    ids = {text: i for i, text in enumerate(classes)}
    flat = texts.ravel().tolist()
    strange = next((i for i, text in enumerate(flat) if text not in ids), None)
    if strange is not None:
        row = strange // max(texts[0].size, 1)
        raise no_class(f"`{name}`, row {row}", flat[strange], classes)
    return np.array([ids[text] for text in flat], np.int64).reshape(texts.shape)


def _insist_on_whole(name: str, array: Array) -> None:
    # Above 2^53 a float is no longer every whole number; compared in a type that holds it.
    large = np.float64(2**53)
    bad = np.flatnonzero(~((abs(array) < large) & (array == np.floor(array))))
    if bad.size:
        row = int(bad[0]) // max(array[0].size, 1)
        raise DataError(f"`{name}` must be whole numbers: row {row} is {array.flat[bad[0]]}")


def _are_fine(classes: int | None, few: list[Any]) -> bool:
    """Whether a few numbers are finite, or inside; Python finds that faster than NumPy."""
    if classes is None:
        return math.isfinite(sum(few))
    return not few or (min(few) >= 0 and max(few) < classes)


def _look_through(name: str, port: Port, array: Array, given: Array) -> None:
    """DataError where a number is not finite, or an id outside; `given` is what it was before."""
    if port.dtype == "int64":
        _in_range(name, port, array)
    elif port.dtype != "bool":
        _finite(name, array, given)


def _finite(name: str, array: Array, given: Array) -> None:
    # One product is the cheapest look at all numbers; it may overflow where none is infinite.
    if math.isfinite(np.vdot(array, array)):
        return
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        row = int(bad[0]) // max(array[0].size, 1)
        value = given.flat[bad[0]]
        what = f"too large for {array.dtype}" if np.isfinite(value) else "not a number"
        raise DataError(f"`{name}`, row {row}: {value}, {what}")


def _in_range(name: str, port: Port, array: Array) -> None:
    if not array.size or port.classes is None:
        return
    if array.min() >= 0 and array.max() < port.classes:
        return
    place = int(np.flatnonzero((array < 0) | (array >= port.classes))[0])
    row = place // max(array[0].size, 1)
    value = array.flat[place]
    raise DataError(f"`{name}`, row {row}: {value} is not in 0..{port.classes - 1}")

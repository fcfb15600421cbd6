"""The last check before training: every value of every example is what the model declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..errors import DataError
from ..graph.model import Shaped
from .dataset import Array, Split
from .ragged import Ragged
from .stream import shown

ROWS = 4096  # looked through at a time for the first bad one


def check_split(split: Split, inputs: Mapping[str, Shaped], targets: Mapping[str, Shaped]) -> None:
    """Raise `DataError` with row and value unless each field is finite, whole, within its classes.

    The fields carry the names of the model, as `bind` makes them.
    """
    for name, shaped in {**inputs, **targets}.items():
        if name not in split.fields:
            raise DataError(f"{split.source}: there is no field `{name}`")
        values = split.fields[name]
        if len(values.shape) - 1 + split.stream != len(shaped.shape):
            declared = f"[{', '.join(map(str, shaped.shape))}]"
            found = f"[{', '.join(map(str, values.shape[1:]))}]"
            raise DataError(
                f"{split.source}: `{name}` is {found} per example, the model declares {declared}"
            )
        if isinstance(values, Ragged):
            _check_ragged(split, name, values, shaped)
            continue
        _check(split, name, values, shaped)


def _check(split: Split, name: str, values: Array, shaped: Shaped) -> None:
    if values.dtype == np.float16:
        # Comparisons would round their bounds to float16, most of them to infinity.
        values = values.astype(np.float32)
    checks = {"float": _check_float, "int": _check_int, "bool": _check_bool}
    checks[shaped.kind](split, name, values, shaped)


def _check_ragged(split: Split, name: str, values: Ragged, shaped: Shaped) -> None:
    """The same of sequences: what is wrong in one of them has the place of its example."""
    flat = values.flat()
    rows = np.repeat(np.arange(len(values)), values.lengths)
    places = rows if split.rows is None else split.rows[rows]
    if len(flat):
        inside = replace(split, fields={name: flat}, rows=places, numbers=None)
        _check(inside, name, flat, shaped)


def _check_float(split: Split, name: str, values: Array, _: Shaped) -> None:
    # Of a type of its own: a plain number would be rounded to the type of the values.
    largest = np.float64(np.finfo(split.dtype).max)
    if values.dtype.kind != "f" or _within(values, -largest, largest):
        return
    row, value = _first_bad(values, lambda v: ~(np.abs(v) <= largest))
    finite = np.isfinite(value)
    what = f"{value}, too large for {split.dtype}" if finite else f"{value}, not a number"
    raise DataError(f"{split.place(row)}: `{name}` is {what}")


def _check_int(split: Split, name: str, values: Array, shaped: Shaped) -> None:
    if values.dtype.kind == "f":
        # Above 2^53 a float is no longer every whole number.
        bad = _find(values, lambda v: ~((np.abs(v) < 2**53) & (v == np.floor(v))))
        if bad:
            raise DataError(
                f"{split.place(bad[0])}: `{name}` is {bad[1]}, the model declares whole numbers"
            )
    least, most = (0, shaped.classes - 1) if shaped.classes else (-(2**63), 2**63 - 1)
    if _within(values, least, most):
        return
    row, value = _first_bad(values, lambda v: (v < least) | (v > most))
    number = int(value)
    classes = split.column(name).classes
    called = f" (`{shown(classes[number])}`)" if 0 <= number < len(classes) else ""
    if called == f" (`{number}`)":
        called = ""
    raise DataError(
        f"{split.place(row)}: `{name}` is {number}{called}, "
        f"the model declares int({shaped.classes}), which is {least} to {most}"
    )


def _check_bool(split: Split, name: str, values: Array, _: Shaped) -> None:
    bad = _find(values, lambda v: (v != 0) & (v != 1))
    if bad:
        raise DataError(f"{split.place(bad[0])}: `{name}` is {bad[1]}, a truth is 0 or 1")


def _within(values: Array, least: float, most: float) -> bool:
    # A value that is not a number makes both comparisons false.
    return not values.size or bool(values.min() >= least and values.max() <= most)


def _find(values: Array, bad: Callable[[Array], Array]) -> tuple[int, float] | None:
    """Row and value of the first element for which `bad` holds."""
    for start in range(0, len(values), ROWS):
        flat = values[start : start + ROWS].reshape(len(values[start : start + ROWS]), -1)
        rows, places = np.nonzero(bad(flat))
        if len(rows):
            return start + int(rows[0]), flat[rows[0], places[0]].item()
    return None


def _first_bad(values: Array, bad: Callable[[Array], Array]) -> tuple[int, float]:
    found = _find(values, bad)
    assert found is not None
    return found

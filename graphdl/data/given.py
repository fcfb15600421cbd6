"""What Python hands over for a field, as an array of numbers or texts; or why it is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MappingView, Sequence, Set
from typing import Any

import numpy as np

from ..errors import DataError
from .dataset import Array, Field
from .ragged import Ragged
from .stream import shown

NUMBERS: tuple[type, ...] = (int, float, np.integer, np.floating, np.bool_)
LISTS = (list, tuple, np.ndarray)

# What arrays may hold that neither numbers nor texts are, by the kind of their type.
STRANGE: dict[str, str] = {
    "c": "complex numbers: give the real and the imaginary part as two numbers",
    "m": "spans of time: give numbers, `x / numpy.timedelta64(1, 's')`",
    "M": "dates: give numbers, such as the days since the first",
    "S": "bytes: give texts, `x.astype(str)`",
    "V": "records: give each of their fields by itself",
}


def array_of(values: Any, place: str) -> Field:
    """The array that values stand for: of numbers, truths or texts, with one example a row.

    Lists, arrays of other libraries, columns of tables and arrays of objects are taken; rows of
    numbers that differ in length are `Ragged`. `place` begins a sentence: "`x`".

    Raises DataError for anything else, with what it is and, where it is one row's fault, the row.
    """
    if isinstance(values, Ragged):
        return values
    _insist_on_rows(values, place)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        return _of_rows(values, place)
    except Exception as error:  # another library's: a tensor that still has a gradient, or is far
        raise DataError(f"{place} is of the type {_type(values)}, which says: {error}") from None
    if array.dtype.kind in "OT":  # of Python's objects, of NumPy's texts of any length
        return _of_objects(array, values, place)
    if array.dtype.kind in STRANGE:
        raise DataError(f"{place} holds {array.dtype}, {STRANGE[array.dtype.kind]}")
    if array.dtype.kind == "U" and isinstance(values, list | tuple):
        _insist_on_texts(values, place)
    return array


def _insist_on_rows(values: Any, place: str) -> None:
    """DataError for what has no rows in an order, or hides that some are missing."""
    said = ""
    if values is None:
        said = "is None"
    elif isinstance(values, str):
        said = f"is the text `{shown(values)}`"
    elif isinstance(values, bytes):
        said = "is bytes"
    elif isinstance(values, Mapping):
        said = "is a table by name: give each of its arrays by its name"
    elif isinstance(values, Set) and not isinstance(values, MappingView):
        said = "is a set, which has no order: give a list"
    elif isinstance(values, Iterator | MappingView):
        said = f"is of the type {_type(values)}: give `list(...)` of it"
    elif hasattr(values, "toarray") and not isinstance(values, np.ndarray):
        said = "is sparse: give `.toarray()` of it"
    if said:
        needed = "" if ":" in said else ", an array is needed"
        raise DataError(f"{place} {said}{needed}")
    for row, part in [(0, values)] if not isinstance(values, list | tuple) else enumerate(values):
        if isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part):
            inside = np.argwhere(np.ma.getmaskarray(part))[:1].ravel()
            first = int(inside[0]) if part is values else row
            raise DataError(f"{place}, row {first}: is masked: fill it in, or leave the row out")


def _of_objects(array: Array, values: Any, place: str) -> Field:
    """Python's own numbers and texts, as tables of other libraries hold them, or rows."""
    if array.ndim == 0:
        raise DataError(f"{place} is of the type {_type(values)}, an array is needed")
    flat = array.ravel().tolist()
    if flat and all(isinstance(value, LISTS) for value in flat):
        return _of_rows(flat, place) if array.ndim == 1 else _refused(flat, array, place)
    texts = all(isinstance(value, str) for value in flat)
    if texts or all(isinstance(value, NUMBERS) for value in flat):
        found = np.array(flat).reshape(array.shape)
        return found if found.dtype.kind != "O" else _refused(flat, array, place)
    return _refused(flat, array, place)


def _refused(flat: list[Any], array: Array, place: str) -> Field:
    """DataError with the first value that is no number, or no text where most are texts."""
    texts = sum(isinstance(value, str) for value in flat)
    wanted, what = (str, "a text") if 2 * texts >= len(flat) else (NUMBERS, "a number")
    bad: Callable[[Any], bool] = lambda value: not isinstance(value, wanted)  # noqa: E731
    first = next((i for i, value in enumerate(flat) if bad(value)), None)
    if first is None:
        most = max(range(len(flat)), key=lambda i: abs(flat[i]))
        raise DataError(f"{place}, row {_row(most, array)}: is too large a number")
    value = flat[first]
    said = _type(value)
    if value is None or isinstance(value, str | int | float):
        said = shown(str(value)) if value is None else f"`{shown(str(value))}`"
    raise DataError(f"{place}, row {_row(first, array)}: is {said}, {what} is needed")


def _row(place: int, array: Array) -> int:
    return place // max(array[0].size if array.ndim > 1 else 1, 1)


def _of_rows(values: Any, place: str) -> Field:
    """Rows that differ in length; rows of one length make an array."""
    try:
        rows = [np.asarray(row) for row in values]
    except (ValueError, TypeError):
        raise DataError(f"{place}: its rows differ in shape") from None
    kinds = {row.dtype.kind for row in rows if row.size}
    if kinds & {"U", "O"}:
        raise DataError(f"{place}: its rows hold lists of texts or of objects, ids are needed")
    if kinds - set("biuf"):
        raise DataError(f"{place}: its rows hold {rows[0].dtype}, numbers are needed")
    if len({row.shape for row in rows}) == 1:
        return np.stack(rows)
    if all(row.ndim == 1 for row in rows) and "b" not in kinds:
        return Ragged.of(rows)
    if len({(row.ndim, row.shape[1:]) for row in rows}) == 1 and rows[0].ndim > 1:
        least, most = min(map(len, rows)), max(map(len, rows))
        inner = ", ".join(map(str, ("T", *rows[0].shape[1:])))
        raise DataError(
            f"{place}: its rows are [{inner}] and differ in length, from {least} to {most} steps; "
            "only sequences of single numbers may: fill these up to one length, or take them one "
            "by one, `net.step(x = row[None], ...)`"
        )
    raise DataError(f"{place}: its rows differ in shape")


def _insist_on_texts(values: Sequence[Any], place: str, row: int | None = None) -> None:
    """DataError where NumPy would write a number as a text because another one is a text."""
    for i, value in enumerate(values):
        here = i if row is None else row
        if isinstance(value, list | tuple):
            _insist_on_texts(value, place, here)
        elif not isinstance(value, str) and getattr(value, "dtype", np.dtype("i")).kind != "U":
            raise DataError(f"{place}, row {here}: is `{shown(str(value))}`, others are texts")


def _type(value: Any) -> str:
    return f"`{shown(type(value).__name__)}`"

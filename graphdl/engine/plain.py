"""Values that come from the JSON of a checkpoint: of the kind that is due, or a ValueError.

The text of the error completes the sentence "its metadata are broken: ...".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors.constant import constant

DEEPEST = 50
LARGEST = 2**63


def whole(values: Mapping[str, Any], key: str, least: int = 0, beyond: int = LARGEST) -> int:
    """A whole number from `least`, below `beyond`."""
    value = _of(values, key)
    if type(value) is int and least <= value < beyond:
        return value
    raise _wrong(key, value, f"a whole number from {least}")


def real(values: Mapping[str, Any], key: str) -> float:
    """A number, which may be NaN or infinite."""
    return _real(_of(values, key), key)


def reals(values: Mapping[str, Any], key: str) -> list[float]:
    """A list of numbers."""
    return [_real(value, key) for value in items(values, key)]


def named_reals(values: Mapping[str, Any], key: str) -> dict[str, float]:
    """Numbers by name."""
    return {name: _real(value, key) for name, value in table(values, key).items()}


def table(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Values by name."""
    value = _of(values, key)
    if isinstance(value, dict):
        return value
    raise _wrong(key, value, "a table")


def items(values: Mapping[str, Any], key: str) -> list[Any]:
    """A list."""
    value = _of(values, key)
    if isinstance(value, list):
        return value
    raise _wrong(key, value, "a list")


def texts(values: Mapping[str, Any], key: str) -> list[str]:
    """A list of texts."""
    found = items(values, key)
    if all(isinstance(one, str) for one in found):
        return found
    raise _wrong(key, found, "a list of texts")


def tables(values: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of tables."""
    found = items(values, key)
    if all(isinstance(one, dict) for one in found):
        return found
    raise _wrong(key, found, "a list of tables")


def shallow(value: Any) -> None:
    """ValueError where lists and tables are nested deeper than anything that was written.

    Or where a text holds half of a character, which no file can take.
    """
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"something in it is nested more than {DEEPEST} deep")
        for text in (t for one in level for t in (one if isinstance(one, dict) else [one])):
            if isinstance(text, str):
                text.encode()  # UnicodeEncodeError is a ValueError
        inner = [one for one in level if isinstance(one, dict | list)]
        level = [v for one in inner for v in (one.values() if isinstance(one, dict) else one)]
        depth += 1


def _real(value: Any, key: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise _wrong(key, value, "a number")


def _of(values: Mapping[str, Any], key: str) -> Any:
    if key not in values:
        raise ValueError(f"it has no `{key}`")
    return values[key]


def _wrong(key: str, value: Any, wanted: str) -> ValueError:
    return ValueError(f"its `{key}` is {constant(value)}, not {wanted}")

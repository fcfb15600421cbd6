"""What `fit` is told to hold out: a share, a count, or arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine import checks
from ..errors import UsageError

FORMS = "a share such as 0.1, a count such as 100, or arrays: `(x, y)` or `{'x': x, 'y': y}`"


def held_out(part: str, given: Any, names: list[str]) -> Mapping[str, Any] | float | None:
    """The arrays by name, or the share or count; `names` are the inputs and targets in order.

    Raises UsageError for anything else, and for arrays that are too few or too many.
    """
    if given is None or isinstance(given, Mapping):
        return given
    if isinstance(given, list | tuple) and not all(map(_is_number, given)):
        if len(given) != len(names):
            listed = ", ".join(names)
            raise UsageError(
                f"`{part}` gives {len(given)} arrays, there are {len(names)} to give: {listed}"
            )
        return dict(zip(names, given, strict=True))
    try:
        return checks.share_or_count(given)
    except ValueError:
        said = f"`{given}`" if isinstance(given, str | int | float) else f"`{type(given).__name__}`"
        raise UsageError(f"`{part}` is {FORMS}; not {said}") from None


def _is_number(value: Any) -> bool:
    return checks.number(value) is not None

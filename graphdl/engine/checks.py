"""What a setting may be: each check takes a value and gives it back clean, or says what it wants.

The text of a `ValueError` completes the sentence "`batch` must be ..."; values from a command line
are texts, so a text that reads as a number counts as one.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..graph.model import Named

Check = Callable[[Any], Any]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_FLAGS = {"true": True, "false": False}


def number(value: Any) -> float | None:
    """The number a value is or reads as; a whole one stays whole, None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        for read in (int, float):
            try:
                return number(read(value))
            except ValueError:
                continue
        return None
    try:
        read_as = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(read_as):
        return None
    return int(read_as) if read_as.is_integer() and not isinstance(value, float) else read_as


def whole(least: int) -> Check:
    """A whole number not below `least`."""

    def check(value: Any) -> int:
        found = number(value)
        if found is None or not float(found).is_integer() or found < least:
            raise ValueError(f"a whole number from {least}")
        return int(found)

    return check


def real(
    above: float | None = None, least: float | None = None, most: float | None = None
) -> Check:
    """A number in a range; `above` leaves the bound itself out."""
    words = [f"above {above:g}"] if above is not None else []
    words += [f"from {least:g}"] if least is not None else []
    words += [f"up to {most:g}"] if most is not None else []

    def check(value: Any) -> float:
        found = number(value)
        low = found is not None and (
            (above is not None and found <= above) or (least is not None and found < least)
        )
        if found is None or low or (most is not None and found > most):
            raise ValueError(" ".join(["a number", *words]))
        return float(found)

    return check


def flag(value: Any) -> bool:
    """True or false."""
    if isinstance(value, str):
        value = _FLAGS.get(value.lower(), value)
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def flag_or(*words: str) -> Check:
    """True, false, or one of a few words."""

    def check(value: Any) -> bool | str:
        for read in (flag, one_of(*words)):
            try:
                found: bool | str = read(value)
            except ValueError:
                continue
            return found
        raise ValueError(f"true, false, {' or '.join(words)}")

    return check


def limits(value: Any) -> float | dict[str, float]:
    """One number above 0 for all, or a table of numbers by name."""
    above = real(above=0)
    if not isinstance(value, Mapping):
        try:
            return float(above(value))
        except ValueError as error:
            raise ValueError(f"{error}, or a table such as {{scores: 3}}") from None
    return {word(name): float(above(limit)) for name, limit in value.items()}


def text(value: Any) -> str:
    """A text that is not empty, or a path."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value:
        raise ValueError('a text in quotes, such as "weights.safetensors"')
    return value


def word(value: Any) -> str:
    """A name, written with or without quotes."""
    if isinstance(value, Named) and not (value.arguments or value.keywords):
        value = value.name
    if not isinstance(value, str) or not value:
        raise ValueError("a name")
    return value


def names(value: Any) -> tuple[str, ...]:
    """A list of names; one name alone is a list of one."""
    items = value if isinstance(value, (list, tuple)) else [value]
    try:
        return tuple(word(getattr(item, "name", item)) for item in items)
    except ValueError:
        raise ValueError("a list of names, such as [embed]") from None


def call(value: Any) -> Named:
    """A constant written as a call, such as `sgd(lr = 0.1)`; a bare name calls with nothing."""
    if isinstance(value, str) and value.isidentifier():
        return Named(value)
    if not isinstance(value, Named):
        raise ValueError("a call, such as `adam(lr = 1e-3)`")
    return value


def anything(value: Any) -> Any:
    """Whatever the reader of the setting makes of it."""
    return value


def duration(value: Any) -> float:
    """Seconds, from a number or a text with units.

    >>> [duration(text) for text in (90, "90s", "10m", "1h30m")]
    [90.0, 90.0, 600.0, 5400.0]
    """
    found = number(value)
    if found is None and isinstance(value, str) and _DURATION.sub("", value).strip() == "":
        found = sum(float(count) * _UNITS[unit] for count, unit in _DURATION.findall(value))
    if found is None or found <= 0:
        raise ValueError('a time, such as 90 (seconds), "90s", "10m" or "1h30m"')
    return float(found)


def share_or_count(value: Any) -> float | int:
    """A fraction below one or a whole number of examples."""
    found = number(value)
    if found is None or found < 0 or (found >= 1 and not float(found).is_integer()):
        raise ValueError("a fraction below 1 or a number of examples")
    return int(found) if float(found).is_integer() else float(found)


def steps_or_duration(value: Any) -> int | str:
    """A whole number of steps, or a time with its unit."""
    found = number(value)
    if found is None and isinstance(value, str):
        duration(value)
        return value
    if found is None or not float(found).is_integer() or found < 1:
        raise ValueError('a number of steps, or a time with its unit, such as "60s"')
    return int(found)


def one_of(*choices: str) -> Check:
    """One of a few words."""

    def check(value: Any) -> str:
        if (found := word(value)) not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return found

    return check

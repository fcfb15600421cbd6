"""A constant in a sentence: as the language writes it, and never longer than a line."""

from __future__ import annotations

from typing import Any

from .snippet import printable

LONGEST = 80
DEEPEST = 4
DIGITS = 40


def constant(value: object) -> str:
    """The text of a number, text, list, table or call; None is `nothing`.

    >>> constant([1, True, "a", {"b": None}])
    '[1, true, "a", {"b": nothing}]'
    """
    text = _written(value, DEEPEST)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _written(value: Any, depth: int) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        long = abs(value) >= 10**DIGITS
        return f"a number of more than {DIGITS} digits" if long else str(value)
    if isinstance(value, str):
        return f'"{printable(value[:LONGEST])}"'
    if not depth:
        return "..."
    if isinstance(value, list | tuple):
        items = ", ".join(_written(item, depth - 1) for item in value[:LONGEST])
        return f"({items})" if isinstance(value, tuple) else f"[{items}]"
    if isinstance(value, dict):
        pairs = list(value.items())[:LONGEST]
        return f"{{{', '.join(_pair(pair, ': ', depth) for pair in pairs)}}}"
    if hasattr(value, "keywords") and hasattr(value, "arguments"):
        given = [_written(one, depth - 1) for one in value.arguments[:LONGEST]]
        given += [f"{key} = {_written(one, depth - 1)}" for key, one in value.keywords.items()]
        return f"{printable(value.name[:LONGEST])}({', '.join(given)})"
    return printable(str(value)[:LONGEST])


def _pair(pair: tuple[Any, Any], between: str, depth: int) -> str:
    key, value = pair
    return f"{_written(key, depth - 1)}{between}{_written(value, depth - 1)}"

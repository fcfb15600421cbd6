"""The arguments of a node as they read best: as written, with names replaced by their values."""

from __future__ import annotations

import re
from typing import Any

from ..graph import Named, Node
from .quote import one_line

OPERATORS = frozenset(
    ("+", "-", "*", "/", "//", "%", "^", "@", "==", "!=", "<", "<=", ">", ">=", "and", "or")
)
KEYWORD = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)")
_OPEN, _CLOSE = "([{", ")]}"


def arguments(node: Node) -> str:
    """`maps, k, pad = k // 2` with maps 16 and k 3 is `16, 3, pad = 1`."""
    written = one_line(node.arguments)
    given = node.call.keywords if isinstance(node.call, Named) else {}
    pieces = _pieces(written)
    if len(pieces) != len(given):
        return written
    return ", ".join(
        _piece(piece, value) for piece, value in zip(pieces, given.values(), strict=True)
    )


def constants(node: Node) -> tuple[str, str]:
    """The constants beside a node's operator, before and behind it: `("1", "")` of `1 - x`.

    Those of a function, `max(0, x)`, stand behind it.
    """
    operands = node.call.arguments if isinstance(node.call, Named) else ()
    shown = ["" if value is None else _shown(value) or "" for value in operands]
    if node.label == "if" or not any(shown):
        return "", ""
    if node.label in OPERATORS and len(shown) == 2:
        return shown[0], shown[1]
    return "", ", ".join(filter(None, shown))


def _pieces(written: str) -> list[str]:
    """The text at its commas, those inside brackets left alone."""
    pieces, depth, start = [], 0, 0
    for i, letter in enumerate(written):
        depth += (letter in _OPEN) - (letter in _CLOSE)
        if letter == "," and depth == 0:
            pieces.append(written[start:i].strip())
            start = i + 1
    return [*pieces, written[start:].strip()] if written else []


def _piece(piece: str, value: Any) -> str:
    shown = _shown(value)
    if shown is None:
        return piece
    name = KEYWORD.match(piece)
    return f"{name[1]} = {shown}" if name else shown


def _shown(value: Any) -> str | None:
    """A constant in the language's spelling; None for what is better left as it was written."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple) and value:
        inner = [_shown(v) for v in value]
        return None if None in inner else f"[{', '.join(filter(None, inner))}]"
    return None

"""Text from files made fit for a terminal: what would steer it is spelled out."""

from __future__ import annotations


def escaped(text: str, keep: str = "") -> str:
    r"""The text with every character that is not printable, but those in `keep`, spelled out.

    >>> print(escaped("a" + chr(27) + "[2J"))
    a\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _spelled(c) for c in text)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

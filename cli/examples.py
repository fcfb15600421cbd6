"""The examples at the end of a command's help."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """An epilog for a click command: a backspace character tells click not to wrap it."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])

"""The definitions of a library file by name, parsed only when one is asked for."""

from __future__ import annotations

import re

from ..errors import Source, Span

_HEADER = re.compile(r"^(?:op\s+(\w+)|(?:block|rule)\b[^\n]*?->\s*(\w+))", re.MULTILINE)


def outline(source: Source) -> dict[str, Span]:
    """Where each op, block and rule of a library stands.

    Definitions begin at the very start of a line and name themselves on it, as in the prelude;
    `parse_statement` turns a place into a tree.
    """
    found = list(_HEADER.finditer(source.text))
    ends = [match.start() for match in found[1:]] + [len(source.text)]
    return {
        match[1] or match[2]: Span(source, match.start(), end)
        for match, end in zip(found, ends, strict=True)
    }

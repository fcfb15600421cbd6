"""Which line ends are statement ends: a filter between the lexer and the parser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from lark import Token

from .depth import DEEPEST, TooDeepError

OPENING = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}


class DropNewlines:
    """Drops line ends inside ( ) and [ ], after `{`, after a comma and at the start of the text."""

    # Without this a parser state that expects no line end would not even recognise one.
    always_accept: ClassVar[tuple[str, ...]] = ("_NL",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that the grammar should see."""
        closing = ["RBRACE"]
        previous = "LBRACE"
        for token in stream:
            if token.type == "_NL" and (closing[-1] != "RBRACE" or previous in ("LBRACE", "COMMA")):
                continue
            if token.type in OPENING:
                closing.append(OPENING[token.type])
                if len(closing) > DEEPEST:
                    raise TooDeepError(token.start_pos or 0)
            elif token.type == closing[-1] and len(closing) > 1:
                closing.pop()
            previous = token.type
            yield token

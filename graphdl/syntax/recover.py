"""Several syntax diagnostics at once: each statement of a broken text is tried alone."""

from __future__ import annotations

from collections.abc import Iterator

from lark import UnexpectedInput

from ..errors import Diagnostic, Source
from .depth import TooDeepError
from .grammar import Start, parse_text
from .mistakes import explain
from .tokens import CLOSING, STATEMENT_WORDS, Lexeme, after_newlines, scan, statement_ends

MOST = 10


def diagnose(source: Source, start: Start, error: UnexpectedInput) -> list[Diagnostic]:
    """Up to ten diagnostics for a text in which `error` is the parser's first complaint."""
    tokens = scan(source.text)
    lexemes = statement_ends(tokens)
    found: list[Diagnostic] = []
    pieces = _pieces(tokens) if start == "start" else ()
    for begin, end in pieces:
        if not source.text[begin:end].strip():
            continue
        offset = _first_complaint(source.text[begin:end])
        if offset is not None:
            found.append(explain(source, lexemes, begin + offset))
        if len(found) == MOST:
            break
    return found or [explain(source, lexemes, _offset(source.text, error))]


def _first_complaint(text: str) -> int | None:
    try:
        parse_text(text, "start")
    except UnexpectedInput as error:
        return _offset(text, error)
    except TooDeepError:
        pass
    return None


def _offset(text: str, error: UnexpectedInput) -> int:
    """The character the parser complains about; lark places the end at the last token."""
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return len(text)
    return error.pos_in_stream or 0


def _pieces(tokens: list[Lexeme]) -> Iterator[tuple[int, int]]:
    """Where statements begin and end: at line ends outside brackets.

    A word such as `block` at the very start of a line begins a statement even inside brackets,
    so that one forgotten `)` does not hide the mistakes after it.
    """
    opened: list[str] = []
    begin = 0
    for token, after in zip(tokens, after_newlines(tokens), strict=True):
        if token.text in CLOSING:
            opened.append(CLOSING[token.text])
        elif opened and token.text == opened[-1]:
            opened.pop()
        elif token.kind == "newline":
            restarts = after.start == token.end and after.text in STATEMENT_WORDS
            if restarts or not (opened or after.text in ("->", "else")):
                yield begin, token.start
                begin, opened = token.end, []
    yield begin, tokens[-1].end

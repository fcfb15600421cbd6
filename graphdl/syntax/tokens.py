"""A forgiving look at a text that did not parse: every character belongs to some token.

Only diagnostics use this; what the language is, the grammar alone says.
"""

# ruff: noqa: SIM905  (a row of words reads better than a column of strings)

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import Source, Span
from .spellings import SPELLINGS

HARD_WORDS = frozenset(
    "and each else false if in input next not or repeat scan target true".split()
)
STATEMENT_WORDS = frozenset(
    "block check import input layer loss metric next op output param rule running state target"
    " train weight".split()
)
LONGEST = 60  # characters of a token that a message repeats
CLOSING = {"(": ")", "[": "]", "{": "}"}

_OPERATORS = ["->", "..", "//", "==", "!=", "<=", ">=", *"<>=+-*/%^@()[]{},:."]
_SYMBOLS = sorted([*_OPERATORS, *SPELLINGS], key=len, reverse=True)
_PATTERN = re.compile(
    "|".join(
        f"(?P<{kind}>{pattern})"
        for kind, pattern in (
            ("blank", r"[ \t\r]+|#[^\n]*"),
            ("newline", r"\n"),
            ("text", r'"[^"\n]*"'),
            ("unclosed", r'"[^\n]*'),
            ("quoted", r"'[^'\n]*'"),
            # a number that is glued to letters, or lacks digits on one side of its point
            ("oddnumber", r"[0-9]+(?:\.[0-9]+)?[A-Za-z_]\w*|[0-9]+\.(?![.0-9])|\.[0-9]+"),
            ("number", r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?!\w)"),
            ("name", r"[^\W\d]\w*"),
            ("operator", "|".join(map(re.escape, _SYMBOLS))),
            ("unknown", r"."),
        )
    ),
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A piece of text; `first` says that it is the first on its line."""

    kind: str
    text: str
    start: int
    end: int
    first: bool = False

    def span(self, source: Source) -> Span:
        """Where it stands."""
        return Span(source, self.start, self.end)

    @property
    def is_end(self) -> bool:
        """True where a statement ends: at a line end or the end of the file."""
        return self.kind in ("newline", "end")


def scan(text: str) -> list[Lexeme]:
    """All tokens of a text without blanks and comments, and an `end`; line ends are kept."""
    return [*_scan(text), Lexeme("end", "", len(text), len(text))]


def _scan(text: str) -> Iterator[Lexeme]:
    first = True
    for match in _PATTERN.finditer(text):
        kind = match.lastgroup or "unknown"
        if kind == "blank":
            continue
        word = match.group()
        if kind == "oddnumber" and re.fullmatch(r"[0-9]+(\.[0-9]+)?[eE][0-9]+", word):
            kind = "number"
        elif kind == "operator" and word in SPELLINGS:
            kind = "wrong"
        elif kind == "name" and word in HARD_WORDS:
            kind = "word"
        if len(word) > LONGEST:
            word = word[: LONGEST - 3] + "..."
        yield Lexeme(kind, word, match.start(), match.end(), first)
        first = kind == "newline"


def statement_ends(tokens: list[Lexeme]) -> list[Lexeme]:
    """The tokens without the line ends that end nothing, as the grammar sees them."""
    kept: list[Lexeme] = []
    opened: list[str] = []
    for token, after in zip(tokens, after_newlines(tokens), strict=True):
        if token.kind == "newline" and (
            not kept
            or kept[-1].kind == "newline"
            or kept[-1].text in ("{", ",")
            or after.text in ("->", "else", "}")
            or after.kind == "end"
            or (opened and opened[-1] != "{")
        ):
            continue
        if token.text in CLOSING:
            opened.append(token.text)
        elif opened and token.text == CLOSING[opened[-1]]:
            opened.pop()
        kept.append(token)
    return kept


def after_newlines(tokens: list[Lexeme]) -> list[Lexeme]:
    """For each token the next one that is not a line end."""
    after = [tokens[-1]] * len(tokens)
    for i in range(len(tokens) - 2, -1, -1):
        after[i] = tokens[i + 1] if tokens[i + 1].kind != "newline" else after[i + 1]
    return after

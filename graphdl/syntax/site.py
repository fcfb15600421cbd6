"""The place where a text stopped making sense, and what stands around it."""

# ruff: noqa: SIM905  (a row of words reads better than a column of strings)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import Diagnostic, Label, Source
from .tokens import CLOSING, STATEMENT_WORDS, Lexeme

START = Lexeme("newline", "", 0, 0)
OPERATORS = frozenset("+ - * / // % ^ @ == != <= >= < > .. and or".split())
COMPARISONS = frozenset("== != <= >= < >".split())
NEEDS_BRACES = frozenset("if else repeat each scan".split())


@dataclass(frozen=True)
class Site:
    """Token `index` of a text is the first that cannot stand where it is."""

    source: Source
    tokens: Sequence[Lexeme]
    index: int

    @property
    def token(self) -> Lexeme:
        """The offending token."""
        return self.tokens[self.index]

    @property
    def before(self) -> Lexeme:
        """The token before it; a line end where a statement begins."""
        return self.tokens[self.index - 1] if self.index else START

    @property
    def after(self) -> Lexeme:
        """The token after it."""
        return self.ahead(1)

    def ahead(self, steps: int) -> Lexeme:
        """A later token; the last one is the end of the text."""
        return self.tokens[min(self.index + steps, len(self.tokens) - 1)]

    @cached_property
    def open(self) -> list[int]:
        """Indices of the brackets that are open before the token, outermost first."""
        opened: list[int] = []
        for i, token in enumerate(self.tokens[: self.index]):
            if token.text in CLOSING:
                opened.append(i)
            elif opened and token.text == CLOSING[self.tokens[opened[-1]].text]:
                opened.pop()
        return opened

    @property
    def innermost(self) -> Lexeme | None:
        """The bracket opened last, if one is open."""
        opened = self.open
        return self.tokens[opened[-1]] if opened else None

    @cached_property
    def level(self) -> list[Lexeme]:
        """What stands between the start of the statement, or the innermost bracket, and the token.

        Bracketed parts are left out, their brackets are kept.
        """
        kept: list[Lexeme] = []
        depth = 0
        for token in reversed(self.tokens[: self.index]):
            if token.text in CLOSING.values():
                depth += 1
            elif token.text in CLOSING:
                depth -= 1
            if depth < 0 or (depth == 0 and token.kind == "newline"):
                break
            if depth == 0 or (depth == 1 and token.text in CLOSING.values()):
                kept.append(token)
        return kept[::-1]

    @cached_property
    def statement(self) -> Lexeme:
        """The first token of the statement, outside all brackets but `{`."""
        depth = 0
        first = self.token
        for token in reversed(self.tokens[: self.index]):
            if token.text in CLOSING.values():
                depth += 1
            elif token.text in CLOSING:
                depth -= 1
            if depth <= 0 and (token.kind == "newline" or token.text == "{"):
                break
            first = token
        return first

    @property
    def begins_file_statement(self) -> bool:
        """True at a word such as `block` at the very start of a line."""
        at = self.token.start
        flush = at == 0 or self.source.text[at - 1] == "\n"
        return flush and self.token.text in STATEMENT_WORDS

    @property
    def in_block(self) -> bool:
        """True when the innermost open bracket is the `{` of a block, a rule or `train`."""
        opener = self.opener
        return opener is not None and (
            opener.text in (")", "train") or (opener.kind == "name" and not self.holder())
        )

    @property
    def opener(self) -> Lexeme | None:
        """The token before the innermost open bracket: `train` in `train { batch 64 }`."""
        opened = self.open
        return self.tokens[opened[-1] - 1] if opened and opened[-1] else None

    def closes_later(self, opening: int) -> bool:
        """True when the bracket at index `opening` has its partner at or after the token."""
        opened: list[str] = []
        for token in self.tokens[opening:]:
            if token.text in CLOSING:
                opened.append(CLOSING[token.text])
            elif token.text in CLOSING.values() and token.text != opened.pop():
                return False
            if not opened:
                return True
        return False

    def holder(self) -> Lexeme | None:
        """The word `if`, `repeat`, ... whose braces are the innermost open bracket."""
        opened = self.open
        if not opened or self.tokens[opened[-1]].text != "{":
            return None
        words = Site(self.source, self.tokens, opened[-1]).level
        return next((t for t in reversed(words) if t.text in NEEDS_BRACES), None)

    def report(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        token: Lexeme | None = None,
        also: Lexeme | None = None,
        also_text: str = "",
    ) -> Diagnostic:
        """A diagnostic at the offending token, or at another `token`."""
        place = Label((token or self.token).span(self.source))
        second = (Label(also.span(self.source), also_text),) if also else ()
        return Diagnostic(code, message, place, second, hints=(hint,) if hint else ())

    @property
    def ends_operand(self) -> bool:
        """True when a value is complete just before the token."""
        before = self.before
        return before.kind in ("name", "number", "text") or before.text in (
            *CLOSING.values(), "true", "false", "input", "target",
        )  # fmt: skip

    @property
    def starts_operand(self) -> bool:
        """True when the token could begin a value."""
        return self.token.kind in ("name", "number", "text") or self.token.text in (
            "(", "[", "{", "if", "repeat", "each", "scan", "true", "false", "input", "target",
            "next", "not",
        )  # fmt: skip

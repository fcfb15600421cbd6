"""One finding about a model file: a code, a sentence, places, facts and what to type."""

from __future__ import annotations

from dataclasses import dataclass

from .span import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A place with a few words about it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """`code` is E.... for an error and W.... for a warning; `primary` is where to look first."""

    code: str
    message: str
    primary: Label | None = None
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        """True for errors, False for warnings."""
        return self.code.startswith("E")

"""The one family of exceptions users meet; each kind has its exit code."""

from __future__ import annotations

from typing import ClassVar

from .diagnostic import Diagnostic, Label
from .escape import escaped
from .render import render
from .span import Span


class GdlError(Exception):
    """Anything graphdl tells a user in a sentence instead of a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *sentences: object) -> None:
        # Names and texts of files come to stand in sentences: none of them moves the cursor.
        super().__init__(*(escaped(s, "\n") if isinstance(s, str) else s for s in sentences))


class UsageError(GdlError):
    """A command or call that cannot be carried out as asked: a missing GPU, an unknown option."""

    exit_code = 2


class ModelError(GdlError):
    """A model file that does not compile; `diagnostics` says why, and where."""

    exit_code = 3

    def __init__(self, *diagnostics: Diagnostic) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n\n".join(render(d) for d in diagnostics))

    @classmethod
    def at(
        cls,
        span: Span | None,
        code: str,
        message: str,
        *,
        label: str = "",
        hint: str | tuple[str, ...] = (),
        note: str | tuple[str, ...] = (),
        also: tuple[Label, ...] = (),
    ) -> ModelError:
        """The short way to raise one error at one place."""
        return cls(
            Diagnostic(
                code,
                message,
                Label(span, label) if span else None,
                also,
                _several(note),
                _several(hint),
            )
        )


def _several(texts: str | tuple[str, ...]) -> tuple[str, ...]:
    """One text or several as several, without empty ones."""
    return tuple(text for text in ((texts,) if isinstance(texts, str) else texts) if text)


class ModelWarning(UserWarning):
    """What `graphdl check` warns of in a model that compiles all the same."""


class DataError(GdlError):
    """A data set that is missing, broken or not what the model declares."""

    exit_code = 4


class DivergedError(GdlError):
    """Training produced a loss that is not finite."""

    exit_code = 5

"""A diagnostic as the text a user reads: sentence, place, source lines with carets, facts, hint."""

from __future__ import annotations

from .diagnostic import Diagnostic


def render(diagnostic: Diagnostic) -> str:
    """The text of one diagnostic, without a trailing newline."""
    word = "error" if diagnostic.is_error else "warning"
    lines = [f"{word}[{diagnostic.code}]: {diagnostic.message}"]
    if diagnostic.primary:
        span = diagnostic.primary.span
        lines.append(f"  --> {span.source.name}:{span.line}:{span.column}")
    lines += [f"   = hint: {hint}" for hint in diagnostic.hints]
    return "\n".join(lines)

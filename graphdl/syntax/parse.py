"""First stage of the pipeline: a model's text to its syntax tree, or diagnostics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from ..errors import ModelError, Source, Span
from ..limits import CHARACTERS, TOKENS
from .depth import DEEPEST, TooDeepError
from .tree import Expression, Model, Statement

if TYPE_CHECKING:
    from lark import Token, Tree

    from .grammar import Start

# Roughly, and without comments: counted faster than it is parsed.
_TOKEN = re.compile(r'#[^\n]*|"[^"\n]*"|\w+|[^\w\s]')


def parse(source: Source) -> Model:
    """The syntax tree of a whole file.

    Raises:
        ModelError: with up to ten diagnostics, one per statement that does not parse.
    """
    return cast(Model, _parse(source, "start"))


def parse_expression(source: Source) -> Expression:
    """The tree of a single expression, as written after `--set name=`.

    Raises:
        ModelError: the text is not one expression.
    """
    return cast(Expression, _parse(source, "expression"))


def parse_statement(place: Span) -> Statement:
    """One statement of a text that is known to be right, with its place in the whole text.

    Raises:
        ModelError: with the diagnostics of the whole text.
    """
    from lark import UnexpectedInput

    from .build import Build
    from .grammar import parse_text

    try:
        built = Build(place.source, place.start)(parse_text(place.text, "start"))
        (statement,) = cast(Model, built).statements
    except (UnexpectedInput, ValueError, TooDeepError):
        parse(place.source)
        raise
    return statement


def _parse(source: Source, start: Start) -> Any:
    """A tree, or the diagnostics of all statements in which one can be found."""
    # lark takes 30 ms to import: nobody who only wants the tree's classes pays for it
    from lark import UnexpectedInput

    from .build import Build
    from .grammar import parse_text
    from .recover import diagnose

    _check_length(source)
    try:
        parsed = parse_text(source.text, start)
        _check_depth(parsed)
        return Build(source)(parsed)
    except TooDeepError as error:
        raise _too_deep(source, error.offset) from None
    except UnexpectedInput as error:
        raise ModelError(*diagnose(source, start, error)) from None


def _check_length(source: Source) -> None:
    """E0123 for a text that would take long to read, before it is read."""
    counts = {
        CHARACTERS: (len(source.text), "characters"),
        TOKENS: (
            sum(not t.startswith("#") for t in _TOKEN.findall(source.text)),
            "words and signs",
        ),
    }
    for limit, (count, what) in counts.items():
        if count > limit.most:
            message = f"a model has at most {limit.most:,} {what}, this has {count:,}"
            raise ModelError.at(Span(source, 0, 1), "E0123", message, hint=limit.hint)


def _check_depth(parsed: Tree[Token]) -> None:
    from lark import Tree

    waiting: list[tuple[Tree[Token], int]] = [(parsed, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            raise TooDeepError(node.meta.start_pos)
        # an argument is the same level as its call
        deeper = depth + (node.data not in ("argument", "named", "entry", "braces"))
        waiting += [(child, deeper) for child in node.children if isinstance(child, Tree)]


def _too_deep(source: Source, offset: int) -> ModelError:
    return ModelError.at(
        Span(source, offset, offset + 1),
        "E0113",
        f"this is nested too deeply; {DEEPEST} levels are allowed",
        hint="name the inner parts on lines of their own",
    )

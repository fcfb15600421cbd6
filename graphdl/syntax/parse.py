"""First stage of the pipeline: a model's text to its syntax tree, or diagnostics."""

from __future__ import annotations

from ..errors import ModelError, Source
from .tree import Expression, Model


def parse(source: Source) -> Model:
    """The syntax tree of a whole file.

    Raises:
        ModelError: with up to ten diagnostics, one per statement that does not parse.
    """
    result = _parse(source, "start")
    assert isinstance(result, Model)
    return result


def parse_expression(source: Source) -> Expression:
    """The tree of a single expression, as written after `--set name=`.

    Raises:
        ModelError: the text is not one expression.
    """
    result = _parse(source, "expression")
    assert not isinstance(result, Model)
    return result


def _parse(source, start):
    from lark import UnexpectedInput
    from .build import Build
    from .grammar import parse_text
    from ..errors import Span

    try:
        parsed = parse_text(source.text, start)
    except UnexpectedInput as error:
        at = error.pos_in_stream or 0
        raise ModelError.at(Span(source, at, at + 1), "E0100", "this is not understood") from None
    return Build(source).transform(parsed)

"""Syntax diagnostics: a table of rules over the offending token and what stands around it."""

from __future__ import annotations

from ..errors import Diagnostic, Source
from . import mistaken_order as order
from . import mistaken_tokens as tokens
from .site import Site
from .tokens import Lexeme

# The first rule that recognises a place speaks: from the certain to the vague.
RULES = (
    tokens.wrong_spelling,
    tokens.unclosed_text,
    tokens.unknown_character,
    tokens.odd_number,
    tokens.slashes_for_a_comment,
    tokens.never_closed,
    order.missing_repeat_count,
    tokens.closes_nothing,
    order.ends_in_an_arrow,
    order.starts_with_an_arrow,
    order.starts_with_an_operator,
    order.keyword_as_name,
    order.foreign_word,
    tokens.colon_for_equals,
    order.missing_value,
    order.more_than_one_line,
    order.equals_for_comparison,
    order.needs_braces,
    order.stray_else,
    order.not_a_layer,
    order.arithmetic_after_layer,
    order.compared_twice,
    order.incomplete_statement,
    order.no_indexing,
    order.tuple_without_brackets,
    order.missing_operator,
)


def explain(source: Source, lexemes: list[Lexeme], offset: int) -> Diagnostic:
    """What is wrong at a character where the grammar gave up."""
    index = next((i for i, t in enumerate(lexemes) if offset < t.end), len(lexemes) - 1)
    site = Site(source, lexemes, index)
    return next((found for rule in RULES if (found := rule(site))), order.anything_else(site))

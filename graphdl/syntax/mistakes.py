"""Syntax diagnostics: a table of rules over the offending token and what stands around it."""

from __future__ import annotations

from ..errors import Diagnostic, Source
from . import mistaken_statements as statements
from . import mistaken_tokens as tokens
from . import mistaken_values as values
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
    values.missing_head,
    tokens.closes_nothing,
    values.ends_in_an_arrow,
    values.starts_with_an_arrow,
    values.starts_with_an_operator,
    statements.keyword_as_name,
    statements.foreign_word,
    tokens.colon_for_equals,
    values.missing_value,
    statements.more_than_one_line,
    statements.equals_for_comparison,
    statements.needs_braces,
    statements.stray_else,
    values.not_a_layer,
    values.arithmetic_after_layer,
    values.compared_twice,
    statements.incomplete_statement,
    statements.shape_without_value,
    values.no_indexing,
    values.tuple_without_brackets,
    values.missing_operator,
    values.empty_brackets,
    values.braces_for_brackets,
    values.stray_colon,
)


def explain(source: Source, lexemes: list[Lexeme], offset: int) -> Diagnostic:
    """What is wrong at a character where the grammar gave up."""
    index = next((i for i, t in enumerate(lexemes) if offset < t.end), len(lexemes) - 1)
    site = Site(source, lexemes, index)
    return next((found for rule in RULES if (found := rule(site))), values.anything_else(site))

"""Definitions found without parsing are those that parsing finds."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import pytest

from graphdl.errors import ModelError, Source, Span
from graphdl.syntax import outline, parse, parse_statement

PRELUDE = [f for f in resources.files("graphdl.prelude").iterdir() if f.name.endswith(".gdl")]


@pytest.mark.parametrize("file", PRELUDE, ids=lambda file: file.name)
def test_the_prelude_read_piece_by_piece(file: Traversable) -> None:
    source = Source(file.name, file.read_text("utf-8"))
    whole: tuple[Any, ...] = parse(source).statements
    places = outline(source)
    assert list(places) == [statement.name for statement in whole]
    for statement, place in zip(whole, places.values(), strict=True):
        piece: Any = parse_statement(place)
        assert piece == statement
        assert piece.span == statement.span
        assert piece.doc == statement.doc


def test_a_broken_piece_is_explained_in_the_whole_text() -> None:
    source = Source("text", "op f(x) = x\n\nop g(x) = x +\n")
    with pytest.raises(ModelError) as caught:
        parse_statement(outline(source)["g"])
    assert (
        caught.value.diagnostics[0].primary
        == ModelError.at(Span(source, 25, 26), "E0111", "").diagnostics[0].primary
    )

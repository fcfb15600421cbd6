"""Spans are exact: the text of every node is that node again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphdl.errors import Source, Span
from graphdl.syntax import parse, parse_expression, read, tree

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.gdl"))


def walk(node: Any) -> Iterator[tree.Tree]:
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif isinstance(node, tree.Tree | tree.Model):
        if isinstance(node, tree.Tree):
            yield node
        for part in dataclasses.fields(node):
            yield from walk(getattr(node, part.name))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_text_of_a_node_parses_to_the_node(path: Path) -> None:
    for node in walk(parse(read(path))):
        source = Source("again", node.span.text)
        if isinstance(node, tree.Expression):
            assert parse_expression(source) == node
        elif isinstance(node, tree.Statement):
            again: Any
            (again,) = parse(source).statements
            if hasattr(node, "doc"):
                again = dataclasses.replace(again, doc=node.doc)
            assert again == node


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_span_of_a_name_is_the_name(path: Path) -> None:
    for node in walk(parse(read(path))):
        if isinstance(span := getattr(node, "name_span", None), Span):
            assert span.text == (getattr(node, "name", None) or getattr(node, "kind", None))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 3", (1, 1, 1, 6)),
        ("\n\n  a = 3  # why\n\n", (3, 3, 3, 8)),
        ("# first\n\na = f(\n  3,\n)\n# last\n", (3, 1, 5, 2)),
        ("x\r\n  -> relu\r\n", (1, 1, 2, 10)),
        ("train {\n  batch = 3\n}\n", (1, 1, 3, 2)),
        ("a = (b)", (1, 1, 1, 8)),
    ],
)
def test_a_statement_ends_with_its_last_character(text: str, place: tuple[int, ...]) -> None:
    (statement,) = parse(Source("text", text)).statements
    span = statement.span
    assert (span.line, span.column, *span.source.place(span.end)) == place


def test_brackets_around_an_operand_belong_to_the_whole() -> None:
    value = parse_expression(Source("text", "(a + b) * (c)"))
    assert isinstance(value, tree.Binary)
    assert value.span.text == "(a + b) * (c)"
    assert value.left.span.text == "a + b"

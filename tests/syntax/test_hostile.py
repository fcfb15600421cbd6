"""Texts that no person writes: each ends in a tree or in diagnostics."""

from __future__ import annotations

import pytest

from graphdl.errors import ModelError, Source
from graphdl.syntax import parse, parse_expression
from graphdl.syntax.source import LARGEST

HOSTILE = {
    "round brackets": ("a = " + "(" * 10_000 + "1" + ")" * 10_000, "E0113"),
    "square brackets": ("a = " + "[" * 10_000, "E0113"),
    "braces": ("block x -> f {\n" * 10_000, "E0113"),
    "calls": ("a = " + "f(" * 10_000 + "1" + ")" * 10_000, "E0113"),
    "mixed brackets": ("a = " + "([{" * 10_000, "E0113"),
    "closing brackets": (")" * 10_000, "E0105"),
    "a long sum": ("a = " + " + ".join("x" * 20_000), "E0113"),
    "a long power": ("a = " + " ^ ".join("x" * 20_000), "E0113"),
    "minus signs": ("a = " + "-" * 20_000 + "x", "E0113"),
    "nots": ("a = " + "not " * 20_000 + "x", "E0113"),
    "a long chain": ("a = x" + " -> relu" * 20_000, None),
    "a long chain with a sum": ("a = x" + " -> relu" * 20_000 + " + x", "E0112"),
    "a long name": ("a" * 900_000, None),
    "two long names": ("a" * 100_000 + " " + "b" * 100_000, "E0107"),
    "a long number": ("a = " + "1" * 100_000, "E0110"),
    "a long dotted name": ("a = x" + ".x" * 20_000, None),
    "dots": ("." * 20_000, "E0101"),
    "commas": ("a = f(" + "," * 20_000, "E0111"),
    "quotes": ('"' * 20_001, "E0107"),
    "wrong lines": ("a = x y\n" * 20_000, "E0107"),
    "comments before an arrow": ("x\n" + "# # # ## ###\n" * 20_000 + "-> relu", None),
    "a comment of hashes": ("x\n" + "#" * 100_000 + "\n-> relu", None),
    "line ends before an arrow": ("x" + "\n" * 100_000 + "-> relu", None),
    "blank lines": ("x" + " \r\n\t" * 100_000, None),
    "NUL": ("a = 3 + \0", "E0102"),
    "many NULs": ("\0" * 100_000, "E0102"),
    "an escape sequence": ("a = \x1b[31m3", "E0102"),
    "a surrogate": ("a = \ud800", "E0102"),
    "a byte order mark": ("\ufeffa = 1", "E0102"),
    "tabs": ("a\t=\t1\t\n\t", None),
    "Windows line ends": ("x\r\n  -> relu\r\ny = 1\r\n", None),
    "a lone carriage return": ("a = 1\rb = 2", "E0107"),
    "too long": ("#" * (LARGEST + 1), "E0123"),
    "too many lines": ("a = 1\n" * 40_000, "E0123"),
    "too many signs": ("(" * 200_000, "E0123"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text(name: str) -> None:
    text, code = HOSTILE[name]
    if code is None:
        assert parse(Source("text", text)).statements
        return
    with pytest.raises(ModelError) as caught:
        parse(Source("text", text))
    assert caught.value.diagnostics[0].code == code
    assert len(caught.value.diagnostics) <= 10
    said = str(caught.value)
    assert len(said) < 10_000
    assert said.replace("\n", "").isprintable()


def test_depth_below_the_limit_is_fine() -> None:
    parse_expression(Source("text", "(" * 90 + "1" + ")" * 90))
    parse_expression(Source("text", "f(" * 90 + "1" + ")" * 90))
    parse_expression(Source("text", "+".join("x" * 90)))


@pytest.mark.parametrize("text", ["", "1 +", "a = 3", "3\n4", "f(", "\0", "x ->"])
def test_not_one_expression(text: str) -> None:
    with pytest.raises(ModelError):
        parse_expression(Source("text", text))

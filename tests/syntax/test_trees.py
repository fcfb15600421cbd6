"""What texts mean: precedence, numbers, statements, comments."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from graphdl.errors import ModelError, Source
from graphdl.syntax import parse, parse_expression, tree


def show(node: Any) -> Any:
    """A tree as nested tuples and plain values, without spans."""
    match node:
        case tree.Number() | tree.Flag():
            return node.value
        case tree.Text():
            return repr(node.value)
        case tree.Name():
            return str(node)
        case tree.Binary():
            return (show(node.left), node.operator, show(node.right))
        case tree.Unary():
            return (node.operator, show(node.operand))
        case tree.Tree():
            fields = [f.name for f in dataclasses.fields(node)]
            kept = [f for f in fields if f not in ("span", "name_span", "doc")]
            return (type(node).__name__, *(show(getattr(node, f)) for f in kept))
        case tuple():
            return [show(item) for item in node]
    return node


def expression(text: str) -> Any:
    return show(parse_expression(Source("text", text)))


def statement(text: str) -> Any:
    (found,) = parse(Source("text", text)).statements
    return show(found)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("20", 20),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ('"a b"', "'a b'"),
        ("true", True),
        ("x + y + z", (("x", "+", "y"), "+", "z")),
        ("x - y * z", ("x", "-", ("y", "*", "z"))),
        ("x * y // z % a @ b", (((("x", "*", "y"), "//", "z"), "%", "a"), "@", "b")),
        ("x ^ y ^ z", ("x", "^", ("y", "^", "z"))),
        ("-x ^ 2", ("-", ("x", "^", 2))),
        ("x ^ -1", ("x", "^", ("-", 1))),
        ("a<-b", ("a", "<", ("-", "b"))),
        ("n - 1..n + 1", (("n", "-", 1), "..", ("n", "+", 1))),
        ("a or b and not c == d", ("a", "or", ("b", "and", ("not", ("c", "==", "d"))))),
        ("a and b and c", (("a", "and", "b"), "and", "c")),
        ("a + b -> relu", ("Chain", ("a", "+", "b"), ["relu"])),
        ("x -> f -> (y -> g)", ("Chain", "x", ["f", ("Chain", "y", ["g"])])),
        ("(x -> f) + y", (("Chain", "x", ["f"]), "+", "y")),
        ("embed.weight", "embed.weight"),
        ("f()", ("Call", "f", [])),
        ("f(1, k = 2,)", ("Call", "f", [("Argument", None, 1), ("Argument", "k", 2)])),
        ("f(weight = w, hint = 3).x", None),
        ("(a, b)", ("TupleOf", ["a", "b"])),
        ("[]", ("ListOf", [])),
        ("[3, 4,]", ("ListOf", [3, 4])),
        ("{5: 0.5, 6: 0.25}", ("Table", [[5, 0.5], [6, 0.25]])),
        ("if c { a } else { b }", ("If", "c", "a", "b")),
        ("if c { a }", ("If", "c", "a", None)),
        ("repeat 3 { f }", ("Repeat", None, 3, "f")),
        ("repeat n in [1] { f }", ("Repeat", "n", ("ListOf", [1]), "f")),
        ("each w in ws { f }", ("Each", "w", "ws", "f")),
        ("scan { f }", ("Scan", "f")),
        ("next h", ("NextValue", "h")),
        ("input", ("Boundary", "input")),
        ("next_word + inputs + state", (("next_word", "+", "inputs"), "+", "state")),
        ("\n 3 # three\n# and a last line", 3),
    ],
)
def test_an_expression(text: str, meaning: Any) -> None:
    if meaning is None:
        with pytest.raises(ModelError):
            expression(text)
    else:
        assert expression(text) == meaning
        assert type(expression(text)) is type(meaning)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('import a, b from "c.gdl"', ("Import", ["a", "b"], "'c.gdl'")),
        ("param k = 5 in 1..9", ("Param", "k", 5, (1, "..", 9))),
        ("param k = 5", ("Param", "k", 5, None)),
        ("input a", ("Tensor", "input", "a", None, None)),
        ("input a[]", ("Tensor", "input", "a", [], None)),
        (
            "target y[T]: int(10)",
            ("Tensor", "target", "y", ["T"], ("Call", "int", [("Argument", None, 10)])),
        ),
        ("weight w[n, 2 * n] = 0", ("Register", "weight", "w", ["n", (2, "*", "n")], 0)),
        ("state h", ("Register", "state", "h", None, None)),
        ("running m[C] = 0", ("Register", "running", "m", ["C"], 0)),
        ("layer f = relu", ("LayerBinding", "f", "relu")),
        (
            "op f(x, a = 1) = x * a",
            ("Op", "f", [("Formal", "x", None, False), ("Formal", "a", 1, False)], ("x", "*", "a")),
        ),
        (
            "op f(x, *, a = 1) = x",
            ("Op", "f", [("Formal", "x", None, False), ("Formal", "a", 1, True)], "x"),
        ),
        (
            "block x -> f(*, n, a = 1,) {}",
            (
                "Block",
                "block",
                "f",
                [("Port", "x", None)],
                [("Formal", "n", None, True), ("Formal", "a", 1, True)],
                [],
            ),
        ),
        (
            "block x[C] -> f { x }",
            ("Block", "block", "f", [("Port", "x", ["C"])], [], [("Flow", "x")]),
        ),
        (
            "rule (w, grad) -> f(lr) {\n  a = w\n  a\n}",
            (
                "Block",
                "rule",
                "f",
                [("Port", "w", None), ("Port", "grad", None)],
                [("Formal", "lr", None, False)],
                [("Binding", ["a"], None, "w"), ("Flow", "a")],
            ),
        ),
        ("block x -> f() {}", ("Block", "block", "f", [("Port", "x", None)], [], [])),
        ("loss = x", ("Role", "loss", None, "x")),
        ("output p = x", ("Role", "output", "p", "x")),
        ("next h = x", ("NextBinding", "h", "x")),
        ("a, b = x", ("Binding", ["a", "b"], None, "x")),
        ("a[T, 2] = x", ("Binding", ["a"], ["T", 2], "x")),
        ('check a : "b"', ("Check", "a", "'b'", None)),
        ('check a : "b" hint "c"', ("Check", "a", "'b'", "'c'")),
        ("train {}", ("Train", [])),
        (
            "train {\n\n  a = 1  # x\n  b = f\n}",
            ("Train", [("Setting", "a", 1), ("Setting", "b", "f")]),
        ),
        ("x -> f", ("Flow", ("Chain", "x", ["f"]))),
        ("weight weight[n] = weight", ("Register", "weight", "weight", ["n"], "weight")),
    ],
)
def test_a_statement(text: str, meaning: Any) -> None:
    assert statement(text) == meaning


def test_line_ends_inside_brackets_before_arrows_and_after_commas_end_nothing() -> None:
    text = "y = f(\n  1,\n  [2,\n3]\n)\n  # first\n\n  -> if c {\n  g\n}\nelse { h }\nz = 1\n"
    assert [type(s).__name__ for s in parse(Source("text", text)).statements] == ["Binding"] * 2


@pytest.mark.parametrize(
    ("text", "doc"),
    [
        ("# a width\nparam k = 1", "a width"),
        ("# one\n#two\n#   three\nparam k = 1", "one\ntwo\n  three"),
        ("# apart\n\nparam k = 1", ""),
        ("# far\n\n# near\nparam k = 1", "near"),
        ("a = 1 # beside\nparam k = 1", ""),
        ("block x -> f {\n  # inside\n  a = x\n}", "inside"),
        ("#\r\n# crlf\r\nparam k = 1", "\ncrlf"),
    ],
)
def test_comments_right_above_a_statement_are_its_documentation(text: str, doc: str) -> None:
    last = parse(Source("text", text)).statements[-1]
    documented: Any = last.body[0] if isinstance(last, tree.Block) else last
    assert documented.doc == doc


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing", "  # nothing\n"])
def test_an_empty_model(text: str) -> None:
    assert parse(Source("text", text)).statements == ()

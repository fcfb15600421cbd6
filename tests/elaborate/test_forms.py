"""if, repeat, each, layers as arguments, checks: what is decided when compiling."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl

DENSE = "block x -> dense(n, act = relu, drop = 0.0) {\n"
DENSE += "  x -> linear(n) -> act -> if drop > 0 { dropout(drop) }\n}\n"


def layers(text: str) -> list[str]:
    """Labels of the nodes with what was written in brackets."""
    nodes = gdl.compile(text).graph.nodes.values()
    return [f"{n.label}({n.arguments})" for n in nodes if n.kind in ("layer", "op")]


FORMS = [
    ("x -> if true { linear(2) } else { linear(3) }", ["linear(2)"]),
    ("x -> if false { linear(2) } else { linear(3) }", ["linear(3)"]),
    ("x -> if false { linear(2) } -> relu", ["relu()"]),
    ("x -> if 1 < 2 and not false { tanh -> relu }", ["tanh()", "relu()"]),
    ("x -> linear(if 1 > 2 { 7 } else { 8 })", ["linear(if 1 > 2 { 7 } else { 8 })"]),
    ("if true { x -> relu } else { x }", ["relu()"]),
    ("x -> repeat 0 { linear(9) } -> relu", ["relu()"]),
    ("x -> repeat 2 { linear(3) }", ["linear(3)"] * 2),
    ("x -> repeat 2 { repeat 2 { tanh } }", ["tanh()"] * 4),
    ("x -> repeat i in 1..3 { linear(2 * i) }", ["linear(2 * i)"] * 3),
    ("x -> repeat i in [5, 6] { linear(i) }", ["linear(i)"] * 2),
    ("x -> repeat a in [relu, tanh] { linear(2) -> a }", None),
    ("x -> each n in [2, 3] { linear(n) } -> concat", ["linear(n)", "linear(n)", "concat()"]),
    ("x -> each n in 1..1 { linear(n) } -> concat", ["linear(n)", "concat()"]),
    ("x -> (linear(2) -> relu)", ["linear(2)", "relu()"]),
]


@pytest.mark.parametrize(("expression", "wanted"), FORMS, ids=[f[0] for f in FORMS])
def test_forms(expression: str, wanted: list[str] | None) -> None:
    found = layers(f"input x[3]\noutput y = {expression}")
    if wanted is not None:
        assert found == wanted
    else:
        assert found == ["linear(2)", "relu()", "linear(2)", "tanh()"]


def test_a_layer_is_a_parameter_with_a_default() -> None:
    text = DENSE + "input x[3]\noutput y = x -> dense(4) -> dense(2, tanh, drop = 0.1)"
    assert [n.partition("(")[0] for n in layers(text)] == [
        "linear", "relu", "linear", "tanh", "dropout",
    ]  # fmt: skip


@pytest.mark.parametrize("act", ["tanh", "leaky_relu(0.3)", "(linear(4) -> tanh)", "my", "shared"])
def test_any_layer_may_be_given(act: str) -> None:
    text = DENSE + "op my(x) = x * x\nlayer shared = linear(4)\ninput x[3]\n"
    net = gdl.compile(
        text + f"output y = x -> dense(4, {act})\noutput z = x -> linear(4) -> shared"
    )
    x = np.ones((2, 3))
    h = x @ net["y.dense.linear.weight"].T + net["y.dense.linear.bias"]
    inner = "y.dense.act.linear" if act.startswith("(") else "shared"
    want = {
        "tanh": np.tanh(h),
        "leaky_relu(0.3)": np.where(h > 0, h, 0.3 * h),
        "my": h * h,
    }.get(act)
    if want is None:
        want = h @ net[f"{inner}.weight"].T + net[f"{inner}.bias"]
        want = np.tanh(want) if act.startswith("(") else want
    np.testing.assert_allclose(net(x=x)["y"], want, rtol=1e-5, atol=1e-6)


def test_an_elementwise_if_selects() -> None:
    text = "input x[4]\noutput y = if x > 0 and x < 2 or not (x > -2) { 10 * x } else { -x }"
    found = gdl.compile(text)(x=[[-3.0, -1.0, 1.0, 3.0]])["y"]
    assert found.tolist() == [[-30.0, 1.0, 10.0, -3.0]]


def test_blocks_and_ops_are_closures_of_the_file() -> None:
    text = "n = 4\nop scaled(x) = x * n\nblock x -> f() { x -> linear(n) -> scaled }\n"
    net = gdl.compile(text + "input x[3]\noutput y = x -> f")
    assert net.outputs["y"].shape == (4,)


def test_a_block_inside_a_block() -> None:
    text = "block x -> outer(n) {\n  block y -> inner() { y -> linear(n) }\n"
    text += "  op half(z) = z / n\n  x -> inner -> half\n}\ninput x[3]\noutput y = x -> outer(2)"
    net = gdl.compile(text)
    assert net.outputs["y"].shape == (2,)
    assert list(net.weights) == ["y.outer.inner.linear.weight", "y.outer.inner.linear.bias"]


def test_a_block_of_two_values() -> None:
    text = "block (a, b) -> gate(n) {\n  g = b -> linear(n) -> sigmoid\n  a * g\n}\n"
    net = gdl.compile(text + "input a[3]\ninput b[5]\noutput y = (a, b) -> gate(3)")
    found = net(a=np.ones((2, 3)), b=np.zeros((2, 5)))["y"]
    np.testing.assert_allclose(found[0], 1 / (1 + np.exp(-net["y.gate.g.linear.bias"])), rtol=1e-5)


def test_ops_of_numbers_are_numbers() -> None:
    text = "op twice(x) = 2 * x\ninput x[3]\noutput y = x -> linear(twice(4)) -> linear(max(2, 1))"
    assert gdl.compile(text).outputs["y"].shape == (2,)


CHECKS = [
    ('check name == "a" : "never"', None),
    ('check n > 3 : "n is {n}" hint "try {n + 1}"', ("n is 3", ("try 4",))),
    ('check n == 3 or name == "b" : "never"', None),
    ('check n > 3 : "{n} {n * 2} {unknown} {} {n" ', ("3 6 {unknown} {} {n", ())),
    ('check name == "b" : "{name}"', ("a", ())),
]


@pytest.mark.parametrize(("line", "wanted"), CHECKS)
def test_checks(line: str, wanted: tuple[str, tuple[str, ...]] | None) -> None:
    text = f'param n = 3\nparam name = "a"\n{line}\ninput x[3]\noutput y = x -> linear(n)'
    found = [(d.code, d.message, d.hints) for d in gdl.check(text)]
    assert found == ([("E0503", *wanted)] if wanted else [])


def test_a_check_of_a_size_known_only_when_running_says_nothing() -> None:
    text = 'block x[T, D] -> f() {\n  check T > 3 : "short"\n  x\n}\ninput x[T, 4]\n'
    assert gdl.check(text + "output y = x -> f") == []
    assert [
        d.message for d in gdl.check(text.replace("[T, 4]", "[2, 4]") + "output y = x -> f")
    ] == ["short"]

"""Roles, their default names, the one-line program, settings, and what is left over."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl
from graphdl.elaborate import elaborate
from graphdl.errors import Source
from graphdl.graph import Graph, Named

HEAD = "input x[4]\ntarget t: int(3)\nscores = x -> linear(3)\n"


def graph(text: str) -> Graph:
    return elaborate(Source("<text>", text)).graph


NAMES = [
    ("output = scores", ["output"], [], []),
    ("output p = softmax(scores)", ["p"], [], []),
    ("output = scores\noutput = softmax(scores)", ["output", "output#2"], [], []),
    ("loss = scores -> cross_entropy", [], ["loss"], []),
    ("loss hard = scores -> cross_entropy\nloss = mean(scores)", [], ["hard", "loss"], []),
    ("loss = mean(scores)\nloss = scores -> cross_entropy(t)", [], ["loss", "loss#2"], []),
    ("output = scores\nmetric = scores -> accuracy", ["output"], [], ["accuracy"]),
    ("output = scores\nmetric hits = scores -> accuracy(t)", ["output"], [], ["hits"]),
    ("output = scores\nmetric = scores + 1", ["output"], [], ["+"]),
    (
        "output = scores\nmetric = accuracy(scores, t)\nmetric = accuracy(scores * 2, t)",
        ["output"],
        [],
        ["accuracy", "accuracy#2"],
    ),
]


@pytest.mark.parametrize(("lines", "outputs", "losses", "metrics"), NAMES)
def test_default_names(
    lines: str, outputs: list[str], losses: list[str], metrics: list[str]
) -> None:
    found = graph(HEAD + lines)
    assert list(found.outputs) == outputs
    assert list(found.losses) == losses
    assert list(found.metrics) == metrics


def test_losses_and_metrics_are_means() -> None:
    text = "input x[2]\ntarget t[2]\nloss = (x - t) ^ 2\nmetric far = abs(x - t)"
    net = gdl.compile(text, dtype="float64")
    found = net.evaluate(x=[[1.0, 2], [3, 4]], t=[[0.0, 0], [0, 0]])
    assert found == {"far": 2.5, "loss": 7.5}


def test_losses_add_up() -> None:
    text = "input x[2]\nloss a = mean(x)\nloss b = 10 * mean(x)\nloss = 100 * mean(x)"
    net = gdl.compile(text, dtype="float64")
    assert net.loss(x=[[1.0, 3.0]]) == pytest.approx(222)


def test_a_role_s_value_may_be_used_again() -> None:
    net = gdl.compile("input x[2]\noutput h = x * 2\noutput y = h + 1")
    assert net(x=[[1.0, 2]])["y"].tolist() == [[3, 5]]


def test_an_input_is_an_output() -> None:
    net = gdl.compile("input x[2]\noutput same = x")
    assert net(x=[[1.0, 2]])["same"].tolist() == [[1, 2]]


ONE_LINE = [
    # text, outputs, loss, metrics, targets
    ("input -> linear(2, 3)", {"output"}, False, set(), set()),
    ("input -> linear(2, 3) -> softmax -> nll", {"output"}, True, {"accuracy"}, {"target"}),
    ("input -> linear(2, 3) -> cross_entropy", {"output"}, True, {"accuracy"}, {"target"}),
    ("input -> linear(2, 3) -> mse", {"output"}, True, set(), {"target"}),
    ("input -> linear(2, 3) -> mse(target)", {"output"}, True, set(), {"target"}),
    ("linear(2, 3) -> softmax", {"output"}, False, set(), set()),
    ("param n = 3\ninput -> linear(2, n)", {"output"}, False, set(), set()),
    ("layer f = linear(2, 2)\ninput -> f -> f", {"output"}, False, set(), set()),
    ("op f(x) = x * x\ninput -> linear(2, 3) -> f", {"output"}, False, set(), set()),
    (
        "block x -> f() { x -> linear(2, 3) }\ninput -> f -> softmax -> nll",
        {"output"},
        True,
        {"accuracy"},
        {"target"},
    ),
    (
        "input -> linear(2, 3) -> softmax -> nll\ntrain { batch = 16 }",
        {"output"},
        True,
        {"accuracy"},
        {"target"},
    ),
    ("input -> linear(2, 4) -> split(2)", {"output", "output#2"}, False, set(), set()),
    ("input * 2 + 1\n", {"output"}, False, set(), set()),
    ("relu(input)\n", {"output"}, False, set(), set()),
]


@pytest.mark.parametrize(("text", "outputs", "loss", "metrics", "targets"), ONE_LINE)
def test_one_line_programs(
    text: str, outputs: set[str], loss: bool, metrics: set[str], targets: set[str]
) -> None:
    assert gdl.check(text) == []
    net = gdl.compile(text)
    assert set(net.inputs) == {"input"}
    assert set(net.outputs) == outputs
    assert set(net.graph.losses) == ({"loss"} if loss else set())
    assert set(net.graph.metrics) == metrics
    assert set(net.targets) == targets


def test_a_one_line_program_trains() -> None:
    net = gdl.compile("input -> linear(2, 3) -> softmax -> nll\ntrain { optimizer = sgd(0.5) }")
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 2))
    y = (x @ random.normal(size=(2, 3))).argmax(1)
    first = net.loss(input=x, target=y)
    for _ in range(50):
        net.step(input=x, target=y)
    assert net.loss(input=x, target=y) < 0.6 * first


UNUSED = [
    ("v = x -> linear(3)", ["v"]),
    ("layer f = linear(3)", ["f"]),
    ("weight w[3]", ["w"]),
    ("target u: int(4)", ["u"]),
    ("a, b = x -> split(2)\nmetric = mean(a)", ["b"]),
    ("a, b = x -> split(2)", ["a", "b"]),
    ("n = 3", ["n"]),
    ("param n = 3", []),
    ("op f(x) = x", []),
    ("block x -> f() { x }", []),
    ("output spare = scores + 1", []),
    ("h = x -> relu\nmetric = mean(h)", []),
    ("h = x -> relu\ng = h -> relu", ["g"]),
]


@pytest.mark.parametrize(("lines", "unused"), UNUSED)
def test_unused_names_are_warned_of(lines: str, unused: list[str]) -> None:
    found = gdl.check(HEAD + lines + "\nloss = scores -> cross_entropy(t)")
    assert [d.code for d in found] == ["W0301"] * len(unused)
    assert [d.message.split("`")[1] for d in found] == unused


def test_an_unused_input_is_an_error() -> None:
    found = gdl.check(HEAD + "input z[3]\nloss = scores -> cross_entropy(t)")
    assert [(d.code, d.message) for d in found] == [("E0306", "input `z` is not used")]


SETTINGS = "train {\n  data = digits()\n  optimizer = sgd(lr = 0.1, momentum = m)\n"
SETTINGS += "  batch = n * 2\n  freeze = [scores, f.weight]\n  schedule = steps({5: 0.5})\n"
SETTINGS += '  time_limit = "10m"\n  carry_state = true\n}\n'


def test_settings_are_constants_and_names() -> None:
    text = "param n = 8\nparam m = 0.9\n" + HEAD + SETTINGS + "loss = scores -> cross_entropy(t)"
    found = {name: setting.value for name, setting in graph(text).settings.items()}
    assert found["batch"] == 16
    assert found["time_limit"] == "10m"
    assert found["carry_state"] is True
    assert [str(name.name) for name in found["freeze"]] == ["scores", "f.weight"]
    assert isinstance(found["data"], Named)
    assert found["data"].name == "digits"
    assert found["optimizer"].keywords == {"lr": 0.1, "momentum": 0.9}
    assert found["schedule"].arguments == ({5: 0.5},)


FREEZE = [
    ("[a]", {"b.linear.weight", "b.linear.bias"}),
    ("[a.linear]", {"b.linear.weight", "b.linear.bias"}),
    ("[a.linear.weight]", {"a.linear.bias", "b.linear.weight", "b.linear.bias"}),
    ('["a", "b.linear.bias"]', {"b.linear.weight"}),
    ("[]", {"a.linear.weight", "a.linear.bias", "b.linear.weight", "b.linear.bias"}),
]


@pytest.mark.parametrize(("frozen", "moving"), FREEZE)
def test_frozen_weights_stay(frozen: str, moving: set[str]) -> None:
    text = "input x[4]\na = x -> linear(3)\nb = a -> linear(2)\nloss = mean(b ^ 2)\n"
    net = gdl.compile(text + f"train {{\n  freeze = {frozen}\n  optimizer = sgd(0.1)\n}}")
    before = {name: values.copy() for name, values in net.weights.items()}
    net.step(x=np.random.default_rng(0).normal(size=(5, 4)))
    assert {n for n, values in net.weights.items() if (values != before[n]).any()} == moving


def test_what_is_frozen_does_not_move() -> None:
    text = (
        "input x[4]\na = x -> linear(3)\nloss = mean((a -> linear(2)) ^ 2)\ntrain { freeze = [a] }"
    )
    net = gdl.compile(text)
    before = net["a.linear.weight"].copy()
    net.step(x=np.ones((2, 4)))
    assert (net["a.linear.weight"] == before).all()

"""What would take too long is refused by a limit that says how it is raised."""

from __future__ import annotations

import sys

import pytest

import graphdl
from graphdl.elaborate.scope import Scope
from graphdl.errors import ModelError, UsageError
from graphdl.limits import LIMITS, Limit

OVER = {
    "GRAPHDL_EXPRESSIONS": "input x[5, 9]\noutput y = x -> repeat 10000 { lstm(192) }",
    "GRAPHDL_NODES": "input x[9]\noutput y = x -> repeat 2 { repeat 6000 { tanh } }",
    "GRAPHDL_VALUES": "input x[9]\na = [3]\noutput y = x -> repeat i in 1..20000 { relu }",
    "GRAPHDL_TOKENS": "\n".join(["input x[9]", *["a = b"] * 40_000]),
    "GRAPHDL_CHARACTERS": "input x[9]\n# " + "a" * 2**20,
}
SMALL = {"GRAPHDL_EXPRESSIONS": 5000, "GRAPHDL_NODES": 500}  # where the default takes seconds
THOUSAND = "input x[9]\noutput y = x -> repeat 1000 { linear(9) }"


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.variable for limit in LIMITS])
def test_a_limit_is_named_with_how_to_raise_it(
    limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = SMALL.get(limit.variable, limit.default)
    monkeypatch.setenv(limit.variable, str(most))
    (found, *_) = graphdl.check(OVER[limit.variable])
    assert f"{most:,}" in found.message
    assert f"{limit.variable}={most * 10}" in " ".join(found.hints)


def test_a_raised_limit_lets_the_model_through(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "input x[9]\noutput y = x -> repeat i in 1..200 { relu -> tanh }"
    for variable in ("GRAPHDL_VALUES", "GRAPHDL_NODES"):
        monkeypatch.setenv(variable, "100")
        assert [d.code for d in graphdl.check(text)] == ["E0309"]
        monkeypatch.setenv(variable, "1000")
    assert graphdl.check(text) == []


@pytest.mark.parametrize("written", ["0", "-3", "many", "1e6", "٣", "9" * 30])
def test_a_limit_that_is_no_number(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHDL_NODES", written)
    with pytest.raises(UsageError, match="GRAPHDL_NODES must be a whole number from 1"):
        graphdl.compile("input x[3]\noutput y = x -> tanh", backend="numpy")


def test_a_thousand_layers_are_fine() -> None:
    assert graphdl.check(THOUSAND) == []


def test_what_a_layer_sees_is_not_copied() -> None:
    scope = Scope()
    for number in range(100):
        scope.bind(f"f{number}", number)
        seen = scope.so_far()
        assert seen.find(f"f{number}") is seen
    assert sys.getsizeof(seen.names) < 100
    assert seen.find("f100") is None
    assert len(scope.so_far().names) == len(scope.names)


def test_a_layer_sees_nothing_that_is_named_later() -> None:
    text = "input x[3]\nn = 2\nlayer f = linear(n) -> later\nlayer later = tanh\noutput y = x -> f"
    (found,) = [d for d in graphdl.check(text) if d.is_error]
    assert found.code == "E0204"


def test_many_mistakes_are_told_as_far_as_anyone_reads() -> None:
    lines = "\n".join(f"a{i} = b{i}" for i in range(3000))
    assert len(graphdl.check(f"input x[3]\n{lines}\noutput y = x")) == 20
    train = "\n".join(f"a{i} = 3" for i in range(3000))
    assert len(graphdl.check(f"input x[3]\noutput y = x\ntrain {{\n{train}\n}}")) == 20


def test_a_thousand_losses_and_targets() -> None:
    losses = "input x[3]\ntarget y[3]\n" + "loss = mse(x, y)\n" * 1100
    net = graphdl.compile(losses, backend="numpy")
    assert list(net.graph.losses)[::1099] == ["loss", "loss#1100"]
    targets = "input x[3]\n" + "".join(f"target y{i}[3]\n" for i in range(300)) + "loss = mse(x)\n"
    with pytest.raises(ModelError, match="or another") as caught:
        graphdl.compile(targets, backend="numpy")
    assert len(str(caught.value)) < 2000

"""What random models and mutated texts have found once, as small as it gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import graphdl

from .judge import judge
from .limits import SECONDS, limited
from .verdict import verdict
from .writer import Sample


def doubled(first: str, line: str, end: str) -> str:
    """Sixty lines, each twice as large as the one before."""
    return "\n".join([first, *(line.format(i, i + 1) for i in range(60)), end])


MODELS = {
    "one number of one example, in a formula of many steps": """
input series[2, 4]
input level[]
output out = series / (1 + abs((level -> erf -> sigmoid)))
""",
    "a shared batch_norm steps its averages at each use": """
input x[5]
target y: int(2)
layer f = batch_norm(eps = 1e-3)
h = x -> f
loss = 3 * h -> f -> linear(2) -> cross_entropy(y)
""",
    "two losses, one without a name": """
input x[3]
target y
target z
h = x -> linear(1) -> sum(0)
loss = mse(h, y)
loss extra = 0.5 * l1(h, z)
""",
    "the gradient of an input that no loss reaches has a length": """
input x[2]
input series[L, 2]
target y
loss = x -> linear(1) -> sum(0) -> mse(y)
output out = series
""",
    "a size of an input whose values are not needed": """
input x
input series[L, 2]
output out = x * size(series, 0)
output rest = series
""",
    "training asks for a shape that only a later line gives": """
input x
h = tanh(x)
target y
loss = h -> dropout(0.3) -> abs -> huber(y, 0.5)
output out = h
""",
    "a loss on an input of unknown shape: one number": """
input x
target y
loss = 0.3 * mse(tanh(x), y)
""",
    "initialisers without brackets": """
weight w[3] = glorot
input x[3]
output y = x * w -> linear(2, init = he) -> linear(2, init = orthogonal)
""",
    "ops of numbers are numbers": """
op half(a) = 0.5 * a
input x[3]
output y = x * half(3) + 0.25
""",
    "a constant in the first port of an op": """
op away(a, b) = a - 2 * b
input x[3]
output y = away(1, x)
output z = away(x, 1)
""",
    "batch_norm of what no example reaches": """
weight w[2] = normal(1)
input x[2]
output y = x + (w -> batch_norm)
""",
}
OPS: dict[str, Callable[..., Any]] = {"half": lambda a: 0.5 * a, "away": lambda a, b: a - 2 * b}
TEXTS = {
    "a range of tensors": "input x\noutput y = x..x",
    "a deviation below 0": "input x[2]\noutput y = x -> linear(2, init = normal(-1))",
    "a gain that is too large": "input x[2]\nweight w[2] = glorot(1e300)\noutput y = x * w",
    "weights larger than any memory": "input x[2]\noutput y = x -> linear(2000000000)",
    "a batch larger than any memory": "input x[90000]\noutput y = reshape(x, [90000, 1]) * x",
    "a chain without end": "input x\noutput y = x -> repeat 9999 { repeat 9999 { tanh } }",
    "a chain of nothing": """
input x
output y = x -> repeat 9999 { repeat 9999 { if false { tanh } } }
""",
    "lists that double": doubled("a0 = [1, 2]", "a{1} = a{0} + a{0}", "input x\noutput y = x"),
    "tuples that double": doubled("input x\nb0 = (x, x)", "b{1} = (b{0}, b{0})", "output y = x"),
    "ops that double": doubled(
        "op f0(a) = a + a", "op f{1}(a) = f{0}(a) + f{0}(a)", "input x\noutput y = x * f60(1)"
    ),
    "a first value that no float holds": "input x[2]\nweight w[2] = 10 ^ 400\noutput y = x * w",
}


@pytest.mark.parametrize("text", MODELS.values(), ids=MODELS)
def test_model(text: str) -> None:
    sizes = {"L": 3} if "[L" in text else {}
    judge(Sample(text, dict(OPS), sizes=sizes, random="dropout" in text))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_is_refused(text: str) -> None:
    with limited(SECONDS):
        assert verdict(text) == "refused"


def test_the_sum_of_losses_is_reported_and_learned() -> None:
    net = graphdl.compile(MODELS["two losses, one without a name"], dtype="float64")
    batch: dict[str, Any] = {"x": [[1.0, 2.0, 3.0]], "y": [0.0], "z": [5.0]}
    before = net.loss(**batch)
    assert net.step(lr=None, **batch) == pytest.approx(before)

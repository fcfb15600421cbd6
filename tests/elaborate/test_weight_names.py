"""Names of weights come from structure: binding, block, position; `layer` gives a fixed one."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl
from graphdl.elaborate import elaborate
from graphdl.errors import Source

BLOCK = "block x -> conv_bn(n) { x -> conv(n, 3, pad = 1, bias = false) -> batch_norm }\n"
RESIDUAL = BLOCK + "block x -> residual(n) {\n  main = x -> conv_bn(n) -> relu -> conv_bn(n)\n"
RESIDUAL += "  skip = x -> conv(n, 1)\n  main + skip -> relu\n}\n"
THREE = "block x -> f(n) {\n  a = x -> linear(n)\n  b = x -> linear(n)\n  a + b -> linear(n)\n}\n"
THREE += "output y = x -> f(2)"
OWN = "block x -> f() {\n  layer g = linear(3)\n  weight w[3] = 1\n  (x -> g -> g) * w\n}\n"
OWN += "output y = x -> f -> f"
NORM = ["scale", "shift", "average", "spread"]


def bn(prefix: str) -> list[str]:
    return [f"{prefix}.{part}" for part in NORM]


def wb(*layers: str) -> list[str]:
    return [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]


CASES = [
    ("a binding", "h = x -> linear(2)\noutput h", wb("h.linear")),
    ("a role", "output y = x -> linear(2)", wb("y.linear")),
    ("a role without a name", "output = x -> linear(2)", wb("linear")),
    ("two alike", "output y = x -> linear(2) -> linear(2)", wb("y.linear", "y.linear#2")),
    (
        "counted apart",
        "output y = x -> linear(2) -> layer_norm -> linear(2)",
        [*wb("y.linear"), "y.layer_norm.scale", "y.layer_norm.shift", *wb("y.linear#2")],
    ),
    (
        "bindings of a tuple",
        "a, b = x -> linear(4) -> split(2)\noutput y = a + b",
        wb("linear"),
    ),
    (
        "two chains in one binding",
        "output y = (x -> linear(2)) + (x -> linear(2))",
        wb("y.linear", "y.linear#2"),
    ),
    (
        "repeat",
        "output y = x -> repeat 3 { linear(3) -> relu }",
        wb("y.linear", "y.linear#2", "y.linear#3"),
    ),
    (
        "each",
        "output y = x -> each n in [2, 3] { linear(n) } -> concat",
        wb("y.linear", "y.linear#2"),
    ),
    (
        "a layer",
        "layer f = linear(3)\noutput y = x -> f -> f",
        wb("f"),
    ),
    (
        "a layer of two stages",
        "layer f = linear(4) -> tanh -> linear(3)\noutput y = x -> f -> f",
        wb("f.linear", "f.linear#2"),
    ),
    (
        "a layer of a stage with weights and one without",
        "layer f = linear(3) -> tanh\noutput y = x -> f -> f",
        wb("f.linear"),
    ),
    (
        "a layer that repeats",
        "layer f = repeat 2 { linear(3) }\noutput y = x -> f",
        wb("f.linear", "f.linear#2"),
    ),
    (
        "a layer inside repeat",
        "layer f = linear(3)\noutput y = x -> repeat 5 { f -> tanh }",
        wb("f"),
    ),
    (
        "a layer of a layer",
        "layer f = linear(3)\nlayer g = f -> tanh -> linear(3)\noutput y = x -> g -> f",
        [*wb("f"), *wb("g.linear")],
    ),
    ("a bare weight", "weight w[3] = 0\noutput y = x * w", ["w"]),
    ("a used part", "layer f = linear(2)\nh = x -> f\noutput y = h @ f.weight", wb("f")),
    ("a weight nobody uses", "weight w[3]\noutput y = x -> linear(2)", wb("y.linear")),
    (
        "a block",
        "block x -> dense(n) { x -> linear(n) -> relu }\noutput y = x -> dense(4) -> dense(2)",
        wb("y.dense.linear", "y.dense#2.linear"),
    ),
    (
        "names inside a block",
        THREE,
        wb("y.f.a.linear", "y.f.b.linear", "y.f.linear"),
    ),
    (
        "a layer and a weight inside a block",
        OWN,
        [*wb("y.f.g"), "y.f.w", *wb("y.f#2.g"), "y.f#2.w"],
    ),
    (
        "a layer as a block's argument is one instance",
        "block x -> twice(f) { x -> f -> f }\noutput y = x -> twice(linear(3))",
        wb("y.twice.f"),
    ),
    (
        "a chain as a block's argument",
        (
            "block x -> twice(f) { x -> f -> f }\nlayer g = linear(3) -> relu\n"
            "output y = x -> twice(g)"
        ),
        wb("g.linear"),
    ),
    (
        "a trailing underscore is the author's alone",
        "block x -> scaled() {\n  weight size_[3] = 1\n  x * size_\n}\noutput y = x -> scaled",
        ["y.scaled.size"],
    ),
]


def names(text: str) -> list[str]:
    """Names of all weights and running statistics of a model over x[3]."""
    if "output h" in text.splitlines()[-1]:
        text = text.replace("\noutput h", "\noutput y = h")
    model = elaborate(Source("<text>", "input x[3]\n" + text))
    kept = [key.key for key in model.builder.inputs if key.role in ("weight", "state")]
    assert sorted(kept) == sorted(model.graph.weights)
    assert {w for node in model.graph.nodes.values() for w in node.weights} == set(kept)
    return list(model.graph.weights)


@pytest.mark.parametrize(("text", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_names(text: str, wanted: list[str]) -> None:
    assert sorted(names(text)) == sorted(wanted)


def test_nested_blocks() -> None:
    text = RESIDUAL + "input x[3, 8, 8]\nlogits = x -> residual(8) -> residual(8) -> flatten"
    graph = elaborate(Source("<text>", text + " -> linear(2)\noutput y = logits")).graph
    wanted = []
    for block in ("logits.residual", "logits.residual#2"):
        for conv in ("main.conv_bn", "main.conv_bn#2"):
            wanted += [f"{block}.{conv}.conv.weight", *bn(f"{block}.{conv}.batch_norm")]
        wanted += wb(f"{block}.skip.conv")
    assert sorted(graph.weights) == sorted([*wanted, *wb("logits.linear")])


def test_another_line_renames_nothing() -> None:
    before = "input x[3]\nh = x -> linear(4)\noutput y = h -> linear(2)"
    after = "input x[3]\nz = x -> linear(9) -> linear(9)\n# a comment\nh = x -> linear(4)\n"
    after += "output y = h -> linear(2)\noutput w = z"
    old, new = gdl.compile(before), gdl.compile(after)
    assert set(old.weights) < set(new.weights)
    for name, values in old.weights.items():
        assert np.array_equal(values, new[name])


def test_a_shared_weight_has_one_gradient_the_sum_over_its_uses() -> None:
    text = "input x[3]\nlayer f = linear(3)\noutput y = x -> f -> f -> f\nloss = mean(y ^ 2)"
    net = gdl.compile(text, dtype="float64")
    assert net.gradcheck(samples=0)
    apart = gdl.compile(text.replace("layer f = linear(3)\n", "").replace("f", "linear(3)"))
    for layer in ("linear", "linear#2", "linear#3"):
        for part in ("weight", "bias"):
            apart[f"y.{layer}.{part}"] = net[f"f.{part}"]
    x = np.random.default_rng(0).normal(size=(4, 3))
    one, three = net.gradients(x=x), apart.gradients(x=x)
    for part in ("weight", "bias"):
        total = sum(three[f"y.{layer}.{part}"] for layer in ("linear", "linear#2", "linear#3"))
        np.testing.assert_allclose(one[f"f.{part}"], total, rtol=1e-4, atol=1e-6)


def test_what_is_defined_later_does_not_change_a_layer() -> None:
    text = "n = 3\nlayer f = linear(n)\nblock x -> linear2(k) { x -> linear(k) }\n"
    text += "input x[3]\noutput y = x -> f"
    assert elaborate(Source("<text>", text)).graph.weights["f.weight"].shape == (3, 3)

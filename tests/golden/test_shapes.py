"""Shapes and counts that the courses print: a model and parameters, and the sizes that follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.draw import total_weights

CONV = "input x[3, 12, 12]\noutput y = x -> conv(4, 5{})\n"
POOL = "input x[1, 4, 4]\noutput y = x -> {}\n"

# Five kernels over three words each of a sentence of ten, words of 300 numbers.
SENTENCE = """
input words[10, 300]
output scores = words
  -> conv1d(5, 3, pad = 1) -> transpose -> transpose -> max_over_time -> linear(3)
"""
SENTENCE_AS_IMAGE = """
input words[1, 10, 300]
output scores = words -> conv(5, [3, 300], pad = [1, 0]) -> global_max_pool -> linear(3)
"""
COURSE_SHAPES = """
conv 16x28x28, relu 16x28x28, max_pool 16x14x14, conv 32x14x14, relu 32x14x14, max_pool 32x7x7,
flatten 1568, linear 200, relu 200, linear 10
"""
NORMED_SHAPES = """
conv 16x28x28, batch_norm 16x28x28, relu 16x28x28, max_pool 16x14x14, conv 32x14x14,
batch_norm 32x14x14, relu 32x14x14, max_pool 32x7x7, flatten 1568, linear 200, relu 200,
dropout 200, linear 10
"""
COURSE_CNN = """
input image[1, 28, 28]
output scores = image
  -> conv(16, 5, pad = 2) -> relu -> max_pool(2)
  -> conv(32, 5, pad = 2) -> relu -> max_pool(2)
  -> flatten -> linear(200) -> relu -> linear(10)
"""

SHAPES: list[tuple[str, dict[str, Any], str]] = [
    (CONV.format(""), {}, "conv 4x8x8"),
    (CONV.format(", pad = 2"), {}, "conv 4x12x12"),
    (CONV.format(", pad = same"), {}, "conv 4x12x12"),
    (CONV.format(", pad = valid"), {}, "conv 4x8x8"),
    (CONV.format(", stride = 2"), {}, "conv 4x4x4"),
    (COURSE_CNN, {}, COURSE_SHAPES),
    ("cnn", {"norm": True, "drop": 0.5}, NORMED_SHAPES),
    ("mlp", {}, "flatten 784, linear 200, tanh 200, linear 200, tanh 200, linear 10"),
    (
        "mlp",
        {"layers": 1, "drop": 0.2},
        "flatten 784, linear 200, tanh 200, dropout 200, linear 10",
    ),
    (
        SENTENCE,
        {},
        "conv1d 10x5, transpose 5x10, transpose 10x5, max_over_time 5, linear 3",
    ),
    (SENTENCE_AS_IMAGE, {}, "conv 5x10x1, global_max_pool 5, linear 3"),
]

PADDED = "16x28x28, 16x27x27, 32x27x27, 32x26x26, 21632"
UNPADDED = "16x24x24, 16x23x23, 32x19x19, 32x18x18, 10368"
PARAMETRISED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "max_pool", PADDED),
    ({"zero_padding": False}, "max_pool", UNPADDED),
    ({"max_pooling": False}, "avg_pool", PADDED),
    ({"max_pooling": False, "zero_padding": False}, "avg_pool", UNPADDED),
    ({"conv_kernel_size": 3}, "max_pool", PADDED),
    (
        {"conv_kernel_size": 3, "zero_padding": False},
        "max_pool",
        "16x26x26, 16x25x25, 32x23x23, 32x22x22, 15488",
    ),
    ({"pooling_kernel_size": 3}, "max_pool", "16x28x28, 16x26x26, 32x26x26, 32x24x24, 18432"),
    ({"stride_size": 2}, "max_pool", "16x14x14, 16x7x7, 32x4x4, 32x2x2, 128"),
]

COUNTS: list[tuple[str, dict[str, Any], int]] = [
    (COURSE_CNN, {}, 329_058),
    ("cnn", {}, 329_058),
    ("cnn", {"norm": True}, 329_058 + 2 * 16 + 2 * 32),
    ("mlp", {}, 199_210),
    ("mlp", {"layers": 0}, 7_850),
    (SENTENCE, {}, 5 * 3 * 300 + 5 + 3 * 5 + 3),
    (SENTENCE_AS_IMAGE, {}, 5 * 3 * 300 + 5 + 3 * 5 + 3),
    ("shared_51", {"width": 50}, 2_500),
]


def shape_of(net: gdl.Network, node: str) -> str:
    return "x".join(map(str, net.graph.nodes[node].outputs[0].shape))


def layers(net: gdl.Network) -> str:
    """`conv 4x8x8, relu 4x8x8`: what stands between the inputs and the output."""
    return ", ".join(
        f"{node.label} {shape_of(net, name)}"
        for name, node in net.graph.nodes.items()
        if node.kind in ("layer", "op")
        and node.label not in ("softmax", "cross_entropy", "accuracy")
    )


@pytest.mark.parametrize(("model", "params", "expected"), SHAPES, ids=lambda v: str(v)[:40])
def test_shapes_along_the_chain(model: str, params: dict[str, Any], expected: str) -> None:
    assert layers(gdl.compile(model, **params)) == " ".join(expected.split())


@pytest.mark.parametrize(("model", "params", "expected"), SHAPES, ids=lambda v: str(v)[:40])
def test_values_have_the_shapes_that_were_promised(
    model: str, params: dict[str, Any], expected: str
) -> None:
    net = gdl.compile(model, **params)
    wanted = [n for n, node in net.graph.nodes.items() if node.kind in ("layer", "op")]
    wanted = wanted[: expected.count(",") + 1]
    shapes = {n: tuple(map(int, port.shape)) for n, port in net.inputs.items()}
    batch = {n: np.zeros((2, *shape)) for n, shape in shapes.items()}
    found = net(**batch, outputs=wanted)
    shown = [f"{net.graph.nodes[n].label} {'x'.join(map(str, found[n].shape[1:]))}" for n in wanted]
    assert ", ".join(shown) == " ".join(expected.split())


@pytest.mark.parametrize(("params", "pooling", "expected"), PARAMETRISED, ids=str)
def test_each_parameter_of_the_parametrised_cnn_moves_its_sizes(
    params: dict[str, Any], pooling: str, expected: str
) -> None:
    net = gdl.compile("parametrised_cnn", **params)
    kept = [
        (node.label, shape_of(net, name))
        for name, node in net.graph.nodes.items()
        if node.label in ("conv", "max_pool", "avg_pool", "flatten")
    ]
    assert [label for label, _ in kept] == ["conv", pooling, "conv", pooling, "flatten"]
    assert ", ".join(shape for _, shape in kept) == expected


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"conv_kernel_size": 13}, "`conv_kernel_size` must be in 1..11, got 13"),
        ({"conv_kernel_size": 4}, "zero padding keeps the size only for odd kernels"),
        ({"pooling_size": 3}, "no parameter `pooling_size`"),
    ],
)
def test_parameters_outside_their_domain_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(gdl.ModelError, match=message.replace("(", r"\(")):
        gdl.compile("parametrised_cnn", **params)


@pytest.mark.parametrize(("model", "params", "count"), COUNTS, ids=lambda v: str(v)[:40])
def test_number_of_weights(model: str, params: dict[str, Any], count: int) -> None:
    net = gdl.compile(model, **params)
    assert total_weights(net.graph) == count
    assert sum(array.size for array in net.weights.values()) == count


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("max_pool(2)", [[6, 8], [14, 16]]),
        ("max_pool(2, stride = 2)", [[6, 8], [14, 16]]),
        ("avg_pool(2)", [[3.5, 5.5], [11.5, 13.5]]),
        ("max_pool(2, stride = 1)", [[6, 7, 8], [10, 11, 12], [14, 15, 16]]),
        ("max_pool(3)", [[11]]),
        ("max_pool(3, ceil = true)", [[11, 12], [15, 16]]),
    ],
)
def test_pooling_of_one_to_sixteen(pooling: str, expected: list[list[float]]) -> None:
    net = gdl.compile(POOL.format(pooling))
    numbers = np.arange(1, 17).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(net(x=numbers)["y"][0, 0], expected)


def test_both_sentence_networks_are_one_function() -> None:
    sequence, image = gdl.compile(SENTENCE, seed=3), gdl.compile(SENTENCE_AS_IMAGE)
    kernels = sequence["scores.conv1d.weight"]  # [5, 300, 3]: maps, features, steps
    image["scores.conv.weight"] = kernels.transpose(0, 2, 1)[:, None]
    for one in ("conv{}.bias", "linear.weight", "linear.bias"):
        image["scores." + one.format("")] = sequence["scores." + one.format("1d")]
    words = np.random.default_rng(0).standard_normal((4, 10, 300))
    np.testing.assert_allclose(
        sequence(words=words)["scores"], image(words=words[:, None])["scores"], rtol=1e-4, atol=1e-5
    )


def test_a_light_checkpoint_of_the_course_cnn(tmp_path: Path) -> None:
    """329,058 numbers of four bytes are 1,316,232 bytes; text and names add a few thousand."""
    path = tmp_path / "cnn.safetensors"
    gdl.compile("cnn").save(path)
    assert 1_316_232 < path.stat().st_size < 1_330_000
    assert len(gdl.load(path).weights) == 8

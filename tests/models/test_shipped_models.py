"""Every model in models/ checks, trains a few steps on random examples, and keeps its sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.draw import total_weights

MODELS = sorted((Path(__file__).parents[2] / "models").glob("*.gdl"))
WITHOUT_WEIGHTS = {"min_max_dag"}
EXAMPLES = 8
LENGTH = 5
STEPS = 5


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


def sized(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape in numbers: a size that is known when the model runs is LENGTH."""
    return tuple(n if isinstance(n, int) else LENGTH for n in shape)


def random_examples(net: gdl.Network, seed: int = 0) -> dict[str, Any]:
    """A batch that fits the model's inputs and targets."""
    rng = np.random.default_rng(seed)
    batch: dict[str, Any] = {}
    for name, port in {**net.inputs, **net.targets}.items():
        shape = (EXAMPLES, *sized(port.shape))
        if port.dtype == "int64":
            batch[name] = rng.integers(0, port.classes or 2, shape)
        else:
            batch[name] = rng.uniform(0, 1, shape)
    return batch


@pytest.mark.parametrize("path", MODELS, ids=names(MODELS))
def test_checks_without_a_warning(path: Path) -> None:
    assert [gdl.render(found) for found in gdl.check(path)] == []


@pytest.mark.parametrize("path", MODELS, ids=names(MODELS))
def test_says_what_it_is_and_how_to_run_it(path: Path) -> None:
    header = path.read_text("utf-8").partition("\n\n")[0].splitlines()
    assert all(line.startswith("#") for line in header)
    assert any(f"#   graphdl {word} {path.stem}" in "\n".join(header) for word in
               ("train", "show", "draw", "gradcheck"))  # fmt: skip


@pytest.mark.parametrize("path", MODELS, ids=names(MODELS))
def test_trains_a_few_steps(path: Path) -> None:
    net = gdl.compile(path, seed=1)
    batch = random_examples(net)
    if path.stem in WITHOUT_WEIGHTS:
        assert net.weights == {}
        assert net.gradcheck()
        return
    before = {name: np.array(value) for name, value in net.weights.items()}
    losses = [net.step(**batch) for _ in range(STEPS)]
    assert np.isfinite(losses).all()
    still = [n for n, value in net.weights.items() if np.array_equal(value, before[n])]
    assert still == []


@pytest.mark.parametrize("path", MODELS, ids=names(MODELS))
def test_predicts_from_inputs_alone(path: Path) -> None:
    net = gdl.compile(path, seed=1)
    batch = random_examples(net)
    found = net(**{name: batch[name] for name in net.inputs})
    assert list(found) == list(net.outputs)
    for name, port in net.outputs.items():
        assert found[name].shape == (EXAMPLES, *sized(port.shape))
        assert found[name].dtype == port.dtype


@pytest.mark.parametrize(
    ("model", "params", "count"),
    [
        ("mlp", {}, 199_210),
        ("mlp", {"layers": 0}, 7_850),
        ("cnn", {}, 329_058),
        ("cnn", {"norm": True, "drop": 0.5}, 329_058 + 2 * (16 + 32)),
        ("shared_51", {"width": 50}, 2_500),
        ("autoencoder", {}, 784 * 64 + 64 + 784),
        ("lstm_cell", {}, 4 * 32 * (16 + 32 + 1) + 2 * 33),
    ],
)
def test_number_of_weights(model: str, params: dict[str, Any], count: int) -> None:
    assert total_weights(gdl.compile(model, **params).graph) == count


@pytest.mark.parametrize(
    ("params", "sizes"),
    [
        ({}, ["16x28x28", "16x27x27", "32x27x27", "32x26x26", "21632"]),
        ({"zero_padding": False}, ["16x24x24", "16x23x23", "32x19x19", "32x18x18", "10368"]),
        ({"conv_kernel_size": 3}, ["16x28x28", "16x27x27", "32x27x27", "32x26x26", "21632"]),
        ({"pooling_kernel_size": 3}, ["16x28x28", "16x26x26", "32x26x26", "32x24x24", "18432"]),
        ({"stride_size": 2}, ["16x14x14", "16x7x7", "32x4x4", "32x2x2", "128"]),
        ({"max_pooling": False}, ["16x28x28", "16x27x27", "32x27x27", "32x26x26", "21632"]),
    ],
    ids=str,
)
def test_sizes_of_the_parametrised_cnn(params: dict[str, Any], sizes: list[str]) -> None:
    graph = gdl.compile("parametrised_cnn", **params).graph
    found = [
        "x".join(map(str, node.outputs[0].shape))
        for node in graph.nodes.values()
        if node.label.startswith(("conv", "max_pool", "avg_pool", "flatten"))
    ]
    assert found == sizes


@pytest.mark.parametrize(("scale", "gain"), [(1.0, 1.0), (0.5, 2.0**-49), (2.0, 2.0**49)])
def test_a_shared_matrix_scales_the_gradient_by_its_power(scale: float, gain: float) -> None:
    """49 of the 50 products stand between h_1 and h_50, so |dE/dh_1| = c^49 |dE/dh_50|."""
    net = gdl.compile("shared_51", products=49, width=8)
    orthogonal, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((8, 8)))
    net["w.weight"] = scale * orthogonal
    h1 = np.random.default_rng(1).standard_normal((1, 8))
    aim = np.zeros((1, 8))
    # E = mean((h - t)^2) over 8 numbers, so dE/dh_50 = (h - t) / 4 by hand
    there = (net(x=h1)["h"] - aim).astype(np.float64) / 4
    back = net.gradients(x=h1, t=aim, wrt=["x"])["x"].astype(np.float64)
    assert np.linalg.norm(back) / np.linalg.norm(there) == pytest.approx(gain, rel=1e-4)


def test_min_and_max_share_the_gradient_out() -> None:
    net = gdl.compile("min_max_dag", dtype="float64")
    x = {"x1": np.array([0.3, -1.0, 0.7]), "x2": np.array([-0.5, 2.0, 0.7]), "t": np.zeros(3)}
    dy = 2 * net(x1=x["x1"], x2=x["x2"])["y"] / 3
    found = net.gradients(**x, wrt=["x1", "x2"])
    s1, s2 = (1 / (1 + np.exp(-x[name])) for name in ("x1", "x2"))
    np.testing.assert_allclose(found["x1"][:2], (dy * s1 * (1 - s1))[:2], rtol=1e-12)
    np.testing.assert_allclose(found["x2"][:2], (dy * s2 * (1 - s2))[:2], rtol=1e-12)
    # equal inputs: the first argument takes the gradient of both
    assert found["x1"][2] == pytest.approx(2 * dy[2] * s1[2] * (1 - s1[2]))
    assert found["x2"][2] == 0

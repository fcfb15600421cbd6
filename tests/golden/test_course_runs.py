"""The courses' training runs in short: the same models and regimes, fewer examples or epochs.

docs/golden.md has the whole runs with their figures.
"""

from __future__ import annotations

import csv
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

import graphdl as gdl

Array = np.ndarray[Any, Any]
Run = Callable[..., Result]
Public = Callable[[str], Path]
ROOT = Path(__file__).parents[2]
MODELS = sorted(path.stem for path in (ROOT / "models").glob("*.gdl"))


def records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# ---- every shipped model learns a batch by heart -------------------------------------------------

WITHOUT_WEIGHTS = {"min_max_dag"}


def batch_of(net: gdl.Network, count: int) -> dict[str, Array]:
    """Random inputs, and targets that depend on nothing: what can be learned only by heart."""
    rng = np.random.default_rng(0)
    found: dict[str, Array] = {}
    for name, port in {**net.inputs, **net.targets}.items():
        # A length that is known when the model runs is 4.
        shape = (count, *(n if isinstance(n, int) else 4 for n in port.shape))
        whole = port.dtype == "int64"
        found[name] = rng.integers(0, port.classes or 2, shape) if whole else rng.random(shape)
    return found


@pytest.mark.parametrize("model", [m for m in MODELS if m not in WITHOUT_WEIGHTS])
def test_twenty_steps_on_one_batch_lower_its_loss(model: str) -> None:
    net = gdl.compile(model, seed=1)
    batch = batch_of(net, 16)
    before = net.loss(**batch)
    losses = [net.step(None, **batch) for _ in range(20)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert net.loss(**batch) < before


def test_the_models_on_packaged_digits_learn_them() -> None:
    for model in ("digits", "softmin"):
        net = gdl.compile(model, seed=1)
        assert net.fit(epochs=6).test["accuracy"] > 0.9


# ---- points in the plane -------------------------------------------------------------------------


def rings(count: int = 862) -> dict[str, Any]:
    """Points of the square inside or outside a ring: no line parts them."""
    points = np.random.default_rng(0).uniform(-1, 1, (count, 2))
    distance = np.linalg.norm(points, axis=1)
    return {"point": points, "kind": ((distance > 0.4) & (distance < 0.8)).astype(np.int64)}


@pytest.mark.parametrize("model", ["deep_sigmoid", "softsign"])
def test_a_hidden_layer_parts_what_a_line_cannot(model: str) -> None:
    data = rings()
    line, hidden = gdl.compile("logreg", seed=1), gdl.compile(model, seed=1)
    line.fit(**data)
    hidden.fit(**data)
    assert line.evaluate(**data)["accuracy"] < 0.7
    assert hidden.evaluate(**data)["accuracy"] > 0.9


@pytest.mark.data
@pytest.mark.parametrize(
    ("model", "settings", "least", "most"),
    [
        ("logreg", [], 0.74, 0.8),
        ("logreg", ["--set", "train.optimizer=adam(lr = 0.05)"], 0.74, 0.8),
        ("deep_sigmoid", [], 0.99, 1),
        ("softsign", [], 0.99, 1),
    ],
)
def test_fourclass(
    graphdl: Run, public: Public, model: str, settings: list[str], least: float, most: float
) -> None:
    public("fourclass/fourclass_scale")
    graphdl("train", model, *settings, "-q")
    found = json.loads(graphdl("eval", f"runs/{model}-1", "--json").stdout)
    assert found["examples"] == 862
    assert least <= found["metrics"]["accuracy"] <= most


SEEDS = [0, 1, 2, 3]


@pytest.mark.parametrize("seed", SEEDS)
def test_single_examples_of_a_half_plane(graphdl: Run, seed: int) -> None:
    """100 points, one random point a step, 100 epochs: about 0.05, from 0.02 to 0.1."""
    main = runpy.run_path(str(ROOT / "examples" / "half_plane.py"))["main"]
    main("half_plane.npz", seed)
    with np.load("half_plane.npz") as points:
        assert points["point"].shape == (100, 2)
        assert np.abs(points["point"]).max() <= 1
        assert np.array_equal(points["kind"], points["point"].sum(axis=1) > 0)
    arguments = ["--set", 'train.data=npz("half_plane.npz")', "--data-dir", "."]
    arguments += ["--set", "train.sampler=replacement", "--set", "train.batch=1"]
    *epochs, _ = records(
        graphdl("train", "logreg", *arguments, "--epochs", 100, "--seed", seed, "--json")
    )
    assert [epochs[0]["step"], epochs[-1]["step"]] == [100, 10_000]
    assert epochs[0]["loss"] > 0.3
    assert 0.02 < epochs[-1]["loss"] < 0.1


# ---- handwritten digits --------------------------------------------------------------------------

FEWER = "train.data=mnist(limit = [{}, 1000, 1000], validation = 10000)"


def trained(graphdl: Run, model: str, count: int, *arguments: object) -> list[dict[str, Any]]:
    return records(graphdl("train", model, "--set", FEWER.format(count), *arguments, "--json"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("model", "settings", "count", "least"),
    [
        ("mlp", [], 10_000, 0.85),
        ("mlp", ["--set", "layers=1", "--set", "drop=0.2"], 10_000, 0.83),
        ("cnn", [], 3_500, 0.85),
        ("cnn", ["--set", "norm=true", "--set", "drop=0.5"], 2_500, 0.88),
        ("parametrised_cnn", ["--set", "max_pooling=false"], 1_000, 0.5),
    ],
)
def test_a_part_of_mnist(
    graphdl: Run, public: Public, model: str, settings: list[str], count: int, least: float
) -> None:
    public("mnist")
    *epochs, last = trained(graphdl, model, count, *settings, "--epochs", 2)
    assert [epoch["epoch"] for epoch in epochs] == [1, 2]
    assert epochs[1]["loss"] < epochs[0]["loss"]
    assert last["test"]["accuracy"] > least


@pytest.mark.data
def test_predictions_of_the_test_images(graphdl: Run, public: Public) -> None:
    """From a checkpoint alone: the figures of training again, and a row for every image."""
    public("mnist")
    *_, last = trained(graphdl, "cnn", 2_000, "--epochs", 1)
    found = json.loads(graphdl("eval", "runs/cnn-1", "--json").stdout)
    assert found["metrics"]["accuracy"] == pytest.approx(last["test"]["accuracy"], abs=1e-6)
    assert np.trace(found["confusion"]) == round(1000 * found["metrics"]["accuracy"])
    graphdl("predict", "runs/cnn-1", "-o", "predictions.csv", "--id-base", 1)
    with Path("predictions.csv").open() as file:
        header, *rows = list(csv.reader(file))
    assert header == ["Id", "Prediction"]
    assert [int(number) for number, _ in rows] == list(range(1, 1001))
    labels = np.array([int(label) for _, label in rows])
    assert np.array_equal(np.bincount(labels, minlength=10), np.sum(found["confusion"], axis=0))


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_the_regime_is_that_of_the_course(model: str) -> None:
    settings = {key: setting.value for key, setting in gdl.compile(model).graph.settings.items()}
    rule = settings["optimizer"]
    assert (rule.name, rule.keywords) == ("sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 0.9})
    assert (settings["sampler"].name, settings["batch"]) == ("replacement", 32)
    assert settings["patience"] == 30
    assert settings["data"].keywords["validation"] == 10_000

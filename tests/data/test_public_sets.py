"""The real sets: counts and means that were published or counted by other means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphdl.data import Dataset, Lookup, load, read
from graphdl.graph.model import Named, Shaped

pytestmark = pytest.mark.data
LABELS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TESTED = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def public(reader: str, path: str, **settings: Any) -> Dataset:
    folder = os.environ.get("GRAPHDL_DATA")
    if not folder:
        pytest.skip("GRAPHDL_DATA does not name a folder with the public data sets")
    if not (Path(folder) / path).exists():
        pytest.skip(f"GRAPHDL_DATA has no {path}")
    return read(reader, path, lookup=Lookup.standard(download=False), **settings)


def test_mnist() -> None:
    mnist = public("mnist", "mnist")
    assert mnist.test is not None
    pixels, labels = mnist.train.fields["pixels"], mnist.train.fields["label"]
    assert pixels.shape == (60000, 1, 28, 28)
    assert pixels.dtype == np.uint8
    assert round(float(pixels.mean()), 4) == 33.3184
    assert round(float(mnist.test.fields["pixels"].mean()), 4) == 33.7912
    assert np.bincount(labels).tolist() == LABELS
    assert np.bincount(mnist.test.fields["label"]).tolist() == TESTED
    assert mnist.train.batch(slice(0, 100))["pixels"].max() == 1.0


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        ({"split": [50000, 10000, 10000]}, [50000, 10000, 10000]),
        ({"validation": 10000}, [50000, 10000, 10000]),
        ({"limit": [2000, 1000]}, [2000, 0, 1000]),
    ],
)
def test_mnist_by_order(settings: dict[str, Any], counts: list[int]) -> None:
    whole = public("mnist", "mnist")
    parts = public("mnist", "mnist", **settings)
    found = [len(split) if split else 0 for split in (parts.train, parts.validation, parts.test)]
    assert found == counts
    assert parts.test is not None
    assert whole.test is not None
    labels = whole.test.fields["label"][: counts[2]]
    assert (parts.test.fields["label"] == labels).all()
    if parts.validation:
        assert (parts.validation.fields["label"] == whole.train.fields["label"][50000:]).all()


def test_fourclass_leaves_zeros_out() -> None:
    points = public("libsvm", "fourclass/fourclass_scale").train
    features = points.fields["features"]
    assert features.shape == (862, 2)
    assert np.bincount(points.fields["label"]).tolist() == [555, 307]
    assert (np.abs(features).min(), np.abs(features).max()) == (0, 1)
    assert (features == 0).any(axis=1).sum() >= 7


def test_iris_in_a_model() -> None:
    public("csv", "iris/iris.csv")
    source = Named("csv", ("iris/iris.csv",), {"kind": "species", "split": [0.6, 0.2, 0.2]})
    iris = load(source, {"x": Shaped((4,))}, {"kind": Shaped((), "int", 3)})
    assert iris.classes("kind") == ("setosa", "versicolor", "virginica")
    assert {part: len(split) for part, split in iris.splits.items()} == {
        "train": 90,
        "validation": 30,
        "test": 30,
    }
    every = np.concatenate([split.fields["kind"] for split in iris.splits.values()])
    assert np.bincount(every).tolist() == [50, 50, 50]

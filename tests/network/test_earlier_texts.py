"""Texts in checkpoints from before arguments went by name only mean what they meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import graphdl as gdl
from graphdl.errors import ModelError

EARLIER = """
input x[4]
target t[2]
output y = x -> linear(4, 5, true) -> batch_norm(1e-2, 0.5) -> layer_norm(1e-4) -> linear(2)
loss = y -> mse(t)
train { optimizer = sgd(0.1, 0.9, 0.5, false, 1e-3) }
"""
NOW = (
    EARLIER.replace("(4, 5, true)", "(4, 5, bias = true)")
    .replace("(1e-2, 0.5)", "(eps = 1e-2, momentum = 0.5)")
    .replace("(1e-4)", "(eps = 1e-4)")
    .replace("0.5, false, 1e-3", "dampening = 0.5, decay = 1e-3")
)


def as_before(path: Path, text: str) -> None:
    """A checkpoint as it was written before, with this text."""
    with safe_open(path, "np") as file:
        metadata = dict(file.metadata())
    description = json.loads(metadata["description"])
    del description["language"]
    metadata |= {"model": text, "description": json.dumps(description)}
    save_file(load_file(path), path, metadata)


def test_arguments_by_position_are_taken_from_a_checkpoint(tmp_path: Path) -> None:
    now = gdl.compile(NOW, dtype="float64")
    now.save(tmp_path / "net.safetensors")
    as_before(tmp_path / "net.safetensors", EARLIER)
    found = gdl.load(tmp_path / "net.safetensors")
    found.save(tmp_path / "again.safetensors")
    again = gdl.load(tmp_path / "again.safetensors")
    random = np.random.default_rng(0)
    for _ in range(3):
        batch: Any = {"x": random.normal(size=(6, 4)), "t": random.normal(size=(6, 2))}
        assert found.step(**batch) == again.step(**batch) == now.step(**batch)
    for name, weight in now.weights.items():
        np.testing.assert_array_equal(weight, found[name])
    with pytest.raises(ModelError, match="E0202"):
        gdl.compile(EARLIER)

"""A loss that no weight can change is refused before a step; what needs no training still works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

HEAD = "input x[4]\ntarget t[2]\noutput y = x -> linear(2)\n"
BATCH: Any = {"x": np.ones((3, 4)), "t": np.ones((3, 2))}
NOTHING = {
    "constant": (HEAD + "loss = mse(constant(y), t)", "no weight can change this loss"),
    "comparison": (HEAD + "loss = mean(number(y > t))", "no weight can change this loss"),
    "frozen": (HEAD + "loss = mse(y, t)\ntrain { freeze = [y] }", "`freeze` holds every weight"),
    "penalised": (HEAD + "loss = mse(floor(y), t)\ntrain { l2 = 0.1 }", "no weight can change"),
    "accumulated": (HEAD + "loss = mse(sign(y), t)\ntrain { accumulate = 2 }", "no weight can"),
    "without weights": (
        "input x[4]\ntarget t[2]\noutput y = x -> slice(-1, 0, 2)\nloss = mse(y, t)",
        "this model has no weights",
    ),
}


@pytest.mark.parametrize("name", NOTHING)
def test_training_is_refused_and_measuring_is_not(name: str, tmp_path: Path) -> None:
    text, said = NOTHING[name]
    net = gdl.compile(text)
    for train in (lambda: net.step(**BATCH), lambda: net.fit(**BATCH, folder=tmp_path)):
        with pytest.raises(gdl.ModelError, match=f"E0707.*{said}"):
            train()
    assert not list(tmp_path.iterdir())
    assert [d.code for d in gdl.check(text)] == ["E0707"] * (name != "without weights")
    assert net.loss(**BATCH) == net.evaluate(**BATCH)["loss"]
    net.save(tmp_path / "net.safetensors")
    assert gdl.load(tmp_path / "net.safetensors").loss(**BATCH) == net.loss(**BATCH)


def test_settings_of_a_fit_count_as_well() -> None:
    net = gdl.compile(HEAD + "loss = mse(y, t)")
    with pytest.raises(gdl.ModelError, match="`freeze` holds every weight"):
        net.fit(**BATCH, freeze=["y"])
    assert net.step(**BATCH) > 0

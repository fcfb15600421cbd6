"""What earlier versions wrote still loads, measures the same, and goes on to the same end.

A folder here is called as the version that wrote it, with `write.py`; nothing in one ever changes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.network.judging import settings_of_run

from .figures import DATA, figures, prediction

HERE = Path(__file__).parent
RUNS = sorted(path.parent for path in HERE.glob("*/*/last.safetensors"))
TEXTS = sorted(path.parent for path in HERE.glob("*/*/model.gdl"))
ROUNDING: dict[str, Any] = {"rtol": 2e-5, "atol": 1e-6}


def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return found


def named(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"


def same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The same figures but for rounding; a later version may measure more."""
    for key, value in wanted.items():
        if isinstance(value, dict):
            same(found[key], value)
        else:
            np.testing.assert_allclose(found[key], value, **ROUNDING, err_msg=key)


def test_every_model_of_a_version_is_here() -> None:
    assert len(TEXTS) >= 25
    assert len(RUNS) >= 24


@pytest.mark.parametrize("folder", TEXTS, ids=named)
def test_a_text_makes_the_same_network(folder: Path) -> None:
    wanted = told(folder)
    net = gdl.compile(folder / "model.gdl", seed=3, **wanted["params"])
    assert {n: list(w.shape) for n, w in net.weights.items()} == wanted["weights"]
    call = net.graph.settings["data"].value if "data" in net.graph.settings else None
    if (folder / "last.safetensors").exists():
        call = settings_of_run(gdl.load(folder / "last.safetensors")).data
    if call is not None:
        np.testing.assert_allclose(prediction(net, call), wanted["untrained"], **ROUNDING)


@pytest.mark.parametrize("folder", RUNS, ids=named)
def test_a_checkpoint_measures_the_same(folder: Path) -> None:
    wanted = told(folder)["stopped"]
    net = gdl.load(folder / "last.safetensors")
    assert (net.steps, net.draws) == (wanted.pop("steps"), wanted.pop("draws"))
    same(figures(net, settings_of_run(net).data), wanted)


@pytest.mark.parametrize("folder", RUNS, ids=named)
def test_a_run_goes_on_to_the_same_end(folder: Path, tmp_path: Path) -> None:
    wanted = told(folder)["whole"]
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    last = tmp_path / "last.safetensors"
    net = gdl.load(last)
    history = net.fit(data_dir=DATA, resume=last)
    assert (net.steps, net.draws) == (wanted.pop("steps"), wanted.pop("draws"))
    np.testing.assert_allclose(history["loss"], wanted.pop("loss"), **ROUNDING)
    same(history.test, wanted.pop("test"))
    same(figures(net, settings_of_run(net).data), wanted)

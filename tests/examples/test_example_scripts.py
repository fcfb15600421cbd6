"""The example scripts do what they say; benchmarks start and say what they measured on."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import graphdl as gdl

ROOT = Path(__file__).parents[2]


def output(script: str, *arguments: str, cwd: Path) -> str:
    command = [sys.executable, str(ROOT / script), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_train_from_arrays_learns_the_spirals(tmp_path: Path) -> None:
    said = output("examples/train_arrays.py", cwd=tmp_path)
    assert float(said.split("%")[0]) > 95


def test_embedded_model_reads_its_zero(tmp_path: Path) -> None:
    net = gdl.compile("digits", seed=1)
    net.fit(epochs=5)
    net.save(tmp_path / "digits.safetensors")
    said = output("examples/embed.py", "digits.safetensors", cwd=tmp_path)
    assert said.startswith("0: ")


def test_pairs_feed_the_siamese_model(tmp_path: Path) -> None:
    output("examples/digit_pairs.py", "digit_pairs.npz", cwd=tmp_path)
    with np.load(tmp_path / "digit_pairs.npz") as pairs:
        assert pairs["same"].mean() > 0.4
        arrays = {name: pairs[name][:512] for name in pairs}
    history = gdl.compile("siamese", seed=1).fit(**arrays, epochs=3)
    assert history.records[-1]["loss"] < history.records[0]["loss"]


def test_benchmark_rows_are_comparable(tmp_path: Path) -> None:
    said = output(
        "benchmarks/steps.py", "logreg1", "mlp32", "--json", "--budget", "0.01", cwd=tmp_path
    )
    header, *rows = [json.loads(line) for line in said.splitlines()]
    assert {"machine", "python", "versions", "backend", "blas", "OPENBLAS_CORETYPE"} <= set(header)
    assert [row["workload"] for row in rows] == ["logreg1", "mlp32"]
    assert all(set(row) == {"peer", "workload", "us_median", "us_min"} for row in rows)
    assert {row["peer"] for row in rows} == {"graphdl-numpy"}


@pytest.mark.parametrize("script", ["steps", "vs_peers", "processes", "growth"])
def test_benchmarks_say_what_they_do(script: str, tmp_path: Path) -> None:
    assert "usage:" in output(f"benchmarks/{script}.py", "--help", cwd=tmp_path)


def test_a_process_says_how_long_an_import_took(tmp_path: Path) -> None:
    line = json.loads(output("benchmarks/process.py", "graphdl", "import", cwd=tmp_path))
    assert (line["contender"], line["task"]) == ("graphdl", "import")
    assert line["seconds"] > 0


def test_networks_of_growth_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    growth, networks = import_module("growth"), import_module("networks")
    for series in ("batch", "depth", "width"):
        for name, layers, count, _ in growth.points(series, quick=True):
            net, step = networks.prepared(layers, count)
            assert net.graph.losses, name
            assert step() > 0, name


def test_growth_shows_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    growth = import_module("growth")
    (name, _, _, units), *_ = growth.points("depth", quick=True)
    rounds = [[{"name": name, "units": units, "us": us}] for us in (10.0, 30.0, 20.0)]
    shown = growth.steps_table("depth", {"graphdl": rounds, "torch": rounds}, quick=True)
    assert f"| {name} | 20 µs | 2.00 µs | 20 µs | 2.00 µs | 1.00 |" in shown

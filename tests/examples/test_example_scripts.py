"""The example scripts do what they say; benchmarks start and say what they measured on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

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

"""train, eval and predict on a table of points: small, but the whole way."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Invoke = Callable[..., Result]
MODEL = """
param hidden = 8 in 1..64
input  point[2]
target kind: int(2)
scores = point -> linear(hidden) -> tanh -> linear(2)
output probs = scores -> softmax
output raw   = scores
loss         = scores -> cross_entropy(kind)
metric       = scores -> accuracy(kind)
train {
  data      = csv("points.csv", point = ["a", "b"], kind = "kind", validation = 20, test = 20)
  optimizer = adam(lr = 0.05)
  batch     = 10
  epochs    = 2
}
"""


@pytest.fixture
def points(graphdl: Invoke, tmp_path: Path) -> Invoke:
    rows = [((i * 37 % 100) / 50 - 1, (i * 61 % 100) / 50 - 1) for i in range(100)]
    lines = ["a,b,kind", *(f"{a},{b},{int(a + b > 0)}" for a, b in rows)]
    (tmp_path / "points.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "net.gdl").write_text(MODEL)
    return graphdl


@pytest.fixture
def trained(points: Invoke) -> Invoke:
    result = points("train", "net.gdl", "-q", "--epochs", "20")
    assert result.exit_code == 0, result.output
    return points


def test_train_leaves_a_run(points: Invoke) -> None:
    result = points("train", "net.gdl", "--set", "hidden=4", "--seed", "3")
    assert result.exit_code == 0, result.output
    assert "epoch 2/2  loss" in result.stdout
    assert "test  loss" in result.stdout
    assert result.stdout.endswith("run   runs/net-1\n")
    names = {path.name for path in Path("runs/net-1").iterdir()}
    assert names >= {"best.safetensors", "last.safetensors", "metrics.csv", "metrics.jsonl"}
    assert points("train", "net.gdl", "-q", "-o", "other").stdout.endswith("run   other/net-1\n")


def test_train_for_programs(points: Invoke) -> None:
    result = points("train", "net.gdl", "--json", "--set", "train.epochs=3")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [r.get("epoch") for r in records] == [1, 2, 3, None]
    assert records[-1]["ending"] == "finished"
    assert set(records[-1]["test"]) == {"loss", "accuracy"}


def test_the_seed_decides(points: Invoke) -> None:
    def last(*more: str) -> object:
        lines = points("train", "net.gdl", "--json", *more).stdout.splitlines()
        return json.loads(lines[-1])["test"]

    assert last("--seed", "5") == last("--seed", "5")
    assert last("--seed", "5") != last("--seed", "6")


def test_dry_run_and_overfit(points: Invoke) -> None:
    result = points("train", "net.gdl", "--fast-dev-run")
    assert "dry run: one batch of each split, nothing saved" in result.stdout
    assert not Path("runs").exists()
    lines = points("train", "net.gdl", "--overfit", "1", "--epochs", "60", "--json").stdout
    records = [json.loads(line) for line in lines.splitlines()]
    assert records[-2]["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["net.gdl", "--set", "train.epoch=3"], 2, "did you mean `epochs`?"),
        (["net.gdl", "--set", "train.lr=fast"], 2, "`lr` must be a number above 0"),
        (["net.gdl", "--set", "train.optimizer=adm(lr = 1)"], 3, "adm"),
        (["net.gdl", "--epochs", "3", "--set", "train.epochs=4"], 2, "`epochs` is set twice"),
        (["net.gdl", "--epochs", "many"], 2, "'many' is not a valid integer"),
        (["net.gdl", "--set", "hiden=3"], 3, "did you mean `hidden`?"),
        (["net.gdl", "--gpu", "--backend", "numpy"], 2, "--gpu is --backend cupy"),
        (["net.gdl", "--backend", "numpi"], 2, "numpi"),
        (["net.gdl", "--resume", "runs/net-9"], 2, "a resumed run goes on with its own model"),
        (["--resume", "runs/net-9"], 2, "there is no checkpoint or run folder runs/net-9"),
        (["net.gdl", "--set", 'train.data=csv("none.csv")'], 4, "none.csv"),
        (["net.gdl", "--set", "train.optimizer=sgd(1e30, decay = 1e30)"], 5, "not finite"),
        (["net.gdl", "--set", "train.optimizer=sgd(lr = 1e38)"], 3, "a number of at most 1e+30"),
    ],
)
def test_misused_training(points: Invoke, arguments: list[str], code: int, said: str) -> None:
    result = points("train", *arguments)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "internal error" not in result.stderr


def test_resume(points: Invoke) -> None:
    whole = points("train", "net.gdl", "--json", "--epochs", "4", "-o", "whole").stdout
    points("train", "net.gdl", "--epochs", "2", "-o", "parts")
    rest = points("train", "--resume", "parts/net-1", "--epochs", "4", "--json").stdout
    expected, found = (
        [json.loads(line) for line in text.splitlines() if "ending" not in line][-2:]
        for text in (whole, rest)
    )
    timing = ("seconds", "examples_per_second")
    plain = [
        [{k: v for k, v in r.items() if k not in timing} for r in x] for x in (expected, found)
    ]
    assert plain[0] == plain[1]


def test_eval(trained: Invoke) -> None:
    result = trained("eval", "runs/net-1")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("test: 20 examples\n")
    assert "precision" in result.stdout
    facts = json.loads(trained("eval", "runs/net-1/best.safetensors", "--json").stdout)
    counts = facts["confusion"]
    assert facts["metrics"]["accuracy"] == pytest.approx((counts[0][0] + counts[1][1]) / 20)
    assert [c["support"] for c in facts["classes"]] == [sum(row) for row in counts]
    train = json.loads(trained("eval", "runs/net-1", "--split", "train", "--json").stdout)
    assert train["examples"] == 60


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines()))


def test_predict(trained: Invoke) -> None:
    plain = rows(trained("predict", "runs/net-1").stdout)
    assert plain[0] == ["Id", "Prediction"]
    assert [row[0] for row in plain[1:]] == [str(i) for i in range(20)]
    assert {row[1] for row in plain[1:]} <= {"0", "1"}
    options = ["--header", "n,sign", "--id-base", "1", "--labels", "0=-1,1=1"]
    result = trained("predict", "runs/net-1", "-o", "signs.csv", *options)
    assert re.sub(r": \d+ steps", ": N steps", result.stderr).splitlines() == [
        "runs/net-1/best.safetensors: N steps",
        "point [2] <- a, b (2 columns of points.csv)",
        "unused: kind",
        "wrote 20 predictions to signs.csv",
    ]
    signs = rows(Path("signs.csv").read_text())
    assert signs[:2] == [["n", "sign"], ["1", {"0": "-1", "1": "1"}[plain[1][1]]]]
    full = rows(trained("predict", "runs/net-1", "--probabilities", "--header", "").stdout)
    assert [max((0, 1), key=lambda c: float(r[1 + c])) for r in full] == [
        int(r[1]) for r in plain[1:]
    ]
    raw = rows(trained("predict", "runs/net-1", "--output", "raw", "--probabilities").stdout)
    assert raw[0] == ["Id", "0", "1"]
    assert sum(map(float, full[0][1:])) == pytest.approx(1, abs=1e-6)
    assert sum(map(float, raw[1][1:])) != pytest.approx(1, abs=1e-3)


def test_predict_without_targets(trained: Invoke) -> None:
    Path("new.csv").write_text("a,b\n0.9,0.9\n-0.9,-0.9\n")
    call = 'csv("new.csv", point = ["a", "b"])'
    result = trained("predict", "runs/net-1", "--data", call, "--split", "train")
    assert rows(result.stdout)[1:] == [["0", "1"], ["1", "0"]], result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eval", "runs"], "runs in it: runs/net-1"),
        (["eval", "runs/net-1", "--split", "tst"], "no split `tst`"),
        (["eval", "none.safetensors"], "none.safetensors"),
        (["predict", "runs/net-1", "--output", "prob"], "did you mean `probs`?"),
        (["predict", "runs/net-1", "--labels", "0=a"], "says nothing of class 1"),
        (["predict", "runs/net-1", "--labels", "0=a,1=b,2=c"], "names class 2"),
        (["predict", "runs/net-1", "--labels", "a"], "is a list such as"),
        (["predict", "runs/net-1", "--header", "a,b,c"], "names 3 columns, there are 2"),
        (["predict", "runs/net-1", "-o", "no/p.csv"], "no/p.csv: no such file"),
    ],
)
def test_misused_checkpoints(trained: Invoke, arguments: list[str], said: str) -> None:
    result = trained(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_a_broken_checkpoint_is_a_data_error(graphdl: Invoke) -> None:
    Path("broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      garbage")
    assert graphdl("eval", "broken.safetensors").exit_code == 4


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_saves_and_resumes(points: Invoke, tmp_path: Path) -> None:
    program = Path(sysconfig.get_path("scripts")) / "graphdl"
    if not program.exists():
        pytest.skip("graphdl is not installed in this environment")
    arguments = [str(program), "train", "net.gdl", "--epochs", "1000000"]
    run = subprocess.Popen(
        arguments,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert run.stdout is not None
    assert "epoch 1/" in run.stdout.readline()
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, out + err
    assert "go on with `graphdl train --resume runs/net-1`" in out
    last = int(json.loads(Path("runs/net-1/metrics.jsonl").read_text().splitlines()[-1])["epoch"])
    result = points("train", "--resume", "runs/net-1", "--epochs", str(last + 2), "-q")
    assert result.exit_code == 0, result.output

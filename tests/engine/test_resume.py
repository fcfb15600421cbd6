"""Interrupted and resumed equals uninterrupted, bit for bit, however it was stopped."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graphdl.engine.checkpoint import open_checkpoint
from graphdl.engine.fit import fit
from graphdl.engine.history import History
from graphdl.engine.run_folder import RunFolder
from graphdl.engine.settings import Settings
from graphdl.errors import DataError, UsageError
from graphdl.graph.model import Named

from .logistic import Logistic, Points, Recorder, Ticks, contents, untimed

KILLED = Path(__file__).parent / "killed.py"

REGIMES: dict[str, dict[str, Any]] = {
    "shuffle": {"sampler": "shuffle", "seed": 5},
    "sequential": {"sampler": "sequential"},
    "replacement": {"sampler": "replacement", "batch": 4},
    "accumulation": {"accumulate": 3, "batch": 4},
    "plateau": {"lr": 0.5, "schedule": Named("plateau", (0.5, 0), {"warmup": 1.5})},
    "cosine": {"lr": 0.5, "schedule": "cosine"},
    "early stop": {"lr": 3.0, "patience": 0},
    "no batch left over": {"batch": 37},
}


def regime(name: str) -> Settings:
    return Settings.resolve({}, {"batch": 8, "epochs": 5, "save_every": 1, **REGIMES[name]})


def run(
    settings: Settings, folder: Path, resume: bool = False, stop_at: int = 0
) -> tuple[Logistic, History]:
    """One process of the user's; it asks to stop after `stop_at` batches."""
    net = Logistic(seed=99 if resume else 0)  # a resumed run brings its own seed and weights
    history = fit(
        net,
        Points(),
        Points(9, 1),
        Points(9, 2),
        settings=settings,
        folder=RunFolder.reopen(folder),
        resume=open_checkpoint(folder / "last.safetensors") if resume else None,
        reporter=Recorder(lambda n: os.kill(os.getpid(), signal.SIGINT) if n == stop_at else None),
        clock=Ticks(),
    )
    return net, history


def same(folder: Path, other: Path) -> None:
    """Both folders hold the same run, times apart."""
    for name in ("last.safetensors", "best.safetensors"):
        one, two = (open_checkpoint(where / name) for where in (folder, other))
        assert {n: a.tobytes() for n, a in one.state().items()} == {
            n: a.tobytes() for n, a in two.state().items()
        }
        assert (one.seed, one.steps, one.draws) == (two.seed, two.steps, two.draws)
        if one.progress and two.progress:
            assert one.progress.monitored == two.progress.monitored
    records = [
        untimed(json.loads(line) for line in (where / "metrics.jsonl").read_text().splitlines())
        for where in (folder, other)
    ]
    assert records[0] == records[1]
    tables = [
        untimed(csv.DictReader((where / "metrics.csv").read_text().splitlines()))
        for where in (folder, other)
    ]
    assert tables[0] == tables[1]
    assert len(tables[0]) == len(records[0])


@pytest.mark.parametrize("name", REGIMES)
@pytest.mark.parametrize("stop_at", [1, 7, 10])
def test_ctrl_c_and_resume_is_as_if_never_stopped(name: str, stop_at: int, tmp_path: Path) -> None:
    settings = regime(name)
    net, history = run(settings, tmp_path / "whole")
    (tmp_path / "parts").mkdir()
    stops = 0
    stopped, part = run(settings, tmp_path / "parts", stop_at=stop_at)
    while part.interrupted:
        stops += 1
        stopped, part = run(settings, tmp_path / "parts", resume=True, stop_at=stop_at)
    assert stops or name in ("early stop", "no batch left over")
    assert contents(stopped) == contents(net)
    assert untimed(part) == untimed(history)
    assert (part.ending, part.test) == (history.ending, history.test)
    same(tmp_path / "parts", tmp_path / "whole")


@pytest.fixture(autouse=True)
def whole_folder(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()


MOMENTS = [("batch", 13), ("batch", 25), ("write", 9), ("sync", 11), ("rename", 9), ("rename", 14)]


@pytest.mark.parametrize(("moment", "count"), MOMENTS)
def test_sigkill_and_resume_is_as_if_never_stopped(moment: str, count: int, tmp_path: Path) -> None:
    settings = regime("plateau").but(accumulate=2)
    net, history = run(settings, tmp_path / "whole")
    parts = tmp_path / "parts"
    parts.mkdir()
    text = json.dumps(settings.to_json())
    command = [sys.executable, str(KILLED), str(parts), text, moment, str(count)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert bool(list(parts.glob(".writing-*"))) == (moment != "batch")
    resumed, again = run(settings, parts, resume=True)
    assert contents(resumed) == contents(net)
    assert untimed(again) == untimed(history)
    assert list(parts.glob(".writing-*")) == []
    same(parts, tmp_path / "whole")


def test_a_finished_run_has_nothing_left_to_do_but_more_epochs(tmp_path: Path) -> None:
    settings = regime("shuffle")
    run(settings, tmp_path / "whole")
    net, history = run(settings, tmp_path / "whole", resume=True)
    assert len(history) == 5
    longer, history = run(settings.but(epochs=7), tmp_path / "whole", resume=True)
    assert len(history) == 7
    assert longer.steps == net.steps + 10


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"batch": 4}, "in the middle of epoch 1 with another `batch`: it was 8"),
        ({"sampler": "sequential"}, "another `sampler`: it was shuffle"),
    ],
)
def test_what_fixes_the_order_cannot_change_mid_epoch(
    change: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    run(regime("shuffle"), tmp_path / "whole", stop_at=2)
    with pytest.raises(UsageError, match=sentence):
        run(regime("shuffle").but(**change), tmp_path / "whole", resume=True)


def test_other_data_or_a_light_checkpoint_cannot_be_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "whole"
    run(regime("shuffle"), folder)
    last, best = (open_checkpoint(folder / f"{n}.safetensors") for n in ("last", "best"))
    with pytest.raises(UsageError, match="the run had 37 training examples, now there are 9"):
        fit(Logistic(), Points(9), settings=regime("shuffle"), resume=last)
    with pytest.raises(UsageError, match=r"resume from the run's last\.safetensors"):
        fit(Logistic(), Points(), settings=regime("shuffle"), resume=best)
    with pytest.raises(DataError, match=r"is \[2\] in the file|\[3\] in the model"):
        fit(Logistic(features=3), Points(), settings=regime("shuffle"), resume=last)

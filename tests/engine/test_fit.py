"""The loop: what it trains on, in which order, when it stops and what it ends with."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphdl.engine.checkpoint import open_checkpoint
from graphdl.engine.fit import fit
from graphdl.engine.run_folder import RunFolder
from graphdl.engine.settings import Settings
from graphdl.errors import DivergedError, UsageError

from .logistic import Judged, Logistic, Points, Recorder, Ticks, contents


def settings(**values: Any) -> Settings:
    return Settings.resolve({}, {"batch": 8, "epochs": 3, **values})


def test_every_example_once_an_epoch_and_a_short_last_batch() -> None:
    net, recorder = Logistic(), Recorder()
    fit(net, Points(), settings=settings(epochs=2), reporter=recorder)
    assert recorder.batches == 2 * 5
    assert sorted(net.seen[:37]) == sorted(net.seen[37:]) == list(range(37))
    assert net.seen[:37] != net.seen[37:]


def test_sequential_follows_the_data() -> None:
    net = Logistic()
    fit(net, Points(), settings=settings(epochs=1, sampler="sequential"))
    assert net.seen == list(range(37))


def test_a_second_fit_does_not_repeat_the_orders_of_the_first() -> None:
    net = Logistic()
    fit(net, Points(), settings=settings(epochs=1))
    fit(net, Points(), settings=settings(epochs=1))
    assert net.seen[:37] != net.seen[37:]


def test_it_learns_and_the_history_tells() -> None:
    history = fit(
        Logistic(), Points(200), Points(50, 1), Points(50, 2), settings=settings(epochs=8)
    )
    assert history["epoch"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["validation_accuracy"] > 0.9
    assert history.test["accuracy"] > 0.9
    assert history.ending == "finished"


def test_means_are_weighted_by_examples() -> None:
    net, points = Logistic(), Points(9)
    history = fit(net, points, settings=settings(epochs=1, lr=1e-30, sampler="sequential"))
    whole = Logistic().train_batch(points.batch(np.arange(9)), None)
    assert history[0]["loss"] == pytest.approx(whole["loss"], abs=2e-3)


def test_accumulation_updates_once_a_group() -> None:
    net = Logistic()
    fit(net, Points(), settings=settings(epochs=2, accumulate=2))
    assert net.steps == 2 * 3  # 5 batches: two groups of two and the rest
    assert net.draws == 2 * 5


def judged_by(losses: list[float], **values: Any) -> tuple[Logistic, Any, Recorder]:
    net, recorder = Judged(loss=losses), Recorder()
    chosen = settings(epochs=len(losses), **values)
    history = fit(net, Points(), Points(5), settings=chosen, reporter=recorder)
    return net, history, recorder


@pytest.mark.parametrize(
    ("losses", "patience", "epochs", "best"),
    [
        ([3, 2, 1, 2, 2, 2], 1, 5, 3),  # more than one epoch without
        ([3, 2, 1, 2, 2, 2], 0, 4, 3),
        ([3, 3, 3, 3], 1, 3, 1),  # equal is no improvement
        ([3, 2, 1, 2, 0.5, 2], 1, 6, 5),
        ([math.nan, math.nan, 1, math.nan], 2, 4, 3),
        ([3, 2, 1, 2, 2, 2], None, 6, 3),
    ],
)
def test_early_stopping(losses: list[float], patience: int | None, epochs: int, best: int) -> None:
    _, history, recorder = judged_by(losses, patience=patience)
    assert len(history) == epochs
    assert history.best_epoch == best
    assert history.ending == ("early stop" if epochs < len(losses) else "finished")
    assert [epoch for epoch, improved in recorder.epochs if improved][-1] == best


def test_it_ends_with_the_weights_of_the_best_epoch() -> None:
    net, _, _ = judged_by([3, 1, 2])
    other, _, _ = judged_by([3, 1])
    assert net.w.tobytes() == other.w.tobytes()


def test_monitor_names_a_metric_and_knows_that_accuracy_rises() -> None:
    net = Judged(loss=[1.0, 1.0, 1.0], accuracy=[0.1, 0.9, 0.5])
    history = fit(net, Points(), Points(5), settings=settings(monitor="accuracy"))
    assert history.best_epoch == 2
    with pytest.raises(UsageError, match="did you mean `accuracy`"):
        fit(Logistic(), Points(), settings=settings(monitor="acuracy"))


def test_the_rate_is_the_rules_own_unless_one_is_written() -> None:
    net = Logistic()
    fit(net, Points(8), settings=settings(epochs=1))
    fit(net, Points(8), settings=settings(epochs=2, schedule={1: 0.5}))
    fit(net, Points(8), settings=settings(epochs=1, lr=0.2))
    assert net.rates == [None, 0.1, 0.5, 0.2]


def test_fast_dev_run_writes_nothing(tmp_path: Path) -> None:
    net, recorder = Logistic(), Recorder()
    folder = RunFolder(tmp_path)
    history = fit(net, Points(), Points(300, 1), Points(300, 2), settings=settings(),
                  folder=folder, reporter=recorder, fast_dev_run=True)  # fmt: skip
    assert (net.steps, recorder.batches, len(history)) == (1, 1, 1)
    assert history.test
    assert history.ending == "dry run"
    assert list(tmp_path.iterdir()) == []
    assert "nothing saved" in recorder.notes[-1]


def test_overfit_sees_the_first_batches_only() -> None:
    net = Logistic()
    history = fit(net, Points(), Points(5), settings=settings(epochs=4), overfit=2)
    assert net.seen == list(range(16)) * 4
    assert "validation_loss" not in history[-1]


def test_a_time_limit_finishes_the_step_and_saves(tmp_path: Path) -> None:
    recorder, folder = Recorder(), RunFolder(tmp_path)
    history = fit(Logistic(), Points(), settings=settings(time_limit=20, epochs=100),
                  folder=folder, reporter=recorder, clock=Ticks())  # fmt: skip
    assert history.ending == "time limit"
    assert 0 < recorder.batches < 30
    at = open_checkpoint(folder.last).progress
    assert at
    assert (at.epoch - 1) * 5 + at.position == recorder.batches
    assert "time limit at epoch" in recorder.notes[-1]
    assert str(folder.last) in recorder.notes[-1]


@pytest.mark.parametrize("source", ["raised", "returned"])
def test_a_loss_that_is_not_finite_names_node_epoch_and_step(source: str, tmp_path: Path) -> None:
    net = Logistic(poison=7 if source == "raised" else -1)
    if source == "returned":
        net.train_batch = lambda *_, **__: {"loss": math.inf}  # type: ignore[method-assign]
    with pytest.raises(DivergedError) as caught:
        fit(net, Points(), settings=settings(), folder=RunFolder(tmp_path), clock=Ticks())
    if source == "raised":
        assert "epoch 2, step 7: `logits.linear` produced it first" in str(caught.value)
        assert str(tmp_path / "last.safetensors") in str(caught.value)
        assert net.steps == 6
        saved = open_checkpoint(tmp_path / "last.safetensors")
        assert saved.steps == 5
        assert np.isfinite(saved.weights()["logits.weight"]).all()


def test_ctrl_c_finishes_the_step_saves_and_gives_the_signal_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    recorder = Recorder(lambda n: os.kill(os.getpid(), signal.SIGINT) if n == 7 else None)
    net, folder = Logistic(), RunFolder(tmp_path)
    history = fit(net, Points(), settings=settings(), folder=folder, reporter=recorder)
    assert history.interrupted
    assert recorder.batches == 7
    assert recorder.finished == 1
    assert "again" in recorder.notes[0]
    at = open_checkpoint(folder.last).progress
    assert at
    assert (at.epoch, at.position) == (2, 2)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_waits_for_the_end_of_the_group() -> None:
    recorder = Recorder(lambda n: os.kill(os.getpid(), signal.SIGINT) if n == 1 else None)
    net = Logistic()
    fit(net, Points(), settings=settings(accumulate=3), reporter=recorder)
    assert (net.draws, net.steps) == (3, 1)


def test_a_second_ctrl_c_stops_at_once() -> None:
    net, recorder = Logistic(), Recorder(lambda _: os.kill(os.getpid(), signal.SIGINT))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(net, Points(), settings=settings(accumulate=5), reporter=recorder)
    assert recorder.batches == 2
    assert recorder.finished == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_it_trains_in_another_thread() -> None:
    got: list[Any] = []
    thread = threading.Thread(
        target=lambda: got.append(fit(Logistic(), Points(), settings=settings()))
    )
    thread.start()
    thread.join()
    assert len(got[0]) == 3


def test_a_run_folder_holds_everything(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "logistic")
    history = fit(Logistic(), Points(), Points(9), settings=settings(), folder=folder)
    assert history.folder == tmp_path / "logistic-1"
    assert sorted(path.name for path in history.folder.iterdir()) == [
        "best.safetensors", "last.safetensors", "metrics.csv", "metrics.jsonl",
        "model.gdl", "settings.json",
    ]  # fmt: skip
    text = (history.folder / "metrics.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines == history.records
    head, *rows = (history.folder / "metrics.csv").read_text().splitlines()
    assert head.startswith("epoch,step,loss,accuracy,validation_loss,validation_accuracy,seconds")
    assert [row.split(",")[0] for row in rows] == ["1", "2", "3"]
    assert json.loads((history.folder / "settings.json").read_text())["batch"] == 8
    best = open_checkpoint(folder.best)
    assert best.progress is None
    assert "o/logits.weight.velocity" not in best.file.entries
    assert best.record["epoch"] == history.best_epoch


def test_the_same_seed_trains_the_same() -> None:
    nets = [Logistic(), Logistic()]
    for net in nets:
        fit(net, Points(), settings=settings())
    assert contents(nets[0]) == contents(nets[1])

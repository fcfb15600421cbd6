"""However a training command is stopped, it saves, says which signal it was, and can go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.engine.checkpoint import open_checkpoint
from graphdl.engine.run_folder import RunFolder
from graphdl.errors import UsageError

Installed = Callable[..., "subprocess.CompletedProcess[str]"]
PROGRAM = str(Path(sysconfig.get_path("scripts")) / "graphdl")
MODEL = """
input x[2]
target y: int(2)
s = x -> linear(8) -> tanh -> dropout(0.2) -> linear(2)
loss = s -> cross_entropy(y)
train {
  data = csv("points.csv", x = ["a", "b"], y = "y", validation = 20)
  batch = 4
  epochs = 6
  save_every = 5
}
"""
LONG = ["--epochs", "100000"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if not Path(PROGRAM).exists():
        pytest.skip("graphdl is not installed in this environment")
    rows = [((i * 37 % 100) / 50 - 1, (i * 61 % 100) / 50 - 1) for i in range(100)]
    lines = ["a,b,y", *(f"{a},{b},{int(a + b > 0)}" for a, b in rows)]
    (tmp_path / "points.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "net.gdl").write_text(MODEL)
    return tmp_path


@contextmanager
def training(folder: Path, *more: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that trains for long, in its second epoch or later."""
    command = [PROGRAM, "train", "net.gdl", *(more or LONG)]
    process = subprocess.Popen(
        options.pop("command", command),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )
    try:
        records = folder / "runs" / "net-1" / "metrics.jsonl"
        while not (records.is_file() and records.stat().st_size):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate()


SIGNALS = [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)]


@pytest.mark.parametrize(("name", "code"), SIGNALS)
def test_a_signal_saves_and_tells_which_it_was(name: str, code: int, folder: Path) -> None:
    with training(folder) as process:
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "rror" not in err
    assert "saved; go on with `graphdl train --resume runs/net-1`" in out
    assert {p.name for p in (folder / "runs" / "net-1").iterdir()} == {
        "best.safetensors",
        "last.safetensors",
        "metrics.csv",
        "metrics.jsonl",
        "model.gdl",
        "settings.json",
    }
    if name == "SIGTERM":
        goes_on_as_if_never_stopped(folder)


def goes_on_as_if_never_stopped(folder: Path) -> None:
    stopped = open_checkpoint(folder / "runs/net-1/last.safetensors")
    assert stopped.progress is not None
    epochs = str(stopped.progress.epoch + 1)
    resume = [PROGRAM, "train", "--resume", "runs/net-1", "-q", "--epochs", epochs]
    subprocess.run(resume, cwd=folder, check=True, capture_output=True)
    whole = [PROGRAM, "train", "net.gdl", "-q", "--epochs", epochs]
    subprocess.run(whole, cwd=folder, check=True, capture_output=True)
    one, two = (open_checkpoint(folder / f"runs/net-{n}/last.safetensors").state() for n in (1, 2))
    assert {n: a.tobytes() for n, a in one.items()} == {n: a.tobytes() for n, a in two.items()}


def test_nohup_is_left_alone(folder: Path) -> None:
    command = ["sh", "-c", f"trap '' HUP; exec {PROGRAM} train net.gdl --epochs 100000"]
    with training(folder, command=command) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 143


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_reader_that_leaves_ends_training_quietly(more: list[str], folder: Path) -> None:
    shell = f"{{ {PROGRAM} train net.gdl {' '.join(LONG + more)}; echo $? > code; }} | head -1"
    run = subprocess.run(
        ["sh", "-c", shell], cwd=folder, capture_output=True, text=True, check=True
    )
    assert (folder / "code").read_text() == "141\n"
    assert len(run.stdout.splitlines()) == 1
    assert "rror" not in run.stderr
    assert open_checkpoint(folder / "runs/net-1/last.safetensors").progress is not None


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, folder: Path) -> None:
    shell = f"{PROGRAM} train net.gdl --epochs 3 {closed}; echo $?"
    shell = f"{{ {shell}; }} {'> code' if '2>&-' in closed else ''}"
    run = subprocess.run(
        ["sh", "-c", shell], cwd=folder, capture_output=True, text=True, check=True
    )
    code = (folder / "code").read_text() if "2>&-" in closed else run.stdout
    saved = open_checkpoint(folder / "runs/net-1/last.safetensors")
    assert saved.progress is not None
    assert code.splitlines()[-1] == "141"
    assert saved.progress.epoch < 3
    assert "rror" not in run.stderr


def test_a_full_disk_for_the_output_is_told_and_nothing_is_lost(folder: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    shell = f"{PROGRAM} train net.gdl {' '.join(LONG)} > /dev/full"
    run = subprocess.run(
        ["sh", "-c", shell], cwd=folder, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "no space left on device" in run.stderr
    assert open_checkpoint(folder / "runs/net-1/last.safetensors").progress is not None


def test_a_run_in_progress_is_not_resumed(folder: Path) -> None:
    resume = [PROGRAM, "train", "--resume", "runs/net-1", "--epochs", "1"]
    with training(folder) as process:
        run = subprocess.run(resume, cwd=folder, capture_output=True, text=True, check=False)
        assert run.returncode == 2
        assert run.stderr.startswith("error: runs/net-1 is being trained by another process")
        evaluation = [PROGRAM, "eval", "runs/net-1"]
        process.send_signal(signal.SIGSTOP)
        judged = subprocess.run(evaluation, cwd=folder, capture_output=True, text=True, check=False)
        assert judged.returncode in (0, 2)  # 2 before there is a checkpoint
        assert "another process" not in judged.stderr
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    (folder / "runs/net-1/.writing-0000-last.safetensors").write_bytes(b"")
    if (folder / "runs/net-1/last.safetensors").exists():
        subprocess.run(resume, cwd=folder, capture_output=True, check=True)
        assert list((folder / "runs/net-1").glob(".writing*")) == []


def test_the_lock_is_of_this_process_too(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, "net") as folder:
        with pytest.raises(UsageError, match="is being trained"):
            RunFolder.reopen(folder.path)
        (folder.path / "last.safetensors").write_bytes(b"")
    RunFolder.reopen(folder.path).close()


STARTS = "input x[2]\ntarget y: int(2)\ns = x -> linear(2)\nloss = s -> cross_entropy(y)\n"


def test_a_run_that_fails_before_its_first_step_leaves_no_folder(tmp_path: Path) -> None:
    data: dict[str, Any] = {"x": np.ones((4, 2)), "y": np.array([0, 1, 0, 1])}
    failing: list[dict[str, Any]] = [
        {"monitor": "accurracy"},
        {"window": 3},
        {"schedule": "cosine", "optimizer": "plain"},
    ]
    for more in failing:
        net = gdl.compile(STARTS + "rule (w, grad) -> plain() { w - grad }")
        with pytest.raises(gdl.GdlError):
            net.fit(**data, folder=tmp_path / "runs", **more)
    net = gdl.compile(STARTS)
    net["s.linear.bias"] = np.nan
    with pytest.raises(gdl.DivergedError):
        net.fit(**data, folder=tmp_path / "runs")
    assert not (tmp_path / "runs").exists() or list((tmp_path / "runs").iterdir()) == []
    gdl.compile(STARTS).fit(**data, folder=tmp_path / "runs", fast_dev_run=True)
    assert not (tmp_path / "runs").exists() or list((tmp_path / "runs").iterdir()) == []
    history = gdl.compile(STARTS).fit(**data, folder=tmp_path / "runs", epochs=1)
    assert history.folder == tmp_path / "runs" / "model-1"


class Sends:
    """A reporter that sends its own process a signal after a batch."""

    def __init__(self, number: int) -> None:
        self.number = number

    def batch(self, *_: Any) -> None:
        if self.number:
            number, self.number = self.number, 0
            os.kill(os.getpid(), number)

    def start(self, *_: Any) -> None: ...
    def epoch(self, *_: Any) -> None: ...
    def note(self, *_: Any) -> None: ...
    def finish(self) -> None: ...


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_python_gets_its_signal_after_training_has_ended(number: int, tmp_path: Path) -> None:
    got: list[tuple[int, Any]] = []
    before = signal.signal(number, lambda n, frame: got.append((n, frame)))
    try:
        data: dict[str, Any] = {"x": np.ones((40, 2)), "y": np.arange(40) % 2}
        history = gdl.compile(STARTS).fit(**data, folder=tmp_path, reporter=Sends(number))
    finally:
        signal.signal(number, before)
    assert got == [(number, None)]
    assert (history.interrupted, history.signal) == (True, number)
    assert history.folder is not None
    assert (history.folder / "last.safetensors").is_file()

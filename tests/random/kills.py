"""Training processes that are killed at random moments and go on: the same run, bit for bit.

Each trial trains one run to its end in processes of their own, some of which are hit by a signal:
mostly SIGKILL, else what is to save first. A reader that leaves counts as one (SIGPIPE).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from graphdl.engine.checkpoint import Checkpoint, open_checkpoint

from .asked import Asked, say

COUNT = 200  # SIGKILLs; of the other signals an eighth as many each
PROGRAM = str(Path(sysconfig.get_path("scripts")) / "graphdl")
CODES = {
    signal.SIGKILL: -signal.SIGKILL,
    signal.SIGINT: 130,
    signal.SIGTERM: 143,
    signal.SIGHUP: 129,
    signal.SIGPIPE: 141,
}
OTHERS = [number for number in CODES if number != signal.SIGKILL]
RUN = Path("runs") / "net-1"
PATIENCE = 120.0  # seconds for one process
POINTS = """
input x[2]
target y: int(2)
s = x -> linear(16) -> batch_norm -> tanh -> dropout(0.2) -> linear(2)
loss = s -> cross_entropy(y)
metric = s -> accuracy(y)
train {
  data = csv("points.csv", x = ["a", "b"], y = "y", validation = 40, test = 40)
  optimizer = adam(lr = plateau(0.05, 0.5, 2))
  accumulate = 2
  batch = 4
  sampler = replacement
  epochs = 16
}
"""
TEXT = """
input words[T]: int(12)
target following[T]: int(12)
scores = words -> embedding(6) -> dropout(0.1) -> lstm(6) -> linear(12)
loss = scores -> cross_entropy(following)
train {
  data = text("a.txt", validation = 0.2)
  optimizer = sgd(lr = cosine(1.0), momentum = 0.9)
  clip = 1
  batch = 4
  window = 5
  carry_state = true
  epochs = 14
}
"""
MODELS = {"points": POINTS, "text": TEXT}


@dataclass(slots=True)
class Trial:
    """One run and what is to hit it: the signals, one process each, and then none."""

    number: int
    signals: list[signal.Signals]
    hits: Counter[str] = field(default_factory=Counter)

    def run(self) -> str:
        """Train to the end; what is wrong in the end, or nothing."""
        random = Random(self.number)
        name = random.choice(sorted(MODELS))
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            _prepare(place, name)
            every = random.choice(["1", "7", '"60s"'])
            more = ["--set", f"train.save_every={every}"]
            for number in [*self.signals, None]:
                if wrong := self._process(place, more, number, random):
                    return f"trial {self.number}, {name}: {wrong}"
            wrong = _difference(place / RUN, name)
            return f"trial {self.number}, {name}: {wrong}" if wrong else ""

    def _process(
        self, place: Path, more: list[str], number: signal.Signals | None, random: Random
    ) -> str:
        begun = (place / RUN / "last.safetensors").exists()
        if not begun and (place / RUN).exists():
            (place / RUN).rename(place / f"early-{random.random()}")
        command = ["train", "--resume", str(RUN)] if begun else ["train", "net.gdl", *more]
        process = subprocess.Popen(
            [PROGRAM, *command], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        at_once, first = random.random() < 0.2, b""
        if number is not None:
            if not at_once:
                first = process.stdout.readline()  # training is under way
            time.sleep(random.random() * (2.0 if at_once else 0.5))
            self._hit(process, number)
        out, err = _rest(process)
        code = process.returncode
        due = (0,) if number is None else (0, CODES[number])
        # Python has its first and last moments, in which a signal is not ours yet, or no longer.
        ended = (first.decode() + out).endswith(f"run   {RUN}\n")
        early = number is not None and (at_once or ended) and code in (-number, 130)
        if code not in due and not early:
            return f"{number!r} gave exit code {code}\n{out}\n{err}"
        return f"a traceback\n{err}" if "Traceback" in err and not early else ""

    def _hit(self, process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        assert process.stdout is not None
        if process.poll() is None:
            self.hits[number.name] += 1
            if number == signal.SIGPIPE:
                process.stdout.close()
            else:
                process.send_signal(number)


def _rest(process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """What a process still says, until it ends."""
    assert process.stdout is not None
    assert process.stderr is not None
    watch = threading.Timer(PATIENCE, process.kill)
    watch.start()
    try:
        out = b"" if process.stdout.closed else process.stdout.read()
        err = process.stderr.read()
        process.wait()
    finally:
        watch.cancel()
        process.stdout.close()
        process.stderr.close()
    return out.decode(), err.decode()


def _prepare(place: Path, name: str) -> None:
    rows = [((i * 37 % 100) / 50 - 1, (i * 61 % 100) / 50 - 1) for i in range(200)]
    lines = ["a,b,y", *(f"{a},{b},{int(a + b > 0)}" for a, b in rows)]
    (place / "points.csv").write_text("\n".join(lines) + "\n")
    (place / "a.txt").write_text("the cat sat on the mat\nthe dog sat on the cat\n" * 40)
    (place / "net.gdl").write_text(MODELS[name])


WHOLE: dict[str, dict[str, Any]] = {}  # what each model comes to when nothing stops it
LOCK = threading.Lock()


def _difference(run: Path, name: str) -> str:
    with LOCK:
        if name not in WHOLE:
            with tempfile.TemporaryDirectory() as folder:
                _prepare(Path(folder), name)
                command = [PROGRAM, "train", "net.gdl", "-q"]
                subprocess.run(command, cwd=folder, check=True, capture_output=True)
                WHOLE[name] = _facts(Path(folder) / RUN)
    found, whole = _facts(run), WHOLE[name]
    return ", ".join(f"another {key}" for key in whole if found[key] != whole[key])


def _facts(run: Path) -> dict[str, Any]:
    """All of a run that does not tell the time."""
    facts: dict[str, Any] = {"files": sorted(path.name for path in run.iterdir())}
    for name in ("last", "best"):
        checkpoint = open_checkpoint(run / f"{name}.safetensors")
        facts[name] = _of(checkpoint)
    lines = (run / "metrics.jsonl").read_text().splitlines()
    facts["records"] = [_timeless(json.loads(line)) for line in lines]
    settings = json.loads((run / "settings.json").read_text())
    facts["test"], facts["best epoch"] = settings["test"], settings["best_epoch"]
    return facts


def _of(checkpoint: Checkpoint) -> dict[str, Any]:
    progress = checkpoint.progress.to_json() if checkpoint.progress else {}
    progress.pop("records", None)
    counts = checkpoint.seed, checkpoint.steps, checkpoint.draws
    arrays = {name: array.tobytes() for name, array in checkpoint.state().items()}
    return {"counts": counts, "progress": progress, "record": _timeless(checkpoint.record)} | arrays


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record.items() if k != "seconds" and not k.endswith("_per_second")}


def trials(count: int, seed: int) -> list[Trial]:
    """Trials with `count` SIGKILLs, and an eighth as many of each other signal, in random order."""
    random = Random(seed)
    signals = [signal.SIGKILL] * count + OTHERS * -(-count // 8)
    random.shuffle(signals)
    found: list[Trial] = []
    while signals:
        some = [signals.pop() for _ in range(min(len(signals), random.randint(1, 4)))]
        found.append(Trial(seed + len(found), some))
    return found


def run(asked: Asked) -> int:
    """Kill so many processes; the number of runs that did not come to the same."""
    os.environ["GRAPHDL_BACKEND"] = "numpy"
    every, began, failed = trials(asked.count, asked.seed), time.monotonic(), 0
    with ThreadPoolExecutor(asked.workers) as pool:
        for done, wrong in enumerate(pool.map(Trial.run, every), 1):
            if wrong:
                failed += 1
                say(f"--- {wrong}\n---")
            if done % 20 == 0:
                say(f"  {done} of {len(every)} runs")
    hits = sum((trial.hits for trial in every), Counter[str]())
    shown = ", ".join(f"{n} {name}" for name, n in sorted(hits.items()))
    seconds = time.monotonic() - began
    say(f"kills: {len(every)} runs, hit by {shown}; {failed} failed; {seconds:.0f} s")
    return failed

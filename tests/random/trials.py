"""Many trials in worker processes: what each gave, how long it took, how much memory it needed.

A worker that dies or hangs is a failure of the trial that it was at; another goes on behind it.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from .asked import Asked, say
from .limits import LARGEST, SECONDS, bounded, limited, peak

HANGING = 60.0  # seconds without an answer, where nothing in Python can be interrupted
CHUNK = 1000  # trials of one process: what it holds on to is given back
TELLING = 60.0
SHOWN, KIND = 4000, 40  # characters of a mutant, and of a message by which faults are told apart


@dataclass(frozen=True, slots=True)
class Trials:
    """One kind of trial; a number says which.

    judge    what became of it, in a word; whatever it raises is a failure
    show     the trial for a person to read
    prepare  what is made once, before there are workers
    seconds  of processor time that it may take
    """

    name: str
    judge: Callable[[int], str]
    show: Callable[[int], str]
    prepare: Callable[[], object]
    seconds: Callable[[int], float] = lambda _: SECONDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one trial: `verdict` is empty where it failed, and `told` says how."""

    number: int
    verdict: str
    seconds: float
    peak: int
    kind: str = ""
    told: str = ""


@dataclass(slots=True)
class Tally:
    """All outcomes so far."""

    verdicts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    longest: tuple[float, int] = (0.0, 0)
    peak: tuple[int, int] = (0, 0)

    def take(self, outcome: Outcome, trials: Trials) -> None:
        """Count one more; the first failure of each kind is shown."""
        self.longest = max(self.longest, (outcome.seconds, outcome.number))
        self.peak = max(self.peak, (outcome.peak, -outcome.number))
        if outcome.verdict:
            self.verdicts[outcome.verdict] += 1
            return
        self.failures[outcome.kind] += 1
        if self.failures[outcome.kind] == 1:
            shown = _shown(trials, outcome.number)
            say(f"--- {trials.name} {outcome.number}\n{shown}\n---\n{outcome.told}")

    @property
    def count(self) -> int:
        """How many trials there were."""
        return self.verdicts.total() + self.failures.total()

    def __str__(self) -> str:
        shown = ", ".join(f"{n:,} {name}" for name, n in self.verdicts.most_common())
        return (
            f"{self.count:,}: {shown}; {self.failures.total()} failed; "
            f"the longest took {self.longest[0]:.2f} s (number {self.longest[1]}), "
            f"the peak was {self.peak[0] >> 20} MB (number {-self.peak[1]})"
        )


def run_trials(trials: Trials, asked: Asked) -> int:
    """Try numbers `seed` to `seed + count`; the number of failures."""
    trials.prepare()
    start, tally = time.monotonic(), Tally()
    told = start
    for outcome in _outcomes(trials, asked):
        tally.take(outcome, trials)
        if time.monotonic() - told > TELLING:
            told = time.monotonic()
            say(f"  {tally} after {told - start:,.0f} s")
    say(f"{trials.name}: {tally}; {time.monotonic() - start:,.0f} s in {asked.workers} processes")
    for kind, count in tally.failures.most_common():
        say(f"  {count} times {kind}")
    return tally.failures.total()


@dataclass(slots=True)
class Worker:
    """A process with the trials that it has yet to answer."""

    process: BaseProcess
    answers: Connection
    pending: range
    heard: float
    ended: bool = False


def _outcomes(trials: Trials, asked: Asked) -> Iterator[Outcome]:
    last = asked.seed + asked.count
    chunks = iter([range(at, min(at + CHUNK, last)) for at in range(asked.seed, last, CHUNK)])
    workers = [
        _hired(trials, chunk) for _, chunk in zip(range(asked.workers), chunks, strict=False)
    ]
    while workers:
        ready = wait([w.answers for w in workers], timeout=1.0)
        for worker in list(workers):
            if worker.answers in ready:
                yield from _heard(worker)
            elif time.monotonic() - worker.heard > HANGING:
                os.kill(worker.process.pid or 0, signal.SIGABRT)
            if worker.ended:
                workers.remove(worker)
                left, died = _buried(worker)
                if died:
                    yield died
                if following := left or next(chunks, None):
                    workers.append(_hired(trials, following))


def _heard(worker: Worker) -> Iterator[Outcome]:
    worker.heard = time.monotonic()
    while worker.answers.poll():
        try:
            outcome: Outcome = worker.answers.recv()
        except EOFError:
            worker.process.join()
            worker.ended = True
            return
        worker.pending = range(outcome.number + 1, worker.pending.stop)
        yield outcome


def _buried(worker: Worker) -> tuple[range, Outcome | None]:
    """What a process that ended leaves to do, and the outcome of the trial that it died of."""
    worker.answers.close()
    code, pending = worker.process.exitcode, worker.pending
    if code == 0 or not pending:
        return pending, None
    what = f"the process ended with {code}"
    spent = time.monotonic() - worker.heard
    died = Outcome(pending.start, "", spent, 0, what, what)
    return range(pending.start + 1, pending.stop), died


def _hired(trials: Trials, numbers: range) -> Worker:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(trials, numbers, theirs), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours, numbers, time.monotonic())


def _work(trials: Trials, numbers: range, answers: Connection) -> None:
    bounded()
    faulthandler.enable()
    for number in numbers:
        outcome = tried(trials, number)
        answers.send(outcome)
        if outcome.peak > LARGEST:
            return  # the next trial begins with an empty process


def tried(trials: Trials, number: int) -> Outcome:
    """One trial under the limits of time and memory."""
    before, start = peak(), time.process_time()
    verdict, kind, told = "", "", ""
    try:
        with limited(trials.seconds(number)):
            verdict = trials.judge(number)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        kind, told = _kind(error), "".join(traceback.format_exception(error, limit=-12))
    seconds, most = time.process_time() - start, peak()
    if verdict and most > max(before, LARGEST):
        verdict, kind = "", f"took more than {LARGEST >> 20} MB"
    return Outcome(number, verdict, seconds, most, kind, told or kind)


def _shown(trials: Trials, number: int) -> str:
    """The trial for a person; one that cannot even be shown ends no run."""
    try:
        return trials.show(number)[:SHOWN]
    except Exception as error:
        return f"cannot be shown: {error!r}"


def _kind(error: BaseException) -> str:
    """Where it went wrong: the same place is one fault."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "graphdl" in Path(f.filename).parts] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "nowhere"
    return f"{type(error).__name__} at {place}: {str(error)[:KIND]!r}"

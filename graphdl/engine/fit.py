"""Training from start to end: what `graphdl train` and `net.fit` both are."""

from __future__ import annotations

import time

from ..data.feed import Feed
from ..elaborate.optimiser import DEFAULT
from ..errors import UsageError
from .average import PLAIN
from .checkpoint import Checkpoint, open_checkpoint, restore
from .evaluate import evaluate
from .feeding import evaluating_feed, training_feed
from .history import History, Progress
from .listener import Listener
from .loop import Loop
from .reporter import Clock, Quiet, Reporter
from .run_folder import BEST, RunFolder
from .settings import Settings
from .trainable import Split, Trainable

SIGPIPE = 13  # where a reader has left: Python itself ignores the signal
# What fixes which examples come next: it cannot change in the middle of an epoch.
_FIXED = ("batch", "sampler", "accumulate", "window", "carry_state")


def fit(
    trainable: Trainable,
    train: Split,
    validation: Split | None = None,
    test: Split | None = None,
    *,
    settings: Settings,
    folder: RunFolder | None = None,
    resume: Checkpoint | None = None,
    reporter: Reporter | None = None,
    fast_dev_run: bool = False,
    overfit: int = 0,
    clock: Clock = time.monotonic,
) -> History:
    """Trains a network; with validation it ends with the weights of the best epoch.

    Without a folder nothing is written. `fast_dev_run` does one batch of each split and writes
    nothing; `overfit` trains on that many batches over and over. Ctrl-C finishes the step, saves
    and returns a history whose `interrupted` is true; so do SIGTERM and SIGHUP, which then end the
    process unless it handles them, and a reporter whose reader has left.

    Raises:
        DivergedError: the loss is not finite; the weights are those before the step.
        UsageError: settings that cannot be met, or a checkpoint that cannot be resumed.
        GdlError: the folder cannot be written.
    """
    listener = Listener(reporter or Quiet())
    try:
        loop, last = _prepared(
            trainable, train, validation, test, settings, folder, resume,
            listener, fast_dev_run, overfit, clock,
        )  # fmt: skip
        history = _run(loop, last)
    finally:
        listener.finish()
        if folder is not None:
            folder.close()
    if fast_dev_run and not history.interrupted:
        history.ending = "dry run"
        listener.note("dry run: one batch of each split, nothing saved")
    if listener.lost is not None and not listener.gone:
        raise listener.lost
    loop.interrupt.pass_on()
    return history


def _prepared(
    trainable: Trainable,
    train: Split,
    validation: Split | None,
    test: Split | None,
    settings: Settings,
    folder: RunFolder | None,
    resume: Checkpoint | None,
    listener: Listener,
    fast_dev_run: bool,
    overfit: int,
    clock: Clock,
) -> tuple[Loop, Feed | None]:
    """The loop where it begins or goes on, and the test examples."""
    if fast_dev_run:
        settings, folder, resume = settings.but(epochs=1), None, None
    if overfit:
        settings, validation = settings.but(sampler="sequential"), None
    reach = 1 if fast_dev_run else overfit
    lone = getattr(trainable, "lone", None)
    feed = training_feed(train, settings, reach, joins=lone is not None and lone.joins)
    whole = bool(getattr(trainable, "averages", PLAIN).whole)
    judged = last = None
    if validation is not None:
        judged = evaluating_feed(validation, settings, whole=whole)
    if test is not None:
        last = evaluating_feed(test, settings, whole=whole)
    progress = _resumed(trainable, resume, settings, feed) if resume else None
    progress = progress or Progress(origin=trainable.steps, examples=feed.count)
    limit = 1 if fast_dev_run else None
    loop = Loop(trainable, feed, judged, settings, progress, listener, folder, clock, limit)
    return loop, last


def _run(loop: Loop, test: Feed | None) -> History:
    folder, progress = loop.folder, loop.progress
    about = loop.trainable.description() if folder else {}
    facts = {**loop.settings.to_json(), "params": about.get("params", {})}
    if folder:
        folder.describe(str(about.get("model", "")), facts)
        folder.rewrite(progress.records)
    ending = loop.run()
    best = progress.best_epoch
    history = History(progress.records, best, ending, folder=folder.path if folder else None)
    if ending == "interrupted":
        history.signal = loop.interrupt.asked or SIGPIPE
        return history
    if loop.validation is not None:
        _take_best(loop)
    if test is not None:
        carry = loop.settings.carries_in_evaluation
        history.test = evaluate(loop.trainable, test, carry=carry, limit=loop.limit) or {}
    if folder:
        facts |= {"best_epoch": best, "test": history.test}
        folder.describe(str(about.get("model", "")), facts)
    return history


def _take_best(loop: Loop) -> None:
    if loop.best is not None:
        loop.trainable.restore(loop.best)
    elif loop.folder and loop.progress.best_epoch and loop.folder.best.is_file():
        state = open_checkpoint(loop.folder.best).state()
        loop.trainable.restore(state)
    elif loop.progress.best_epoch != len(loop.progress.records):
        loop.reporter.note(
            f"the weights are those of the last epoch: {BEST} of epoch {loop.progress.best_epoch} "
            "is not beside the checkpoint"
        )


def _resumed(
    trainable: Trainable, checkpoint: Checkpoint, settings: Settings, feed: Feed
) -> Progress:
    progress = checkpoint.progress
    if progress is None:
        raise UsageError(
            f"{checkpoint.path} holds weights only: resume from the run's last.safetensors, "
            f'or start a new run from it with `load = "{checkpoint.path.name}"`'
        )
    if progress.examples != feed.count:
        raise UsageError(
            f"cannot resume: the run had {progress.examples:,} training examples, "
            f"now there are {feed.count:,}"
        )
    now = settings.to_json()
    before = checkpoint.settings
    if before.get("seed", settings.seed) != settings.seed:
        raise UsageError(
            f"cannot resume with another `seed`: weights and the examples held out are of seed "
            f"{before['seed']}"
        )
    earlier = Settings.from_json(before)
    changed = [key for key in _FIXED if before.get(key, now.get(key)) != now.get(key)]
    if changed and progress.position:
        raise UsageError(
            f"cannot resume in the middle of epoch {progress.epoch} with another `{changed[0]}`: "
            f"it was {checkpoint.settings[changed[0]]}"
        )
    rule, rule_before = ((s.optimizer or DEFAULT).name for s in (settings, earlier))
    if rule != rule_before:
        raise UsageError(
            f"cannot resume with `{rule}`: what the run's optimizer `{rule_before}` kept means "
            f"nothing to it; start a new run from its weights with `load`"
        )
    restore(trainable, checkpoint)
    return progress

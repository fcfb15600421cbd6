"""Training from start to end: what `graphdl train` and `net.fit` both are."""

from __future__ import annotations

import time

from ..data.sampler import Sampler
from ..errors import UsageError
from .checkpoint import Checkpoint, open_checkpoint, restore
from .evaluate import evaluate
from .history import History, Progress
from .loop import Loop
from .reporter import Clock, Quiet, Reporter
from .run_folder import RunFolder
from .settings import Settings
from .trainable import Split, Trainable

# What fixes which examples come next: it cannot change in the middle of an epoch.
_FIXED = ("batch", "sampler", "accumulate", "seed")


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
    and returns a history whose `interrupted` is true.

    Raises:
        DivergedError: the loss is not finite; the weights are those before the step.
        UsageError: settings that cannot be met, or a checkpoint that cannot be resumed.
        GdlError: the folder cannot be written.
    """
    if fast_dev_run:
        settings, folder, resume = settings.but(epochs=1), None, None
    if overfit:
        settings, validation = settings.but(sampler="sequential"), None
    reach = 1 if fast_dev_run else overfit
    count = min(len(train), reach * settings.batch) if reach else len(train)
    sampler = Sampler(settings.sampler, count, settings.batch, settings.seed)
    progress = _resumed(trainable, resume, settings, sampler) if resume else None
    progress = progress or Progress(origin=trainable.steps, examples=count)
    reporter = reporter or Quiet()
    limit = 1 if fast_dev_run else None
    loop = Loop(
        trainable, train, validation, settings, sampler, progress, reporter, folder, clock, limit
    )
    try:
        history = _run(loop, test, resume)
    finally:
        reporter.finish()
    if fast_dev_run:
        history.ending = "dry run"
        reporter.note("dry run: one batch of each split, nothing saved")
    return history


def _run(loop: Loop, test: Split | None, resume: Checkpoint | None) -> History:
    folder, progress = loop.folder, loop.progress
    if folder and not resume:
        model = str(loop.trainable.description().get("model", ""))
        folder.describe(model, loop.settings.to_json())
    if folder:
        folder.rewrite(progress.records)
    ending = loop.run()
    best = progress.best_epoch
    history = History(progress.records, best, ending, folder=folder.path if folder else None)
    if ending == "interrupted":
        return history
    if loop.validation is not None:
        _take_best(loop)
    if test is not None:
        history.test = evaluate(loop.trainable, test, loop.settings.batch, limit=loop.limit) or {}
    return history


def _take_best(loop: Loop) -> None:
    if loop.best is not None:
        loop.trainable.restore(loop.best)
    elif loop.folder and loop.progress.best_epoch and loop.folder.best.is_file():
        state = open_checkpoint(loop.folder.best).state()
        loop.trainable.restore(state)


def _resumed(
    trainable: Trainable, checkpoint: Checkpoint, settings: Settings, sampler: Sampler
) -> Progress:
    progress = checkpoint.progress
    if progress is None:
        raise UsageError(
            f"{checkpoint.path} holds weights only: resume from the run's last.safetensors, "
            f'or start a new run from it with `load = "{checkpoint.path.name}"`'
        )
    if progress.examples != sampler.count:
        raise UsageError(
            f"cannot resume: the run had {progress.examples:,} training examples, "
            f"now there are {sampler.count:,}"
        )
    now = settings.to_json()
    changed = [key for key in _FIXED if checkpoint.settings.get(key, now[key]) != now[key]]
    if changed and progress.position:
        raise UsageError(
            f"cannot resume in the middle of epoch {progress.epoch} with another `{changed[0]}`: "
            f"it was {checkpoint.settings[changed[0]]}"
        )
    restore(trainable, checkpoint)
    return progress

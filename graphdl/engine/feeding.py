"""Which batches the settings ask for: of examples, of windows of sequences, of one long text."""

from __future__ import annotations

from typing import Any

from ..data.feed import Batches, Feed, Pieces, Streams, Windows
from ..data.ragged import Ragged
from ..data.sampler import Sampler
from ..errors import UsageError
from .settings import Settings

AT_A_TIME = 100  # at least: single examples train well but test slowly


def training_feed(split: Any, settings: Settings, reach: int = 0, joins: bool = False) -> Feed:
    """The batches of training; `reach` takes only so many, the first ones.

    `joins` says that a last batch of one example joins the one before it.

    Raises UsageError for windows of what has no steps, and for a text without them.
    """
    _check(split, settings)
    batch, window = settings.batch, settings.window
    if split.stream:
        assert window is not None
        if settings.carries_in_training:
            return _streams(split, batch, window, reach)
        return Pieces(split, _sampler(len(split) // window, settings, reach, joins), window)
    sampler = _sampler(len(split), settings, reach, joins, _lengths(split, settings))
    return _cut(split, sampler, window) if window else Batches(split, sampler)


def evaluating_feed(
    split: Any, settings: Settings, batch: int | None = None, *, whole: bool = False
) -> Feed:
    """The batches of an evaluation: all examples in order, `batch` at a time, or the `whole`.

    Without it a batch is as large as in training, and larger where examples fit together. A text
    whose states are carried is one sequence, read at as many steps at a time as training does in
    all its streams.
    """
    _check(split, settings)
    batch, window = at_a_time(split, batch, settings.batch, AT_A_TIME), settings.window
    batch = max(len(split), 1) if whole else batch
    if split.stream:
        assert window is not None
        if settings.carries_in_evaluation:
            return _streams(split, 1, window * settings.batch, 0)
        count = len(split) // window
        return Pieces(split, Sampler("sequential", count, batch), window, tail=True)
    sampler = Sampler("sequential", len(split), batch)
    return _cut(split, sampler, window) if window else Batches(split, sampler)


def at_a_time(split: Any, asked: int | None, trained: int, least: int) -> int:
    """How many examples to run at once: as asked, else as in training but at least so many.

    Sequences that nothing fills up cannot be more than they were in training.
    """
    if asked is not None:
        if asked < 1:
            raise UsageError(f"a batch must hold at least 1 example, got {asked}")
        return asked
    return trained if getattr(split, "uneven", False) else max(trained, least)


def _sampler(
    count: int, settings: Settings, reach: int, joins: bool, lengths: Any = None
) -> Sampler:
    if count < 1:
        raise UsageError(f"the text is shorter than one window of {settings.window} steps")
    count = min(count, reach * settings.batch) if reach else count
    return Sampler(settings.sampler, count, settings.batch, settings.seed, lengths, joins)


def _lengths(split: Any, settings: Settings) -> Any:
    """How long each example is, where the sampler asks."""
    if settings.sampler != "buckets":
        return None
    ragged = (v for v in split.fields.values() if isinstance(v, Ragged))
    return next((values.lengths for values in ragged), None)


def _streams(split: Any, batch: int, window: int, reach: int) -> Streams:
    if len(split) < batch:
        raise UsageError(f"a text of {len(split):,} steps cannot be read in {batch} streams")
    return Streams(split, batch, window, reach)


def _cut(split: Any, sampler: Sampler, window: int) -> Feed:
    names = _sequences(split)
    ragged = [name for name in names if isinstance(split.fields[name], Ragged)]
    lengths = {split.fields[name].shape[1] for name in names}
    if ragged or len(lengths) > 1:
        name = next(iter([*ragged, *names]))
        raise UsageError(
            f"`window` cuts a text, or sequences of one length, and those of `{name}` differ: "
            "delete it"
        )
    ends = None if split.ends is None else split.real(split.ends, split.fields[split.ends])
    return Windows(split, sampler, window, names, ends)


def _sequences(split: Any) -> tuple[str, ...]:
    return tuple(name for name in split.fields if split.column(name).sequence)


def _check(split: Any, settings: Settings) -> None:
    if settings.window is None:
        if split.stream:
            raise UsageError(
                "a text is read in windows: write `window = 35` in `train`, the steps of an update"
            )
        if settings.carry_state:
            raise UsageError(
                "`carry_state` carries states from window to window: write `window = 35` as well"
            )
    elif not split.stream and not _sequences(split):
        raise UsageError("`window` cuts sequences over time, and this model has none: delete it")

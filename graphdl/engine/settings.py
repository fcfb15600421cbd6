"""Settings of a training run: the `train` block of a model, defaults, and what overrides them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..elaborate.written import written_constant
from ..errors import (
    DataError,
    Diagnostic,
    Label,
    ModelError,
    Source,
    Span,
    UsageError,
    did_you_mean,
    nearest,
)
from ..errors.constant import constant
from ..graph.model import Named, Setting
from . import checks, plain
from .schedule import SCHEDULES, Schedule
from .schedule_call import read_schedule, schedule_call

CHECKS: dict[str, checks.Check] = {
    "data": checks.anything,
    "optimizer": checks.call,
    "lr": checks.real(above=0),
    "schedule": checks.anything,
    "batch": checks.whole(1),
    "epochs": checks.whole(0),
    "seed": checks.whole(0),
    "sampler": checks.one_of("shuffle", "sequential", "replacement", "buckets"),
    "validation": checks.share_or_count,
    "patience": checks.whole(0),
    "monitor": checks.word,
    "clip": checks.real(above=0),
    "clip_value": checks.real(above=0),
    "l1": checks.real(least=0),
    "l2": checks.real(least=0),
    "decay": checks.real(least=0),
    "max_norm": checks.limits,
    "freeze": checks.names,
    "load": checks.text,
    "accumulate": checks.whole(1),
    "window": checks.whole(1),
    "carry_state": checks.flag_or("training", "evaluation"),
    "time_limit": checks.duration,
    "save_every": checks.steps_or_duration,
}

MOST = 20  # findings at once


# What may be given as the text of a call, a list or a table.
WRITTEN = ("data", "optimizer", "schedule", "max_norm", "freeze")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every key of `train`. The loop reads some, the compiler compiles the others in.

    data        where examples come from, such as `mnist("data", x = "pixels")`
    optimizer   a rule; its `lr` is a plain number here, whatever schedule was written there
    lr          the base learning rate, None when only the rule knows it
    validation  fraction or number of training examples kept for validation
    decay       l2 added to the gradient; l1 and l2 are in the loss and the gradient
    clip        by global norm; `clip_value` by each element
    max_norm    largest norm of each row of a weight: of all, or of those named
    accumulate  batches per update
    window      steps of a sequence in one update; `carry_state`: whether states go on from window
                to window, in training, in evaluation, or (true) in both
    time_limit  seconds
    save_every  steps, or a time such as "60s", between checkpoints within an epoch
    schedule_in_rate  whether the schedule was written in the optimizer's `lr`: no setting
    """

    data: Any = None
    optimizer: Named | None = None
    lr: float | None = None
    schedule: Schedule | None = None
    batch: int = 32
    epochs: int = 10
    seed: int = 0
    sampler: str = "shuffle"
    validation: float | int = 0
    patience: int | None = None
    monitor: str = "loss"
    clip: float | None = None
    clip_value: float | None = None
    l1: float = 0.0
    l2: float = 0.0
    decay: float = 0.0
    max_norm: float | Mapping[str, float] | None = None
    freeze: tuple[str, ...] = ()
    load: str | None = None
    accumulate: int = 1
    window: int | None = None
    carry_state: bool | str = False
    time_limit: float | None = None
    save_every: int | str = "60s"
    schedule_in_rate: bool = False

    @property
    def row_limits(self) -> tuple[tuple[str, float], ...]:
        """The largest norms of rows by name of weight; one for all has no name."""
        most = self.max_norm
        if most is None:
            return ()
        return tuple(most.items()) if isinstance(most, Mapping) else (("", most),)

    @property
    def carries_in_training(self) -> bool:
        """Whether states go on from window to window in training."""
        return self.carry_state in (True, "training")

    @property
    def carries_in_evaluation(self) -> bool:
        """Whether states go on from window to window in evaluation."""
        return self.carry_state in (True, "evaluation")

    @classmethod
    def resolve(
        cls, block: Mapping[str, Setting], overrides: Mapping[str, Any] | None = None
    ) -> Settings:
        """Settings of a `train` block, overridden by name.

        Overrides whose value is None change nothing; texts are read as what the key wants.

        Raises:
            ModelError: what is wrong in the block, all of it, with places.
            UsageError: what is wrong in the overrides.
        """
        written = {
            **{key: (setting.value, setting.span, True) for key, setting in block.items()},
            **{key: (v, None, False) for key, v in (overrides or {}).items() if v is not None},
        }
        resolution = _Resolution()
        for key, (value, span, in_file) in written.items():
            resolution.take(key, value, span, in_file)
            if len(resolution.findings) + len(resolution.usage) == MOST:
                break
        resolution.spread_schedule()
        resolution.complain()
        return cls(**resolution.values)

    def to_json(self) -> dict[str, Any]:
        """All settings that differ from nothing, as plain values for a file."""
        written = self._written()
        if self.schedule_in_rate and self.optimizer is not None:
            schedule = written.pop("schedule")
            keywords = {f.name: getattr(schedule, f.name) for f in fields(schedule)}
            rate = Named(schedule.name, (self.lr,), keywords)
            written["optimizer"] = _with_rate(self.optimizer, rate)
        return {key: _plain(value) for key, value in written.items()}

    def _written(self) -> dict[str, Any]:
        """The settings that have a value, by name."""
        values = {key: getattr(self, key) for key in CHECKS}
        return {key: value for key, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Settings:
        """The inverse of `to_json`."""
        try:
            read = {key: _from_plain(value) for key, value in values.items()}
        except ValueError as error:
            raise DataError(f"the settings of this run are broken: {error}") from None
        return cls.resolve({}, read)

    def but(self, **changes: Any) -> Settings:
        """The same with checked changes; None keeps a setting.

        Another optimizer brings its own rate, with the schedule that is written in it.

        >>> Settings().but(batch="64").batch
        64
        """
        changes = {key: value for key, value in changes.items() if value is not None}
        kept = self._written()
        if "optimizer" in changes:
            kept.pop("lr", None)
            if self.schedule_in_rate:
                kept.pop("schedule", None)
        changed = Settings.resolve({}, {**kept, **changes})
        stays = self.schedule_in_rate and not {"optimizer", "schedule"} & changes.keys()
        return replace(changed, schedule_in_rate=True) if stays else changed


class _Resolution:
    """Clean values, and the findings about the others."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.spans: dict[str, Span | None] = {}
        self.findings: list[Diagnostic] = []
        self.usage: list[str] = []

    def take(self, key: str, value: Any, span: Span | None, in_file: bool) -> None:
        """Checks one setting."""
        if key not in CHECKS:
            hints = (did_you_mean(key, CHECKS), f"settings: {', '.join(CHECKS)}")
            if key.startswith("data."):
                hints = (_of_data(key.removeprefix("data.")), "")
            self.find("E0502", f"no setting `{key}`", span, in_file, hints)
            return
        if not in_file:
            value = _read(key, value)
        try:
            self.values[key] = CHECKS[key](value)
            self.spans[key] = span if in_file else None
            if key == "schedule":
                self.values[key] = read_schedule(value)
            elif key == "optimizer":
                self.take_optimizer(self.values[key])
        except ValueError as error:
            message = f"`{key}` must be {error}, got {_shown(value)}"
            self.find("E0702", message, span, in_file, ())

    def take_optimizer(self, optimizer: Named) -> None:
        """Finds the base rate and the schedule in an optimiser's `lr`."""
        rate = optimizer.keywords.get("lr", next(iter(optimizer.arguments), None))
        if isinstance(rate, Named) and rate.name in SCHEDULES:
            rate, self.values["_in_rate"] = schedule_call(rate)
        found = checks.number(rate)
        if found is not None:
            self.values["_rate"] = float(found)

    def spread_schedule(self) -> None:
        """One rate and one schedule, wherever they were written."""
        in_rate, rate = self.values.pop("_in_rate", None), self.values.pop("_rate", None)
        if in_rate is not None:
            if self.values.get("schedule") is not None:
                message = "the optimizer's `lr` already is a schedule, `schedule` is another"
                span = self.spans.get("schedule")
                self.find("E0702", message, span, span is not None, ("keep one of them",))
            self.values["schedule"] = in_rate
            self.values["schedule_in_rate"] = True
        self.values.setdefault("lr", rate)
        if (optimizer := self.values.get("optimizer")) and self.values["lr"] is not None:
            self.values["optimizer"] = _with_rate(optimizer, self.values["lr"])

    def find(
        self, code: str, message: str, span: Span | None, in_file: bool, hints: tuple[str, ...]
    ) -> None:
        """Notes a finding about the file or about the overrides."""
        hints = tuple(hint for hint in hints if hint)
        if in_file:
            label = Label(span) if span else None
            self.findings.append(Diagnostic(code, message, label, hints=hints))
        else:
            self.usage.append("; ".join([message, *hints]))

    def complain(self) -> None:
        """Raises when there is a finding."""
        if self.findings:
            raise ModelError(*self.findings)
        if self.usage:
            raise UsageError("\n".join(self.usage))


def _read(key: str, value: Any) -> Any:
    """A text that stands for a call, a list or a table, as files have them; others as they are."""
    if key not in WRITTEN or not isinstance(value, str) or not set(value) & set("([{"):
        return value
    try:
        return written_constant(Source(key, value))
    except (ModelError, ValueError):
        return value  # what it should be is for the check to say


def _with_rate(optimizer: Named, rate: Any) -> Named:
    keywords, arguments = dict(optimizer.keywords), optimizer.arguments
    if arguments and "lr" not in keywords:
        arguments = (rate, *arguments[1:])
    else:
        keywords["lr"] = rate
    return Named(optimizer.name, arguments, keywords, optimizer.span)


def _of_data(name: str) -> str:
    """Where an option of a data set stands, and its likeliest name."""
    from ..data import READERS, options

    known = {option for reader in READERS for option in options(reader)}
    option = nearest(name, known) or name
    return f"options of a data set stand in its call, such as `data = digits({option} = ...)`"


def _shown(value: Any) -> str:
    if isinstance(value, Named):
        return f"`{value.name}(...)`"
    return constant(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Schedule):
        keywords = {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
        return {"call": value.name, "keywords": keywords}
    if isinstance(value, Named):
        arguments = [_plain(v) for v in value.arguments]
        keywords = {k: _plain(v) for k, v in value.keywords.items()}
        return {"call": value.name, "arguments": arguments, "keywords": keywords}
    if isinstance(value, dict):
        return {"table": [[_plain(k), _plain(v)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value if isinstance(value, (int, float, str, bool)) or value is None else str(value)


def _pair(pair: Any) -> tuple[Any, Any]:
    if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str | int | float):
        return pair[0], _from_plain(pair[1])
    raise ValueError(f"{constant(pair)} is no entry of a table")


def _from_plain(value: Any) -> Any:
    if isinstance(value, dict) and "call" in value:
        given = {"arguments": [], "keywords": {}, **value}
        if not isinstance(value["call"], str):
            raise ValueError(f"a call has the name {constant(value['call'])}")
        arguments = tuple(_from_plain(v) for v in plain.items(given, "arguments"))
        keywords = {k: _from_plain(v) for k, v in plain.table(given, "keywords").items()}
        return Named(value["call"], arguments, keywords)
    if isinstance(value, dict) and "table" in value:
        return dict(map(_pair, plain.items(value, "table")))
    if isinstance(value, dict):
        raise ValueError(f"{constant(value)} is neither a call nor a table")
    if isinstance(value, list):
        return [_from_plain(v) for v in value]
    return value

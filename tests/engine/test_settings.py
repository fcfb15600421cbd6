"""Settings and schedules: what may be written, what is said about the rest, what rates come out."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from graphdl.engine import checks, schedule, schedule_call
from graphdl.engine.schedule import Moment, Schedule
from graphdl.engine.schedule_call import read_schedule
from graphdl.engine.settings import CHECKS, Settings
from graphdl.errors import ModelError, Source, Span, UsageError
from graphdl.graph.model import Named, Setting

SPAN = Span(Source("a.gdl", "train { batch = 1 }"), 8, 17)


def call(name: str, *arguments: Any, **keywords: Any) -> Named:
    return Named(name, arguments, keywords)


def test_every_key_has_a_check_and_a_field() -> None:
    assert {*CHECKS, "schedule_in_rate"} == set(Settings.__dataclass_fields__)


ACCEPTED: list[tuple[str, Any, Any]] = [
    ("batch", 64, 64),
    ("batch", "64", 64),
    ("batch", 64.0, 64),
    ("epochs", 0, 0),
    ("clip", 5, 5.0),
    ("decay", "1e-4", 1e-4),
    ("validation", 0.1, 0.1),
    ("validation", 10_000, 10_000),
    ("carry_state", "true", True),
    ("carry_state", False, False),
    ("sampler", Named("replacement"), "replacement"),
    ("freeze", [Named("embed"), "body.conv"], ("embed", "body.conv")),
    ("freeze", Named("embed"), ("embed",)),
    ("time_limit", "1h30m", 5400.0),
    ("time_limit", 90, 90.0),
    ("time_limit", "90s", 90.0),
    ("save_every", "10m", "10m"),
    ("save_every", 100, 100),
    ("optimizer", "adam", Named("adam")),
    ("monitor", Named("accuracy"), "accuracy"),
]


@pytest.mark.parametrize(("key", "value", "expected"), ACCEPTED)
def test_accepted(key: str, value: Any, expected: Any) -> None:
    assert getattr(Settings.resolve({key: Setting(value)}), key) == expected
    assert getattr(Settings.resolve({}, {key: value}), key) == expected


REFUSED: list[tuple[str, Any, str]] = [
    ("batch", 0, "`batch` must be a whole number from 1, got 0"),
    ("batch", 0.5, "`batch` must be a whole number from 1, got 0.5"),
    ("batch", True, "`batch` must be a whole number from 1, got true"),
    ("batch", float("nan"), "`batch` must be a whole number from 1, got nan"),
    ("batch", "many", '`batch` must be a whole number from 1, got "many"'),
    ("clip", 0, "`clip` must be a number above 0, got 0"),
    ("l1", -1, "`l1` must be a number from 0, got -1"),
    ("validation", 1.5, "`validation` must be a fraction below 1 or a number of examples, got 1.5"),
    ("carry_state", 1, "`carry_state` must be true, false, training or evaluation, got 1"),
    ("sampler", "random", "`sampler` must be one of shuffle, sequential, replacement"),
    ("freeze", [3], "`freeze` must be a list of names"),
    ("load", 3, "`load` must be a text in quotes"),
    ("optimizer", 0.1, "`optimizer` must be a call, such as `adam(lr = 1e-3)`, got 0.1"),
    ("time_limit", "soon", "`time_limit` must be a time, such as 90 (seconds)"),
    ("schedule", "cosin", "did you mean `cosine`?"),
    ("schedule", call("step"), "`step(every, factor, warmup)`, where `every` is due"),
    ("schedule", call("step", 1, wamup=2), "not `wamup`; did you mean `warmup`?"),
    ("schedule", call("steps", [120, 80]), "`steps` whose `after` is a list of rising epochs"),
    ("schedule", call("step", 1, 2, 3), "at most every, factor, warmup"),
    (
        "optimizer",
        call("sgd", lr=call("cosine")),
        "given a learning rate first: `cosine(0.1, ...)`",
    ),
]


@pytest.mark.parametrize(("key", "value", "sentence"), REFUSED)
def test_refused(key: str, value: Any, sentence: str) -> None:
    with pytest.raises(ModelError) as in_file:
        Settings.resolve({key: Setting(value, SPAN)})
    assert sentence in str(in_file.value)
    assert in_file.value.diagnostics[0].primary
    assert in_file.value.diagnostics[0].primary.span is SPAN
    with pytest.raises(UsageError) as overridden:
        Settings.resolve({}, {key: value})
    assert sentence in str(overridden.value)


def test_all_that_is_wrong_in_a_file_is_said_at_once() -> None:
    with pytest.raises(ModelError) as caught:
        Settings.resolve({"bacth": Setting(1), "epochs": Setting(-1)})
    first, second = caught.value.diagnostics
    assert (first.code, first.message) == ("E0502", "no setting `bacth`")
    assert first.hints[0] == "did you mean `batch`?"
    assert "patience" in first.hints[1]
    assert second.message == "`epochs` must be a whole number from 0, got -1"


def test_an_unknown_override_is_a_usage_error_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="no setting `bacth`; did you mean `batch`"):
        Settings.resolve({}, {"bacth": 1})


def test_overrides_win_and_none_is_no_override() -> None:
    block = {"batch": Setting(20), "epochs": Setting(5)}
    found = Settings.resolve(block, {"batch": "64", "epochs": None})
    assert (found.batch, found.epochs, found.seed) == (64, 5, 0)


RATES: list[tuple[dict[str, Any], float | None, Any]] = [
    ({"optimizer": call("sgd", lr=0.1, momentum=0.9)}, 0.1, call("sgd", lr=0.1, momentum=0.9)),
    ({"optimizer": call("sgd", 0.1)}, 0.1, call("sgd", 0.1)),
    ({"optimizer": call("adadelta")}, None, call("adadelta")),
    ({"optimizer": call("sgd", lr=0.1), "lr": 0.2}, 0.2, call("sgd", lr=0.2)),
    ({"optimizer": call("sgd", 0.1), "lr": 0.2}, 0.2, call("sgd", 0.2)),
    ({"optimizer": call("sgd", lr=call("steps", 0.1, [80, 120], 0.1))}, 0.1, call("sgd", lr=0.1)),
    ({"optimizer": call("sgd", call("cosine", lr=0.5))}, 0.5, call("sgd", 0.5)),
]


@pytest.mark.parametrize(("block", "rate", "optimizer"), RATES)
def test_the_rate_is_found_in_the_optimizer(
    block: dict[str, Any], rate: float | None, optimizer: Named
) -> None:
    found = Settings.resolve({key: Setting(value) for key, value in block.items()})
    assert (found.lr, found.optimizer) == (rate, optimizer)


def test_one_schedule_is_enough() -> None:
    optimizer = call("sgd", lr=call("cosine", 0.1))
    block = {"optimizer": Setting(optimizer), "schedule": Setting("linear", SPAN)}
    with pytest.raises(ModelError, match="already is a schedule"):
        Settings.resolve(block)
    with pytest.raises(UsageError, match="already is a schedule"):
        Settings.resolve({"optimizer": Setting(optimizer)}, {"schedule": "linear"})


SCHEDULES: list[tuple[Any, list[float]]] = [  # rates of epochs 1 to 8 from a base of 1
    ("constant", [1, 1, 1, 1, 1, 1, 1, 1]),
    (call("step", 3, 0.5), [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]),
    (call("steps", [2, 4], 0.5), [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]),
    (call("steps", {5: 0.5, 6: 0.25}), [1, 1, 1, 1, 1, 0.5, 0.25, 0.25]),
    ({5: 0.5, 6: 0.25}, [1, 1, 1, 1, 1, 0.5, 0.25, 0.25]),
    (call("exponential", 0.5, after=5), [1, 1, 1, 1, 1, 0.5, 0.25, 0.125]),
    (call("exponential", 0.5), [1, 0.5, 0.25, 0.125, 2**-4, 2**-5, 2**-6, 2**-7]),
    ("linear", [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
    (call("linear", 1.0, warmup=4), [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]),
    (call("cosine", end=0.5, warmup=0), [1, 0.9809699, 0.9267767, 0.8456709, 0.75, 0.6543291,
                                         0.5732233, 0.5190301]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "rates"), SCHEDULES)
def test_schedules(written: Any, rates: list[float]) -> None:
    schedule = read_schedule(written)
    found = [schedule.rate(1.0, Moment(e, e - 1, 1, 8)) for e in range(1, 9)]
    assert found == pytest.approx(rates)


def test_warmup_rises_update_by_update() -> None:
    schedule = read_schedule(call("constant", warmup=0.5))
    assert [schedule.rate(1.0, Moment(1, s, 8, 2)) for s in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize(
    ("patience", "monitored", "rate"),
    [
        (0, [3, 2, 1], 1.0),
        (0, [3, 2, 2], 0.5),
        (1, [3, 2, 2], 1.0),
        (1, [3, 2, 2, 2], 0.5),
        (1, [3, 2, 2, 2, 2, 2], 0.25),
        (1, [3, float("nan"), float("nan")], 0.5),
        (0, [1, 1, 1, 1, 1, 1], 0.125),
    ],
)
def test_plateau(patience: int, monitored: list[float], rate: float) -> None:
    schedule = read_schedule(call("plateau", 0.5, patience, least=0.125))
    assert schedule.rate(1.0, Moment(len(monitored) + 1, monitored=monitored)) == rate


def test_settings_survive_their_file() -> None:
    block = {
        "data": call("csv", "a.csv", x="features", labels={"no": 0, "yes": 1}),
        "optimizer": call("sgd", lr=call("steps", 0.1, [80, 120], 0.1), momentum=0.9),
        "freeze": [Named("embed")],
        "patience": 0,
        "carry_state": True,
    }
    found = Settings.resolve({key: Setting(value) for key, value in block.items()})
    assert Settings.from_json(found.to_json()) == found
    assert Settings.from_json(Settings().to_json()) == Settings()
    assert isinstance(found.schedule, Schedule)


IN_RATE = {"optimizer": call("adam", lr=call("cosine", 0.1))}
APART = {"optimizer": call("adam", lr=0.1), "schedule": "cosine"}
CHANGES: list[tuple[dict[str, Any], dict[str, Any], float | None, str | None]] = [
    # what was written, what is changed when it goes on, the rate and schedule then
    (IN_RATE, {"batch": 4}, 0.1, "cosine"),
    (IN_RATE, {"lr": 0.5}, 0.5, "cosine"),
    (IN_RATE, {"schedule": "linear"}, 0.1, "linear"),
    (IN_RATE, {"optimizer": call("adam", lr=0.5)}, 0.5, None),
    (IN_RATE, {"optimizer": call("adam", lr=call("linear", 0.5))}, 0.5, "linear"),
    (IN_RATE, {"optimizer": "adam"}, None, None),
    (IN_RATE, {"optimizer": call("adam", lr=0.5), "schedule": "linear"}, 0.5, "linear"),
    (APART, {"optimizer": call("adam", lr=0.5)}, 0.5, "cosine"),
    (APART, {"lr": 0.5}, 0.5, "cosine"),
]


@pytest.mark.parametrize("through_file", [False, True])
@pytest.mark.parametrize(("written", "changes", "rate", "schedule"), CHANGES)
def test_what_a_change_leaves(
    written: dict[str, Any],
    changes: dict[str, Any],
    rate: float | None,
    schedule: str | None,
    through_file: bool,
) -> None:
    settings = Settings.resolve({key: Setting(value) for key, value in written.items()})
    if through_file:
        settings = Settings.from_json(json.loads(json.dumps(settings.to_json())))
    found = settings.but(**changes)
    assert found.lr == rate
    assert (found.schedule.name if found.schedule else None) == schedule
    assert found.optimizer is not None
    assert found.optimizer.keywords.get("lr") == rate
    again = Settings.from_json(json.loads(json.dumps(found.to_json())))
    assert again == found


@pytest.mark.parametrize("text", ["", "s", "1x", "-5s", "0", "1h 30m x"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="a time"):
        checks.duration(text)


@pytest.mark.parametrize("kind", schedule.SCHEDULES.values(), ids=schedule.SCHEDULES)
def test_every_argument_of_a_schedule_has_a_check(kind: type[schedule.Schedule]) -> None:
    for name in schedule.arguments(kind):
        with pytest.raises(ValueError, match=r"number|list"):
            schedule_call.check_of(kind, name)("nonsense")


@pytest.mark.parametrize(
    "written",
    [
        Named("steps", ([5, 6], [0.5])),
        Named("steps", ({5: 0.5},), {"rates": 3}),
        Named("steps", ({"a": 1},)),
        Named("step", (1,), {"period": 3}),
    ],
)
def test_a_schedule_that_cannot_be(written: Named) -> None:
    with pytest.raises(UsageError, match="`schedule` must be"):
        Settings.resolve({}, {"schedule": written})


def test_a_factor_that_grows_beyond_all_numbers() -> None:
    grown = schedule.Exponential(1e200)
    assert grown.rate(0.1, schedule.Moment(9)) == math.inf


@pytest.mark.parametrize(
    ("key", "option"),
    [("data.limit", "limit"), ("data.limt", "limit"), ("data.haeder", "header"), ("data.q", "q")],
)
def test_an_option_of_the_data_stands_in_its_call(key: str, option: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings.resolve({}, {key: 1})
    assert str(caught.value) == (
        f"no setting `{key}`; options of a data set stand in its call, such as "
        f"`data = digits({option} = ...)`"
    )

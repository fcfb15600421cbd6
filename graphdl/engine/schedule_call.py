"""Schedules as they are written: `steps(0.1, [80, 120], 0.1)` or `cosine(warmup = 2)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from ..errors import did_you_mean
from ..graph.model import Named
from . import checks
from .schedule import SCHEDULES, Schedule, Steps, arguments


def schedule_call(call: Named) -> tuple[Any, Schedule]:
    """The base rate and the schedule of a call in an optimiser's `lr`: the rate comes first."""
    keywords, positional = dict(call.keywords), call.arguments
    if "lr" in keywords:
        rate = keywords.pop("lr")
    elif positional:
        rate, positional = positional[0], positional[1:]
    else:
        raise ValueError(f"given a learning rate first: `{call.name}(0.1, ...)`")
    rate = checks.real(above=0)(rate)
    return rate, read_schedule(Named(call.name, positional, keywords, call.span))


def read_schedule(value: Any) -> Schedule:
    """A schedule from a call without rate, a bare name, or a table `{after epoch: rate}`."""
    if isinstance(value, Schedule):
        return value
    if isinstance(value, Mapping):
        return _table(value)
    call = checks.call(value)
    if call.name == "steps" and call.arguments and isinstance(call.arguments[0], Mapping):
        return _table(call.arguments[0], **call.keywords)
    kind = SCHEDULES.get(call.name)
    if kind is None:
        meant = did_you_mean(call.name, SCHEDULES)
        raise ValueError(f"one of {', '.join(SCHEDULES)}" + (f" ({meant})" if meant else ""))
    return kind(**_bound(kind, call))


def _table(rates: Mapping[Any, Any], /, **keywords: Any) -> Steps:
    call = Named("steps", (list(rates), list(rates.values())), keywords)
    return Steps(**_bound(Steps, call))


def _bound(kind: type[Schedule], call: Named) -> dict[str, Any]:
    known = arguments(kind)
    if len(call.arguments) > len(known) - 1:
        raise ValueError(f"`{kind.name}` with at most {', '.join(known)} (the rate is in `lr`)")
    given = dict(zip(known, call.arguments, strict=False)) | call.keywords
    for name in given:
        if name not in known:
            meant = did_you_mean(name, known)
            raise ValueError(
                f"`{kind.name}({', '.join(known)})`, not `{name}`; {meant}".rstrip("; ")
            )
    for needed in fields(kind):
        if needed.default is MISSING and needed.name not in given:
            raise ValueError(f"`{kind.name}({', '.join(known)})`, where `{needed.name}` is due")
    checked = {name: _checked(kind, name, value) for name, value in given.items()}
    rates, after = checked.get("factor"), checked.get("after")
    if isinstance(rates, tuple) and isinstance(after, tuple) and len(rates) != len(after):
        raise ValueError(f"`{kind.name}` with as many rates as epochs, or one factor for all")
    return checked


def _checked(kind: type[Schedule], name: str, value: Any) -> Any:
    try:
        return check_of(kind, name)(value)
    except ValueError as error:
        raise ValueError(f"`{kind.name}` whose `{name}` is {error}") from None


def check_of(kind: type[Schedule], name: str) -> checks.Check:
    """What an argument of a schedule may be; a rule for the name stands for all schedules."""
    return _CHECKS.get((kind.name, name)) or _CHECKS["", name]


def _epochs(value: Any) -> tuple[int, ...]:
    items = value if isinstance(value, (list, tuple)) else [value]
    found = tuple(checks.whole(0)(item) for item in items)
    if list(found) != sorted(set(found)):
        raise ValueError("a list of rising epochs, such as [80, 120]")
    return found


def _rates(value: Any) -> float | tuple[float, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(checks.real(above=0)(item) for item in value)
    return float(checks.real(above=0)(value))


_CHECKS: dict[tuple[str, str], checks.Check] = {
    ("", "warmup"): checks.real(least=0),
    ("", "factor"): checks.real(above=0),
    ("", "end"): checks.real(least=0),
    ("step", "every"): checks.whole(1),
    ("steps", "after"): _epochs,
    ("steps", "factor"): _rates,
    ("exponential", "after"): checks.whole(0),
    ("plateau", "patience"): checks.whole(0),
    ("plateau", "least"): checks.real(least=0),
}

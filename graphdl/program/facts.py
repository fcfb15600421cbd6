"""What is known of values whatever the data: bounds, and whether they can fail to be finite.

Inputs and weights count as finite, and so do sums and products of what is.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from .primitives import Amax, Broadcast, Copy, Reshape, Stop, Sum
from .primitives.scan import Scan
from .program import Op, Value

if TYPE_CHECKING:
    from .emitter import Emitter


class Bound(IntEnum):
    """How far from below zero a value stays."""

    UNKNOWN = 0
    NOT_NEGATIVE = 1
    POSITIVE = 2
    ONE_AT_LEAST = 3


class Fact(NamedTuple):
    """finite: never infinite nor not a number; low: the lower bound; falls: never above zero."""

    finite: bool = True
    low: Bound = Bound.UNKNOWN
    falls: bool = False


_SAME = {"reshape", "transpose", "slice", "broadcast", "stop", "reverse", "copy", "gather", "pick"}
_SHARES = {"sigmoid", "normal_cdf"}
_SMALLEST = 1.1754943508222875e-38


class Facts:
    """The facts of the values of a program under construction, each found once."""

    def __init__(self, build: Emitter) -> None:
        self._build = build
        self._found: dict[Value, Fact] = {}
        # A step of a sequence is what the sequence is.
        self._whole: dict[Value, Value] = {}

    def step(self, value: Value, whole: Value) -> None:
        """Say of a value inside a scan that it is a step of one outside."""
        self._whole[value] = whole

    def __getitem__(self, value: Value) -> Fact:
        waiting = [value]
        while waiting:
            last = waiting[-1]
            missing = [v for v in self._sources(last) if v not in self._found]
            if missing and last not in self._found:
                waiting += missing
                continue
            waiting.pop()
            if last not in self._found:
                self._found[last] = self._of(last)
        return self._found[value]

    def _sources(self, value: Value) -> tuple[Value, ...]:
        if value in self._whole:
            return (self._whole[value],)
        made = self._build.maker(value)
        if made is None:
            return ()
        inside = made.primitive.body.results if isinstance(made.primitive, Scan) else ()
        return (*made.args, *inside)

    def _of(self, value: Value) -> Fact:
        if value in self._whole:
            return self._found[self._whole[value]]
        made = self._build.maker(value)
        number = self._build.number(value)
        if number is not None:
            return _of_number(number)
        if made is None:
            return Fact()
        args = [self._found[source] for source in self._sources(value)]
        name = made.primitive.name
        finite = all(fact.finite for fact in args)
        if name in _SAME:
            return args[0]
        if name in _RULES:
            return _RULES[name](finite, *args)
        if name in _SHARES:
            return Fact(finite, Bound.NOT_NEGATIVE)
        if name == "sub":
            return Fact(finite, Bound.UNKNOWN, self._falls(made, args))
        if name == "mul" and made.args[0] is made.args[1]:
            return Fact(finite, Bound.NOT_NEGATIVE)
        if name == "mul":
            return Fact(finite, _least(args, Bound.NOT_NEGATIVE))
        if isinstance(made.primitive, Sum):
            low = Bound.ONE_AT_LEAST if self._has_a_one(made) else args[0].low
            return Fact(finite, low, args[0].falls)
        return Fact(finite)

    def _falls(self, made: Op, args: list[Fact]) -> bool:
        """Of x minus its largest, and of what is never above 0 minus what is never below."""
        if args[0].falls and args[1].low:
            return True
        x, largest = made.args[0], self._behind(made.args[1])
        peak = self._build.maker(largest)
        return bool(peak and isinstance(peak.primitive, Amax) and peak.args[0] is x)

    def _has_a_one(self, made: Op) -> bool:
        """Whether this is the sum of exp(x - largest x) along the axes of the largest."""
        assert isinstance(made.primitive, Sum)
        power = self._build.maker(made.args[0])
        if power is None or power.primitive.name != "exp":
            return False
        shifted = self._build.maker(power.args[0])
        if shifted is None or shifted.primitive.name != "sub":
            return False
        peak = self._build.maker(self._behind(shifted.args[1]))
        return bool(
            peak
            and isinstance(peak.primitive, Amax)
            and peak.args[0] is shifted.args[0]
            and peak.primitive.axes == made.primitive.axes
        )

    def _behind(self, value: Value) -> Value:
        """What is repeated or only seen otherwise."""
        made = self._build.maker(value)
        while made and isinstance(made.primitive, Broadcast | Reshape | Stop | Copy):
            value = made.args[0]
            made = self._build.maker(value)
        return value


def _of_number(number: float) -> Fact:
    finite = abs(number) < float("inf")
    if number >= 1:
        return Fact(finite, Bound.ONE_AT_LEAST)
    low = Bound.POSITIVE if number >= _SMALLEST else Bound(int(number >= 0))
    return Fact(finite, low, number <= 0)


def _least(args: list[Fact], most: Bound) -> Bound:
    return min(most, *(fact.low for fact in args))


def _exp(finite: bool, x: Fact) -> Fact:
    return Fact(finite and x.falls, Bound.NOT_NEGATIVE)


def _log(finite: bool, x: Fact) -> Fact:
    low = Bound.NOT_NEGATIVE if x.low == Bound.ONE_AT_LEAST else Bound.UNKNOWN
    return Fact(finite and x.low >= Bound.POSITIVE, low)


def _neg(finite: bool, x: Fact) -> Fact:
    return Fact(finite, Bound.NOT_NEGATIVE if x.falls else Bound.UNKNOWN, x.low > 0)


def _add(finite: bool, a: Fact, b: Fact) -> Fact:
    low = max(a.low, b.low) if a.low and b.low else Bound.UNKNOWN
    return Fact(finite, low, a.falls and b.falls)


def _div(finite: bool, a: Fact, b: Fact) -> Fact:
    low = _least([a, b], Bound.NOT_NEGATIVE)
    return Fact(finite and b.low >= Bound.POSITIVE, low)


def _maximum(finite: bool, a: Fact, b: Fact) -> Fact:
    return Fact(finite, max(a.low, b.low), a.falls and b.falls)


def _minimum(finite: bool, a: Fact, b: Fact) -> Fact:
    return Fact(finite, min(a.low, b.low), a.falls or b.falls)


def _select(finite: bool, _: Fact, a: Fact, b: Fact) -> Fact:
    return Fact(finite, min(a.low, b.low), a.falls and b.falls)


def _not_negative(finite: bool, *_: Fact) -> Fact:
    return Fact(finite, Bound.NOT_NEGATIVE)


_RULES: dict[str, Callable[..., Fact]] = {
    "exp": _exp,
    "expm1": lambda finite, x: Fact(finite and x.falls, Bound(int(x.low > 0)), x.falls),
    "log": _log,
    "log1p": lambda finite, x: Fact(finite and x.low > 0, Bound(int(x.low > 0))),
    "sqrt": lambda finite, x: Fact(finite and x.low > 0, x.low),
    "power": lambda finite, a, _: Fact(finite and a.low >= Bound.POSITIVE, Bound(int(a.low > 0))),
    "softplus": _not_negative,
    "abs": _not_negative,
    "neg": _neg,
    "add": _add,
    "div": _div,
    "mod": lambda finite, _, b: Fact(finite and b.low >= Bound.POSITIVE),
    "floordiv": lambda finite, _, b: Fact(finite and b.low >= Bound.POSITIVE),
    "maximum": _maximum,
    "minimum": _minimum,
    "select": _select,
    "mean": lambda finite, x: x._replace(finite=finite),
    "amax": lambda finite, x: x._replace(finite=finite),
    "amin": lambda finite, x: x._replace(finite=finite),
    "cast": lambda finite, x: x._replace(finite=finite),
    "extent": lambda *_: Fact(True, Bound.ONE_AT_LEAST),
}

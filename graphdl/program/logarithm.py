"""The logarithm of what was made by exponentials, without making it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import primitives as p
from .emitter import Operand
from .program import Op, Value

if TYPE_CHECKING:
    from .builder import Builder

# Each number of the result is a number of the first argument.
_MOVES = (
    *(p.Reshape, p.Transpose, p.Slice, p.Broadcast, p.Reverse, p.Stop, p.Copy),
    *(p.Pick, p.Gather),
)
# How many operations back an exponential is looked for.
_FAR = 30


def parts(build: Builder, x: Value, name: str) -> tuple[Value, ...]:
    """The arguments of the operation behind `x`, when it is a `name`."""
    made = build.maker(x)
    return made.args if made and made.primitive.name == name else ()


def minus(build: Builder, x: Value) -> Value:
    """-x, without a second sign on a first one."""
    inner = parts(build, x, "neg")
    return inner[0] if inner else build.neg(x)


def logarithm(build: Builder, x: Value) -> Value | None:
    """log(x) where it is known by another way than through x."""
    return _Search(build).log(x)


def alike(build: Builder, a: Value, b: Value) -> bool:
    """Whether two values are the same: one, or written twice."""
    waiting = [(a, b)]
    for _ in range(_FAR):
        if not waiting:
            return True
        a, b = waiting.pop()
        if a is b:
            continue
        made, other = build.maker(a), build.maker(b)
        if made is None or other is None or made.primitive != other.primitive:
            return False
        if not made.args and made.primitive.name != "constant":
            return False
        waiting += zip(made.args, other.args, strict=True)
    return False


class _Search:
    """One search backwards; what has been found for a value is not looked for again.

    What is looked for inside a product, a power or an extreme must never be below 0: of two
    factors below 0 there are no logarithms, of their product there is one.
    """

    def __init__(self, build: Builder) -> None:
        self.build = build
        self.depth = 0
        self.inside = 0
        self.products: dict[Value, tuple[Value | None, Value | None]] = {}
        self.found: dict[tuple[Value, bool, bool], Value | None] = {}

    def log(self, x: Value) -> Value | None:
        """The logarithm of x."""
        return self._once(x, rest=False)

    def log_rest(self, x: Value) -> Value | None:
        """The logarithm of 1 - x."""
        return self._once(x, rest=True)

    def _once(self, x: Value, rest: bool) -> Value | None:
        made = self.build.maker(x)
        if made is None or self.depth >= _FAR:
            return None
        key = (x, rest, self.inside > 0)
        if key not in self.found:
            self.depth += 1
            self.found[key] = self._of_rest(made) if rest else self._of(made)
            self.depth -= 1
        return self.found[key]

    def _of(self, made: Op) -> Value | None:
        build = self.build
        match made.primitive.name, made.args:
            case "exp", (u,):
                return u
            case "sigmoid", (u,):
                return build.neg(build.softplus(minus(build, u)))
            case "add", (a, b):
                return self._of_sum(a, b)
            case "sub", (a, b):
                return self.log_rest(b) if build.number(a) == 1 else None
            case (("mul" | "div" | "neg"), _):
                known, rest = self._factors(made.out)
                if known is None or rest is None:
                    return known
                positive = not self.inside or build.facts[rest].low
                return build.add(known, build.log(rest)) if positive else None
            case "sqrt", (a,):
                inner = self.log(a)
                return None if inner is None else build.mul(inner, 0.5)
            case "power", (a, b):
                inner = self._log_inside(a)
                return None if inner is None else build.mul(b, inner)
            case ("maximum" | "minimum") as name, pair:
                return self._of_extreme(name, pair)
            case "select", (condition, *pair):
                logs = self._both((pair[0], pair[1]))
                return build.select(condition, *logs) if logs else None
        return self._moved(made, [self.log(arg) for arg in _sources(made)])

    def _log_inside(self, x: Value) -> Value | None:
        """The logarithm of x where it is never below 0."""
        self.inside += 1
        found = self.log(x)
        self.inside -= 1
        return found

    def _factors(self, x: Value) -> tuple[Value | None, Value | None]:
        """What x is: exp of the first times the second, of any sign; None is exp(0), and 1."""
        if x not in self.products:
            self.depth += 1
            self.products[x] = self._factored(x)
            self.depth -= 1
        return self.products[x]

    def _factored(self, x: Value) -> tuple[Value | None, Value | None]:
        build, made = self.build, self.build.maker(x)
        name = made.primitive.name if made else ""
        if made is None or name not in ("mul", "div", "neg") or self.depth >= _FAR:
            known = self._log_inside(x)
            return known, None if known else x
        parts = [self._factors(arg) for arg in made.args]
        logs, rests = [part[0] for part in parts], [part[1] for part in parts]
        if all(log is None for log in logs):
            return None, x
        if name == "neg":
            return logs[0], build.neg(1.0 if rests[0] is None else rests[0])
        if name == "mul":
            return _joined(build.add, 0.0, *logs), _joined(build.mul, 1.0, *rests)
        return _joined(build.sub, 0.0, *logs), _joined(build.div, 1.0, *rests)

    def _both(self, pair: tuple[Value, ...]) -> tuple[Value, Value] | None:
        """The logarithms of both where that of one is known."""
        a, b = (self.log(x) for x in pair)
        if a is None and b is None:
            return None
        if self.inside and (a is None or b is None):
            return None
        return a or self.build.log(pair[0]), b or self.build.log(pair[1])

    def _of_sum(self, a: Value, b: Value) -> Value | None:
        """log(exp(u) + exp(v)); 1 is exp(0)."""
        build = self.build
        for one, other in ((a, b), (b, a)):
            if build.number(one) == 1 and (inner := parts(build, other, "neg")):
                return self.log_rest(inner[0])
        u, v = parts(build, a, "exp"), parts(build, b, "exp")
        if v and build.number(a) == 1:
            return build.softplus(v[0])
        if u and build.number(b) == 1:
            return build.softplus(u[0])
        return build.add(u[0], build.softplus(build.sub(v[0], u[0]))) if u and v else None

    def _of_extreme(self, name: str, pair: tuple[Value, ...]) -> Value | None:
        """log(max(x, c)) is max(log(x), log(c)) for a number c, and log(x) where that is 0."""
        for x, other in (pair, pair[::-1]):
            number = self.build.number(other)
            inner = None if number is None or number < 0 else self._log_inside(x)
            if inner is None or number is None:
                continue
            if number > 0:
                return getattr(self.build, name)(inner, math.log(number))  # type: ignore[no-any-return]
            return inner if name == "maximum" else None
        return None

    def _of_rest(self, made: Op) -> Value | None:
        build = self.build
        match made.primitive.name, made.args:
            case "sigmoid", (u,):
                return build.neg(build.softplus(u))
            case "sub", (a, b):
                return self.log(b) if build.number(a) == 1 else None
            case ("maximum" | "minimum") as name, pair:
                for x, other in (pair, pair[::-1]):
                    number = build.number(other)
                    inner = None if number is None or number >= 1 else self.log_rest(x)
                    if inner is not None and number is not None:
                        turned = build.minimum if name == "maximum" else build.maximum
                        return turned(inner, math.log1p(-number))
                return None
            case "select", (condition, a, b):
                rests = self.log_rest(a), self.log_rest(b)
                if rests == (None, None) or (self.inside and None in rests):
                    return None
                logs = [
                    rest or build.log(build.sub(1.0, x))
                    for rest, x in zip(rests, (a, b), strict=True)
                ]
                return build.select(condition, *logs)
        return self._moved(made, [self.log_rest(arg) for arg in _sources(made)])

    def _moved(self, made: Op, logs: list[Value | None]) -> Value | None:
        """The same movement of other numbers."""
        known = [one for one in logs if one is not None]
        if not known or len(known) < len(logs):
            return None
        if isinstance(made.primitive, p.Reshape):
            return self.build.reshape(known[0], made.primitive.shape)
        return self.build.emit(made.primitive, *known, *made.args[len(known) :])


def _joined(
    join: Callable[[Operand, Operand], Value], least: float, a: Value | None, b: Value | None
) -> Value | None:
    """Both by `join`, of which `least` changes nothing; the only one there is, or none."""
    if b is None:
        return a
    commutes = join.__name__ in ("add", "mul")
    return b if a is None and commutes else join(least if a is None else a, b)


def _sources(made: Op) -> tuple[Value, ...]:
    """The arguments whose numbers the result has."""
    if isinstance(made.primitive, p.Concat):
        return made.args
    return made.args[:1] if isinstance(made.primitive, _MOVES) else ()

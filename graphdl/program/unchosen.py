"""What was not chosen sends nothing: a gradient of zero stays zero behind an infinite slope.

Where an `if` takes one side, where a maximum, a slice or a pick leaves numbers out, the gradient of
the others is zero. Their slope may be infinite or no number (that of `sqrt` at 0, of `log` where it
is below 0), and zero times that is not zero. So from there back the share of each such slope is
taken only where the gradient is not zero. What is known to be finite costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .facts import Bound
from .primitives import Pad, Reshape, ScatterAdd, Spread, Transpose, WindowMaxGradient
from .primitives.scan import Scan
from .program import Op, Value

if TYPE_CHECKING:
    from .builder import Builder

# Whose slopes depend on numbers; the others' are those of comparisons, or 1.
_SLOPES = {
    *("mul", "div", "power", "mod", "exp", "log", "sqrt", "abs", "tanh", "erf"),
    *("expm1", "log1p", "sigmoid", "softplus", "normal_cdf"),
}


class Side:
    """A part of all places, by a condition and whether it holds there, within another part."""

    def __init__(self, condition: Value, holds: bool, within: frozenset[Side]) -> None:
        self.condition, self.holds, self.within = condition, holds, within


Part = frozenset[Side]
WHOLE: Part = frozenset()


class Unchosen:
    """Which gradients are zero at places that were not chosen."""

    def __init__(self, build: Builder) -> None:
        self._build = build
        self._parts: dict[Value, Part] = {}

    def begin(self, gradient: Value) -> None:
        """Take it that a gradient that comes from elsewhere may be zero anywhere."""
        self._parts[gradient] = frozenset({Side(gradient, True, WHOLE)})

    def guarded(self, op: Op, grad: Value, shares: tuple[Value | None, ...]) -> list[Value | None]:
        """The shares of the arguments, safe where the gradient of the result is zero."""
        part = self._parts.get(grad, WHOLE)
        found: list[Value | None] = []
        for position, share in enumerate(shares):
            if share is None:
                found.append(None)
                continue
            if part and self._may_be_infinite(op, position):
                build = self._build
                share = build.select(build.not_equal(grad, 0.0), share, 0.0)
            if isinstance(op.primitive, Scan):
                self.begin(share)
            else:
                self._give(share, self._part_of(share, part))
            found.append(share)
        return found

    def added(self, total: Value, first: Value, second: Value) -> None:
        """Say of a gradient that it is the sum of two."""
        parts = [self._parts.get(one, WHOLE) for one in (first, second)]
        self._give(total, _union(*parts) if all(parts) else WHOLE)

    def _give(self, gradient: Value, part: Part) -> None:
        if part:
            self._parts[gradient] = part

    def _may_be_infinite(self, op: Op, position: int) -> bool:
        """Whether the slope for an argument may be other than a finite number."""
        name, facts = op.primitive.name, self._build.facts
        if name not in _SLOPES:
            return False
        if name == "mul":
            return not facts[op.args[1 - position]].finite
        if name == "sqrt" and facts[op.args[0]].low < Bound.POSITIVE:
            return True
        if name == "power" and facts[op.args[0]].low < Bound.POSITIVE:
            return True
        return not all(facts[value].finite for value in (*op.args, op.out))

    def _part_of(self, share: Value, part: Part) -> Part:
        """Where a share is not zero, when the gradient is not zero in `part`."""
        made = self._build.maker(share)
        while made and isinstance(made.primitive, Reshape | Transpose):
            made = self._build.maker(made.args[0])
        if made is None:
            return part
        if made.primitive.name == "select":
            condition, a, b = made.args
            if self._build.number(b) == 0:
                return frozenset({Side(condition, True, part)})
            if self._build.number(a) == 0:
                return frozenset({Side(condition, False, part)})
        if isinstance(made.primitive, Spread | Pad | ScatterAdd | WindowMaxGradient):
            return frozenset({Side(share, True, part)})
        return part


def _union(first: Part, second: Part) -> Part:
    """Two parts as one; both sides of a condition are all that it was asked of."""
    sides = {(side.condition, side.holds): side for side in first}
    whole: Part = WHOLE
    for side in second:
        other = sides.pop((side.condition, not side.holds), None)
        if other is None:
            sides[side.condition, side.holds] = side
        elif not side.within:
            return WHOLE
        else:
            whole = _union(whole, side.within) if whole else side.within
    rest = frozenset(sides.values())
    return _union(rest, whole) if rest and whole else rest or whole

"""Which updates may make something infinite although nothing that they are made of is huge.

The rules of the prelude with ordinary arguments do not: they divide by nothing that may be zero,
what they keep grows by no factor from step to step, and no function in them grows faster than its
argument. Where that cannot be seen in a formula, what it writes is looked at as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from ..program import Op, Program, Value
from ..program.primitives import Gather
from .fold import evaluated, filled
from .fused import Fused
from .idle import TINY

# The number of the step; of all other scalars, 1 is tried.
STEPS = (1.0, 2.0, 3.0, 10.0, 1e3, 1e6)
# By how much what is kept may grow in a step, signs left aside: a decay of 0.1 at a rate of 1.
GROWTH = 1.1
# What a number may be multiplied by.
LARGEST = 1e6
MOVED = {"broadcast", "reshape", "transpose", "stop", "copy", "cast", "slice", "reverse", "concat"}
BOUNDED = {"sign", "tanh", "sigmoid", "normal_cdf", "erf", "logical_not"}
BOUNDED |= {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
BOUNDED |= {"logical_and", "logical_or"}
NO_LARGER = {"neg", "abs", "sqrt", "floor", "maximum", "minimum", "select", "put_rows"}

# How much of each kept value there can be in a result; None where there is no saying.
Gains = dict[Value, float] | None
Numbers = tuple[float, ...] | None


def untamed(program: Program, sources: Collection[Value]) -> list[Value]:
    """New values that may be infinite although the sources are not."""
    found = _Formulas(program, sources)
    gains = {update: found.gains(update.value) for update in program.updates}
    wild = [update.value for update, gain in gains.items() if gain is None]
    known = {update.target: gain for update, gain in gains.items() if gain is not None}
    growing = {target for group in _joined(known) if _grows(group, known) for target in group}
    return wild + [u.value for u in program.updates if u.target in growing]


def _joined(known: Mapping[Value, Mapping[Value, float]]) -> list[list[Value]]:
    """What is kept, in groups: each with all that it is made from or that is made from it."""
    beside: dict[Value, set[Value]] = {target: set() for target in known}
    for target, gain in known.items():
        for kept in gain.keys() & known.keys():
            beside[target].add(kept)
            beside[kept].add(target)
    groups, seen = [], set[Value]()
    for target in known:
        if target not in seen:
            group = [target]
            for one in group:
                group += [other for other in beside[one] if other not in group]
            seen.update(group)
            groups.append(group)
    return groups


def _grows(group: Sequence[Value], known: Mapping[Value, Mapping[Value, float]]) -> bool:
    """Whether what is kept there grows by too large a factor in a step."""
    matrix = np.array([[known[target].get(kept, 0.0) for kept in group] for target in group])
    return bool(np.abs(np.linalg.eigvals(matrix)).max(initial=0.0) > GROWTH)


class _Formulas:
    """The operations of a program, those of groups one by one, as formulas of what is kept."""

    def __init__(self, program: Program, sources: Collection[Value]) -> None:
        self.made_by = {op.out: op for op in _every(program)}
        self.inputs = {i.value: i for i in program.inputs}
        self._gains: dict[Value, Gains] = {value: {} for value in sources}
        self._numbers: dict[Value, Numbers] = {}
        self._signs: dict[Value, int] = {}
        # In the order of the program what a value is made of is known already: a sum of sums of a
        # thousand layers is otherwise asked for once along each way that leads to it.
        for value in self.made_by:
            self.sign(value)

    def gains(self, value: Value) -> Gains:
        if value not in self._gains:
            self._gains[value] = self._found(value)
        return self._gains[value]

    def _found(self, value: Value) -> Gains:
        if value.type.kind != "float":
            return {}
        numbers, op = self.numbers(value), self.made_by.get(value)
        if numbers is not None:
            return {} if max(map(abs, numbers)) <= LARGEST else None
        if op is None:
            return {value: 1.0} if self.inputs[value].role in ("weight", "state") else {}
        if isinstance(op.primitive, Gather):
            return self.gains(op.args[0])
        name = op.primitive.name
        if name in BOUNDED or not (op.primitive.pointwise or name in MOVED or name == "put_rows"):
            return {}
        return self._formula(op)

    def _formula(self, op: Op) -> Gains:
        parts = [self.gains(arg) for arg in op.args]
        whole = [part for part in parts if part is not None]
        if len(whole) < len(parts):
            return None
        match op.primitive.name:
            case "add" | "sub":
                return _summed(whole)
            case "mul":
                most = [self.most(arg) for arg in op.args]
                # The product of what is kept with something else is no share of it any more.
                factors = [LARGEST if n is None else n for n in reversed(most)]
                pairs = zip(whole, factors, strict=True)
                return _summed({k: f * gain for k, gain in part.items()} for part, f in pairs)
            case "div" if self.sign(op.args[1]) == 2:
                divisor = self.numbers(op.args[1])
                least = min(divisor) if divisor is not None else 1.0
                return {k: gain / least for k, gain in whole[0].items()}
            case name if name in NO_LARGER or name in MOVED:
                return {k: max(p.get(k, 0.0) for p in whole) for p in whole for k in p}
        return None

    def most(self, value: Value) -> float | None:
        """The largest that a value can be, signs left aside; None where that is not known."""
        numbers, op = self.numbers(value), self.made_by.get(value)
        if numbers is not None:
            return max(map(abs, numbers))
        if op is None:
            return None
        name = op.primitive.name
        if name in BOUNDED:
            return 1.0
        if name in MOVED and len(op.args) == 1:
            return self.most(op.args[0])
        if name == "minimum" and self.sign(value) > 0:
            return min((n for n in map(self.most, op.args) if n is not None), default=None)
        if name == "div":
            above, least = self.most(op.args[0]), self._least(op.args[1])
            return None if above is None or least <= 0 else above / least
        return None

    def _least(self, value: Value) -> float:
        numbers, op = self.numbers(value), self.made_by.get(value)
        if numbers is not None:
            return min(numbers)
        if op is not None and (op.primitive.name == "maximum" or op.primitive.name in MOVED):
            return max(self._least(arg) for arg in op.args)
        return 0.0

    def numbers(self, value: Value) -> Numbers:
        """What a value that depends on scalars only is at some steps; None for any other."""
        if value not in self._numbers:
            self._numbers[value] = self._tried(value)
        return self._numbers[value]

    def _tried(self, value: Value) -> Numbers:
        known = filled(self.made_by, value)
        if known is not None:
            return (float(known),) * len(STEPS)
        given = self.inputs.get(value)
        if given is not None:
            several = STEPS if given.key == "step" else (1.0,) * len(STEPS)
            return several if given.role == "scalar" else None
        op = self.made_by[value]
        if not op.args or not (op.primitive.pointwise or op.primitive.name in MOVED):
            return None
        parts = [self.numbers(arg) for arg in op.args]
        whole = [part for part in parts if part is not None]
        if len(whole) < len(parts):
            return None
        if not op.primitive.pointwise:
            return whole[0] if len(whole) == 1 else None
        found = tuple(float(evaluated(op, each)) for each in zip(*whole, strict=True))
        return tuple(n if np.isfinite(n) else np.inf for n in found)

    def sign(self, value: Value) -> int:
        """2 for what is more than zero, 1 for what is not less, 0 for what is not known."""
        if value not in self._signs:
            self._signs[value] = self._sign(value)
        return self._signs[value]

    def _sign(self, value: Value) -> int:
        numbers, op = self.numbers(value), self.made_by.get(value)
        if numbers is not None:
            return 2 if min(numbers) > TINY else int(min(numbers) >= 0)
        if op is None:
            return 0
        name = op.primitive.name
        if name == "mul" and op.args[0] is op.args[1]:
            return 1
        if name == "extent":
            return 2
        signs = [self.sign(arg) for arg in op.args]
        if op.primitive.not_negative:
            return 2 if name == "sqrt" and signs[0] == 2 else 1
        if name in ("sum", "mean"):
            return min(1, signs[0])
        if name == "div":
            return min(1, signs[0]) if signs[1] == 2 else 0
        if name == "minimum":
            return min(signs)
        if name in MOVED and signs:
            return min(signs)
        if name == "mul":
            return min(1, *signs)  # a product of two small numbers may be zero
        if name in ("add", "maximum"):
            return max(signs) if name == "maximum" or min(signs) else 0
        return 0


def _summed(parts: Iterable[dict[Value, float]]) -> dict[Value, float]:
    total: dict[Value, float] = {}
    for part in parts:
        for kept, gain in part.items():
            total[kept] = total.get(kept, 0.0) + gain
    return total


def _every(program: Program) -> Iterator[Op]:
    for op in program.ops:
        if isinstance(op.primitive, Fused):
            yield from op.primitive.expand(op)
        else:
            yield op

"""What a scan does at one step: a small program of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .program import Input, Op, Program, Type, Value
from .size import Dim, product


@dataclass(frozen=True, eq=False, slots=True)
class Body:
    """The operations of a step; they read nothing but its own values.

    steps      one entry of each sequence that is stepped over
    held       values that are the same at every step
    carried    states before the step; `following` are the states after it
    emitted    what else is kept of every step
    """

    steps: tuple[Value, ...]
    held: tuple[Value, ...]
    carried: tuple[Value, ...]
    ops: tuple[Op, ...]
    following: tuple[Value, ...]
    emitted: tuple[Value, ...]

    @property
    def given(self) -> tuple[Value, ...]:
        """What comes from outside, in the order of the scan's arguments."""
        return self.steps + self.held + self.carried

    @property
    def results(self) -> tuple[Value, ...]:
        """What is kept of every step."""
        return self.following + self.emitted

    @property
    def program(self) -> Program:
        """The body by itself: its outputs are the results in order."""
        inputs = tuple(Input(value, "data", value.name) for value in self.given)
        outputs = tuple((str(number), value) for number, value in enumerate(self.results))
        return Program(inputs, self.ops, outputs)

    def rewritten(self, program: Program) -> Body:
        """The same step by the operations of another program for it."""
        results = tuple(value for _, value in program.outputs)
        count = len(self.following)
        return replace(self, ops=program.ops, following=results[:count], emitted=results[count:])

    @property
    def count(self) -> Dim:
        """How many numbers are kept of one step."""
        total: Dim = 0
        for value in self.results:
            total = total + value.type.count
        return total


def pieces(types: tuple[Type, ...], length: Dim) -> Iterator[tuple[Dim, Dim]]:
    """Where results of these types, `length` of each, begin and end in a packed array."""
    start: Dim = 0
    for type in types:
        stop = start + length * product(type.shape)
        yield start, stop
        start = stop

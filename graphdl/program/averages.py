"""How a figure of many batches follows from figures of each: what it computes says it.

A figure is split at its last reductions over the batch. What is summed over examples is summed over
batches too, and the rest (a quotient, an exp, a root) is worked out once, of the sums.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from .primitives import (
    Add,
    Amax,
    Amin,
    Broadcast,
    Cast,
    Constant,
    Contract,
    Copy,
    Div,
    Extent,
    Mean,
    Mul,
    Neg,
    Reshape,
    Slice,
    Stop,
    Sub,
    Sum,
    Transpose,
)
from .program import Input, Op, Program, Value
from .size import Dim, Size, product

BATCH = Size.named("B")
How = Literal["mean", "sum", "max", "min", "same"]
# What becomes k times as large when its argument does.
LINEAR = (Neg, Reshape, Transpose, Broadcast, Slice, Stop, Copy, Cast, Sum, Mean)


@dataclass(frozen=True, slots=True)
class Part:
    """How one output of a program is gathered over batches; a mean has a weight in each."""

    how: How
    weight: Dim = BATCH


@dataclass(frozen=True, slots=True)
class Averages:
    """How figures are gathered over batches.

    parts     every output that is gathered, by name
    values    those of them that are no figures: outputs to be added to the program
    finish    for each figure that is made of others, the program that makes it
    whole     figures that compare examples of a batch with each other, and need all of them at once
    weights   every weight of a mean
    inputs    the data, whose shapes tell the weights
    """

    parts: dict[str, Part] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    finish: dict[str, Program] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    weights: frozenset[Dim] = frozenset({BATCH})
    inputs: tuple[Input, ...] = ()


def averages(
    ops: Sequence[Op], data: Iterable[Input], figures: Mapping[str, Value], *, training: bool
) -> Averages:
    """How these values of a program are gathered over its batches.

    While training a batch may be normalised by itself: its figures are then taken as they are.
    """
    found = Averages(inputs=tuple(data))
    split = _Split(ops, training)
    whole: list[str] = []
    for name, value in figures.items():
        how = split.how(value)
        found.parts[name] = how or Part("mean")
        if how is not None:
            continue
        try:
            leaves, inside = split.cut(value)
        except _Mixed:
            whole += [] if training else [name]
            continue
        keys = _named(found, name, leaves)
        made = tuple(Input(leaf, "data", keys[leaf]) for leaf in leaves)
        found.finish[name] = Program(made, tuple(inside), ((name, value),), ())
    weights = frozenset(part.weight for part in found.parts.values())
    return replace(found, whole=tuple(whole), weights=weights)


def _named(found: Averages, figure: str, leaves: Mapping[Value, Part]) -> dict[Value, str]:
    """A name for each part; figures share the parts that they have in common."""
    known = {value: name for name, value in found.values.items()}
    for place, (leaf, part) in enumerate(leaves.items()):
        name = known.setdefault(leaf, f"{figure}|{place}")
        found.values[name], found.parts[name] = leaf, part
    return known


class _Mixed(Exception):  # noqa: N818 - one of the two ways out of `cut`
    """A value takes the examples of a batch together, in a way that no sum over batches gives."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a value without a batch axis depends on the batch: `word`, and the weight of a mean.

    free      not at all
    total     summed over the examples; `count`: a number of them
    mean      a total by a count; `inverse`: one by a count
    """

    word: Literal["free", "total", "count", "mean", "inverse"]
    weight: Dim = BATCH

    @property
    def additive(self) -> bool:
        return self.word in ("total", "count")


FREE, TOTAL = _Kind("free"), _Kind("total")


class _Split:
    """What is known of every value of a program, found in one walk through it.

    steady   values whose rows depend on their own example alone
    kinds    of values without a batch axis, where it is a simple one
    """

    def __init__(self, ops: Sequence[Op], training: bool) -> None:
        self.ops = {op.out: op for op in ops}
        self.order = {op.out: place for place, op in enumerate(ops)}
        self.training = training
        self.steady: dict[Value, bool] = {}
        self.kinds: dict[Value, _Kind | None] = {}
        for op in ops:
            self.steady[op.out] = self._is_steady(op)
            self.kinds[op.out] = None if _batched(op.out) else self._kind(op)

    def how(self, value: Value) -> Part | None:
        """How a whole figure is gathered, or None where it has to be cut."""
        kind = self._of(value)
        if kind is None or kind.word == "inverse":
            return None
        return Part("sum") if kind.additive else Part("mean", kind.weight)

    def cut(self, value: Value) -> tuple[dict[Value, Part], list[Op]]:
        """The values to gather, and the operations from there to the figure."""
        leaves: dict[Value, Part] = {}
        inside: dict[Value, Op] = {}
        pending = [value]
        while pending:
            one = pending.pop()
            if one in leaves or one in inside:
                continue
            part = self._leaf(one)
            if part is not None:
                leaves[one] = part
                continue
            inside[one] = op = self.ops[one]
            pending += reversed(op.args)
        return leaves, [inside[v] for v in sorted(inside, key=self.order.__getitem__)]

    def _leaf(self, value: Value) -> Part | None:
        """How a value is gathered, None for one that is worked out of others."""
        op = self.ops.get(value)
        if op is not None and isinstance(op.primitive, Constant):
            return None
        if (part := self.how(value)) is not None:
            return part
        assert op is not None
        if isinstance(op.primitive, Extent):
            if "B" in _names(op.primitive.dim):
                raise _Mixed
            return Part("same")
        if not any(map(_batched, op.args)):
            return None
        if not self._reduces_alike(op) or not isinstance(op.primitive, Amax):
            raise _Mixed
        return Part("min" if isinstance(op.primitive, Amin) else "max")

    def _of(self, value: Value) -> _Kind | None:
        if value in self.ops:
            return self.kinds[value]
        return None if _batched(value) else FREE

    def _is_steady(self, op: Op) -> bool:
        if isinstance(op.primitive, Extent):
            return "B" not in _names(op.primitive.dim)
        if not _batched(op.out) and any(map(_batched, op.args)):
            return False
        return all(self.steady.get(arg, True) for arg in op.args)

    def _reduces_alike(self, op: Op) -> bool:
        """Whether what an operation reduces over the batch is of each example alone."""
        return self.training or all(self.steady.get(arg, True) for arg in op.args)

    def _kind(self, op: Op) -> _Kind | None:
        primitive = op.primitive
        if isinstance(primitive, Extent):
            return _of_extent(primitive.dim)
        if any(map(_batched, op.args)):
            if not self._reduces_alike(op):
                return None
            if isinstance(primitive, Mean):
                return _of_mean(product(tuple(op.args[0].type.shape[a] for a in primitive.axes)))
            return TOTAL if isinstance(primitive, Sum | Contract) else None
        kinds = [self._of(arg) for arg in op.args]
        if all(kind == FREE for kind in kinds):
            return FREE
        if isinstance(primitive, LINEAR) and op.out.type.kind == "float":
            return _scaled(kinds[0])
        if len(kinds) != 2 or kinds[0] is None or kinds[1] is None:
            return None
        if isinstance(primitive, Add | Sub):
            return _added(kinds[0], kinds[1])
        if isinstance(primitive, Mul):
            return _multiplied(kinds[0], kinds[1]) or _multiplied(kinds[1], kinds[0])
        return _divided(kinds[0], kinds[1]) if isinstance(primitive, Div) else None


def _of_extent(dim: Dim) -> _Kind | None:
    names = _names(dim)
    if not names:
        return FREE
    return _Kind("count", _weight(dim)) if _proportional(dim) else None


def _of_mean(count: Dim) -> _Kind | None:
    return _Kind("mean", _weight(count)) if _proportional(count) else None


def _weight(count: Dim) -> Dim:
    """A count in its simplest form: what is left out is the same in every batch."""
    assert isinstance(count, Size)
    common = math.gcd(*(factor for _, factor in count.terms))
    return Size(tuple((monomial, factor // common) for monomial, factor in count.terms))


def _proportional(dim: Dim) -> bool:
    """Whether a size is so many times the number of examples."""
    if not isinstance(dim, Size):
        return False
    return all(
        [atom for atom in monomial if "B" in Size((((atom,), 1),)).names()] == ["B"]
        for monomial, _ in dim.terms
    )


def _scaled(kind: _Kind | None) -> _Kind | None:
    """Of a value times what does not depend on the batch."""
    if kind is None or kind.word == "count":
        return kind and TOTAL
    return kind


def _added(a: _Kind, b: _Kind) -> _Kind | None:
    if a.additive and b.additive:
        return TOTAL
    if {a.word, b.word} == {"mean", "free"}:
        return a if a.word == "mean" else b
    return a if a == b and a.word == "mean" else None


def _multiplied(a: _Kind, b: _Kind) -> _Kind | None:
    if b.word == "free":
        return _scaled(a)
    return _Kind("mean", b.weight) if a.additive and b.word == "inverse" else None


def _divided(a: _Kind, b: _Kind) -> _Kind | None:
    if b.word == "free":
        return _scaled(a)
    if b.word != "count":
        return None
    if a.word == "free":
        return _Kind("inverse", b.weight)
    return _Kind("mean", b.weight) if a.additive else None


def _batched(value: Value) -> bool:
    return any("B" in _names(dim) for dim in value.type.shape)


def _names(dim: Dim) -> frozenset[str]:
    return dim.names() if isinstance(dim, Size) else frozenset()

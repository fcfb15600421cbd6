"""Gradients of maxima are worked out where a number was chosen, and nowhere else.

The gradient of a maximum along an axis is `spread`: in each row one number and zeros. As long as
pointwise operations keep the zeros (that of a ReLU does), only the chosen entries are computed,
what else they need is picked at the same places, and sums and contractions take these entries.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..program import Dim, Op, Primitive, Program, Value
from ..program.primitives import (
    Broadcast,
    Contract,
    ContractSpread,
    Copy,
    Pick,
    Reshape,
    Spread,
    Sum,
    Transpose,
)
from ..program.primitives.spec import parse
from .idle import Idle

# Shorter rows are as fast with their zeros.
LEAST = 8


def chosen_entries(program: Program) -> Program:
    """Let what reads a value with one entry in each row that is not zero read that entry."""
    if not any(_is_long(op) for op in program.ops):
        return program
    return _Choosing(program).walk()


def _is_long(op: Op) -> bool:
    count = getattr(op.primitive, "count", 0)
    return isinstance(op.primitive, Spread) and not (isinstance(count, int) and count < LEAST)


@dataclass(eq=False)
class _Family:
    """Values that are zero but at the same places.

    ids      the chosen places, without the axis along which they are chosen
    axis     which one that is
    idle     what values are at the other places
    known    chosen entries of values
    """

    ids: Value
    axis: int
    idle: Idle
    known: dict[Value, Value] = field(default_factory=dict)


class _Choosing:
    """The walk: dense values stay, and go later where nothing reads them any more."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.made_by = {op.out: op for op in program.ops}
        self.families: dict[tuple[Value, int], _Family] = {}
        self.family_of: dict[Value, _Family] = {}
        self.turned: dict[tuple[Value, tuple[int, ...]], Value] = {}
        self.ops: list[Op] = []
        self.fresh = 0
        # What is there as a whole whatever is chosen from it.
        self.whole = set(program.results)
        for op in program.ops:
            if not op.primitive.pointwise:
                self.whole.update(op.args)

    def walk(self) -> Program:
        """The program with all that can take chosen entries taking them."""
        for op in self.program.ops:
            self._place(op)
            found = self._instead(op)
            self.ops.append(found if found is not None else op)
        return replace(self.program, ops=tuple(self.ops))

    # ---- which values are zero but for chosen entries ----------------------------------------

    def _place(self, op: Op) -> None:
        """Find the family of a result, if it has one."""
        primitive = op.primitive
        if isinstance(primitive, Spread) and _is_long(op):
            family = self._family(op.args[0], len(op.out.type.shape) - 1)
            family.known[op.out] = op.args[1]
            self._join(op.out, family)
        elif isinstance(primitive, Transpose) and op.args[0] in self.family_of:
            source = self.family_of[op.args[0]]
            axis = primitive.permutation.index(source.axis)
            rest = _without(primitive.permutation, source.axis)
            family = self._family(self._transposed(op, source.ids, rest), axis)
            self._join(op.out, family)
        elif primitive.pointwise:
            families = {self.family_of[arg] for arg in op.args if arg in self.family_of}
            if len(families) == 1:
                (family,) = families
                if family.idle[op.out] == 0:
                    self.family_of[op.out] = family

    def _family(self, ids: Value, axis: int) -> _Family:
        key = ids, axis
        if key not in self.families:
            self.families[key] = _Family(ids, axis, Idle(self.program, ()))
        return self.families[key]

    def _join(self, value: Value, family: _Family) -> None:
        family.idle.zero(value)
        self.family_of[value] = family

    # ---- what reads them ---------------------------------------------------------------------

    def _instead(self, op: Op) -> Op | None:
        """The operation that reads chosen entries instead."""
        primitive = op.primitive
        if isinstance(primitive, Sum):
            return self._sum(op, primitive)
        if isinstance(primitive, Contract):
            for side, value in enumerate(op.args):
                family = self.family_of.get(value)
                if family and isinstance(parse(primitive.spec)[side][family.axis], str):
                    return self._contraction(op, primitive, side, family)
        return None

    def _sum(self, op: Op, primitive: Sum) -> Op | None:
        (value,) = op.args
        family = self.family_of.get(value)
        if family is None or family.axis not in primitive.axes:
            return None
        axes = _without(primitive.axes, family.axis)
        return replace(
            op, primitive=Sum(axes) if axes else Copy(), args=(self._entries(value, family),)
        )

    def _contraction(self, op: Op, primitive: Contract, side: int, family: _Family) -> Op:
        value, other = op.args[side], op.args[1 - side]
        count = value.type.shape[family.axis]
        spread = ContractSpread(primitive.spec, family.axis, count, side, primitive.extents)
        return replace(op, primitive=spread, args=(family.ids, self._entries(value, family), other))

    # ---- the chosen entries ------------------------------------------------------------------

    def _entries(self, value: Value, family: _Family) -> Value:
        """The entries of a value at the places of a family."""
        if value not in family.known:
            family.known[value] = self._made(value, family)
        return family.known[value]

    def _made(self, value: Value, family: _Family) -> Value:
        op = self.made_by.get(value)
        own = self.family_of.get(value) is family
        if op is None:
            return self._picked(value, family)
        if own and isinstance(op.primitive, Transpose):
            source = self.family_of[op.args[0]]
            rest = _without(op.primitive.permutation, source.axis)
            return self._transposed(op, self._entries(op.args[0], source), rest)
        if op.primitive.pointwise and (own or value not in self.whole):
            args = (self._entries(arg, family) for arg in op.args)
            return self._emit(op, op.primitive, *args)
        if isinstance(op.primitive, Broadcast):
            row = self._same_in_rows(op, family.axis)
            if row is not None:
                return self._emit(op, Broadcast(_rows(value, family)), row)
        return self._picked(value, family)

    def _same_in_rows(self, op: Op, axis: int) -> Value | None:
        """What is repeated, without the axis of choice; None where it differs along that axis."""
        (source,) = op.args
        shape = source.type.shape
        place = axis - (len(op.out.type.shape) - len(shape))
        if place < 0:
            return source
        if shape[place] != 1:
            return None
        return self._emit(op, Reshape((*shape[:place], *shape[place + 1 :])), source)

    def _picked(self, value: Value, family: _Family) -> Value:
        last = len(value.type.shape) - 1
        order = (*(axis for axis in range(last + 1) if axis != family.axis), family.axis)
        near = self.made_by.get(value) or self.made_by[family.ids]
        rows = value if family.axis == last else self._emit(near, Transpose(order), value)
        return self._emit(near, Pick(), rows, family.ids)

    def _transposed(self, near: Op, value: Value, order: tuple[int, ...]) -> Value:
        """Entries or ids with their axes in another order."""
        ranks = sorted(order)
        permutation = tuple(ranks.index(axis) for axis in order)
        if permutation == tuple(range(len(order))):
            return value
        key = value, permutation
        if key not in self.turned:
            self.turned[key] = self._emit(near, Transpose(permutation), value)
        return self.turned[key]

    def _emit(self, near: Op, primitive: Primitive, *args: Value) -> Value:
        self.fresh += 1
        name = f"{near.out.name}.chosen{self.fresh}"
        out = Value(name, primitive.infer(*(arg.type for arg in args)))
        op = Op(out, primitive, args, near.origin)
        self.ops.append(op)
        self.made_by[out] = op
        return out


def _without(axes: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """Axes as they are counted where `axis` is not there."""
    return tuple(one - (one > axis) for one in axes if one != axis)


def _rows(value: Value, family: _Family) -> tuple[Dim, ...]:
    shape = value.type.shape
    return (*shape[: family.axis], *shape[family.axis + 1 :])

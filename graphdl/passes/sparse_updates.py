"""Tables whose update changes nothing where the gradient is zero are updated by rows.

The gradient of `gather` is zero but for the rows that were gathered. Where an optimiser's rule is
pointwise and leaves weight and states as they are for a gradient of zero, only those rows are
computed and put back; what the rule does is worked out, not looked up. The results are those of
the whole table to the last bit, except that a sum over it (the norm that `clip` takes) adds up
in another order.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from ..program import Dim, Op, Primitive, Program, Update, Value, product
from ..program.layout import can_reshape
from ..program.primitives import (
    Broadcast,
    Concat,
    Constant,
    Copy,
    Div,
    Gather,
    MergeRows,
    Mul,
    PutRows,
    Reshape,
    ScatterAdd,
    Sum,
)
from .idle import Idle

# Smaller tables are as fast as a whole. By rows is faster while fewer ids come than half the rows.
LEAST = 2048

Tables = tuple[Value, ...]


def sparse_updates(program: Program) -> Program:
    """Update by rows what is left as it is by a gradient of zero."""
    if not program.updates:
        return program
    tables = {op.out for op in program.ops if _is_large(op)}
    while tables:
        reach = _reach(program, tables)
        dense = _dense(program, reach, Idle(program, tables))
        if not dense:
            return _Rows(program, reach).walk()
        tables -= dense
    return program


def _is_large(op: Op) -> bool:
    if not isinstance(op.primitive, ScatterAdd):
        return False
    count, ids = op.primitive.count, product(op.args[0].type.shape)
    return isinstance(count, int) and count >= max(LEAST, 2 * ids if isinstance(ids, int) else 0)


def _reach(program: Program, tables: set[Value]) -> dict[Value, Tables]:
    """The values that pointwise operations make of the tables, with the tables behind each."""
    reach: dict[Value, Tables] = {}
    for op in program.ops:
        if op.out in tables:
            reach[op.out] = (op.out,)
        elif op.primitive.pointwise and any(arg in reach for arg in op.args):
            behind = [table for arg in op.args for table in reach.get(arg, ())]
            reach[op.out] = tuple(dict.fromkeys(behind))
    return reach


def _dense(program: Program, reach: dict[Value, Tables], idle: Idle) -> set[Value]:
    """The tables that something needs as a whole."""
    dense: set[Value] = set()
    for op in program.ops:
        if op.out not in reach and not _is_total(op, idle):
            dense.update(table for arg in op.args for table in reach.get(arg, ()))
    for _, value in program.outputs:
        dense.update(reach.get(value, ()))
    for update in program.updates:
        if update.value in reach and idle[update.value] is not update.target:
            dense.update(reach[update.value])
    return dense


def _is_total(op: Op, idle: Idle) -> bool:
    """Whether the operation adds up all rows, of which those that are left out are zero."""
    return isinstance(op.primitive, Sum) and 0 in op.primitive.axes and idle[op.args[0]] == 0


class _Rows:
    """The walk: what is made of the tables is made of their rows instead."""

    def __init__(self, program: Program, reach: dict[Value, Tables]) -> None:
        self.program, self.reach = program, reach
        self.made_by = {op.out: op for op in program.ops}
        self.ops: list[Op] = []
        self.known: dict[tuple[Value, Tables], Value] = {}
        self.places: dict[Tables, Value] = {}
        self.shares: dict[Value, Value] = {}
        self.origin, self.fresh = "", 0

    def walk(self) -> Program:
        """The program without the tables."""
        targets: dict[Value, list[Value]] = defaultdict(list)
        for update in self.program.updates:
            targets[update.value].append(update.target)
        new: dict[Value, Value] = {}
        for op in self.program.ops:
            self.origin = op.origin
            if op.out in self.reach:
                for target in targets[op.out]:
                    new[target] = self._put(target, op.out)
            elif any(arg in self.reach for arg in op.args):
                self._total(op)
            else:
                self.ops.append(op)
        updates = tuple(Update(u.target, new.get(u.target, u.value)) for u in self.program.updates)
        return replace(self.program, ops=tuple(self.ops), updates=updates)

    def _put(self, target: Value, value: Value) -> Value:
        """The new weight or state: the old one with the rows that change."""
        tables = self.reach[value]
        places = self._places(tables)
        return self._emit(value, PutRows(), target, places, self._rows(value, tables))

    def _total(self, op: Op) -> None:
        """A sum over all rows: each of several places with one id adds its share."""
        assert isinstance(op.primitive, Sum)
        (value,) = op.args
        tables = self.reach[value]
        places, rows = self._places(tables), self._rows(value, tables)
        lead = len(places.type.shape)
        inner = tuple(axis - 1 + lead for axis in op.primitive.axes if axis)
        part = self._emit(value, Sum(inner), rows) if inner else rows
        share, shape = self._share(places, value), part.type.shape
        if shape != share.type.shape:
            column = (*share.type.shape, *(1,) * (len(shape) - lead))
            column_share = self._emit(value, Reshape(column), share)
            share = self._emit(value, Broadcast(shape), column_share)
        part = self._emit(value, Mul(), part, share)
        self.ops.append(replace(op, primitive=Sum(tuple(range(lead))), args=(part,)))

    def _share(self, places: Value, near: Value) -> Value:
        """For each place 1 over the number of places with the same id."""
        if places not in self.shares:
            ones = self._broadcast(self._emit(near, Constant(1.0)), places.type.shape, near)
            merge = MergeRows(near.type.shape[0])
            count = self._emit(near, merge, places, ones, places)
            self.shares[places] = self._emit(near, Div(), ones, count)
        return self.shares[places]

    def _places(self, tables: Tables) -> Value:
        """The rows of the tables that are not zero, as ids; some may come more than once."""
        if tables not in self.places:
            every = tuple(dict.fromkeys(self.made_by[table].args[0] for table in tables))
            flat = [self._flat(ids) for ids in every] if len(every) > 1 else list(every)
            whole = self._emit(tables[0], Concat(0), *flat) if len(flat) > 1 else flat[0]
            self.places[tables] = whole
        return self.places[tables]

    def _flat(self, ids: Value) -> Value:
        shape = (product(ids.type.shape),)
        if not can_reshape(self.made_by, ids, shape):
            ids = self._emit(ids, Copy(), ids)
        return ids if ids.type.shape == shape else self._emit(ids, Reshape(shape), ids)

    def _rows(self, value: Value, tables: Tables) -> Value:
        """The rows of a value at the places where one of the tables is not zero."""
        key = value, tables
        if key not in self.known:
            self.known[key] = self._made(value, tables)
        return self.known[key]

    def _made(self, value: Value, tables: Tables) -> Value:
        op, places = self.made_by.get(value), self._places(tables)
        if op is None:
            return self._emit(value, Gather(), value, places)
        if value in tables:
            return self._emit(value, MergeRows(value.type.shape[0]), *op.args, places)
        if op.primitive.pointwise:
            return self._emit(value, op.primitive, *(self._rows(a, tables) for a in op.args))
        source = op.args[0] if op.args else value
        if isinstance(op.primitive, Broadcast) and _is_same_in_all_rows(value, source):
            return self._broadcast(source, places.type.shape + value.type.shape[1:], value)
        return self._emit(value, Gather(), value, places)

    def _broadcast(self, source: Value, shape: tuple[Dim, ...], near: Value) -> Value:
        if len(source.type.shape) == len(near.type.shape):
            source = self._flat_row(source, near)
        return self._emit(near, Broadcast(shape), source)

    def _flat_row(self, source: Value, near: Value) -> Value:
        """The only row of a table without the axis of rows."""
        if not can_reshape(self.made_by, source, source.type.shape[1:]):
            source = self._emit(near, Copy(), source)
        return self._emit(near, Reshape(source.type.shape[1:]), source)

    def _emit(self, near: Value, primitive: Primitive, *args: Value) -> Value:
        type = primitive.infer(*(arg.type for arg in args))
        self.fresh += 1
        out = Value(f"{near.name}.rows{self.fresh}", type)
        maker = self.made_by.get(near)
        op = Op(out, primitive, args, maker.origin if maker else self.origin)
        self.ops.append(op)
        self.made_by[out] = op
        return out


def _is_same_in_all_rows(value: Value, source: Value) -> bool:
    return len(source.type.shape) < len(value.type.shape) or source.type.shape[0] == 1

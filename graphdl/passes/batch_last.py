"""Convolutions and what lies between them keep the batch as their last axis.

Windows of all examples are then copied in long runs, and one product serves the whole batch.
"""

from __future__ import annotations

from dataclasses import replace

from ..program import Op, Primitive, Program, Update, Value
from ..program.layout import can_reshape
from ..program.primitives import (
    Broadcast,
    Concat,
    Contract,
    Copy,
    Mean,
    Reshape,
    Slice,
    Stop,
    Sum,
    Transpose,
    WindowMax,
    WindowMaxGradient,
    WindowMean,
    WindowMeanGradient,
)
from ..program.primitives.spec import Axes, labels_of, parse, windows_of, written

WINDOWS = (WindowMax, WindowMaxGradient, WindowMean, WindowMeanGradient)


def batch_last(program: Program) -> Program:
    """Move the first axis of convolutions' operands to the end, as far as that helps."""
    if not any(_convolves(op) for op in program.ops):
        return program
    return _Turning(program).walk()


def _convolves(op: Op) -> bool:
    return isinstance(op.primitive, Contract) and _moved_spec(op.primitive) is not None


def _moved_spec(contract: Contract) -> str | None:
    """The contraction with its batch label last; None when there are no windows or no batch."""
    operands = parse(contract.spec)
    if not any(windows_of(axes) for axes in operands) or _is_channels_last(operands):
        return None
    labels = [axes[0] for axes in operands if axes and isinstance(axes[0], str)]
    batch = next((la for la in labels if labels.count(la) == 2), None)
    if batch is None or sum(batch in labels_of(axes) for axes in operands) != 2:
        return None
    left, right, out = (_moved(axes, batch) for axes in operands)
    return f"{written(left)}, {written(right)} -> {written(out)}"


def _is_channels_last(operands: tuple[Axes, ...]) -> bool:
    """Whether the features of a place lie together: windows are then long runs already."""
    wide = next(axes for axes in operands if windows_of(axes))
    position, last = windows_of(wide)[0].position, wide[-1]
    others = [labels_of(axes) for axes in operands if axes is not wide]
    return any(last in labels and position not in labels for labels in others)


def _moved(axes: Axes, batch: object) -> Axes:
    return (*axes[1:], axes[0]) if axes and axes[0] == batch else axes


class _Turning:
    """The walk: every value has its own form, the one with the batch last, or both."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ops: list[Op] = []
        self.made: dict[Value, Op] = {}
        self.made_by = {op.out: op for op in program.ops}
        self.first: dict[Value, Value] = {i.value: i.value for i in program.inputs}
        self.last: dict[Value, Value] = {}
        self.fresh = 0

    def walk(self) -> Program:
        """The program with every operation in the form that suits it."""
        for op in self.program.ops:
            if not self._turned(op):
                args = tuple(self.as_first(a) for a in op.args)
                self._keep(replace(op, args=args))
                self.first[op.out] = op.out
        outputs = tuple((n, self.as_first(v)) for n, v in self.program.outputs)
        updates = tuple(Update(u.target, self.as_first(u.value)) for u in self.program.updates)
        return replace(self.program, ops=tuple(self.ops), outputs=outputs, updates=updates)

    # ---- the two forms of a value ------------------------------------------------------

    def as_first(self, value: Value) -> Value:
        """The value as the program has it."""
        if value not in self.first:
            rank = len(value.type.shape)
            turned = self._emit(value, Transpose((rank - 1, *range(rank - 1))), self.last[value])
            self.first[value] = self._emit(value, Copy(), turned)
        return self.first[value]

    def as_last(self, value: Value) -> Value:
        """The value with its first axis last."""
        if value not in self.last:
            self.last[value] = self._moved(value)
        return self.last[value]

    def _moved(self, value: Value) -> Value:
        rank = len(value.type.shape)
        order = (*range(1, rank), 0)
        op = self.made_by.get(value)
        if op is not None and isinstance(op.primitive, Broadcast):
            return self._broadcast(op)
        source = self.as_first(value)
        if op is not None and isinstance(op.primitive, Transpose):
            # Two turns in one copy.
            source = self.as_first(op.args[0])
            order = tuple(op.primitive.permutation[axis] for axis in order)
        return self._emit(value, Copy(), self._emit(value, Transpose(order), source))

    def _broadcast(self, op: Op) -> Value:
        """A value repeated along the batch or other axes needs no copy to be turned."""
        (source,) = op.args
        shape = op.out.type.shape
        lead = len(shape) - len(source.type.shape)
        if not lead:
            source = self.as_last(source)
        elif lead > 0:
            padded = (*(1,) * (lead - 1), *source.type.shape, 1)
            source = self._emit(op.out, Reshape(padded), self.as_first(source))
        return self._emit(op.out, Broadcast((*shape[1:], shape[0])), source)

    def _emit(self, near: Value, primitive: Primitive, *args: Value) -> Value:
        origin = self.made_by[near].origin if near in self.made_by else ""
        self.fresh += 1
        out = Value(f"{near.name}.last{self.fresh}", primitive.infer(*(a.type for a in args)))
        if isinstance(primitive, Reshape) and not can_reshape(self.made, args[0], primitive.shape):
            args = (self._emit(near, Copy(), args[0]),)
        self._keep(Op(out, primitive, args, origin))
        return out

    def _keep(self, op: Op) -> None:
        self.ops.append(op)
        self.made[op.out] = op

    # ---- operations that can be done either way ----------------------------------------------

    def _turned(self, op: Op) -> bool:
        """Do the operation with the batch last when that is where its arguments are."""
        primitive = op.primitive
        if isinstance(primitive, Contract):
            return self._contraction(op, primitive)
        if not any(a in self.last and a not in self.first for a in op.args):
            return False
        if primitive.pointwise:
            self._put(op, primitive, *map(self.as_last, op.args))
        elif isinstance(primitive, WINDOWS):
            self._put(
                op, replace(primitive, after=primitive.after + 1), *map(self.as_last, op.args)
            )
        elif isinstance(primitive, Stop):
            self._put(op, primitive, self.as_last(op.args[0]))
        elif isinstance(primitive, Slice | Concat) and primitive.axis > 0:
            shifted = replace(primitive, axis=primitive.axis - 1)
            self._put(op, shifted, *map(self.as_last, op.args))
        elif isinstance(primitive, Sum | Mean):
            self._sum(op, primitive)
        elif isinstance(primitive, Transpose) and primitive.permutation[0] == 0:
            rank = len(primitive.permutation)
            order = (*(axis - 1 for axis in primitive.permutation[1:]), rank - 1)
            self._put(op, Transpose(order), self.as_last(op.args[0]))
        else:
            return False
        return True

    def _put(self, op: Op, primitive: Primitive, *args: Value) -> None:
        self.last[op.out] = self._emit(op.out, primitive, *args)

    def _sum(self, op: Op, primitive: Sum | Mean) -> None:
        (x,) = op.args
        rank = len(x.type.shape)
        axes = tuple(sorted((axis - 1) % rank for axis in primitive.axes))
        total = self._emit(op.out, replace(primitive, axes=axes), self.as_last(x))
        if 0 in primitive.axes:
            self.first[op.out] = total
        else:
            self.last[op.out] = total

    def _contraction(self, op: Op, contract: Contract) -> bool:
        spec = _moved_spec(contract)
        if spec is None:
            return False
        before, after = parse(contract.spec), parse(spec)
        args = [
            self.as_first(a) if old == new else self.as_last(a)
            for a, old, new in zip(op.args, before, after, strict=False)
        ]
        result = self._emit(op.out, replace(contract, spec=spec), *args)
        (self.first if before[-1] == after[-1] else self.last)[op.out] = result
        return True

"""The frame of passes that replace values: one walk over the operations, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..program import Op, Primitive, Program, Update, Value
from ..program.layout import can_reshape
from ..program.primitives import Copy, Reshape

# Says what an operation with these arguments is: another value, another operation, or None.
Rule = Callable[["Rewriter", Op], "Value | Op | None"]


class Rewriter:
    """Rebuilds a program operation by operation while values give way to others.

    ops        what has been kept so far
    made_by    the operation that makes a value
    """

    def __init__(self, program: Program, rule: Rule) -> None:
        self.program = program
        self._rule = rule
        self.ops: list[Op] = []
        self.made_by: dict[Value, Op] = {}
        self._instead: dict[Value, Value] = {}
        self._fresh = 0

    def walk(self) -> Program:
        """The program with the rule applied to every operation until it has nothing more to say."""
        instead = self._instead
        for op in self.program.ops:
            # Most operations stay as they are, and copies of 80,000 of them take seconds.
            args = tuple([instead.get(arg, arg) for arg in op.args])
            kept = all(now is was for now, was in zip(args, op.args, strict=True))
            current = op if kept else Op(op.out, op.primitive, args, op.origin)
            left = self._settled(current)
            if left is not op.out:
                instead[op.out] = left
        return self._finish()

    def emit(self, near: Op, primitive: Primitive, *args: Value) -> Value:
        """Another operation in front of `near`, from the same origin; the rule sees it too."""
        self._fresh += 1
        out = Value(f"{near.out.name}.{self._fresh}", primitive.infer(*(a.type for a in args)))
        return self._settled(Op(out, primitive, args, near.origin))

    def _settled(self, op: Op) -> Value:
        """What the rule leaves of an operation: its own result or another value."""
        found: Value | Op | None = op
        while isinstance(found, Op):
            op = found
            found = self._rule(self, op)
        if found is None:
            self._keep(op)
        return found or op.out

    def _keep(self, op: Op) -> None:
        if isinstance(op.primitive, Reshape):
            (x,) = op.args
            if not can_reshape(self.made_by, x, op.primitive.shape):
                op = replace(op, args=(self.emit(op, Copy(), x),))
        self.ops.append(op)
        self.made_by[op.out] = op

    def _finish(self) -> Program:
        def now(value: Value) -> Value:
            return self._instead.get(value, value)

        return replace(
            self.program,
            ops=tuple(self.ops),
            outputs=tuple((name, now(v)) for name, v in self.program.outputs),
            updates=tuple(Update(u.target, now(u.value)) for u in self.program.updates),
        )

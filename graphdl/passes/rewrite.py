"""The frame of passes that replace values: one walk over the operations, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..program import Op, Primitive, Program, Update, Value

# Says what an operation with these arguments is: another value, another operation, or None.
Rule = Callable[["Rewriter", Op], "Value | Op | None"]


class Rewriter:
    """Rebuilds a program operation by operation while values give way to others.

    ops        what has been kept so far
    made_by    the operation that makes a value
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.ops: list[Op] = []
        self.made_by: dict[Value, Op] = {}
        self._instead: dict[Value, Value] = {}
        self._fresh = 0

    def walk(self, rule: Rule) -> Program:
        """The program with `rule` applied to every operation until it has nothing more to say."""
        for op in self.program.ops:
            current = replace(op, args=tuple(self._instead.get(a, a) for a in op.args))
            found = rule(self, current)
            while isinstance(found, Op):
                current = found
                found = rule(self, current)
            if found is None:
                self._keep(current)
            else:
                self._instead[op.out] = found
        return self._finish()

    def primitive(self, value: Value) -> Primitive | None:
        """What makes a value; None for an input."""
        op = self.made_by.get(value)
        return op.primitive if op else None

    def emit(self, near: Op, primitive: Primitive, *args: Value) -> Value:
        """Another operation in front of `near`, from the same origin."""
        self._fresh += 1
        out = Value(f"{near.out.name}.{self._fresh}", primitive.infer(*(a.type for a in args)))
        self._keep(Op(out, primitive, args, near.origin))
        return out

    def _keep(self, op: Op) -> None:
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

"""Updates and outputs made independent of the order in which kept arrays are overwritten."""

from __future__ import annotations

from dataclasses import replace

from ..program import Op, Program, Update, Value
from ..program.primitives.unary import Copy


def settle_updates(program: Program) -> Program:
    """Copy what looks into a kept array that this program overwrites.

    An output or a new value may be an old value, or a view of one: `a, b = b, a`. Both must be the
    value from before the run.
    """
    written = {u.target for u in program.updates}
    base = {i.value: i.value for i in program.inputs}
    for op in program.ops:
        base[op.out] = base[op.args[0]] if op.primitive.view else op.out
    copies: dict[Value, Op] = {}

    def settled(value: Value) -> Value:
        if base[value] not in written:
            return value
        if value not in copies:
            out = Value(f"{value.name}.old", value.type)
            copies[value] = Op(out, Copy(), (value,))
        return copies[value].out

    outputs = tuple((name, settled(value)) for name, value in program.outputs)
    updates = tuple(
        u if u.value is u.target else Update(u.target, settled(u.value)) for u in program.updates
    )
    updates = tuple(u for u in updates if u.value is not u.target)
    ops = [copies[i.value] for i in program.inputs if i.value in copies]
    for op in program.ops:
        ops += [op, copies[op.out]] if op.out in copies else [op]
    return replace(program, outputs=outputs, updates=updates, ops=tuple(ops))

"""What every stage promises about a program; tests check it after each one."""

from __future__ import annotations

from .layout import can_reshape
from .primitive import ShapeError
from .primitives import Reshape, Scan
from .program import Op, Program, Update, Value
from .text import op_text


class BrokenProgram(Exception):  # noqa: N818 -- it states a fact about the program
    """A fault of the compiler, not of its user: a program that breaks its own rules."""


def verify(program: Program) -> Program:
    """The program itself, once every name is bound once and before use and every type is right."""
    known: set[Value] = set()
    names: set[str] = set()
    for given in program.inputs:
        _bind(given.value, known, names)
    makers: dict[Value, Op] = {}
    for op in program.ops:
        _verify_op(op, known, makers)
        _bind(op.out, known, names)
        makers[op.out] = op
    for name, value in program.outputs:
        _require(value in known, f"output {name} = {value!r} is not bound")
    for update in program.updates:
        _verify_update(program, update, known)
    targets = [update.target for update in program.updates]
    _require(len(set(targets)) == len(targets), f"updated twice: {targets}")
    return program


def _verify_op(op: Op, known: set[Value], makers: dict[Value, Op]) -> None:
    for arg in op.args:
        _require(arg in known, f"{arg!r} is used before it is bound: {op_text(op)}")
    try:
        type = op.primitive.infer(*(arg.type for arg in op.args))
    except ShapeError as error:
        raise BrokenProgram(f"{error.message}: {op_text(op)}") from error
    _require(type == op.out.type, f"the type should be {type}: {op_text(op)}")
    if isinstance(op.primitive, Reshape):
        view = can_reshape(makers, op.args[0], op.primitive.shape)
        _require(view, f"this reshape cannot be a view, copy first: {op_text(op)}")
    if isinstance(op.primitive, Scan):
        verify(op.primitive.body.program)


def _verify_update(program: Program, update: Update, known: set[Value]) -> None:
    kept = {given.value for given in program.inputs if given.role in ("weight", "state")}
    _require(update.target in kept, f"{update.target!r} is not kept between runs")
    _require(update.value in known, f"update with {update.value!r}, which is not bound")
    same = update.target.type == update.value.type
    _require(same, f"{update.target!r} cannot take {update.value!r}")


def _bind(value: Value, known: set[Value], names: set[str]) -> None:
    _require(value.name not in names, f"%{value.name} is bound twice")
    known.add(value)
    names.add(value.name)


def _require(truth: bool, message: str) -> None:
    if not truth:
        raise BrokenProgram(message)

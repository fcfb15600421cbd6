"""Programs as text, one operation a line, and back: what people read and fixtures hold.

%x: float[B, 3] = input data "x"
%1: float[B] = sum[axes=(1,)] %x  # loss.total
output "total" = %1
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, get_args

from .primitive import Primitive
from .primitives import BY_NAME
from .program import Input, Kind, Op, Program, Role, Type, Update, Value
from .size import Size

_BOUND = re.compile(r"%(\S+): (\w+)\[(.*?)\] = (.*)")
_INPUT = re.compile(r"input (\w+) (\".*\")")
_CALL = re.compile(r"(\w+)(\[.*\])?(?: (%\S+(?:, %\S+)*))?")
_OUTPUT = re.compile(r"output (\".*\") = %(\S+)")
_UPDATE = re.compile(r"update %(\S+) = %(\S+)")


def text(program: Program) -> str:
    """The program as text."""
    lines = [
        f"%{i.value.name}: {i.value.type} = input {i.role} {json.dumps(i.key)}"
        for i in program.inputs
    ]
    lines += [op_text(op) for op in program.ops]
    lines += [f"output {json.dumps(name)} = %{value.name}" for name, value in program.outputs]
    lines += [f"update %{u.target.name} = %{u.value.name}" for u in program.updates]
    return "\n".join(lines) + "\n"


def op_text(op: Op) -> str:
    """One operation as a line."""
    args = ", ".join(f"%{arg.name}" for arg in op.args)
    call = f"{primitive_text(op.primitive)} {args}".rstrip()
    origin = f"  # {op.origin}" if op.origin else ""
    return f"%{op.out.name}: {op.out.type} = {call}{origin}"


def primitive_text(primitive: Primitive) -> str:
    """Name and constants, those at their default left out."""
    if primitive.name not in BY_NAME:
        # A group that a pass made says itself what it does; it is not read back.
        return str(primitive)
    constants = [
        f"{f.name}={getattr(primitive, f.name)!r}"
        for f in fields(primitive)
        if f.default is MISSING or getattr(primitive, f.name) != f.default
    ]
    return f"{primitive.name}[{', '.join(constants)}]" if constants else primitive.name


def read(source: str) -> Program:
    """The program that a text stands for; raises ValueError with the line that says nothing.

    >>> read('%x: float[B] = input data "x"').inputs[0].value
    %x: float[B]
    """
    reader = _Reader()
    for line in source.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            reader.line(line.strip())
    return Program(
        tuple(reader.inputs), tuple(reader.ops), tuple(reader.outputs), tuple(reader.updates)
    )


class _Reader:
    def __init__(self) -> None:
        self.inputs: list[Input] = []
        self.ops: list[Op] = []
        self.outputs: list[tuple[str, Value]] = []
        self.updates: list[Update] = []
        self.values: dict[str, Value] = {}

    def line(self, line: str) -> None:
        rules: list[tuple[re.Pattern[str], Callable[..., None]]] = [
            (_BOUND, self.bound),
            (_OUTPUT, self.output),
            (_UPDATE, self.update),
        ]
        for pattern, act in rules:
            if match := pattern.fullmatch(line):
                return act(line, *match.groups())
        raise ValueError(f"not a line of a program: {line}")

    def bound(self, line: str, name: str, kind: Kind, shape: str, rest: str) -> None:
        if kind not in get_args(Kind):
            raise ValueError(f"no kind {kind}: {line}")
        value = Value(name, Type(tuple(_constants(f"({shape},)" if shape else "()")), kind))
        if match := _INPUT.fullmatch(rest):
            role: Role = match[1]  # type: ignore[assignment]
            self.inputs.append(Input(value, role, json.loads(match[2])))
        else:
            self.ops.append(self.op(line, value, rest))
        self.values[name] = value

    def op(self, line: str, out: Value, rest: str) -> Op:
        call, _, origin = rest.partition("  # ")
        match = _CALL.fullmatch(call.strip())
        if match is None or match[1] not in BY_NAME:
            raise ValueError(f"not an operation: {line}")
        constants = ast.parse(f"f({(match[2] or '[]')[1:-1]})", mode="eval").body
        assert isinstance(constants, ast.Call)
        given = {str(k.arg): _value(k.value) for k in constants.keywords}
        args = tuple(self.named(arg[1:], line) for arg in (match[3] or "").split(", ") if arg)
        return Op(out, BY_NAME[match[1]](**given), args, origin)

    def output(self, line: str, name: str, value: str) -> None:
        self.outputs.append((json.loads(name), self.named(value, line)))

    def update(self, line: str, target: str, value: str) -> None:
        self.updates.append(Update(self.named(target, line), self.named(value, line)))

    def named(self, name: str, line: str) -> Value:
        if name not in self.values:
            raise ValueError(f"%{name} is not bound yet: {line}")
        return self.values[name]


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
}
_NUMBERS = {"inf": float("inf"), "nan": float("nan")}


def _constants(source: str) -> Any:
    return _value(ast.parse(source, mode="eval").body)


def _value(node: ast.expr) -> Any:
    """A constant: numbers, text, tuples, and arithmetic over sizes."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _NUMBERS[name] if name in _NUMBERS else Size.named(name)
        case ast.Tuple(elts=parts):
            return tuple(_value(part) for part in parts)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            return _ARITHMETIC[type(sign)](_value(left), _value(right))
    raise ValueError(f"not a constant: {ast.unparse(node)}")

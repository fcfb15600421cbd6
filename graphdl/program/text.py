"""Programs as text, one operation a line, and back: what people read and fixtures hold.

%x: float[B, 3] = input data "x"
%1: float[B] = sum[axes=(1,)] %x  # loss.total
output "total" = %1

The body of a scan stands between braces, one step of it like a program.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from typing import Any, get_args

from .body import Body
from .primitive import Primitive
from .primitives import BY_NAME, Scan
from .program import Input, Kind, Op, Program, Role, Type, Update, Value
from .size import Size

_BOUND = re.compile(r"%(\S+): (\w+)\[(.*?)\] = (.*)")
_INPUT = re.compile(r"input (\w+) (\".*\")")
_CALL = re.compile(r"(\w+)(\[.*\])?(?: (%\S+(?:, %\S+)*))?")
_OUTPUT = re.compile(r"output (\".*\") = %(\S+)")
_SCAN = re.compile(r"scan\[(.*?)\](?: (%\S+(?:, %\S+)*))? \{(?:  # (.*))?")
_NEXT = re.compile(r"next %(\S+) = %(\S+)")
_EMIT = re.compile(r"emit %(\S+)")
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
    line = f"%{op.out.name}: {op.out.type} = {call}"
    if isinstance(op.primitive, Scan):
        return "\n".join([f"{line} {{{origin}", *_body_lines(op.primitive.body), "}"])
    return line + origin


def _body_lines(body: Body) -> list[str]:
    """What a scan does at each step, indented."""
    roles = ((body.steps, "step"), (body.held, "held"), (body.carried, "state"))
    lines = [f"%{v.name}: {v.type} = {role}" for values, role in roles for v in values]
    lines += [line for op in body.ops for line in op_text(op).splitlines()]
    pairs = zip(body.carried, body.following, strict=True)
    lines += [f"next %{state.name} = %{value.name}" for state, value in pairs]
    lines += [f"emit %{value.name}" for value in body.emitted]
    return [f"  {line}" for line in lines]


def primitive_text(primitive: Primitive) -> str:
    """Name and constants, those at their default left out."""
    if isinstance(primitive, Scan):
        backwards = ", reverse=True" if primitive.reverse else ""
        return f"scan[length={primitive.length}{backwards}]"
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
    lines = (line.strip() for line in source.splitlines())
    reader = _Reader(line for line in lines if line and not line.startswith("#"))
    reader.all()
    return Program(
        tuple(reader.inputs), tuple(reader.ops), tuple(reader.outputs), tuple(reader.updates)
    )


class _Reader:
    """Reads lines up to the end, or to the brace that closes the body of a scan."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.given: dict[str, list[Value]] = {"step": [], "held": [], "state": []}
        self.next: dict[Value, Value] = {}
        self.emitted: list[Value] = []
        self.inputs: list[Input] = []
        self.ops: list[Op] = []
        self.outputs: list[tuple[str, Value]] = []
        self.updates: list[Update] = []
        self.values: dict[str, Value] = {}

    def all(self) -> None:
        """Read every line that is left."""
        for line in self.lines:
            if line == "}":
                return
            self.line(line)

    def line(self, line: str) -> None:
        rules: list[tuple[re.Pattern[str], Callable[..., None]]] = [
            (_BOUND, self.bound),
            (_OUTPUT, self.output),
            (_UPDATE, self.update),
            (_NEXT, self.following),
            (_EMIT, self.emit),
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
        elif rest in self.given:
            self.given[rest].append(value)
        elif match := _SCAN.fullmatch(rest):
            self.ops.append(self.scan(line, value, *match.groups()))
        else:
            self.ops.append(self.op(line, value, rest))
        self.values[name] = value

    def op(self, line: str, out: Value, rest: str) -> Op:
        call, _, origin = rest.partition("  # ")
        match = _CALL.fullmatch(call.strip())
        if match is None or match[1] not in BY_NAME:
            raise ValueError(f"not an operation: {line}")
        given = _keywords((match[2] or "[]")[1:-1])
        return Op(out, BY_NAME[match[1]](**given), self.args(match[3], line), origin)

    def scan(self, line: str, out: Value, constants: str, args: str, origin: str) -> Op:
        """A scan with its body, which ends with a brace on a line of its own."""
        inner = _Reader(self.lines)
        inner.all()
        steps, held, states = (tuple(values) for values in inner.given.values())
        following = tuple(inner.next[state] for state in states)
        body = Body(steps, held, states, tuple(inner.ops), following, tuple(inner.emitted))
        return Op(out, Scan(body, **_keywords(constants)), self.args(args, line), origin or "")

    def args(self, names: str | None, line: str) -> tuple[Value, ...]:
        return tuple(self.named(arg[1:], line) for arg in (names or "").split(", ") if arg)

    def following(self, line: str, state: str, value: str) -> None:
        self.next[self.named(state, line)] = self.named(value, line)

    def emit(self, line: str, value: str) -> None:
        self.emitted.append(self.named(value, line))

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


def _keywords(source: str) -> dict[str, Any]:
    call = ast.parse(f"f({source})", mode="eval").body
    assert isinstance(call, ast.Call)
    return {str(k.arg): _value(k.value) for k in call.keywords}


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

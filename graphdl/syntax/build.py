"""From lark's parse tree to the dataclasses of `tree`: one method per grammar rule."""

# ruff: noqa: D102  (the methods are named after the rules they build)

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from lark import Token, Tree
from lark.tree import Meta

from ..errors import ModelError, Source, Span
from . import tree

# The language needs no more, and Python refuses to convert much longer ones.
LONGEST_NUMBER = 40


class Build:
    """Turns lark's tree of a source into ours; every method is called with its rule's children."""

    def __init__(self, source: Source, offset: int = 0) -> None:
        self.source = source
        self.offset = offset  # of the parsed text in the source

    def __call__(self, parsed: Tree[Token]) -> Any:
        """The whole tree, from the leaves up and without recursion."""
        order: list[Any] = []
        waiting: list[Any] = [parsed]
        while waiting:
            node = waiting.pop()
            order.append(node)
            if isinstance(node, Tree):
                waiting += node.children
        built: list[Any] = []
        for node in reversed(order):
            if isinstance(node, Tree):
                first = len(built) - len(node.children)
                built[first:] = [getattr(self, node.data)(node.meta, *built[first:])]
            else:
                built.append(node)
        return built[0]

    def at(self, meta: Meta | Token) -> Span:
        """The place of a rule or a token."""
        start, end = self.offset + (meta.start_pos or 0), self.offset + (meta.end_pos or 0)
        return Span(self.source, start, end)

    def doc(self, meta: Meta) -> str:
        """The comment lines right above a statement, without their `#`."""
        text = self.source.text
        end = text.rfind("\n", 0, self.offset + meta.start_pos)
        lines: list[str] = []
        while end > 0:
            start = text.rfind("\n", 0, end) + 1
            line = text[start:end].strip()
            if not line.startswith("#"):
                break
            lines.append(line.removeprefix("#").removeprefix(" "))
            end = start - 1
        return "\n".join(reversed(lines))

    # ---- files and statements ----------------------------------------------------------

    def start(self, _: Meta, *statements: tree.Statement | None) -> tree.Model:
        return tree.Model(self.source, tuple(s for s in statements if s is not None))

    def expression(self, _: Meta, value: tree.Expression) -> tree.Expression:
        return value

    def import_(self, meta: Meta, names: tuple[tree.Name, ...], path: Token) -> tree.Import:
        return tree.Import(self.at(meta), names, self.text(path, path))

    def param(
        self, meta: Meta, name: Token, default: tree.Expression, domain: tree.Expression | None
    ) -> tree.Param:
        return tree.Param(self.at(meta), str(name), self.at(name), default, domain, self.doc(meta))

    def tensor(
        self,
        meta: Meta,
        role: Token,
        name: Token,
        shape: tree.Shape | None,
        type_: tree.Name | tree.Call | None,
    ) -> tree.Tensor:
        word: Any = str(role)
        place = self.at(name)
        return tree.Tensor(self.at(meta), word, str(name), place, shape, type_, self.doc(meta))

    def register(
        self,
        meta: Meta,
        kind: Token,
        name: Token,
        shape: tree.Shape | None,
        value: tree.Expression | None,
    ) -> tree.Register:
        word: Any = str(kind)
        place = self.at(name)
        return tree.Register(self.at(meta), word, str(name), place, shape, value, self.doc(meta))

    def layer(self, meta: Meta, name: Token, value: tree.Expression) -> tree.LayerBinding:
        return tree.LayerBinding(self.at(meta), str(name), self.at(name), value, self.doc(meta))

    def op(
        self, meta: Meta, name: Token, formals: tuple[tree.Formal, ...], body: tree.Expression
    ) -> tree.Op:
        if formals[0].by_name:
            place = formals[0].span
            message = f"what flows into `{name}` stands before the `*`"
            rest = ", ".join(f.span.text for f in formals)
            hint = f"write `op {name}(x, *, {rest}) = ...`"
            raise ModelError.at(place, "E0120", message, hint=hint)
        return tree.Op(self.at(meta), str(name), self.at(name), formals, body, self.doc(meta))

    def block(
        self,
        meta: Meta,
        kind: Token,
        ports: tuple[tree.Port, ...],
        name: Token,
        formals: tuple[tree.Formal, ...] | None,
        body: tuple[tree.Statement, ...],
    ) -> tree.Block:
        word: Any = str(kind)
        place = self.at(name)
        doc = self.doc(meta)
        return tree.Block(self.at(meta), word, str(name), place, ports, formals or (), body, doc)

    def ports(self, _: Meta, *ports: tree.Port) -> tuple[tree.Port, ...]:
        return ports

    def port(self, meta: Meta, name: Token, shape: tree.Shape | None) -> tree.Port:
        return tree.Port(self.at(meta), str(name), shape)

    def formals(self, _: Meta, *formals: tree.Formal | Span) -> tuple[tree.Formal, ...]:
        found: list[tree.Formal] = []
        star: Span | None = None
        for formal in formals:
            if isinstance(formal, tree.Formal):
                found.append(replace(formal, by_name=star is not None))
            elif star is not None:
                raise ModelError.at(formal, "E0120", "one `*` is enough", hint="delete this one")
            else:
                star = formal
        if star is not None and not (found and found[-1].by_name):
            message = "behind `*` stand the arguments that go by name only, and there are none"
            raise ModelError.at(star, "E0120", message, hint="delete it")
        return tuple(found)

    def by_name(self, meta: Meta) -> Span:
        return self.at(meta)

    def formal(self, meta: Meta, name: Token, default: tree.Expression | None) -> tree.Formal:
        return tree.Formal(self.at(meta), str(name), default)

    def braces(self, _: Meta, *statements: tree.Statement | None) -> tuple[tree.Statement, ...]:
        return tuple(s for s in statements if s is not None)

    def binding(
        self, meta: Meta, names: tuple[tree.Name, ...], value: tree.Expression
    ) -> tree.Binding:
        return tree.Binding(self.at(meta), names, None, value, self.doc(meta))

    def shaped_binding(
        self, meta: Meta, name: Token, shape: tree.Shape, value: tree.Expression
    ) -> tree.Binding:
        names = (tree.Name(self.at(name), (str(name),)),)
        return tree.Binding(self.at(meta), names, shape, value, self.doc(meta))

    def next_binding(self, meta: Meta, name: Token, value: tree.Expression) -> tree.NextBinding:
        return tree.NextBinding(self.at(meta), str(name), self.at(name), value)

    def role(
        self, meta: Meta, kind: Token, name: Token | None, value: tree.Expression
    ) -> tree.Role:
        word: Any = str(kind)
        label = None if name is None else str(name)
        place = self.at(kind if name is None else name)
        return tree.Role(self.at(meta), word, label, place, value, self.doc(meta))

    def check(
        self, meta: Meta, condition: tree.Expression, message: Token, hint: Token | None
    ) -> tree.Check:
        advice = None if hint is None else self.text(hint, hint)
        return tree.Check(self.at(meta), condition, self.text(message, message), advice)

    def flow_statement(self, meta: Meta, value: tree.Expression) -> tree.Flow:
        return tree.Flow(self.at(meta), value)

    def names(self, _: Meta, *names: Token) -> tuple[tree.Name, ...]:
        return tuple(tree.Name(self.at(name), (str(name),)) for name in names)

    def shape(self, _: Meta, *sizes: tree.Expression | None) -> tree.Shape:
        return tuple(size for size in sizes if size is not None)

    def train(self, meta: Meta, *settings: tree.Setting | None) -> tree.Train:
        return tree.Train(self.at(meta), tuple(s for s in settings if s is not None))

    def setting(self, meta: Meta, name: Token, value: tree.Expression) -> tree.Setting:
        return tree.Setting(self.at(meta), str(name), self.at(name), value)

    # ---- expressions -------------------------------------------------------------------

    def chain(self, meta: Meta, head: tree.Expression, *stages: tree.Expression) -> tree.Chain:
        return tree.Chain(self.at(meta), head, stages)

    def binary(
        self, meta: Meta, left: tree.Expression, operator: Token, right: tree.Expression
    ) -> tree.Binary:
        return tree.Binary(self.at(meta), str(operator), left, right)

    def unary(self, meta: Meta, operator: Token, operand: tree.Expression) -> tree.Unary:
        word: Any = str(operator)
        return tree.Unary(self.at(meta), word, operand)

    def number(self, meta: Meta, token: Token) -> tree.Number:
        whole = token.isdigit()
        if len(token) > LONGEST_NUMBER or not math.isfinite(float(token)):
            raise ModelError.at(
                self.at(token), "E0110", "this number is too large or has too many digits"
            )
        return tree.Number(self.at(meta), int(token) if whole else float(token))

    def text(self, meta: Meta | Token, token: Token) -> tree.Text:
        return tree.Text(self.at(meta), str(token)[1:-1])

    def true(self, meta: Meta) -> tree.Flag:
        return tree.Flag(self.at(meta), True)

    def false(self, meta: Meta) -> tree.Flag:
        return tree.Flag(self.at(meta), False)

    def boundary_input(self, meta: Meta) -> tree.Boundary:
        return tree.Boundary(self.at(meta), "input")

    def boundary_target(self, meta: Meta) -> tree.Boundary:
        return tree.Boundary(self.at(meta), "target")

    def next_value(self, meta: Meta, name: Token) -> tree.NextValue:
        return tree.NextValue(self.at(meta), str(name))

    def tuple_(self, meta: Meta, *items: tree.Expression) -> tree.TupleOf:
        return tree.TupleOf(self.at(meta), items)

    def list_(self, meta: Meta, *items: tree.Expression | None) -> tree.ListOf:
        return tree.ListOf(self.at(meta), tuple(item for item in items if item is not None))

    def if_(
        self,
        meta: Meta,
        condition: tree.Expression,
        then: tree.Expression,
        otherwise: tree.Expression | None,
    ) -> tree.If:
        return tree.If(self.at(meta), condition, then, otherwise)

    def repeat(
        self, meta: Meta, variable: Token | None, items: tree.Expression, body: tree.Expression
    ) -> tree.Repeat:
        return tree.Repeat(self.at(meta), variable and str(variable), items, body)

    def each(
        self, meta: Meta, variable: Token, items: tree.Expression, body: tree.Expression
    ) -> tree.Each:
        return tree.Each(self.at(meta), str(variable), items, body)

    def scan(self, meta: Meta, body: tree.Expression) -> tree.Scan:
        return tree.Scan(self.at(meta), body)

    def table(self, meta: Meta, *entries: Any) -> tree.Table:
        return tree.Table(self.at(meta), entries)

    def entry(self, _: Meta, key: tree.Expression, value: tree.Expression) -> Any:
        return key, value

    def name(self, meta: Meta, *path: Token) -> tree.Name:
        return tree.Name(self.at(meta), tuple(str(part) for part in path))

    def call(self, meta: Meta, target: tree.Name, *arguments: tree.Argument | None) -> tree.Call:
        return tree.Call(self.at(meta), target, tuple(a for a in arguments if a is not None))

    def argument(self, _: Meta, value: tree.Expression) -> tree.Argument:
        return tree.Argument(value.span, None, value)

    def named(self, meta: Meta, name: Token, value: tree.Expression) -> tree.Argument:
        return tree.Argument(self.at(meta), str(name), value)

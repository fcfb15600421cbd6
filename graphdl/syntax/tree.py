"""The syntax tree: a frozen dataclass per kind of expression and statement, each with its span."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import Source, Span


@dataclass(frozen=True, slots=True)
class Tree:
    """Anything that stands in a file."""

    span: Span = field(repr=False, compare=False)


# ---- expressions -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Tree):
    """`3`, `0.5`, `1e-3`; whole numbers are ints."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Text(Tree):
    """`"data/mnist"`, without the quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Flag(Tree):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Name(Tree):
    """`hidden` or `embed.weight`."""

    path: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Argument(Tree):
    """One argument of a call; `name` is None when it is positional."""

    name: str | None
    value: Expression


@dataclass(frozen=True, slots=True)
class Call(Tree):
    """`conv(20, 5, pad = same)`."""

    target: Name
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Unary(Tree):
    """`-x` or `not x`."""

    operator: Literal["-", "not"]
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Tree):
    """Two operands and one of + - * / // % ^ @ == != <= >= < > and or, or the range `..`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class TupleOf(Tree):
    """`(a, b)`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class ListOf(Tree):
    """`[3, 4, 5]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Table(Tree):
    """`{5: 0.5, 6: 0.25}`, as in `steps({5: 0.5, 6: 0.25})`."""

    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class If(Tree):
    """`if c { a } else { b }`; without `else` a stage passes its input on."""

    condition: Expression
    then: Expression
    otherwise: Expression | None


@dataclass(frozen=True, slots=True)
class Repeat(Tree):
    """`repeat n { layer }` or `repeat i in list { layer }`: depth."""

    variable: str | None
    items: Expression
    body: Expression


@dataclass(frozen=True, slots=True)
class Each(Tree):
    """`each w in list { layer }`: breadth."""

    variable: str
    items: Expression
    body: Expression


@dataclass(frozen=True, slots=True)
class Scan(Tree):
    """`scan { layer }`: time."""

    body: Expression


@dataclass(frozen=True, slots=True)
class NextValue(Tree):
    """`next h` read as a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Boundary(Tree):
    """The words `input` and `target` used as values in the one-line program."""

    kind: Literal["input", "target"]


@dataclass(frozen=True, slots=True)
class Chain(Tree):
    """`head -> stage -> stage`."""

    head: Expression
    stages: tuple[Expression, ...]


Expression = (
    Number
    | Text
    | Flag
    | Name
    | Call
    | Unary
    | Binary
    | TupleOf
    | ListOf
    | Table
    | If
    | Repeat
    | Each
    | Scan
    | NextValue
    | Boundary
    | Chain
)

# ---- statements ------------------------------------------------------------------------
# `name_span` is the name alone, for carets; `doc` is the comment right above the statement.

Shape = tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Import(Tree):
    """`import a, b from "blocks.gdl"`."""

    names: tuple[Name, ...]
    path: Text


@dataclass(frozen=True, slots=True)
class Param(Tree):
    """`param k = 5 in [3, 5]`."""

    name: str
    name_span: Span = field(repr=False, compare=False)
    default: Expression
    domain: Expression | None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Tensor(Tree):
    """`input x[1, 28, 28]` or `target y: int(10)`; `shape` is None when not written."""

    role: Literal["input", "target"]
    name: str
    name_span: Span = field(repr=False, compare=False)
    shape: Shape | None
    type: Name | Call | None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Register(Tree):
    """`weight w[n] = init`, `state h[n] = 0` or `running average[C] = 0`."""

    kind: Literal["weight", "state", "running"]
    name: str
    name_span: Span = field(repr=False, compare=False)
    shape: Shape | None
    value: Expression | None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class LayerBinding(Tree):
    """`layer f = conv(20, 5) -> relu`."""

    name: str
    name_span: Span = field(repr=False, compare=False)
    value: Expression
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Formal(Tree):
    """A formal parameter with its default, if it has one.

    `by_name` is true behind a bare `*`: the argument is never taken by its position.
    """

    name: str
    default: Expression | None
    by_name: bool = False


@dataclass(frozen=True, slots=True)
class Port(Tree):
    """An input of a block or rule: `x` or `x[C, H, W]`."""

    name: str
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class Op(Tree):
    """`op softsign(x) = x / (1 + abs(x))`."""

    name: str
    name_span: Span = field(repr=False, compare=False)
    formals: tuple[Formal, ...]
    body: Expression
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Block(Tree):
    """`block x -> residual(n) { ... }`, or with `kind` rule, an optimiser."""

    kind: Literal["block", "rule"]
    name: str
    name_span: Span = field(repr=False, compare=False)
    ports: tuple[Port, ...]
    formals: tuple[Formal, ...]
    body: tuple[Statement, ...]
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Role(Tree):
    """`output p = ...`, `loss = ...`, `metric = ...`."""

    kind: Literal["output", "loss", "metric"]
    name: str | None
    name_span: Span = field(repr=False, compare=False)
    value: Expression
    doc: str = ""


@dataclass(frozen=True, slots=True)
class NextBinding(Tree):
    """`next h = ...`."""

    name: str
    name_span: Span = field(repr=False, compare=False)
    value: Expression


@dataclass(frozen=True, slots=True)
class Binding(Tree):
    """`h = ...`, `h[n] = ...` (one name only) or `a, b = ...`."""

    names: tuple[Name, ...]
    shape: Shape | None
    value: Expression
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Check(Tree):
    """`check D % heads == 0 : "heads must divide D" hint "..."`."""

    condition: Expression
    message: Text
    hint: Text | None


@dataclass(frozen=True, slots=True)
class Setting(Tree):
    """One `name = value` of a `train` block."""

    name: str
    name_span: Span = field(repr=False, compare=False)
    value: Expression


@dataclass(frozen=True, slots=True)
class Train(Tree):
    """`train { ... }`."""

    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Flow(Tree):
    """A bare expression: the result line of a block, or the one-line program."""

    value: Expression


Statement = (
    Import
    | Param
    | Tensor
    | Register
    | LayerBinding
    | Op
    | Block
    | Role
    | NextBinding
    | Binding
    | Check
    | Train
    | Flow
)


@dataclass(frozen=True, slots=True)
class Model:
    """A whole file.

    `library` has the text of each file it imports, when they are not to be read from a disk;
    `by_position` says that the text is from before arguments of the prelude went by name only.
    """

    source: Source
    statements: tuple[Statement, ...]
    library: Mapping[str, str] | None = None
    by_position: bool = False

"""What an expression can be while a model is worked out: constant, tensor, layer, definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from ..errors import Span
from ..errors.constant import constant
from ..graph import Initial, Shaped, Wire
from ..program import Dim, Size, Type, Value
from ..syntax.tree import Block, Expression, Formal, Op

if TYPE_CHECKING:
    from .place import Place
    from .scope import Scope


class Fact(Exception):  # noqa: N818 - none of these three reaches a user
    """The inside states what is wrong; whoever knows the place makes it a diagnostic."""

    def __init__(self, code: str, message: str, hint: str = "", label: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.label = code, message, hint, label


class UnknownShape(Exception):  # noqa: N818
    """Something needs the shape of an input that was not declared and is not known yet."""

    def __init__(self, root: str, wanted: tuple[str, ...] = ("n",)) -> None:
        super().__init__(root)
        self.root, self.wanted = root, wanted


class Resolved(Exception):  # noqa: N818
    """The shape of undeclared inputs was found out: start again with it."""

    def __init__(self, root: str, shaped: Shaped) -> None:
        super().__init__(root)
        self.root, self.shaped = root, shaped


class Deferred(Exception):  # noqa: N818
    """Any shape of this input would do here: one number, if nothing in the file says otherwise."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.root = root


class Spoiled(Exception):  # noqa: N818
    """Something needs a name whose own statement is wrong: that error is enough."""


@dataclass(frozen=True, eq=False, slots=True)
class Tensor:
    """A node of the model. `shape` is per example: the batch axis, if `batched`, is not in it.

    maker   name of the definition that made it, such as `softmax`
    wire    where it comes from in the model graph
    span    the text that made it
    pad     of an input: the id that fills short sequences up
    """

    value: Value
    batched: bool
    classes: int | None = None
    maker: str = ""
    wire: Wire | None = None
    span: Span | None = None
    pad: int | None = None

    @property
    def shape(self) -> tuple[Dim, ...]:
        """Per example."""
        return self.value.type.shape[1 if self.batched else 0 :]

    @property
    def rank(self) -> int:
        """Number of axes per example."""
        return len(self.shape)

    @property
    def shaped(self) -> Shaped:
        """Its type as an edge of the graph."""
        return Shaped(self.shape, self.value.type.kind, self.classes, self.batched, self.pad)


@dataclass(frozen=True, eq=False, slots=True)
class Unknown:
    """An input whose shape was not written, or a pointwise function of one."""

    root: str
    kind: str = "float"
    maker: str = ""
    wire: Wire | None = None
    span: Span | None = None


Flowing = Tensor | Unknown


@dataclass(frozen=True, eq=False, slots=True)
class Definition:
    """A block, rule or op with the scope it was written in; `prelude` marks the library's own."""

    tree: Block | Op
    scope: Scope = field(repr=False)
    prelude: bool = False

    @property
    def name(self) -> str:
        """As it is called."""
        return self.tree.name

    @property
    def ports(self) -> tuple[str, ...]:
        """Names of what flows in; for an op, the formals without a default (at least one)."""
        if isinstance(self.tree, Block):
            return tuple(p.name for p in self.tree.ports)
        needed = [f.name for f in self.tree.formals if f.default is None and not f.by_name]
        return tuple(needed) or tuple(f.name for f in self.tree.formals[:1])

    @property
    def formals(self) -> tuple[Formal, ...]:
        """Parameters that are not ports."""
        if isinstance(self.tree, Block):
            return self.tree.formals
        return tuple(f for f in self.tree.formals if f.name not in self.ports)


@dataclass(frozen=True, eq=False, slots=True)
class Builtin:
    """A function of the compiler: the primitives and compile-time facts, spelled as calls.

    number   the same function of plain numbers, where it takes them as well
    fact     it is worked out when compiling, and makes no node
    initial  it says how a weight starts
    """

    name: str
    function: Callable[..., Any] = field(repr=False)
    ports: tuple[str, ...] = ("x",)
    formals: tuple[Formal, ...] = ()
    number: Callable[..., Any] | None = field(default=None, repr=False)
    fact: bool = False
    initial: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """An expression still waiting for its input, with the scope it closes over.

    `place` is set when it was bound to a name: every use then shares its weights.
    """

    tree: Expression
    scope: Scope = field(repr=False)
    name: str = ""
    place: Place | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Axis:
    """The words `batch` and `all` where an axis is asked for."""

    word: str


BATCH = Size.named("B")


def describe(value: object) -> str:
    """What a value is, for a sentence."""
    if isinstance(value, Tensor):
        return _described(value)
    if isinstance(value, Unknown):
        return "a value of unknown shape"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if isinstance(value, Layer | Definition | Builtin):
        return f"the layer `{value.name}`" if value.name else "a layer"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Initial):
        return f"the initialiser `{value.name}`"
    if isinstance(value, Axis):
        return f"the axis `{value.word}`"
    if isinstance(value, list):
        return f"[{', '.join(map(describe, value))}]"
    return constant(value) if value is None or isinstance(value, str | int | dict) else str(value)


def _described(x: Tensor) -> str:
    shape = f"[{', '.join(map(str, x.shape))}]" if x.shape else ""
    if x.value.type.kind != "int":
        return shape or "a single number"
    kind = f"int({x.classes})" if x.classes else "whole numbers"
    return f"{shape}: {kind}" if shape else kind


def leaves(value: object) -> list[Flowing]:
    """The tensors in a value, in order."""
    if isinstance(value, Tensor | Unknown):
        return [value]
    if isinstance(value, tuple | list):
        return [leaf for item in value for leaf in leaves(item)]
    return []


def rewired(value: Any, node: str, maker: str, span: Span | None) -> Any:
    """The same tensors as outputs of a graph node, numbered in order."""
    numbers = count()

    def walk(item: Any) -> Any:
        if isinstance(item, Tensor | Unknown):
            return replace(item, wire=Wire(node, next(numbers)), maker=maker, span=span)
        return tuple(map(walk, item)) if isinstance(item, tuple | list) else item

    return walk(value)


def typed(shape: tuple[Dim, ...], batched: bool, kind: Any = "float") -> Type:
    """Type in the program of a tensor with this per-example shape."""
    return Type(((BATCH, *shape) if batched else shape), kind)


def program_axis(x: Tensor, axis: Any) -> int:
    """A per-example axis, negative from the end, as an axis of the program's value."""
    if isinstance(axis, bool) or not isinstance(axis, int) or not -x.rank <= axis < x.rank:
        raise Fact("E0411", f"{describe(x)} has no axis {describe(axis)}")
    return axis % x.rank + x.batched

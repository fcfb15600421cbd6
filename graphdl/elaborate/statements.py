"""The statements of a body: bindings, weights, registers, checks, and the result line."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import Label, ModelError, Span
from ..graph import Shaped
from ..program import Dim, Size
from ..syntax import tree
from .binding import Bound
from .checks import run_check
from .ownership import learns, owns_weights
from .place import Place, joined
from .scope import Later, Lazy, Scope
from .values import (
    Builtin,
    Definition,
    Fact,
    Layer,
    Resolved,
    Tensor,
    Unknown,
    describe,
    leaves,
)

if TYPE_CHECKING:
    from .tracer import Tracer


RANKS = ("a single number", "a vector", "a sequence or matrix", "an image")


def run_op(t: Tracer, target: Definition, bound: Bound, span: Span) -> Any:
    """The formula of an `op`."""
    assert isinstance(target.tree, tree.Op)
    with t.inside(target, span):
        scope = _opened(t, target, bound)
        return t.evaluate(target.tree.body, scope)


def run_body(t: Tracer, target: Definition, bound: Bound, span: Span) -> Any:
    """The statements of a block in a new scope; the result is its last line."""
    block = target.tree
    assert isinstance(block, tree.Block)
    with t.inside(target, span):
        return _body(t, target, block, bound)


def _body(t: Tracer, target: Definition, block: tree.Block, bound: Bound) -> Any:
    scope = Scope(target.scope)
    for port, value in zip(block.ports, bound.ports, strict=True):
        scope.bind(port.name, value)
    if target.prelude:
        # For its checks, which tell habits of other libraries from what is meant.
        scope.bind("positional", bound.placed)
    _defaults(t, target, bound, scope)
    for port, value in zip(block.ports, bound.ports, strict=True):
        if port.shape is not None:
            match_shape(t, target.name, port, value, scope)
    return run_statements(t, block.body, scope, block)


def _opened(t: Tracer, target: Definition, bound: Bound) -> Scope:
    scope = Scope(target.scope)
    for name, value in zip(target.ports, bound.ports, strict=True):
        scope.bind(name, value)
    _defaults(t, target, bound, scope)
    return scope


def _defaults(t: Tracer, target: Definition, bound: Bound, scope: Scope) -> None:
    for formal in target.formals:
        place = t.place.within(formal.name)
        if formal.name in bound.parameters:
            scope.bind(formal.name, _instance(bound.parameters[formal.name], formal.name, place))
        else:
            default = partial(_default, t, formal, scope, place)
            scope.bind(formal.name, Lazy(formal.name, default))


def _default(t: Tracer, formal: tree.Formal, scope: Scope, place: Place) -> Any:
    """A default is worked out when the body asks for it: its checks come first."""
    assert formal.default is not None
    return _instance(t.evaluate(formal.default, scope), formal.name, place)


def _instance(value: Any, name: str, place: Place) -> Any:
    """A layer given as an argument is one instance: every use in the block shares it."""
    if isinstance(value, Layer) and value.place is None:
        return Layer(value.tree, value.scope, name, place)
    return value


def match_shape(t: Tracer, owner: str, port: tree.Port, value: Any, scope: Scope) -> None:
    """Bind the size names of `x[C, H, W]`, or check the sizes they already have."""
    assert port.shape is not None
    wanted = f"[{', '.join(e.span.text for e in port.shape)}]"
    if isinstance(value, Unknown):
        sizes = [_size(t, e, scope) for e in port.shape]
        if any(size is None for size in sizes):
            t.needs_shape(value, tuple(_called(e.span.text) for e in port.shape))
        raise Resolved(value.root, Shaped(tuple(s for s in sizes if s is not None)))
    if not isinstance(value, Tensor):
        raise Fact("E0401", f"`{owner}` wants {wanted}, this is {describe(value)}")
    if value.rank != len(port.shape):
        what = RANKS[value.rank] if value.rank < len(RANKS) else "this"
        hint = _other_rank(port, value)
        raise Fact("E0401", f"`{owner}` cannot take {what}", hint, label=f"wants {wanted}")
    for entry, actual in zip(port.shape, value.shape, strict=True):
        agree(t, entry, actual, scope)


def _other_rank(port: tree.Port, value: Tensor) -> str:
    """What to type when an image is wanted and a vector is there, or the other way round."""
    assert port.shape is not None
    match value.rank, len(port.shape):
        case 1, 3:
            return f"make it an image: `reshape({port.name}, [channels, height, width])`"
        case 2, 3:
            sizes = ", ".join(map(str, value.shape))
            return f"make it an image with one channel: `reshape({port.name}, [1, {sizes}])`"
        case ((2 | 3), 1):
            return "put `-> flatten` before it"
    return ""


def _called(size: str) -> str:
    """A size of an input as one would name it."""
    return {"C": "channels", "H": "height", "W": "width", "D": "features"}.get(size, size)


def _size(t: Tracer, entry: tree.Expression, scope: Scope) -> Dim | None:
    if isinstance(entry, tree.Name) and scope.find(entry.path[0]) is None:
        return None
    value = t.evaluate(entry, scope)
    return value if isinstance(value, int | Size) and not isinstance(value, bool) else None


def agree(t: Tracer, entry: tree.Expression, actual: Dim, scope: Scope) -> None:
    """One entry of a shape against the size found there."""
    if isinstance(entry, tree.Name) and len(entry.path) == 1:
        name = entry.path[0]
        found = scope.find(name)
        if found is None or (name not in scope.names and name[0].isupper()):
            scope.bind(name, actual, entry.span)
            return
    expected = t.evaluate(entry, scope)
    if expected != actual:
        text = entry.span.text
        named = f"{text} is written" if text.isdigit() else f"size `{text}` is {describe(expected)}"
        raise Fact("E0407", f"{named} here and {actual} there", "both must have one length")


def run_statements(
    t: Tracer, body: tuple[tree.Statement, ...], scope: Scope, block: tree.Block
) -> Any:
    """Run a block's statements; returns the value of its last line."""
    registers = t.registers
    t.registers = {}
    scope.later = named_later(body)
    result: Any = None
    try:
        for position, statement in enumerate(body):
            last = position == len(body) - 1
            if isinstance(statement, tree.Flow) and last:
                result = t.evaluate(statement.value, scope)
            else:
                run_statement(t, statement, scope, block)
        t.close_registers()
    finally:
        t.registers = registers
    if result is None:
        raise ModelError.at(
            block.name_span,
            "E0313",
            f"`{block.name}` has no result",
            hint="the last line of a block is its result, without a name",
        )
    return result


def run_statement(t: Tracer, st: tree.Statement, scope: Scope, block: tree.Block) -> None:
    """One statement of a block that is not its result."""
    match st:
        case tree.Binding():
            bind_names(t, st, scope)
        case tree.LayerBinding():
            bind_layer(t, st, scope)
        case tree.Register():
            t.declare(st, scope)
        case tree.NextBinding():
            t.bind_next(st, scope)
        case tree.Check():
            run_check(t, st, scope)
        case tree.Op() | tree.Block():
            define(st, scope, prelude=False)
        case tree.Flow():
            raise unused_chain(st, inside=True)
        case _:
            word = st.span.text.split()[0]
            raise ModelError.at(
                st.span,
                "E0314",
                f"`{word}` cannot stand inside `{block.name}`",
                hint="write it outside the block",
            )


def unused_chain(st: tree.Flow, *, inside: bool = False) -> ModelError:
    """E0303."""
    text = st.span.text.lstrip()
    if text.startswith("-") and not text.startswith("->"):
        hint = "a line cannot start with `-`: end the line above with it, or use brackets"
    elif inside:
        hint = "give it a name; only the last line of a block is its result"
    else:
        hint = "begin it with `output`, `loss` or `metric`, or give it a name"
    return ModelError.at(st.span, "E0303", "nothing uses this chain", hint=hint)


def define(st: tree.Op | tree.Block, scope: Scope, *, prelude: bool) -> None:
    """Bind a block, op or rule."""
    claim(scope, st.name, st.name_span)
    definition = Definition(st, scope, prelude)
    if not prelude:
        _refuse_twice(st)
        _refuse_weights(definition)
    scope.bind(st.name, definition, st.name_span)


def _refuse_twice(st: tree.Op | tree.Block) -> None:
    ports = st.ports if isinstance(st, tree.Block) else ()
    everything: list[tree.Port | tree.Formal] = [*ports, *st.formals]
    first: dict[str, Span] = {}
    for one in everything:
        if one.name in first:
            raise ModelError.at(
                one.span,
                "E0203",
                f"`{one.name}` is defined twice",
                hint="give each value and parameter a name of its own",
                also=(Label(first[one.name], "first here"),),
            )
        first[one.name] = one.span


def _refuse_weights(definition: Definition) -> None:
    """E0314: formulas and optimisers learn nothing of their own."""
    st = definition.tree
    if isinstance(st, tree.Op) and owns_weights(definition):
        hint = f"write a block: `block x -> {st.name}() {{ ... }}`"
        message = f"the op `{st.name}` cannot have weights or states"
        raise ModelError.at(st.body.span, "E0314", message, hint=hint)
    if isinstance(st, tree.Block) and st.kind == "rule" and learns(definition):
        message = f"the rule `{st.name}` cannot have weights"
        raise ModelError.at(st.name_span, "E0314", message, hint="what it keeps is a `state`")


def claim(scope: Scope, name: str, span: Span) -> None:
    """E0203 when this scope already has the name."""
    if name in scope.names and name in scope.spans:
        raise ModelError.at(
            span,
            "E0203",
            f"`{name}` is defined twice",
            hint="choose another name, values never change",
            also=(Label(scope.spans[name], "first here"),),
        )


def bind_names(t: Tracer, st: tree.Binding, scope: Scope) -> None:
    """`h = ...`, `h[n] = ...`, `a, b = ...`."""
    for name in st.names:
        claim(scope, str(name), name.span)
    outer = t.place
    if len(st.names) == 1:
        t.place = outer.within(str(st.names[0]))
    try:
        value = t.evaluate(st.value, scope)
    finally:
        t.place = outer
    if len(st.names) > 1:
        _take_apart(t, st, value, scope)
        return
    name = st.names[0]
    if isinstance(value, Layer | Definition | Builtin):
        raise ModelError.at(
            st.value.span,
            "E0301",
            "`=` names a value, but this is a layer",
            hint=f"write `layer {name} = ...` to share it, or start the chain with a value",
        )
    if st.shape is not None:
        check_shape(t, st.shape, value, scope, st.span)
    t.bind_value(str(name), value, scope, name.span)


def _take_apart(t: Tracer, st: tree.Binding, value: Any, scope: Scope) -> None:
    parts = value if isinstance(value, tuple | list) else None
    if parts is None or len(parts) != len(st.names):
        got = f"{len(parts)} parts" if parts is not None else "one value"
        span = st.names[0].span.to(st.names[-1].span)
        raise ModelError.at(
            span,
            "E0315",
            f"{len(st.names)} names for {got}",
            hint="give one name for each part" if parts else "take it apart: `-> split(2)`",
            also=(Label(st.value.span, f"this gives {got}"),),
        )
    for name, part in zip(st.names, parts, strict=True):
        t.bind_value(str(name), part, scope, name.span)


def check_shape(t: Tracer, shape: tree.Shape, value: Any, scope: Scope, span: Span) -> None:
    """The shape written at a binding against the one found."""
    if isinstance(value, Unknown):
        sizes = [_size(t, e, scope) for e in shape]
        if all(s is not None for s in sizes):
            raise Resolved(value.root, Shaped(tuple(s for s in sizes if s is not None)))
        return
    if not isinstance(value, Tensor):
        raise ModelError.at(span, "E0307", "only a single value has a shape")
    written = f"[{', '.join(e.span.text for e in shape)}]"
    message = f"{written} is written, but the value is {describe(value)}"
    if value.rank != len(shape):
        raise ModelError.at(span, "E0409", message, hint=f"write {describe(value)}")
    try:
        for entry, actual in zip(shape, value.shape, strict=True):
            agree(t, entry, actual, scope)
    except Fact:
        raise ModelError.at(span, "E0409", message, hint=f"write {describe(value)}") from None


def bind_layer(t: Tracer, st: tree.LayerBinding, scope: Scope) -> None:
    """`layer f = ...`: one instance."""
    claim(scope, st.name, st.name_span)
    value = t.evaluate(st.value, scope)
    if not isinstance(value, Layer | Definition | Builtin):
        raise ModelError.at(
            st.value.span,
            "E0316",
            "`layer` names a layer, but this is a value",
            hint=f"write `{st.name} = ...`",
            also=tuple(Label(x.span, "a value") for x in leaves(value)[:1] if x.span),
        )
    place = t.place.within(st.name)
    place.weights = joined(t.place.weights, st.name)
    # What is named later in the file must not change what the layer means.
    seen = scope.so_far()
    layer = Layer(st.value, seen, st.name, place)
    scope.bind(st.name, layer, st.name_span)


def named_later(body: Iterable[tree.Statement]) -> dict[str, Later]:
    """Every name that a body defines, until its statement is reached."""
    values = (tree.Binding, tree.Role)
    return {n: Later(p, isinstance(st, values)) for st in body for n, p in names_of(st)}


def names_of(st: tree.Statement) -> list[tuple[str, Span]]:
    """The names a statement defines, for `used before it is defined`."""
    match st:
        case tree.Binding():
            return [(str(n), n.span) for n in st.names]
        case tree.Register() | tree.LayerBinding() | tree.Op() | tree.Block() | tree.Tensor():
            return [(st.name, st.name_span)]
        case tree.Param():
            return [(st.name, st.name_span)]
        case tree.Role() if st.name is not None:
            return [(st.name, st.name_span)]
    return []

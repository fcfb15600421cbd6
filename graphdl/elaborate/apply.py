"""A layer meets its input: stages of chains, calls, and the bodies of definitions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import Label, ModelError, Span
from ..graph import Named
from ..program import ShapeError
from ..syntax import tree
from .binding import Arguments, Bound, Callee, bind, evaluated
from .evaluate import lookup
from .ownership import owns_weights
from .scope import Scope
from .statements import run_body, run_op
from .values import (
    Builtin,
    Definition,
    Fact,
    Layer,
    Tensor,
    Unknown,
    UnknownShape,
    describe,
    leaves,
)

if TYPE_CHECKING:
    from .tracer import Tracer

REPEATS = 10_000
STEPS = 12  # as many are listed before a size that is too small
PRELUDE_NAME = "prelude/"


def stage(t: Tracer, e: tree.Expression, x: Any, s: Scope) -> Any:
    """`x -> e`."""
    match e:
        case tree.Name() | tree.Call():
            return _named_stage(t, e, x, s)
        case tree.If():
            return _if_stage(t, e, x, s)
        case tree.Repeat():
            return _repeat_stage(t, e, x, s)
        case tree.Each():
            items = _items(t, e.items, s)
            return tuple(stage(t, e.body, x, s.child(**{e.variable: i})) for i in items)
        case tree.Scan():
            return t.scan(e, x, s)
        case tree.Chain():
            for part in (e.head, *e.stages):
                x = stage(t, part, x, s)
            return x
    raise ModelError.at(
        e.span,
        "E0311",
        "a layer is wanted here, this is arithmetic",
        hint="bracket the chain: `(x -> relu) + skip`",
    )


def _named_stage(t: Tracer, e: tree.Name | tree.Call, x: Any, s: Scope) -> Any:
    name = e if isinstance(e, tree.Name) else e.target
    call = e if isinstance(e, tree.Call) else None
    target = lookup(t, name, s, as_layer=True)
    if len(name.path) > 1:
        raise ModelError.at(name.span, "E0311", f"`{name}` is a weight, not a layer")
    if isinstance(target, Layer):
        if call is not None:
            raise ModelError.at(
                e.span,
                "E0202",
                f"`{target.name}` takes no arguments: they were given where it was defined",
                hint=f"write `-> {target.name}`",
            )
        return apply_layer(t, target, x, e.span)
    if isinstance(target, Definition | Builtin):
        return apply(t, target, x, evaluated(t, call, s), e.span, e)
    raise ModelError.at(
        e.span,
        "E0311",
        f"`{name}` is a value, not a layer",
        label=f"this is {describe(target)}",
        hint=f"to join values write `(a, {name}) -> concat`, to add them `a + {name}`",
    )


def _if_stage(t: Tracer, e: tree.If, x: Any, s: Scope) -> Any:
    condition = t.evaluate(e.condition, s)
    if not isinstance(condition, bool):
        raise ModelError.at(
            e.condition.span,
            "E0307",
            "a layer can only be chosen by a constant",
            label=f"this is {describe(condition)}",
        )
    chosen = e.then if condition else e.otherwise
    return x if chosen is None else stage(t, chosen, x, s)


def _repeat_stage(t: Tracer, e: tree.Repeat, x: Any, s: Scope) -> Any:
    for item in _items(t, e.items, s):
        x = stage(t, e.body, x, s.child(**{e.variable: item}) if e.variable else s)
    return x


def _items(t: Tracer, e: tree.Expression, s: Scope) -> list[Any]:
    value = t.evaluate(e, s)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= REPEATS:
            raise ModelError.at(e.span, "E0309", f"this count must be in 0..{REPEATS}, got {value}")
        return list(range(1, value + 1))
    try:
        return list(value)
    except Fact as fact:
        raise ModelError.at(e.span, fact.code, fact.message) from None
    except TypeError:
        raise ModelError.at(
            e.span, "E0307", "a count or a list is wanted here", label=f"this is {describe(value)}"
        ) from None


def apply_layer(t: Tracer, layer: Layer, x: Any, span: Span) -> Any:
    """Use a layer: with a place of its own it shares its weights, else they are fresh."""
    if layer.place is None:
        return stage(t, layer.tree, x, layer.scope)
    outer, scopes = t.place, t.scopes
    single = not isinstance(layer.tree, tree.Chain | tree.Repeat | tree.Each)
    node = outer.child(layer.name).name
    t.place = replace(layer.place, name=node, single=single, counts={})
    if not single and not t.depth:
        t.scopes = (*scopes, node)
    try:
        with located(t, span, leaves(x)):
            return stage(t, layer.tree, x, layer.scope)
    finally:
        t.place, t.scopes = outer, scopes


def call(t: Tracer, e: tree.Call, s: Scope) -> Any:
    """A call in the place of a value: of values, if one is among its arguments; else a layer."""
    target = lookup(t, e.target, s, as_layer=True)
    if isinstance(target, Layer):
        return _layer_called(t, target, e, s)
    if not isinstance(target, Definition | Builtin):
        raise ModelError.at(e.span, "E0311", f"`{e.target}` is a value and cannot be called")
    arguments = evaluated(t, e, s)
    if isinstance(target, Builtin):
        if target.fact:
            return t.fact(target, arguments, e)
        numbers = [v for v, _ in arguments.positional]
        if target.number and not arguments.flowing and len(numbers) >= len(target.ports):
            return t.number(target, numbers, e)
    if _of_numbers(target, arguments):
        assert isinstance(target, Definition)
        with located(t, e.span, []):
            return run_op(t, target, bind(t, target, None, arguments, e.span))
    if not arguments.flowing:
        return Layer(e, s, target.name)
    if isinstance(target, Definition) and owns_weights(target):
        rest = ", ".join(a.span.text for a in e.arguments[1:])
        first = e.arguments[0].span.text if e.arguments else "x"
        raise ModelError.at(
            e.span,
            "E0302",
            f"`{target.name}` takes its input by an arrow",
            hint=f"write `{first} -> {target.name}({rest})`",
        )
    return apply(t, target, None, arguments, e.span, e)


def _of_numbers(target: Callee, arguments: Arguments) -> bool:
    """Whether this is an op of numbers alone, such as `sigmoid(0.5)`: then it gives a number.

    Where an op has parameters the numbers are theirs, and it is a layer: `leaky_relu(0.2)`.
    """
    if not isinstance(target, Definition) or not isinstance(target.tree, tree.Op):
        return False
    numbers = [v for v, _ in arguments.positional if type(v) in (int, float)]
    whole = len(numbers) == len(arguments.positional) == len(target.ports)
    return whole and not target.formals and not arguments.named


def _layer_called(t: Tracer, layer: Layer, e: tree.Call, s: Scope) -> Any:
    arguments = evaluated(t, e, s)
    hint = f"write `x -> {layer.name}`"
    if arguments.flowing and e.arguments:
        hint = f"write `{e.arguments[0].span.text} -> {layer.name}`"
    raise ModelError.at(e.span, "E0302", f"`{layer.name}` takes its input by an arrow", hint=hint)


def apply(
    t: Tracer, target: Callee, flow: Any, arguments: Arguments, span: Span, e: tree.Expression
) -> Any:
    """Bind the arguments and run the definition, as one node of the graph where users see one."""
    with located(t, span, leaves(flow) + leaves([v for v, _ in arguments.positional])):
        bound = bind(t, target, flow, arguments, span)
        if isinstance(target, Builtin) and target.fact:
            raise ModelError.at(span, "E0311", f"`{target.name}` is not a layer")
        if isinstance(target, Definition) and isinstance(target.tree, tree.Block):
            if target.tree.kind == "rule":
                raise ModelError.at(
                    span,
                    "E0311",
                    f"`{target.name}` is an optimiser, not a layer",
                    hint=f"write `train {{ optimizer = {target.name}(...) }}`",
                )
            if not target.prelude:
                return _user_block(t, target, bound, span)
        return _one_node(t, target, bound, span, e)


def _user_block(t: Tracer, target: Definition, bound: Bound, span: Span) -> Any:
    outer, scopes = t.place, t.scopes
    t.place = outer.child(target.name)
    if not t.depth:
        t.scopes = (*scopes, t.place.name)
    try:
        return run_body(t, target, bound, span)
    finally:
        t.place, t.scopes = outer, scopes


def _one_node(t: Tracer, target: Callee, bound: Bound, span: Span, e: tree.Expression) -> Any:
    def run() -> Any:
        if isinstance(target, Builtin):
            return target.function(t, *bound.ports, **bound.parameters)
        if isinstance(target.tree, tree.Op):
            return run_op(t, target, bound)
        return run_body(t, target, bound, span)

    text = ""
    if isinstance(e, tree.Call):
        text = ", ".join(
            a.span.text for a in e.arguments if a.name or not _is_flow(bound, a.value.span)
        )
    # None stands for what comes by a wire: the constants keep their places between them.
    ports = tuple(None if leaves(p) else p for p in bound.ports)
    constants = {k: None if leaves(v) else v for k, v in bound.parameters.items()}
    flows = leaves(bound.ports) + leaves(list(bound.parameters.values()))
    named = Named(target.name, ports, constants, span)
    return t.record(target.name, target.name, text, span, flows, run, named)


def _is_flow(bound: Bound, span: Span) -> bool:
    return span not in bound.spans.values()


@contextmanager
def located(
    t: Tracer, span: Span, inputs: list[Any], labels: tuple[Label, ...] = ()
) -> Iterator[None]:
    """Facts stated inside become a diagnostic here, when this is the user's own text."""
    if t.depth:
        yield
        return
    also = labels or tuple(
        Label(x.span, f"this is {describe(x)}")
        for x in inputs
        if isinstance(x, Tensor) and x.span and x.span != span
    )
    try:
        yield
    except Fact as fact:
        raise ModelError.at(
            span,
            fact.code,
            fact.message,
            label=fact.label,
            hint=fact.hint,
            note=_sizes(t, inputs) if fact.code == "E0404" else (),
            also=also,
        ) from None
    except ShapeError as error:
        message = error.message.replace("[B, ", "[").replace("[B]", "[]")
        raise ModelError.at(span, error.code, message, hint=error.hint or (), also=also) from None
    except UnknownShape as unknown:
        name = unknown.root
        raise ModelError.at(
            span,
            "E0405",
            f"the shape of `{name}` is not known",
            label="needs it",
            hint=f"write `input {name}[channels, height, width]`, or `{name}[n]` for a vector",
        ) from None
    except ModelError as error:
        raise _in_user_text(error, span, also) from None
    except RecursionError:
        raise ModelError.at(span, "E0312", "these definitions call each other for ever") from None


def _sizes(t: Tracer, inputs: list[Any]) -> str:
    """The way here from the input, with the size after each step."""
    steps: list[str] = []
    wire = inputs[0].wire if inputs else None
    while wire is not None and len(steps) < STEPS:
        node = t.graph.nodes[wire.node]
        steps.append(f"{node.label} {t.graph.shaped(wire)}")
        wire = node.inputs[0] if node.inputs else None
    return "sizes: " + " -> ".join(reversed(steps)) if steps else ""


def _in_user_text(error: ModelError, span: Span, also: tuple[Label, ...]) -> ModelError:
    """An error inside a prelude body is shown at the user's call of it."""
    return ModelError(
        *(
            replace(d, primary=Label(span), secondary=also)
            if d.primary and d.primary.span.source.name.startswith(PRELUDE_NAME)
            else d
            for d in error.diagnostics
        )
    )


__all__ = ["Unknown", "apply", "apply_layer", "call", "located", "stage"]

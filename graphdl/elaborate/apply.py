"""A layer meets its input: stages of chains, calls, and the bodies of definitions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import Diagnostic, Label, ModelError, Span
from ..graph import Named
from ..limits import VALUES
from ..program import ShapeError
from ..syntax import tree
from .binding import Arguments, Bound, Callee, bind, evaluated
from .constants import Interval
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
    UnknownShape,
    describe,
    leaves,
)

if TYPE_CHECKING:
    from .tracer import Tracer

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
    target = lookup(t, name, s, stage=e)
    if len(name.path) > 1:
        hint = f"for a product write `x @ {name}`"
        raise ModelError.at(name.span, "E0311", f"`{name}` is a weight, not a layer", hint=hint)
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
        if not 0 <= value <= VALUES.most:
            message = f"this count must be in 0..{VALUES.most:,}, got {value:,}"
            raise ModelError.at(e.span, "E0309", message, hint=VALUES.hint if value > 0 else ())
        return list(range(1, value + 1))
    try:
        if isinstance(value, list | Interval):
            return list(value)
    except Fact as fact:
        raise ModelError.at(e.span, fact.code, fact.message, hint=fact.hint) from None
    raise ModelError.at(
        e.span, "E0307", "a count or a list is wanted here", label=f"this is {describe(value)}"
    )


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
        with located(t, span, leaves(x)), used_at(span, f"in this use of `{layer.name}`"):
            return stage(t, layer.tree, x, layer.scope)
    finally:
        t.place, t.scopes = outer, scopes


def call(t: Tracer, e: tree.Call, s: Scope) -> Any:
    """A call in the place of a value: of values, if one is among its arguments; else a layer."""
    target = lookup(t, e.target, s, stage=e)
    if isinstance(target, Layer):
        return _layer_called(t, target, e, s)
    if not isinstance(target, Definition | Builtin):
        message = f"`{e.target}` is a value and cannot be called"
        raise ModelError.at(e.span, "E0311", message, label=f"it is {describe(target)}")
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
            return run_op(t, target, bind(t, target, None, arguments, e.span), e.span)
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
        _refuse(target)
        bound = bind(t, target, flow, arguments, span)
        if isinstance(target, Builtin) or isinstance(target.tree, tree.Op) or target.prelude:
            return _one_node(t, target, bound, span, e)
        return _user_block(t, target, bound, span)


def _refuse(target: Callee) -> None:
    """E0311 for what is called like a layer and is none."""
    if isinstance(target, Builtin):
        if target.fact:
            hint = f"write `linear(3, init = {target.name}(...))`" if target.initial else ""
            raise Fact("E0311", f"`{target.name}` is not a layer", hint)
    elif isinstance(target.tree, tree.Block) and target.tree.kind == "rule":
        hint = f"write `train {{ optimizer = {target.name}(...) }}`"
        raise Fact("E0311", f"`{target.name}` is an optimiser, not a layer", hint)


def _user_block(t: Tracer, target: Definition, bound: Bound, span: Span) -> Any:
    outer, scopes = t.place, t.scopes
    t.place = outer.child(target.name)
    if not t.depth:
        t.scopes = (*scopes, t.place.name)
    try:
        with used_at(span, f"in this `{target.name}`"):
            return run_body(t, target, bound, span)
    finally:
        t.place, t.scopes = outer, scopes


def _one_node(t: Tracer, target: Callee, bound: Bound, span: Span, e: tree.Expression) -> Any:
    def run() -> Any:
        if isinstance(target, Builtin):
            return target.function(t, *bound.ports, **bound.parameters)
        if isinstance(target.tree, tree.Op):
            return run_op(t, target, bound, span)
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
def used_at(span: Span, text: str) -> Iterator[None]:
    """What goes wrong inside for want of fitting sizes is shown with the use that led there."""
    try:
        yield
    except ModelError as error:
        raise ModelError(*(_with_use(d, Label(span, text)) for d in error.diagnostics)) from None


def _with_use(d: Diagnostic, use: Label) -> Diagnostic:
    inside = d.primary is not None and d.primary.span != use.span
    if inside and (d.code.startswith("E04") or d.code == "E0503"):
        return replace(d, secondary=(*d.secondary, use))
    return d


@contextmanager
def located(
    t: Tracer, span: Span, inputs: list[Any], labels: tuple[Label, ...] = ()
) -> Iterator[None]:
    """Facts stated inside become a diagnostic here, when this is the user's own text."""
    if t.depth:
        yield
        return
    also = labels or _described(inputs, span)
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
        message = f"the shape of `{name}` is not known"
        hint = f"write its sizes: `input {name}[{', '.join(unknown.wanted)}]`"
        if t.one_line:
            hint = "write the size of the input: `linear(2, 3)` takes 2 numbers and gives 3"
            if len(unknown.wanted) > 1:
                hint = f"declare it in a line above: `input x[{', '.join(unknown.wanted)}]`"
        raise ModelError.at(span, "E0405", message, label="needs it", hint=hint) from None
    except ModelError as error:
        raise _in_user_text(error, span, also) from None
    except RecursionError:
        raise ModelError.at(span, "E0312", "these definitions call each other for ever") from None


def _described(inputs: list[Any], span: Span) -> tuple[Label, ...]:
    """What flows in, at the places it comes from."""
    found: dict[tuple[str, int, int], tuple[Span, list[str]]] = {}
    for x in inputs:
        if isinstance(x, Tensor) and x.span and x.span != span:
            key = (x.span.source.name, x.span.start, x.span.end)
            texts = found.setdefault(key, (x.span, []))[1]
            texts += [describe(x)] if describe(x) not in texts else []
    return tuple(Label(place, f"this is {' and '.join(texts)}") for place, texts in found.values())


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
    """An error inside a prelude body is shown at the user's call, without the body's words."""
    return ModelError(
        *(
            replace(
                d, primary=Label(span), secondary=also, hints=() if d.code == "E0112" else d.hints
            )
            if d.primary and d.primary.span.source.name.startswith(PRELUDE_NAME)
            else d
            for d in error.diagnostics
        )
    )

"""An optimiser's rule, run once per weight at compile time: its formula joins the program."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ..errors import ModelError, Span, did_you_mean
from ..graph import Named
from ..graph.kept import MEMORY
from ..program import Type, Update, Value
from ..syntax import tree
from .apply import located
from .arithmetic import lift
from .binding import Arguments, bind
from .elaborate import Elaborated
from .facts import LARGEST
from .place import Place
from .registers import Register, size_of
from .scope import Scope
from .statements import run_body
from .surplus import refuse_surplus
from .tracer import Tracer
from .values import Definition, Fact, Tensor, describe

DEFAULT = Named("adam")


@dataclass(frozen=True, slots=True)
class Memory:
    """A state an optimiser keeps for a weight; `key` is its name in the store."""

    key: str
    shape: tuple[int, ...]
    start: float


@dataclass(slots=True)
class RuleKeeper:
    """States of a rule: one per weight, in the weight's shape unless another is written."""

    weight: str
    shape: tuple[int, ...]
    memories: list[Memory] = field(default_factory=list)

    def current(self, t: Tracer, st: tree.Register, scope: Scope, _: Place) -> Tensor:
        """The state before the step."""
        shape = self.shape
        if st.shape is not None:
            shape = tuple(size_of(t, e, scope, st.name) for e in st.shape)
        start = t.evaluate(st.value, scope) if st.value is not None else 0
        plain = isinstance(start, int | float) and not isinstance(start, bool)
        if not plain or not -LARGEST <= start <= LARGEST:
            assert st.value is not None
            message = f"state `{st.name}` of a rule starts as a number"
            label = f"this is {describe(start)}"
            raise ModelError.at(st.value.span, "E0318", message, label=label)
        key = f"{MEMORY}{self.weight}.{st.name}"
        self.memories.append(Memory(key, shape, float(start)))
        return Tensor(t.builder.input(key, Type(shape), "state", key), batched=False)

    def following(self, t: Tracer, register: Register, value: Any) -> Tensor:
        """The state after the step."""
        assert register.tensor is not None
        tensor = lift(t, value)
        held = register.tensor.value
        _refuse_examples(register.statement.name, tensor)
        if tensor.shape not in (held.type.shape, ()):
            name = register.statement.name
            raise Fact("E0409", f"`{name}` is {list(held.type.shape)}, next {describe(tensor)}")
        reached = t.builder.broadcast(tensor.value, held.type.shape)
        t.updates.append(Update(held, reached))
        return Tensor(reached, batched=False)


def _refuse_examples(name: str, tensor: Tensor) -> None:
    """E0409 for what differs from example to example: a weight is one for all."""
    if tensor.batched:
        message = f"`{name}` would have a value for each example, and a weight has one for all"
        raise Fact("E0409", message, "a rule reads the weight and its gradient, not the inputs")


def find_rule(model: Elaborated, optimizer: Named) -> Definition:
    """The rule a setting names; E0706 when there is none."""
    rules: dict[str, Definition] = {}
    scope: Scope | None = model.scope
    while scope is not None:
        for name, value in scope.names.items():
            if isinstance(value, Definition) and _is_rule(value):
                rules.setdefault(name, value)
        scope = scope.parent
    if optimizer.name not in rules:
        hints = [h for h in (did_you_mean(optimizer.name, rules),) if h]
        hints.append(f"optimisers: {', '.join(sorted(rules))}")
        raise ModelError.at(
            optimizer.span,
            "E0706",
            f"I do not know an optimiser called `{optimizer.name}`",
            hint=tuple(hints),
        )
    return rules[optimizer.name]


def _is_rule(definition: Definition) -> bool:
    return isinstance(definition.tree, tree.Block) and definition.tree.kind == "rule"


def _refuse_names(rule: Definition, optimizer: Named) -> None:
    """E0702 for an argument that is no number, such as a name that nothing defines."""
    named = dict(zip((f.name for f in rule.formals), optimizer.arguments, strict=False))
    numbers = {f.name for f in rule.formals if isinstance(f.default, tree.Number)}
    for name, value in {**named, **optimizer.keywords}.items():
        if isinstance(value, bool) and name in numbers:
            message = f"`{name}` of `{rule.name}` must be a number, got {describe(value)}"
            raise ModelError.at(optimizer.span, "E0702", message)
        if not isinstance(value, int | float) or not -LARGEST <= value <= LARGEST:
            got = f"`{value.name}`" if isinstance(value, Named) else describe(value)
            span = value.span if isinstance(value, Named) else optimizer.span
            large = isinstance(value, int | float) and -math.inf < value < math.inf
            what = f"a number of at most {LARGEST:g}" if large else "a number"
            message = f"`{name}` of `{rule.name}` must be {what}, got {got}"
            raise ModelError.at(span or optimizer.span, "E0702", message)


def rate(model: Elaborated, optimizer: Named) -> float | None:
    """The learning rate: as given, else the rule's default; None for a rule without `lr`."""
    rule = find_rule(model, optimizer)
    _refuse_names(rule, optimizer)
    names = [f.name for f in rule.formals]
    if "lr" not in names:
        return None
    given = optimizer.keywords.get("lr")
    if given is None and (place := _place_of_rate(model.tracer, rule)) < len(optimizer.arguments):
        given = optimizer.arguments[place]
    if given is None:
        default = rule.formals[names.index("lr")].default
        given = model.tracer.evaluate(default, rule.scope) if default else None
    if given is None:
        raise ModelError.at(
            optimizer.span,
            "E0206",
            f"`{rule.name}` needs `lr`",
            hint=f"write `{rule.name}(lr = 0.1)`",
        )
    return float(given) if isinstance(given, int | float) else None


def apply_rule(
    model: Elaborated, optimizer: Named, name: str, weight: Value, gradient: Value
) -> tuple[Value, list[Memory]]:
    """The new weight, and the states the rule keeps for it; their updates go to the tracer."""
    t = model.tracer
    rule = find_rule(model, optimizer)
    assert isinstance(rule.tree, tree.Block)
    _refuse_names(rule, optimizer)
    span = optimizer.span or rule.tree.name_span
    shape = tuple(d for d in weight.type.shape if isinstance(d, int))
    keeper = RuleKeeper(name, shape)
    flows = (Tensor(weight, batched=False), Tensor(gradient, batched=False))
    t.keeper, origin, t.builder.origin = keeper, t.builder.origin, name
    try:
        with located(t, span, []):
            result = _run(t, rule, optimizer, flows, span)
    finally:
        t.keeper, t.builder.origin = None, origin
    with located(t, span, []):
        _refuse_examples(rule.name, result)
    if result.shape != shape or result.value.type.kind != "float":
        raise ModelError.at(
            span, "E0409", f"`{rule.name}` gives {describe(result)} for a weight {list(shape)}"
        )
    return t.builder.broadcast(result.value, shape), keeper.memories


def _run(
    t: Tracer, rule: Definition, optimizer: Named, flows: tuple[Tensor, Tensor], span: Span
) -> Tensor:
    place = optimizer.span or span
    arguments = Arguments(
        [(v, place) for v in optimizer.arguments],
        {k: (v, place) for k, v in optimizer.keywords.items()},
    )
    placed = [f for f in rule.formals if not f.by_name]
    if not t.by_position:
        refuse_surplus(rule, placed, arguments.positional, flows)
    if "lr" in [f.name for f in rule.formals]:
        _feed_rate(t, rule, arguments, place)
    bound = bind(t, rule, flows, arguments, span)
    # `step` is a word of rules: it is found outside the body, inside nothing else.
    around = Scope(rule.scope, {"step": Tensor(t.scalar("step"), batched=False)})
    inside = Definition(rule.tree, around, rule.prelude)
    t.depth += 1
    try:
        return lift(t, run_body(t, inside, bound, span))
    finally:
        t.depth -= 1


def _feed_rate(t: Tracer, rule: Definition, arguments: Arguments, span: Span) -> None:
    """The rate is fed at every step, since schedules change it."""
    fed = (Tensor(t.scalar("lr"), batched=False), span)
    position = _place_of_rate(t, rule)
    if position < len(arguments.positional):
        arguments.positional[position] = fed
    else:
        arguments.named["lr"] = fed


def _place_of_rate(t: Tracer, rule: Definition) -> int:
    """Where `lr` stands among what is given by position; beyond all where it goes by name only."""
    placed = [f.name for f in rule.formals if not f.by_name or t.by_position]
    return placed.index("lr") if "lr" in placed else len(rule.formals)

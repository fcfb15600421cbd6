"""The programs of a model: predicting, evaluating, gradients, and one step of training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from ..errors import UsageError
from ..graph import Named, Wire
from ..graph.kept import CARRIED, MEMORY
from ..program import (
    Averages,
    Body,
    Builder,
    Input,
    Op,
    Program,
    Size,
    Update,
    Value,
    averages,
    differentiate,
)
from .elaborate import Elaborated
from .optimiser import DEFAULT, Memory, apply_rule, rate
from .parts import is_inside, weights_of

# What a program outputs besides the roles: the loss that is differentiated.
LOSS = "loss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """What is compiled into the step besides the loss.

    clip        largest global norm of the gradient; `clip_value` largest element
    l1, l2      penalties in the loss, l1 * sum|w| + l2 / 2 * sum w^2
    decay       weight decay, added to the gradient after clipping
    max_norm    largest norm of the weights into one unit, by name as in parts.py ("": all)
    freeze      names of what stays, as in parts.py
    accumulate  whether gradients of several batches are averaged
    carry       whether states of scans go on from the window before
    """

    optimizer: Named = DEFAULT
    clip: float | None = None
    clip_value: float | None = None
    l1: float = 0.0
    l2: float = 0.0
    decay: float = 0.0
    max_norm: tuple[tuple[str, float], ...] = ()
    freeze: tuple[str, ...] = ()
    accumulate: bool = False
    carry: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """The program of one update, that of a batch before the last of a group, and what they keep.

    averages   how what they report is gathered over batches
    """

    last: Program
    gather: Program | None
    memories: tuple[Memory, ...]
    averages: Averages


def predicting(model: Elaborated, wires: dict[str, Wire]) -> Program:
    """Values of the given wires by name; what only targets and losses need is dropped."""
    outputs = {n: model.value(w).value for n, w in wires.items()} | model.tracer.carried
    return closed(model.builder, list(outputs.items()))


def evaluating(model: Elaborated, wires: dict[str, Wire]) -> Program:
    """The loss, each named loss and metric, and the values of the given wires."""
    outputs = {name: model.value(wire).value for name, wire in wires.items()}
    outputs |= _figures(model) | model.tracer.carried
    return closed(model.builder, list(outputs.items()))


def measuring(model: Elaborated) -> tuple[Program, Averages]:
    """The loss, each named loss and metric, their parts, and how all are gathered over batches."""
    figures, build = _figures(model), model.builder
    how = averages(build.ops, _fed(build), figures, training=False)
    outputs = figures | how.values | model.tracer.carried
    return closed(build, list(outputs.items())), how


def _fed(build: Builder) -> list[Input]:
    """The arrays of a batch; carried states come from the batch before."""
    return [i for i in build.inputs if i.role == "data" and not i.key.startswith(CARRIED)]


def _figures(model: Elaborated) -> dict[str, Value]:
    """The loss, each named loss and metric."""
    named = {**model.graph.losses, **model.graph.metrics}
    figures = {name: model.value(wire).value for name, wire in named.items()}
    return figures | ({LOSS: total_loss(model)} if model.graph.losses else {})


def total_loss(model: Elaborated) -> Value:
    """The sum of all losses."""
    losses = [model.value(wire).value for wire in model.graph.losses.values()]
    if not losses:
        raise UsageError("this model has no loss: write `loss = ...`")
    total = losses[0]
    for loss in losses[1:]:
        total = model.builder.add(total, loss)
    return total


def gradients(model: Elaborated, wrt: Sequence[str] = (), regime: Regime | None = None) -> Program:
    """The loss and its gradient for each weight or input named; a regime adds its penalties."""
    build = model.builder
    loss = total_loss(model)
    if regime is not None:
        loss = _penalised(build, loss, learned(model, regime.freeze).values(), regime)
    values = {i.key: i.value for i in build.inputs if i.role in ("weight", "data")}
    found = differentiate(build, loss, [values[name] for name in wrt]) if wrt else []
    outputs = [(f"gradient/{name}", g) for name, g in zip(wrt, found, strict=True)]
    return closed(build, [(LOSS, loss), *outputs])


def training(model: Elaborated, regime: Regime) -> Step:
    """One step: forward, backward, clipping and the optimiser's rule, as one program.

    The model must have been elaborated for training, and is used up.
    """
    build = model.builder
    weights = learned(model, regime.freeze)
    loss = _penalised(build, total_loss(model), weights.values(), regime)
    found = differentiate(build, loss, list(weights.values()))
    figures = {LOSS: loss} | {n: model.value(w).value for n, w in _reported(model).items()}
    how = averages(build.ops, _fed(build), figures, training=True)
    outputs = list((figures | how.values | model.tracer.carried).items())
    running = [u for u in model.updates if u.target not in _stopped(model, regime.freeze)]
    gather: Program | None = None
    memories: list[Memory] = []
    if regime.accumulate:
        found, gathered, emptied, memories = _accumulated(model, weights, found)
        gather = closed(build, outputs, running + gathered)
        running += emptied
    changes: list[Update] = []
    limits = _limits(model, regime, weights)
    found = _clipped(build, found, regime)
    before = len(model.tracer.updates)
    for (name, weight), gradient in zip(weights.items(), found, strict=True):
        if regime.decay:
            gradient = build.add(gradient, build.mul(weight, build.constant(regime.decay)))
        model.tracer.steps = 0  # the rule is small; how often it is applied is no fault of its own
        new, kept = apply_rule(model, regime.optimizer, name, weight, gradient)
        changes.append(Update(weight, _limited(build, new, limits.get(name))))
        memories += kept
    changes += model.tracer.updates[before:]
    return Step(closed(build, outputs, running + changes), gather, tuple(memories), how)


def refuse(model: Elaborated, regime: Regime) -> None:
    """What training would refuse about its optimiser and frozen weights, tried on one weight."""
    weights = learned(model, regime.freeze)
    _limits(model, regime, weights)
    rate(model, regime.optimizer)
    for name, weight in list(weights.items())[:1]:
        apply_rule(model, regime.optimizer, name, weight, weight)


def _reported(model: Elaborated) -> dict[str, Wire]:
    several = model.graph.losses if len(model.graph.losses) > 1 else {}
    found = {**several, **model.graph.metrics}
    # A loss without a name is called as the sum of all is.
    return {name: wire for name, wire in found.items() if name != LOSS}


def learned(model: Elaborated, freeze: Iterable[str]) -> dict[str, Value]:
    """Weights that training changes, by name; E0705 for a frozen name that is not one."""
    weights = {i.key: i.value for i in model.builder.inputs if i.role == "weight"}
    frozen = {w for name in freeze for w in weights_of(model, weights, name, "freeze")}
    return {n: v for n, v in weights.items() if n not in frozen}


def _stopped(model: Elaborated, freeze: Iterable[str]) -> set[Value]:
    """Running averages of frozen layers: what stays as it is does so in every respect."""
    return {
        i.value
        for i in model.builder.inputs
        if i.role == "state" and any(is_inside(i.key, name) for name in freeze)
    }


def _limits(model: Elaborated, regime: Regime, weights: Iterable[str]) -> dict[str, float]:
    """The largest norm of rows, by weight: of several names for it the longest counts."""
    found: dict[str, float] = {}
    for name, most in sorted(regime.max_norm, key=lambda limit: limit[0].count(".")):
        for weight in weights_of(model, weights, name, "max_norm") if name else weights:
            found[weight] = most
    return found


def _penalised(build: Builder, loss: Value, weights: Iterable[Value], regime: Regime) -> Value:
    for weight in weights:
        if regime.l1:
            loss = build.add(
                loss, build.mul(build.sum(build.abs(weight)), build.constant(regime.l1))
            )
        if regime.l2:
            square = build.sum(build.mul(weight, weight))
            loss = build.add(loss, build.mul(square, build.constant(regime.l2 / 2)))
    return loss


def _accumulated(
    model: Elaborated, weights: dict[str, Value], found: list[Value]
) -> tuple[list[Value], list[Update], list[Update], list[Memory]]:
    """Mean gradient of a group; how it is gathered and emptied; where it is kept."""
    build = model.builder
    group = model.tracer.scalar("group")
    means, gathered, emptied, memories = [], [], [], []
    for (name, weight), gradient in zip(weights.items(), found, strict=True):
        key = f"{MEMORY}{name}.gathered"
        held = build.input(key, weight.type, "state", key)
        total = build.add(held, gradient)
        means.append(build.div(total, group))
        gathered.append(Update(held, total))
        emptied.append(Update(held, build.zeros(weight.type)))
        memories.append(Memory(key, tuple(int(d) for d in weight.type.shape), 0.0))  # type: ignore[arg-type]
    return means, gathered, emptied, memories


def _clipped(build: Builder, found: list[Value], regime: Regime) -> list[Value]:
    if regime.clip_value:
        top, bottom = build.constant(regime.clip_value), build.constant(-regime.clip_value)
        found = [build.minimum(build.maximum(g, bottom), top) for g in found]
    if regime.clip and found:
        squares = [build.sum(build.mul(g, g)) for g in found]
        total = squares[0]
        for square in squares[1:]:
            total = build.add(total, square)
        norm = build.maximum(build.sqrt(total), build.constant(1e-12))
        scale = build.minimum(build.div(build.constant(regime.clip), norm), build.constant(1.0))
        found = [build.mul(g, scale) for g in found]
    return found


def _limited(build: Builder, weight: Value, most: float | None) -> Value:
    """Rows (weights into one unit) longer than `most` are shortened to it."""
    if most is None or len(weight.type.shape) < 2:
        return weight
    axes = tuple(range(1, len(weight.type.shape)))
    norm = build.sqrt(build.sum(build.mul(weight, weight), axes, keep=True))
    scale = build.div(build.constant(most), build.maximum(norm, build.constant(most)))
    return build.mul(weight, scale)


def closed(
    build: Builder, outputs: list[tuple[str, Value]], updates: Sequence[Update] = ()
) -> Program:
    """The program of these results, with the inputs and operations they need and no others."""
    needed = {v for _, v in outputs} | {u.value for u in updates} | {u.target for u in updates}
    ops = []
    for op in reversed(build.ops):
        if op.out in needed:
            needed.update(op.args)
            ops.append(op)
    needed |= _measures(build, needed, ops)
    inputs = tuple(i for i in build.inputs if i.value in needed)
    return Program(inputs, tuple(reversed(ops)), tuple(outputs), tuple(updates))


def _measures(build: Builder, needed: set[Value], ops: list[Op]) -> set[Value]:
    """Data inputs of which only the sizes are needed: who else says how long `T` is?"""
    missing = _names([v.type.shape for v in needed])
    missing |= _names([getattr(op.primitive, f.name) for op in ops for f in fields(op.primitive)])
    data = [i.value for i in build.inputs if i.role == "data"]
    found: set[Value] = set()
    for value in sorted(data, key=lambda v: v not in needed):
        names = _names(value.type.shape)
        if names & missing:
            found.add(value)
        missing -= names
    return found


def _names(part: object) -> set[str]:
    """The size names in shapes and constants, however deep."""
    if isinstance(part, Size):
        return set(part.names())
    if isinstance(part, Body):
        constants = [getattr(op.primitive, f.name) for op in part.ops for f in fields(op.primitive)]
        return _names([*constants, *(op.out.type.shape for op in part.ops)])
    return {n for p in part for n in _names(p)} if isinstance(part, tuple | list) else set()

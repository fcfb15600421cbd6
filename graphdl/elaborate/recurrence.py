"""Recurrence: `scan` does a layer once for every step of a sequence, and states live in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from ..graph import Named
from ..graph.kept import CARRIED
from ..program import Dim, Region, Size, Value
from ..program.primitives import Reverse
from ..syntax import tree
from .arithmetic import lift
from .place import Place, joined
from .registers import Register
from .scope import Scope
from .values import Fact, Tensor, Unknown, describe, leaves, typed

if TYPE_CHECKING:
    from .tracer import Tracer


class Keeper(Protocol):
    """Who keeps the states of the body that is being run: a scan, or an optimiser's rule."""

    def current(self, t: Tracer, st: tree.Register, scope: Scope, place: Place) -> Tensor:
        """The value that a state declared at this place has now."""

    def following(self, t: Tracer, register: Register, value: Any) -> Tensor:
        """Take the value it has next."""


class ScanKeeper:
    """States of a scan: one value per example, of the declared shape at every step.

    next   what each is after the step
    keys   the names under which those that outlive a window are carried to the next one
    """

    def __init__(self, region: Region) -> None:
        self.region = region
        self.next: dict[Value, Value] = {}
        self.keys: dict[Value, str] = {}

    def current(self, t: Tracer, st: tree.Register, scope: Scope, place: Place) -> Tensor:
        """The state before the step."""
        shape = tuple(t.evaluate(e, scope) for e in st.shape or ())
        if any(isinstance(n, bool) or not isinstance(n, int | Size) for n in shape):
            raise Fact("E0410", f"the shape of `{st.name}` wants whole numbers")
        initial = t.evaluate(st.value, scope) if st.value is not None else 0.0
        if isinstance(initial, Unknown):
            initial = t.known(initial)
        if isinstance(initial, bool) or not isinstance(initial, Tensor | int | float):
            raise Fact("E0409", f"`{st.name}` cannot start as {describe(initial)}")
        if isinstance(initial, Tensor) and initial.shape not in (shape, ()):
            raise Fact("E0409", f"`{st.name}` is {list(shape)}, starts as {describe(initial)}")
        start = self._start(t, st, initial, shape)
        key = ""
        t.graph.recurrent = t.graph.recurrent or len(t.regions) == 1
        if t.carry and len(t.regions) == 1:
            key = f"{CARRIED}{joined(place.name, st.name)}"
            start = _from_before(t, key, start)
        state = self.region.carry(start)
        if key:
            self.keys[state] = key
        return Tensor(state, True)

    def _start(
        self, t: Tracer, st: tree.Register, initial: Tensor | float, shape: tuple[Dim, ...]
    ) -> Value:
        build, type_ = t.builder, typed(shape, True)
        if not isinstance(initial, Tensor):
            return build.broadcast(lift(t, initial).value, type_.shape)
        if self.region.varies(initial.value):
            raise Fact(
                "E0409",
                f"`{st.name}` cannot start as something that changes from step to step",
                "start with a number, a weight, or what `hold` passes to every step",
            )
        value = build.cast(initial.value, "float")
        if initial.batched and not initial.rank:
            value = build.reshape(value, (*value.type.shape, *(1,) * len(shape)))
        return build.broadcast(value, type_.shape)

    def following(self, t: Tracer, register: Register, value: Any) -> Tensor:
        """The state after the step."""
        tensor = t.known(value)
        assert register.tensor is not None
        state = register.tensor.value
        if tensor.shape != register.tensor.shape:
            name = register.statement.name
            raise Fact(
                "E0409",
                f"`{name}` is {describe(register.tensor)}, its next value is {describe(tensor)}",
            )
        self.next[state] = t.builder.broadcast(
            t.builder.cast(tensor.value, "float"), state.type.shape
        )
        return Tensor(self.next[state], True)


def _from_before(t: Tracer, key: str, start: Value) -> Value:
    """A state as the window before left it, or as declared where a sequence begins."""
    held = t.builder.input(key, start.type, "data", key)
    return t.builder.select(t.scalar("fresh", "bool"), start, held)


def scan(t: Tracer, e: tree.Scan, x: Any, s: Scope) -> Any:
    """Step over the first axis: the body is worked out for one step, the result has the axis."""
    with t.located(e.span, leaves(x)):
        parts = [_sequence(t, p) for p in (x if isinstance(x, tuple) else (x,))]
        length = _length(parts)
    depth = t.depth

    def run() -> Any:
        sequences = [p if p.maker == "hold" else _turned(t, p) for p in parts]
        region = Region(t.builder, length, remember=t.training)
        steps = tuple(_step(region, p) for p in sequences)
        result, keeper = _body(t, e, steps if isinstance(x, tuple) else steps[0], s, region, depth)
        found = result if isinstance(result, tuple) else (result,)
        kept = [t.known(y) for y in found]
        following = [keeper.next[state] for state in region.carried]
        ends = [keeper.next[state] for state in keeper.keys]
        whole = region.close(following, [*(y.value for y in kept), *ends])
        _carry_over(t, keeper.keys.values(), whole[len(kept) :], parts)
        outputs = [
            _turned(t, Tensor(value, y.batched, y.classes))
            for value, y in zip(whole[: len(kept)], kept, strict=True)
        ]
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]

    with t.located(e.span, list(parts)):
        return t.record("scan", "scan", "", e.span, list(parts), run, Named("scan"))


def _carry_over(t: Tracer, keys: Iterable[str], whole: list[Value], parts: list[Tensor]) -> None:
    """Keep what the states are behind the last step, for the window that follows."""
    for key, steps in zip(keys, whole, strict=True):
        if any(_goes_backwards(t, part) for part in parts):
            raise Fact(
                "E0605",
                "this goes backwards in time: its state has nowhere to be carried to",
                "leave `carry_state` out, or `reverse`",
            )
        length, *shape = steps.type.shape
        end = t.builder.slice(steps, 0, length - 1, length)
        t.carried[key] = t.builder.reshape(end, shape)


def _goes_backwards(t: Tracer, x: Tensor) -> bool:
    """Whether time was turned round on the way to a sequence."""
    seen, pending = set(), [x.value] if x.maker != "hold" else []
    while pending:
        value = pending.pop()
        op = t.builder.maker(value)
        if op is None or op in seen:
            continue
        if value in t.padding.turned:
            return True
        seen.add(op)
        time = 1 if x.batched else 0
        if isinstance(op.primitive, Reverse) and op.primitive.axis == time:
            return True
        pending += op.args
    return False


def _body(
    t: Tracer, e: tree.Scan, steps: Any, s: Scope, region: Region, depth: int
) -> tuple[Any, ScanKeeper]:
    """The body of one step: as much the user's text as the scan is, though its nodes are silent."""
    keeper, inner = t.keeper, t.depth
    t.keeper = inside = ScanKeeper(region)
    t.regions.append(region)
    t.silent, t.depth = t.silent + 1, depth
    try:
        return t.stage(e.body, steps, s), inside
    finally:
        t.keeper, t.silent, t.depth = keeper, t.silent - 1, inner
        t.regions.pop()


def _length(parts: list[Tensor]) -> Dim:
    """How many steps there are; every part that is stepped has as many."""
    lengths = {str(p.shape[0]): p.shape[0] for p in parts if p.maker != "hold"}
    if len(lengths) > 1:
        a, b = list(lengths)[:2]
        raise Fact("E0407", f"`scan` steps over {a} here and {b} there", "write one size for both")
    if not lengths:
        raise Fact("E0401", "`scan` has nothing to step over", "not all of it may be `hold`")
    return next(iter(lengths.values()))


def _sequence(t: Tracer, x: Any) -> Tensor:
    if isinstance(x, Unknown) or not isinstance(x, Tensor):
        return t.known(x)
    if not x.rank and x.maker != "hold":
        raise Fact("E0401", "`scan` wants a sequence [T, ...], this is a single number")
    return x


def _step(region: Region, x: Tensor) -> Tensor:
    if x.maker == "hold":
        return x
    return Tensor(region.step(x.value), x.batched, x.classes)


def _turned(t: Tracer, x: Tensor) -> Tensor:
    """Batch and time exchanged: a scan goes over the first axis of a program's value."""
    if not x.batched:
        return x
    order = (1, 0, *range(2, len(x.value.type.shape)))
    return Tensor(t.builder.transpose(x.value, order), True, x.classes)

"""What is kept: weights, running statistics, the states of a scan or of an optimiser's rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..errors import Label, ModelError, did_you_mean
from ..graph import Initial, Weight
from ..program import Dim, Size
from ..syntax import tree
from .facts import LARGEST
from .place import Place, joined
from .scope import Lazy, Scope
from .statements import claim
from .values import Builtin, Fact, Tensor, describe

if TYPE_CHECKING:
    from .tracer import Tracer

ELEMENTS = 2**31


@dataclass(slots=True)
class Register:
    """A state or running register of the body that is being run."""

    statement: tree.Register
    tensor: Tensor | None = None
    next_statement: tree.NextBinding | None = None
    next_scope: Scope | None = field(default=None, repr=False)
    next_place: Place | None = None
    following: Tensor | None = None
    busy: bool = False


def declare(t: Tracer, st: tree.Register, scope: Scope) -> None:
    """`weight`, `running` or `state`: bind the name; what it stands for is made on first use."""
    claim(scope, st.name, st.name_span)
    if scope.find(st.name) and st.name[0].isupper():
        raise ModelError.at(st.name_span, "E0203", f"`{st.name}` is the name of a size already")
    place = t.place
    if st.kind == "weight":
        scope.bind(st.name, Lazy(st.name, lambda: _kept(t, st, scope, place)), st.name_span)
        return
    register = t.registers[st.name] = Register(st)
    if st.kind == "state" and not t.keeps_state:
        name, call = t.called or (st.name, "cell")
        raise Fact(
            "E0601",
            f"`{name}` has state and must run inside `scan`",
            f"write `-> scan {{ {call} }}`",
        )

    def first() -> Tensor:
        made = _kept(t, st, scope, place) if st.kind == "running" else t.state(st, scope, place)
        register.tensor = made
        return made

    scope.bind(st.name, Lazy(st.name, first), st.name_span)


def _kept(t: Tracer, st: tree.Register, scope: Scope, place: Place) -> Tensor:
    name = joined(place.weights, st.name.rstrip("_"))
    shape = tuple(size_of(t, e, scope, st.name) for e in st.shape or ())
    default = Initial("glorot") if st.kind == "weight" else Initial("constant", (0.0,))
    value = default if st.value is None else t.evaluate(st.value, scope)
    initial = as_initial(t, value, st)
    kind: Literal["weight", "running"] = "running" if st.kind == "running" else "weight"
    return t.keep(Weight(name, shape, initial, kind, st.name_span))


def as_initial(t: Tracer, value: Any, st: tree.Register) -> Initial:
    """A number or an initialiser as the start of a register; `glorot` alone is `glorot()`."""
    if isinstance(value, Builtin) and value.fact and all(f.default for f in value.formals):
        value = value.function(t)
    if isinstance(value, Initial):
        return value
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if plain and -LARGEST <= value <= LARGEST:
        return Initial("constant", (float(value),))
    span = st.value.span if st.value else st.span
    raise ModelError.at(
        span,
        "E0318",
        f"`{st.name}` cannot start as {describe(value)}",
        hint="write a number or an initialiser: uniform(a), normal(s), glorot, he, orthogonal, "
        'file("w.npy")',
    )


def size_of(t: Tracer, e: tree.Expression, scope: Scope, name: str) -> int:
    """A size of a weight or of an optimiser's state."""
    size: Dim = t.evaluate(e, scope)
    if isinstance(size, Size):
        raise Fact(
            "E0410",
            f"the weight `{name}` would have a size that is known only when the model runs: {size}",
            "write the size of that axis at the `input`",
        )
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise Fact("E0410", f"a size is a whole number from 1, got {describe(size)}")
    if size > ELEMENTS:
        raise Fact("E0410", f"a size of {size:,} is more than graphdl can hold")
    return size


def bind_next(t: Tracer, st: tree.NextBinding, scope: Scope) -> None:
    """`next h = ...`: kept, and worked out when something reads it or the body ends."""
    register = t.registers.get(st.name)
    if register is None:
        raise ModelError.at(
            st.name_span,
            "E0603",
            f"`{st.name}` is not a state of this block",
            hint=(did_you_mean(st.name, t.registers), f"declare it: `state {st.name}[n]`"),
        )
    if register.next_statement is not None:
        raise ModelError.at(
            st.name_span,
            "E0203",
            f"`next {st.name}` is defined twice",
            hint="keep one of them",
            also=(Label(register.next_statement.span, "first here"),),
        )
    register.next_statement, register.next_scope, register.next_place = st, scope, t.place


def next_value(t: Tracer, e: tree.NextValue) -> Any:
    """`next h` as a value."""
    register = t.registers.get(e.name)
    if register is None:
        hint = did_you_mean(e.name, t.registers) or "only a `state` has a next value"
        raise ModelError.at(e.span, "E0603", f"`{e.name}` is not a state of this block", hint=hint)
    if register.next_statement is None:
        raise ModelError.at(
            e.span,
            "E0204",
            f"`next {e.name}` is used before it is defined",
            hint=f"write `next {e.name} = ...` above",
        )
    return _following(t, register)


def _following(t: Tracer, register: Register) -> Tensor:
    if register.following is not None:
        return register.following
    st, scope = register.next_statement, register.next_scope
    assert st is not None
    assert scope is not None
    if register.busy:
        hint = f"`{st.name}` is last step's value"
        raise ModelError.at(st.span, "E0304", f"`next {st.name}` depends on itself", hint=hint)
    register.busy = True
    if register.tensor is None:
        held = scope.find(st.name)
        assert held is not None
        held.names[st.name]()
    outer, t.place = t.place, register.next_place or t.place
    try:
        with t.located(st.value.span, []):
            value = t.evaluate(st.value, scope)
            register.following = t.next_state(register, value)
    finally:
        t.place = outer
    return register.following


def close_registers(t: Tracer) -> None:
    """Work out the next value of every register that was read; E0602 when there is none."""
    pending = True
    while pending:
        pending = False
        for name, register in list(t.registers.items()):
            if register.following is not None:
                continue
            # A state nobody reads is not kept; running statistics are stepped whoever reads them.
            steps = register.statement.kind == "running" and register.next_statement is not None
            if register.tensor is None and not steps:
                continue
            if register.next_statement is None:
                raise ModelError.at(
                    register.statement.span,
                    "E0602",
                    f"state `{name}` never gets a next value",
                    hint=f"add `next {name} = ...`",
                )
            _following(t, register)
            pending = True

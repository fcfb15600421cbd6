"""Which argument goes where: what flows in fills the ports, the rest fills the parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Label, ModelError, Span, did_you_mean
from ..program import Size
from ..syntax import tree
from .surplus import refuse_surplus, takes
from .values import Builtin, Definition, Fact, Tensor, Unknown, leaves

if TYPE_CHECKING:
    from .scope import Scope
    from .tracer import Tracer

Callee = Definition | Builtin
SHOWN = 5  # of several targets


@dataclass(slots=True)
class Arguments:
    """Arguments as evaluated at the call, each with its span."""

    positional: list[tuple[Any, Span]] = field(default_factory=list)
    named: dict[str, tuple[Any, Span]] = field(default_factory=dict)

    @property
    def flowing(self) -> bool:
        """True when a tensor is among them."""
        values = [v for v, _ in self.positional] + [v for v, _ in self.named.values()]
        return any(leaves(v) for v in values)


@dataclass(slots=True)
class Bound:
    """Port values in order, and parameters by name (those given; defaults are the callee's).

    `placed` is how many of the parameters were given by position.
    """

    ports: list[Any]
    parameters: dict[str, Any]
    spans: dict[str, Span]
    placed: int = 0


def evaluated(t: Tracer, call: tree.Call | None, s: Scope) -> Arguments:
    """The arguments of a call, each evaluated once in the caller's scope."""
    result = Arguments()
    for argument in call.arguments if call else ():
        value = t.evaluate(argument.value, s)
        if argument.name is None:
            if result.named:
                raise ModelError.at(
                    argument.span,
                    "E0205",
                    "an argument without a name follows one with a name",
                    hint="put it first, or give it its name",
                )
            result.positional.append((value, argument.value.span))
        elif argument.name in result.named:
            raise ModelError.at(
                argument.span, "E0205", f"`{argument.name}` is given twice", hint="delete one"
            )
        else:
            result.named[argument.name] = (value, argument.span)
    return result


def bind(t: Tracer, callee: Callee, flow: Any, arguments: Arguments, span: Span) -> Bound:
    """Fit a flowing value (None in a plain call) and arguments to the callee's signature."""
    names = callee.ports
    ports, positional = _ports(callee, flow, list(arguments.positional))
    named = dict(arguments.named)
    for name in names[len(ports) :]:
        if name not in named:
            break
        ports.append(named.pop(name)[0])
    bound = Bound(ports, {}, {})
    _parameters(t, callee, positional, named, bound, span)
    if len(ports) < len(names):
        ports.append(_missing_port(t, callee, ports, span))
    return bound


def _ports(
    callee: Callee, flow: Any, positional: list[tuple[Any, Span]]
) -> tuple[list[Any], list[tuple[Any, Span]]]:
    wanted = len(callee.ports)
    ports: list[Any] = []
    if flow is not None:
        spread = wanted > 1 and isinstance(flow, tuple)
        ports = list(flow) if spread else [flow]
    if len(ports) > wanted:
        raise Fact("E0310", f"{_takes_values(callee)}, this gives {_count(len(ports))}")
    mathematical = isinstance(callee, Builtin) and callee.number is not None
    op = isinstance(callee, Definition) and isinstance(callee.tree, tree.Op)
    while positional and len(ports) < wanted:
        value = positional[0][0]
        if not (leaves(value) or ((mathematical or op) and isinstance(value, int | float | Size))):
            break
        ports.append(positional.pop(0)[0])
    return ports, positional


def _parameters(
    t: Tracer,
    callee: Callee,
    positional: list[tuple[Any, Span]],
    named: dict[str, tuple[Any, Span]],
    bound: Bound,
    span: Span,
) -> None:
    formals = list(callee.formals)
    for name, (_, place) in named.items():
        if name not in [f.name for f in formals]:
            raise unknown_argument(callee, name, place)
    placed = [f for f in formals if not f.by_name or t.by_position]
    fitted = _fitted(placed, len(positional))
    if not t.by_position or len(positional) > len(fitted):
        refuse_surplus(callee, fitted, positional, bound.ports)
    for formal, (value, place) in zip(fitted, positional, strict=False):
        if formal.name in named:
            raise ModelError.at(
                place, "E0205", f"`{formal.name}` is given twice", hint="delete one"
            )
        named[formal.name] = (value, place)
    bound.placed = len(positional)
    for formal in formals:
        if formal.name in named:
            bound.parameters[formal.name], bound.spans[formal.name] = named[formal.name]
        elif formal.default is None:
            raise ModelError.at(
                span, "E0206", f"`{callee.name}` needs `{formal.name}`", hint=takes(callee)
            )


def _fitted(formals: list[tree.Formal], count: int) -> list[tree.Formal]:
    """A parameter with a default that stands before one without is skipped when arguments lack.

    `linear(in = ..., n, ...)` is `linear(n)` with one argument and `linear(in, n)` with two.
    """
    needed = [i for i, f in enumerate(formals) if f.default is None]
    last = needed[-1] + 1 if needed else 0
    if count < last:
        return [formals[i] for i in needed]
    return formals


def unknown_argument(callee: Callee, name: str, span: Span) -> ModelError:
    """E0202."""
    known = [f.name for f in callee.formals]
    hints = tuple(h for h in (did_you_mean(name, known), takes(callee)) if h)
    return ModelError.at(span, "E0202", f"`{callee.name}` has no argument `{name}`", hint=hints)


def _missing_port(t: Tracer, callee: Callee, given: list[Any], span: Span) -> Any:
    """The one target there is, where a loss or metric lacks its last value; else an error."""
    targets = t.targets() if len(given) == len(callee.ports) - 1 and t.depth == 0 else []
    given_already = {x.wire for x in given if isinstance(x, Tensor | Unknown)}
    if not any(x.wire in given_already for x in targets) and (targets or _of_the_library(callee)):
        if len(targets) == 1:
            return targets[0]
        if len(targets) > 1:
            names = [x.wire.node for x in targets if x.wire]
            shown, rest = names[:SHOWN], "" if len(names) <= SHOWN else " or another"
            raise ModelError.at(
                span,
                "E0305",
                f"{_count(len(names))} targets exist, `{callee.name}` needs one of them",
                hint="write " + " or ".join(f"`{callee.name}({n})`" for n in shown) + rest,
                also=tuple(
                    Label(x.span, "a target")
                    for x in targets[:SHOWN]
                    if isinstance(x, Tensor | Unknown) and x.span
                ),
            )
        hint = f"write `target y` above and `{callee.name}(y)` here"
        raise ModelError.at(span, "E0305", f"`{callee.name}` needs a target", hint=hint)
    ports = ", ".join(callee.ports)
    message = f"{_takes_values(callee)}: {ports}"
    raise ModelError.at(span, "E0310", message, hint=f"write `({ports}) -> {callee.name}`")


def _of_the_library(callee: Callee) -> bool:
    """True for losses and metrics, which say that they want a target."""
    return isinstance(callee, Definition) and callee.prelude and len(callee.ports) == 2


def _takes_values(callee: Callee) -> str:
    count = len(callee.ports)
    return f"`{callee.name}` takes {_count(count)} value{'' if count == 1 else 's'}"


def _count(number: int) -> str:
    words = ("no", "one", "two", "three", "four", "five")
    return words[number] if number < len(words) else str(number)

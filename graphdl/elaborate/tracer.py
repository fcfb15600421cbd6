"""One walk over a model: it emits the tensor program and records the model graph on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, NoReturn

from ..errors import Diagnostic, Label, ModelError, Span, did_you_mean
from ..graph import Graph, Named, Shaped, Weight, Wire
from ..program import Region, Type, Update, Value
from ..program.program import Role
from ..syntax import tree
from . import apply as application
from . import evaluate as evaluation
from . import recurrence, registers
from .arithmetic import SYMBOLS, matmul, pointwise
from .binding import Arguments, bind
from .matching import warn_of_stretching
from .padding import Padding
from .place import Place
from .recorder import Recorder
from .registers import Register
from .scope import Scope
from .values import (
    Builtin,
    Definition,
    Fact,
    Flowing,
    Layer,
    Resolved,
    Spoiled,
    Tensor,
    Unknown,
    UnknownShape,
    describe,
    leaves,
    typed,
)

DEPTH = 40  # definitions inside one another; each takes a dozen frames of Python's stack


class Tracer(Recorder):
    """State of the walk; what it does with each kind of expression stands in files of their own.

    training    whether the walk is for a training step; predicting is another walk
    carry       whether states of scans go on from the window before; `carried` are then the states
                behind this window, by the key of the input that takes them
    resolved    shapes of undeclared inputs that earlier walks found out
    calls       definitions we are inside of; `called`: name and text of the innermost call
    kept        tensors of weights and running statistics by name
    registers   states and running registers of the body being run; `keeper` has their values
    same        pairs of undeclared inputs of one shape; `met_number`: those that met one number
    draws       how often each place draws random numbers
    by_position whether arguments of the prelude that go by name are taken by position too
    padding     which steps of a padded sequence are real
    roles_called how many outputs, losses or metrics have had the same name
    """

    def __init__(
        self, graph: Graph, resolved: dict[str, Shaped], *, training: bool, carry: bool = False
    ) -> None:
        super().__init__(graph)
        self.training, self.resolved, self.carry = training, resolved, carry
        self.carried: dict[str, Value] = {}
        self.calls = 0
        self.called: tuple[str, str] | None = None
        self.kept: dict[str, Tensor] = {}
        self.updates: list[Update] = []
        self.registers: dict[str, Register] = {}
        self.keeper: recurrence.Keeper | None = None
        self.regions: list[Region] = []
        self.same: list[tuple[str, str]] = []
        self.met_number: set[str] = set()
        self.draws: dict[str, int] = {}
        self.padding = Padding(self.builder)
        self.roles_called: dict[tuple[str, str], int] = {}
        self.one_line = False
        self.by_position = False
        self.target_spoiled = False
        self.model_scope: Scope | None = None
        self.dependencies: Callable[[str], list[str]] = lambda _: []
        self._scalars: dict[str, Value] = {}

    # ---- expressions: each lives in a file of its own ------------------------------------

    def evaluate(self, e: tree.Expression, s: Scope) -> Any:
        """Value of an expression."""
        return evaluation.evaluate(self, e, s)

    def stage(self, e: tree.Expression, x: Any, s: Scope) -> Any:
        """`x -> e`."""
        return application.stage(self, e, x, s)

    def call(self, e: tree.Call, s: Scope) -> Any:
        """A call in the place of a value."""
        return application.call(self, e, s)

    def scan(self, e: tree.Scan, x: Any, s: Scope) -> Any:
        """`x -> scan { ... }`."""
        return recurrence.scan(self, e, x, s)

    def declare(self, st: tree.Register, scope: Scope) -> None:
        """`weight`, `state` or `running`."""
        registers.declare(self, st, scope)

    def bind_next(self, st: tree.NextBinding, scope: Scope) -> None:
        """`next h = ...`."""
        registers.bind_next(self, st, scope)

    def next_value(self, e: tree.NextValue) -> Any:
        """`next h`."""
        return registers.next_value(self, e)

    def close_registers(self) -> None:
        """The end of a body."""
        registers.close_registers(self)

    def circle(self, name: str) -> list[str]:
        """Names of bindings that depend on each other in a circle through `name`."""
        return self.dependencies(name)

    # ---- definitions -------------------------------------------------------------------

    @contextmanager
    def inside(self, target: Definition, span: Span) -> Iterator[None]:
        """In the body of a block, called at `span`."""
        outer, self.called = self.called, (target.name, span.text)
        self.calls += 1
        if self.calls > DEPTH and not target.prelude:
            message = f"`{target.name}` calls itself, or nests too deeply"
            raise Fact("E0312", message, "to stack layers write `repeat 3 { ... }`")
        try:
            yield
        finally:
            self.calls -= 1
            self.called = outer

    def fact(self, target: Builtin, arguments: Arguments, e: tree.Call) -> Any:
        """A compile-time fact or an initialiser: no node."""
        with application.located(self, e.span, []):
            bound = bind(self, target, None, arguments, e.span)
            return target.function(self, **bound.parameters)

    def number(self, target: Builtin, numbers: list[Any], e: tree.Call) -> Any:
        """A mathematical function of constants."""
        with application.located(self, e.span, []):
            bind(self, target, None, Arguments([(n, e.span) for n in numbers]), e.span)
            if not all(isinstance(n, int | float) for n in numbers):
                return target.function(self, *numbers)
            assert target.number is not None
            try:
                return target.number(*numbers)
            except (ValueError, OverflowError):
                if e.span.source.name.startswith("prelude/"):
                    # The formula that this is part of may be one that the builder has a better for.
                    return target.function(self, *numbers)
                text = ", ".join(map(describe, numbers))
                raise Fact("E0309", f"{target.name}({text}) is not a number") from None

    # ---- shapes ------------------------------------------------------------------------

    def known(self, x: Any) -> Tensor:
        """A tensor whose shape is known; anything else is an error."""
        if isinstance(x, Unknown):
            self.needs_shape(x)
        if not isinstance(x, Tensor):
            raise Fact("E0310", f"a tensor is wanted here, this is {describe(x)}")
        return x

    def needs_shape(self, x: Unknown, wanted: tuple[str, ...] = ("n",)) -> NoReturn:
        """The shape of an input is needed: one number if it met one, else not known."""
        if x.root in self.met_number:
            raise Resolved(x.root, Shaped(()))
        raise UnknownShape(x.root, wanted)

    def located(self, span: Span, inputs: list[Any]) -> AbstractContextManager[None]:
        """Facts stated inside become a diagnostic at this place of the user's text."""
        return application.located(self, span, inputs)

    def same_shape(self, first: str, second: str) -> None:
        """Two inputs of unknown shape meet elementwise."""
        if first != second:
            self.same.append((first, second))

    # ---- what is kept ------------------------------------------------------------------

    @property
    def keeps_state(self) -> bool:
        """True inside a scan or a rule."""
        return self.keeper is not None

    def keep(self, weight: Weight) -> Tensor:
        """The tensor of a weight or running register; the same name is the same tensor."""
        found = self.kept.get(weight.name)
        self.touched.append(weight.name)
        if found is not None:
            if found.shape != weight.shape:
                raise Fact(
                    "E0414",
                    f"the shared weight `{weight.name}` is {list(found.shape)} at its first use "
                    f"and would be {list(weight.shape)} here",
                    "a shared layer needs inputs of one size",
                )
            return found
        role: Role = "state" if weight.kind == "running" else "weight"
        value = self.builder.input(weight.name, Type(weight.shape), role, weight.name)
        tensor = Tensor(value, batched=False, span=weight.span)
        if self.depth == 0 and not self.silent:
            self.touched.pop()
            tensor = self.add_node(
                weight.name, "weight", weight.name, weight.span, tensor, weights=(weight.name,)
            )
        self.kept[weight.name] = tensor
        self.graph.weights[weight.name] = weight
        return tensor

    def weight_of(self, value: Any, e: tree.Name) -> Any:
        """`enc.weight`."""
        prefix = value.place.weights if isinstance(value, Layer) and value.place else e.path[0]
        name = ".".join((prefix, *e.path[1:]))
        found = self.kept.get(name)
        if found is None:
            known = [n for n in self.kept if n.startswith(prefix + ".")]
            hints = (did_you_mean(name, known), f"it has {', '.join(f'`{n}`' for n in known)}")
            if not known:
                hints = ("a layer has its weights after its first use: move that line above", "")
            raise ModelError.at(e.span, "E0207", f"`{e}` is not a weight known here", hint=hints)
        if found.wire is None and self.depth == 0 and not self.silent:
            weight = self.graph.weights[name]
            found = self.add_node(name, "weight", name, weight.span, found, weights=(name,))
            self.kept[name] = found
        return found

    def state(self, st: tree.Register, scope: Scope, place: Place) -> Tensor:
        """The current value of a state that was declared at this place."""
        assert self.keeper is not None
        return self.keeper.current(self, st, scope, place)

    def next_state(self, register: Register, value: Any) -> Tensor:
        """Take the next value of a running register or state."""
        if register.statement.kind == "state":
            assert self.keeper is not None
            return self.keeper.following(self, register, value)
        tensor = self.known(pointwise(self, "add", value, 0.0) if not leaves(value) else value)
        assert register.tensor is not None
        if self.regions:
            raise Fact(
                "E0604",
                f"the running statistic `{register.statement.name}` cannot step inside a `scan`",
                "put the layer before or after the scan, or use `layer_norm`",
            )
        if self.training:
            self._step_running(register.tensor, tensor)
        return tensor

    def _step_running(self, held: Tensor, following: Tensor) -> None:
        """Update a running register; the next use of a shared layer goes on from here."""
        reached = self.builder.stop(self.builder.broadcast(following.value, held.value.type.shape))
        name = next(n for n, x in self.kept.items() if x.value is held.value)
        root = next(i.value for i in self.builder.inputs if i.key == name)
        self.updates = [u for u in self.updates if u.target is not root] + [Update(root, reached)]
        self.kept[name] = replace(self.kept[name], value=reached)

    def scalar(self, key: str, kind: Any = "float") -> Value:
        """A number fed at each run: `lr`, `step`, `seed`, `draw`."""
        if key not in self._scalars:
            self._scalars[key] = self.builder.input(key, Type((), kind), "scalar", key)
        return self._scalars[key]

    def randomness(self) -> tuple[Value, Value]:
        """Seed and draw counter."""
        return self.scalar("seed", "int"), self.scalar("draw", "int")

    # ---- arithmetic as nodes ------------------------------------------------------------

    def record_math(
        self, name: str, label: str, span: Span, operands: list[Any], method: str
    ) -> Any:
        """A pointwise operator as a node."""
        with application.located(self, span, leaves(operands)):
            return self.record(
                name,
                label,
                "",
                span,
                leaves(operands),
                lambda: pointwise(self, method, *operands),
                Named(name, tuple(None if leaves(o) else o for o in operands), {}, span),
            )

    def record_binary(self, e: tree.Binary, left: Any, right: Any) -> Any:
        """`a + b` and its like as a node."""
        if e.operator == "..":
            raise ModelError.at(e.span, "E0307", "`..` wants numbers known when compiling")
        operands = [left, right]
        labels = tuple(
            Label(part.span, f"this is {_text(x)}")
            for part, x in ((e.left, left), (e.right, right))
            if isinstance(x, Tensor)
        )

        def run() -> Any:
            if e.operator == "@":
                return matmul(self, left, right)
            return pointwise(self, SYMBOLS[e.operator], left, right, symbol=e.operator)

        name = "matmul" if e.operator == "@" else SYMBOLS[e.operator]
        constants = tuple(None if leaves(o) else o for o in operands)
        with application.located(self, e.span, [], labels):
            result = self.record(
                name, e.operator, "", e.span, leaves(operands), run, Named(name, constants)
            )
            if not self.depth and not self.silent and e.operator != "@":
                warn_of_stretching(self, e.span, left, right, result)
            return result

    # ---- the ends of a model -----------------------------------------------------------

    def targets(self) -> list[Any]:
        """Every declared target; the one-line program has one called `target`."""
        names = [n.name for n in self.graph.nodes.values() if n.kind == "target"]
        if not names and self.one_line:
            return [self.boundary_of("target", None)]
        if self.target_spoiled:
            raise Spoiled
        assert self.model_scope is not None
        self.model_scope.used |= set(names)
        return [self.tensors[Wire(n)] for n in names]

    def boundary(self, e: tree.Boundary) -> Any:
        """The words `input` and `target` in a one-line program."""
        if not self.one_line:
            raise ModelError.at(
                e.span,
                "E0319",
                f"`{e.kind}` as a value belongs to one-line programs",
                hint=f"declare it: `{e.kind} {'x' if e.kind == 'input' else 'y'}[...]`",
            )
        return self.boundary_of(e.kind, e.span)

    def boundary_of(self, kind: Any, span: Span | None) -> Any:
        """The undeclared end of a one-line program."""
        wire = Wire(kind)
        if wire not in self.tensors:
            shaped = self.resolved.get(kind)
            value: Flowing = Unknown(kind)
            if shaped is not None:
                value = self.fed(kind, shaped)
            self.add_node(kind, kind, kind, span, value)
        return self.tensors[wire]

    def fed(self, name: str, shaped: Shaped) -> Tensor:
        """The tensor of an input or target."""
        type_ = typed(shaped.shape, True, shaped.kind)
        value = self.builder.input(name, type_, "data", name)
        return Tensor(value, True, shaped.classes, pad=shaped.pad)

    def bind_value(self, name: str, value: Any, scope: Scope, span: Span) -> None:
        """Give a value its name; in the model's own scope the graph knows it by that name."""
        scope.bind(name, value, span)
        if scope is self.model_scope and isinstance(value, Tensor | Unknown) and value.wire:
            self.graph.names[name] = value.wire

    def warn(self, code: str, message: str, span: Span, hint: str = "") -> None:
        """Add a warning."""
        hints = (hint,) if hint else ()
        self.graph.warnings.append(Diagnostic(code, message, Label(span), (), (), hints))


def _text(x: Tensor) -> str:
    return f"[{', '.join(map(str, x.shape))}]"

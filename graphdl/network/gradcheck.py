"""Gradients proved: every weight's gradient against differences of the loss, in float64."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..backends import Executable, Store
from ..backends.binding import require_steps
from ..elaborate import LOSS, elaborate
from ..elaborate.choices import choices
from ..elaborate.programs import closed, total_loss
from ..errors import DataError, UsageError
from ..graph import Shaped
from ..passes import optimise
from ..program import Program, Value, differentiate, evaluate
from .port import Port, accepted

if TYPE_CHECKING:
    from .network import Network

Array = np.ndarray[Any, Any]
Scheme = Literal["central", "forward"]
TOLERANCE = {"central": 1e-5, "forward": 1e-4}
LENGTHS = (4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Row:
    """One weight or input: the largest differences, and where.

    probes    elements compared; `kinks` those set apart, where a choice such as a maximum switched
    squares   sum of squared differences; `all_squares` with those of the kinks
    norm      of the whole gradient: how much of it reaches this weight
    """

    name: str
    shape: tuple[int, ...]
    probes: int
    absolute: float
    relative: float
    squares: float
    worst: tuple[int, ...]
    analytic: float
    numeric: float
    ok: bool
    kinks: int = 0
    norm: float = 0.0
    all_squares: float = 0.0


@dataclass(slots=True)
class Report:
    """What a gradient check found; true when every weight is fine."""

    model: str
    scheme: str
    eps: float
    rows: list[Row] = field(default_factory=list)
    kinks: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return all(row.ok for row in self.rows)

    @property
    def ok(self) -> bool:
        """Whether every weight is fine."""
        return bool(self)

    def __str__(self) -> str:
        head = f"gradcheck {self.model}   float64, {self.scheme} differences, eps {self.eps:g}"
        width = max((len(r.name) for r in self.rows), default=0)
        shape = max((len(str(list(r.shape))) for r in self.rows), default=0)
        lines = [head]
        for r in self.rows:
            text = (
                f"  {r.name:<{width}}  {list(r.shape)!s:<{shape}}  max abs {r.absolute:.1e}  "
                f"max rel {r.relative:.1e}  sum sq {r.squares:.1e}  norm {r.norm:.1e}  "
            )
            verdict = (
                "ok"
                if r.ok
                else (
                    f"FAIL at {list(r.worst)}: analytic {r.analytic:.6g}, numeric {r.numeric:.6g}"
                )
            )
            lines.append(text + verdict)
            if r.kinks:
                lines.append(f"  {'':<{width}}  with its kinks: sum sq {r.all_squares:.5g}")
        lines += [
            f"  {n} probe{'s' * (n > 1)} set apart: {origin} switches within the step"
            for origin, n in self.kinks.items()
        ]
        return "\n".join(lines)


def gradcheck(
    net: Network,
    /,
    *,
    eps: float | None = None,
    scheme: Scheme = "central",
    samples: int = 30,
    batch: int = 3,
    seed: int = 0,
    tolerance: float | None = None,
    inputs: bool = True,
    data: Mapping[str, ArrayLike] | None = None,
) -> Report:
    """Compare gradients with differences of the loss, the masks of dropout held.

    At most `samples` elements of each weight (0: all) and float input are probed, on `batch`
    examples drawn uniform(-2, 2) unless `data` gives them. A weight fails when a difference exceeds
    `tolerance` both absolutely and relatively. Elements where a maximum, an absolute value or a
    comparison switches within the step are kinks: reported apart, not failures.

    Raises UsageError where there is no loss and for unknown names, DataError for data that does
    not fit.
    """
    if scheme not in TOLERANCE:
        raise UsageError(f"scheme is central or forward, not `{scheme}`")
    if eps is not None and eps <= 0:
        raise UsageError(f"eps is a number above 0, not {eps:g}")
    eps = eps or (1e-6 if scheme == "central" else 1e-7)
    check = _Check(net, eps, scheme, tolerance or TOLERANCE[scheme])
    random = np.random.Generator(np.random.Philox(key=[seed, 1]))
    check.fill(random, batch, data or {})
    report = Report(net.name, scheme, eps)
    for name in check.names(inputs):
        report.rows.append(check.probe(name, random, samples, report))
    return report


class _Check:
    """The loss as a function of float64 weights and inputs."""

    def __init__(self, net: Network, eps: float, scheme: Scheme, tolerance: float) -> None:
        self.net, self.eps, self.scheme, self.tolerance = net, eps, scheme, tolerance
        model = elaborate(net.syntax, net.params, training=True)
        self.graph = model.graph
        build = model.builder
        loss = total_loss(model)
        ends = {**model.graph.inputs, **model.graph.targets}
        self.floats = [n for n, s in ends.items() if s.kind == "float"]
        wanted: dict[str, Value] = {
            i.key: i.value for i in build.inputs if i.role == "weight" or i.key in self.floats
        }
        decisions = choices(build, loss)
        found = differentiate(build, loss, list(wanted.values()))
        gradients = [(f"gradient/{n}", g) for n, g in zip(wanted, found, strict=True)]
        self.wanted = list(wanted)
        self.origins = {f"choice/{i}": origin for i, (_, origin) in enumerate(decisions)}
        outputs = [(f"choice/{i}", value) for i, (value, _) in enumerate(decisions)]
        self.loss = Executable(optimise(closed(build, [(LOSS, loss), *outputs])), np, "float64")
        self.gradient = Executable(optimise(closed(build, gradients)), np, "float64")
        self.store = Store(np)
        for name in net.graph.weights:
            self.store[name] = np.array(net[name], np.float64)
        self.scalars = {"seed": net.seed, "draw": net.draws}
        self.data: dict[str, Array] = {}

    def fill(self, random: np.random.Generator, batch: int, given: Mapping[str, ArrayLike]) -> None:
        """Inputs and targets: given, or drawn."""
        ends = {**self.graph.inputs, **self.graph.targets}
        self.data = filled(ends, random, batch, given, self.loss.program, self.graph.targets)

    def names(self, inputs: bool) -> list[str]:
        """Weights, then float inputs when asked for."""
        weights = [n for n in self.wanted if n in self.graph.weights]
        return weights + [n for n in self.wanted if inputs and n in self.graph.inputs]

    def probe(self, name: str, random: np.random.Generator, samples: int, report: Report) -> Row:
        """Differences at some elements of one weight or input."""
        found = self.gradient.run(self.store, self.data, self.scalars)[f"gradient/{name}"]
        analytic = np.array(found)
        array = self.store[name] if name in self.graph.weights else self.data[name]
        count = array.size
        places = np.arange(count)
        if samples and count > samples:
            places = np.sort(random.choice(count, samples, replace=False))
        kept: list[int] = []
        kinks: list[int] = []
        numeric, bent = [], []
        for place in places:
            value, origin = self._difference(array, int(place))
            if origin is not None:
                kinks.append(int(place))
                bent.append(value)
                report.kinks[origin] = report.kinks.get(origin, 0) + 1
                continue
            kept.append(int(place))
            numeric.append(value)
        row = self._row(name, array.shape, analytic, kept, np.array(numeric))
        apart = analytic.reshape(-1)[kinks] - np.array(bent)
        return replace(row, kinks=len(kinks), all_squares=row.squares + float((apart**2).sum()))

    def _difference(self, array: Array, place: int) -> tuple[float, str | None]:
        """Slope of the loss at one element; the node that switches, if one does."""
        flat = array.reshape(-1)
        held = flat[place]
        flat[place] = held + self.eps
        above, chosen = self._evaluated()
        flat[place] = held - self.eps if self.scheme == "central" else held
        below, other = self._evaluated()
        flat[place] = held
        width = 2 * self.eps if self.scheme == "central" else self.eps
        origin = next(
            (self.origins[n] for n in chosen if not np.array_equal(chosen[n], other[n])), None
        )
        return (above - below) / width, origin

    def _evaluated(self) -> tuple[float, dict[str, Array]]:
        found = self.loss.run(self.store, self.data, self.scalars)
        chosen = {n: np.array(v) for n, v in found.items() if n != LOSS}
        return float(found[LOSS]), chosen

    def _row(
        self,
        name: str,
        shape: tuple[int, ...],
        analytic: Array,
        kept: list[int],
        numeric: Array,
    ) -> Row:
        norm = float(np.linalg.norm(analytic))
        if not kept:
            return Row(name, shape, 0, 0.0, 0.0, 0.0, (), 0.0, 0.0, True, norm=norm)
        exact = analytic.reshape(-1)[kept]
        gaps = np.abs(exact - numeric)
        scale = np.maximum(np.abs(exact), np.abs(numeric))
        relative = gaps / np.maximum(scale, 1e-12)
        # Where both are tiny, rounding of the loss alone makes large relative differences.
        relative[scale < self.tolerance] = 0.0
        wrong = (gaps > self.tolerance) & (relative > self.tolerance) | ~np.isfinite(gaps)
        worst = int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))
        where = tuple(int(i) for i in np.unravel_index(kept[worst], shape)) if shape else ()
        return Row(
            name,
            shape,
            len(kept),
            float(gaps.max()),
            float(relative.max()),
            float((gaps**2).sum()),
            where,
            float(exact[worst]),
            float(numeric[worst]),
            not wrong.any(),
            norm=norm,
        )


def filled(
    ends: Mapping[str, Shaped],
    random: np.random.Generator,
    batch: int,
    given: Mapping[str, ArrayLike],
    program: Program,
    targets: Container[str] = (),
) -> dict[str, Array]:
    """A batch of every input and target, given or drawn.

    Sizes that nothing given tells are the least of LENGTHS that is long enough for the program.
    """
    ports = {n: Port.of(s, "float64", target=n in targets) for n, s in ends.items()}
    data = {name: np.array(v, order="C") for name, v in accepted(ports, given, True).items()}
    sizes: dict[str, int] = {"B": batch}
    for name, array in data.items():
        sizes |= dict(zip(map(str, ("B", *ends[name].shape)), array.shape, strict=True))
    sizes = _long_enough(program, ends, sizes)
    return {n: data[n] if n in data else _drawn(s, random, sizes) for n, s in ends.items()}


def _long_enough(
    program: Program, ends: Mapping[str, Shaped], known: dict[str, int]
) -> dict[str, int]:
    dims = [d for shaped in ends.values() for d in shaped.shape if not isinstance(d, int)]
    names = {name for dim in dims for name in dim.names()}
    for length in LENGTHS:
        sizes = {**dict.fromkeys(names, length), **known}
        try:
            require_steps(program, sizes)
        except DataError:
            continue
        return sizes
    return sizes


def _drawn(shaped: Shaped, random: np.random.Generator, sizes: Mapping[str, int]) -> Array:
    shape = (sizes["B"], *(evaluate(d, sizes) for d in shaped.shape))
    if shaped.kind == "float":
        return random.uniform(-2, 2, shape)
    return random.integers(0, shaped.classes or 2, shape)

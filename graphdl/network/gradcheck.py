"""Gradients proved: every weight's gradient against differences of the loss, in float64."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..backends import Executable, Store
from ..data import Dataset
from ..elaborate import LOSS, elaborate
from ..elaborate.choices import choices
from ..elaborate.programs import closed, total_loss
from ..engine.feeding import training_feed
from ..errors import UsageError
from ..graph import Named
from ..passes import optimise
from ..program import Value, differentiate
from .filled import filled
from .fitting import examples, settings_of
from .measured import Slopes, Verdict

if TYPE_CHECKING:
    from .network import Network

Array = np.ndarray[Any, Any]
Scheme = Literal["central", "forward"]
Word = Literal["ok", "FAIL", "not checked", "no gradient"]
TOLERANCE = {"central": 1e-5, "forward": 1e-4}
NOTHING = 1e-13  # of the largest gradient: what is smaller is zero but for rounding


@dataclass(frozen=True, slots=True)
class Row:
    """One weight or input: the largest differences, and where.

    verdict   `not checked` where no probe counted; `no gradient` of an input the loss does not read
    probes    elements compared; `kinks` those set apart, where a choice such as a maximum switched
    none      elements that have no gradient, which all together do not change the loss either
    squares   sum of squared differences; `all_squares` with those of the kinks
    norm      of the whole gradient: how much of it reaches this weight
    why       of `not checked`: what became of the probes
    """

    name: str
    shape: tuple[int, ...]
    verdict: Word
    probes: int = 0
    kinks: int = 0
    none: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    squares: float = 0.0
    all_squares: float = 0.0
    worst: tuple[int, ...] = ()
    analytic: float = 0.0
    numeric: float = 0.0
    norm: float = 0.0
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, and something was looked at where there is anything."""
        return self.verdict in ("ok", "no gradient")

    @property
    def counts(self) -> str:
        """How many elements were probed, set apart, and have no gradient."""
        told = ((self.kinks, f"kink{'s' * (self.kinks > 1)}"), (self.none, "without gradient"))
        parts = [f"{count:,} {what}" for count, what in told if count]
        return ", ".join([f"{self.probes:,} of {math.prod(self.shape):,} probed", *parts])


@dataclass(slots=True)
class Report:
    """What a gradient check found; true when every weight was checked and is fine."""

    model: str
    scheme: str
    eps: float
    rows: list[Row] = field(default_factory=list)
    kinks: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return all(row.ok for row in self.rows) and any(row.verdict == "ok" for row in self.rows)

    @property
    def ok(self) -> bool:
        """Whether every weight was checked and is fine."""
        return bool(self)

    @property
    def failures(self) -> list[Row]:
        """The rows whose gradient is wrong."""
        return [row for row in self.rows if row.verdict == "FAIL"]

    def __str__(self) -> str:
        head = f"gradcheck {self.model}   float64, {self.scheme} differences, eps {self.eps:g}"
        width = max((len(r.name) for r in self.rows), default=0)
        shape = max((len(str(list(r.shape))) for r in self.rows), default=0)
        counts = max((len(r.counts) for r in self.rows), default=0)
        lines = [head]
        for r in self.rows:
            text = f"  {r.name:<{width}}  {list(r.shape)!s:<{shape}}  {r.counts:<{counts}}  "
            if r.probes:
                text += (
                    f"max abs {r.absolute:.1e}  max rel {r.relative:.1e}  "
                    f"sum sq {r.squares:.1e}  norm {r.norm:.1e}  "
                )
            lines.append(text + _told(r))
            if r.kinks:
                lines.append(f"  {'':<{width}}  with its kinks: sum sq {r.all_squares:.5g}")
        lines += [
            f"  {n} probe{'s' * (n > 1)} set apart: {origin} switches within the step"
            for origin, n in self.kinks.items()
        ]
        return "\n".join(lines)


def _told(row: Row) -> str:
    if row.verdict == "FAIL":
        place, found = list(row.worst), f"analytic {row.analytic:.6g}, numeric {row.numeric:.6g}"
        return f"FAIL at {place}: {found}"
    return f"{row.verdict}: {row.why}" if row.why else row.verdict


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
    data: Mapping[str, ArrayLike] | Dataset | Named | bool | None = None,
    data_dir: str | Path | None = None,
) -> Report:
    """Compare gradients with differences of the loss, the masks of dropout held.

    At most `samples` elements that have a gradient are probed in each weight and float input
    (0: all elements), and then all at once along a random direction. The `batch` examples are
    drawn uniform(-2, 2) where `data` does not give them: arrays by name, a `Dataset`, a call such
    as `data = ...` takes, or true for the model's own. A weight fails when a difference exceeds
    `tolerance` both relatively and beside its largest gradient (or beside 1, where that is larger).
    Where a maximum, an absolute value or a comparison switches within the step is a kink: reported
    apart, no failure. A weight of which no probe counted is not checked: the report is then false.

    The step is `eps`; without it 1e-6 (1e-7 forward), and more for gradients that are so small
    that the rounding of the loss would hide them.

    Raises UsageError where there is no loss or nothing to differentiate by, and for unknown names,
    DataError for data that does not fit.
    """
    if scheme not in TOLERANCE:
        raise UsageError(f"scheme is central or forward, not `{scheme}`")
    if eps is not None and eps <= 0:
        raise UsageError(f"eps is a number above 0, not {eps:g}")
    fixed = eps is not None
    eps = eps or (1e-6 if scheme == "central" else 1e-7)
    random = np.random.Generator(np.random.Philox(key=[seed, 1]))
    given = _given(net, data, batch, seed, data_dir)
    check = _Check(net, random, batch, given)
    names = check.names(inputs)
    if not names:
        raise UsageError("there is nothing to differentiate by: no weight, and no input of numbers")
    report = Report(net.name, scheme, eps)
    step = {"eps": eps, "fixed": fixed, "central": scheme == "central"}
    step["tolerance"] = tolerance or TOLERANCE[scheme]
    for name in names:
        slopes = check.slopes(name, step)
        report.rows.append(check.row(name, slopes, random, samples, report.kinks))
    return report


def _given(
    net: Network, data: Any, batch: int, seed: int, data_dir: str | Path | None
) -> Mapping[str, ArrayLike]:
    """Arrays by name: as given, or the first batch of a data set as training takes it."""
    if data is None or data is False or isinstance(data, Mapping):
        return data or {}
    settings = settings_of(net, {"batch": batch, "seed": seed})
    if isinstance(data, Dataset):
        found = examples(net, (data,), {}, None, None, net.places.lookup(), settings)
    else:
        found = net.dataset(data_dir=data_dir, data=None if data is True else data)
    feed = training_feed(found.train, settings)
    return next(iter(feed.batches(epoch=0))).batch


class _Check:
    """The loss as a function of float64 weights and inputs, and its gradients at one batch."""

    def __init__(
        self,
        net: Network,
        random: np.random.Generator,
        batch: int,
        given: Mapping[str, ArrayLike],
    ) -> None:
        model = elaborate(net.syntax, net.params, training=True)
        self.graph = model.graph
        build, loss = model.builder, total_loss(model)
        ends = {**model.graph.inputs, **model.graph.targets}
        floats = [n for n, s in ends.items() if s.kind == "float"]
        wanted: dict[str, Value] = {
            i.key: i.value for i in build.inputs if i.role == "weight" or i.key in floats
        }
        decisions = choices(build, loss)
        found = differentiate(build, loss, list(wanted.values()))
        gradients = [(f"gradient/{n}", g) for n, g in zip(wanted, found, strict=True)]
        self.wanted = list(wanted)
        self.origins = {f"choice/{i}": origin for i, (_, origin) in enumerate(decisions)}
        outputs = [(f"choice/{i}", value) for i, (value, _) in enumerate(decisions)]
        self.loss = Executable(optimise(closed(build, [(LOSS, loss), *outputs])), np, "float64")
        self.store = Store(np)
        for name in net.graph.weights:
            self.store[name] = np.array(net[name], np.float64)
        self.scalars = {"seed": net.seed, "draw": net.draws}
        self.data = filled(ends, random, batch, given, self.loss.program, model.graph.targets)
        backward = Executable(optimise(closed(build, gradients)), np, "float64")
        at = backward.run(self.store, self.data, self.scalars)
        self.analytic = {n: np.array(at[f"gradient/{n}"]) for n in self.wanted}
        self.start = self.evaluated()[0]
        sizes = (np.abs(g[np.isfinite(g)]).max(initial=0.0) for g in self.analytic.values())
        self.largest = float(max(sizes, default=0.0))

    def names(self, inputs: bool) -> list[str]:
        """Weights, then float inputs when asked for."""
        weights = [n for n in self.wanted if n in self.graph.weights]
        return weights + [n for n in self.wanted if inputs and n in self.graph.inputs]

    def evaluated(self) -> tuple[float, dict[str, Array]]:
        """The loss, and the choices on its way."""
        found = self.loss.run(self.store, self.data, self.scalars)
        return float(found[LOSS]), {n: np.array(found[n]) for n in self.origins}

    def slopes(self, name: str, step: Mapping[str, Any]) -> Slopes:
        """The differences by one weight or input."""
        array = self.store[name] if name in self.graph.weights else self.data[name]
        gradient = self.analytic[name]
        return Slopes(self.evaluated, self.origins, array, gradient, self.start, **step)

    def row(
        self,
        name: str,
        slopes: Slopes,
        random: np.random.Generator,
        samples: int,
        kinks: dict[str, int],
    ) -> Row:
        """What the probes of one weight or input say."""
        exact = slopes.exact
        reached = np.flatnonzero(exact != 0)  # where it is not a number, too
        still = not reached.size and slopes.sweep(random).still
        places = np.arange(exact.size) if not samples or not (reached.size or still) else reached
        seen = [] if still else _probed(slopes, _order(exact, places, random), samples)
        fine = not any(one.kink is None and not one.right for one in seen)
        if samples and fine and not still:
            suspect, told = slopes.suspect(random)
            if suspect is not None and suspect not in [one.place for one in seen]:
                verdict = slopes.judged(suspect)
                seen += [] if verdict.right else [verdict]
            if not told and places is reached:
                idle = np.flatnonzero(exact == 0)
                seen += _probed(slopes, _order(exact, idle, random), samples)
        for one in seen:
            if one.kink is not None:
                kinks[one.kink] = kinks.get(one.kink, 0) + 1
        unseen = exact.size - reached.size
        unseen -= sum(one.kink is not None and one.exact == 0 for one in seen)
        lost = NOTHING * self.largest < slopes.scale and not slopes.measurable
        weight = name in self.graph.weights
        return _row(name, self.analytic[name], seen, unseen, lost, still, weight)


def _order(exact: Array, places: Array, random: np.random.Generator) -> Array:
    """At random, first of all those whose gradient is not a number."""
    mixed = random.permutation(places)
    return np.concatenate([mixed[~np.isfinite(exact[mixed])], mixed[np.isfinite(exact[mixed])]])


def _probed(slopes: Slopes, places: Iterable[int], samples: int) -> list[Verdict]:
    """Verdicts on so many elements, others in the place of kinks; 0 asks for all."""
    seen: list[Verdict] = []
    counted = 0
    for place in places:
        seen.append(slopes.judged(int(place)))
        counted += seen[-1].kink is None
        if samples and (counted == samples or len(seen) == 3 * samples):
            break
    return seen


def _row(
    name: str,
    analytic: Array,
    seen: list[Verdict],
    unseen: int,
    lost: bool,
    still: bool,
    weight: bool,
) -> Row:
    kept = [one for one in seen if one.kink is None]
    word: Word = "ok"
    why = ""
    if any(not one.right for one in kept):
        word = "FAIL"
    elif still:
        word, why = (
            ("not checked", "the loss does not read it here") if weight else ("no gradient", "")
        )
    elif not kept:
        word, why = "not checked", "every probe met a kink"
    elif lost:
        word, why = "not checked", "its gradient is lost in the rounding of the loss"
    gaps = np.abs([one.exact - one.measured for one in kept])
    sizes = np.array([max(abs(one.exact), abs(one.measured)) for one in kept])
    worst = max(kept, key=lambda one: (not one.right, _gap(one)), default=None)
    place = np.unravel_index(worst.place, analytic.shape) if worst and analytic.shape else ()
    squares = float((gaps**2).sum())
    return Row(
        name,
        analytic.shape,
        word,
        probes=len(kept),
        kinks=len(seen) - len(kept),
        none=unseen,
        absolute=float(gaps.max(initial=0.0)),
        relative=float((gaps / np.maximum(sizes, 1e-12))[sizes > 1e-9].max(initial=0.0)),
        squares=squares,
        all_squares=squares + sum(_gap(one) ** 2 for one in seen if one.kink is not None),
        worst=tuple(int(i) for i in place),
        analytic=worst.exact if worst else 0.0,
        numeric=worst.measured if worst else 0.0,
        norm=float(np.linalg.norm(analytic)),
        why=why,
    )


def _gap(one: Verdict) -> float:
    gap = abs(one.exact - one.measured)
    return gap if math.isfinite(gap) else math.inf

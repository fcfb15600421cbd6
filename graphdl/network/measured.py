"""Slopes of a loss, measured: differences of it in float64 beside the derivative that was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
# Gives the loss, and the choices of its maxima and comparisons, as the arrays now stand.
Loss = Callable[[], tuple[float, Mapping[str, Array]]]

ROUNDING = 64 * 2.0**-52  # of a loss, relative: a sum of many terms loses a few bits
DIGITS = 1e5  # a difference is to stand so far above the rounding of the loss
LARGEST_STEP = 1e-2
# The steps at which a suspect is measured, in those of the first look.
LOOKS = (1.0, 1 / 4, 1 / 64, 8.0, 64.0)
ROUGH = 1e-3  # relative tolerance at steps beyond the one asked for
LOOP = "a choice inside a loop"


@dataclass(frozen=True, slots=True)
class Slope:
    """A difference quotient: `node` is what switched a choice, `still` whether no bit changed."""

    value: float
    step: float
    node: str | None = None
    still: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one number's slope says of its derivative; a kink is neither right nor wrong."""

    place: int
    exact: float
    measured: float
    right: bool
    kink: str | None = None


class Slopes:
    """The numbers of one array, and the loss as a function of them.

    `analytic` is the gradient in question, `start` the loss as the array stands. The step is
    `eps`, or larger where gradients are so small that the rounding of the loss would hide them.
    """

    def __init__(
        self,
        loss: Loss,
        origins: Mapping[str, str],
        array: Array,
        analytic: Array,
        start: float,
        *,
        eps: float,
        fixed: bool,
        central: bool,
        tolerance: float,
    ) -> None:
        self._loss, self._origins, self._start = loss, origins, start
        self._flat, self.exact = array.reshape(-1), analytic.reshape(-1)
        self._central, self._tolerance = central, tolerance
        finite = self.exact[np.isfinite(self.exact)]
        self.scale = float(np.abs(finite).max(initial=0.0))
        self._relative = tolerance
        self.step = eps if fixed else max(eps, min(LARGEST_STEP, self._visible(self.scale)))
        if self.step > eps:
            self._relative = max(tolerance, ROUGH)

    def _visible(self, scale: float) -> float:
        """The step at which a slope of this size stands well above the rounding of the loss."""
        if scale == 0 or not math.isfinite(self._start):
            return 0.0
        return DIGITS * 2.0**-52 * abs(self._start) / scale

    def noise(self, step: float) -> float:
        """How far rounding of the loss alone may move a slope."""
        return ROUNDING * abs(self._start) / step if math.isfinite(self._start) else 0.0

    @property
    def measurable(self) -> bool:
        """Whether differences can tell the largest gradient from half of it."""
        return self.scale > 8 * self.noise(self.step)

    # ---- one number --------------------------------------------------------------------------

    def judged(self, place: int) -> Verdict:
        """The derivative by one number beside its slope.

        One look settles nearly every case. Where they differ, the step may be at fault: too long,
        over a kink, too short for the rounding of the loss. A wrong derivative stays wrong.
        """
        exact = float(self.exact[place])
        first = self._slope(place, self.step)
        if first.node is not None:
            return Verdict(place, exact, first.value, False, first.node)
        for factor in LOOKS:
            seen = first if factor == 1.0 else self._slope(place, factor * self.step)
            if seen.node is None and self._agree(exact, seen):
                return Verdict(place, exact, seen.value, True)
        kink = LOOP if self._bent(place, exact) else None
        return Verdict(place, exact, first.value, False, kink)

    def _slope(self, place: int, step: float) -> Slope:
        held = self._flat[place]

        def put(distance: float) -> None:
            self._flat[place] = held + distance

        try:
            return self._across(put, step)
        finally:
            self._flat[place] = held

    def _across(self, put: Callable[[float], None], step: float) -> Slope:
        put(step)
        above, chosen = self._loss()
        put(-step if self._central else 0.0)
        below, other = self._loss()
        node = next((n for k, n in self._origins.items() if not _same(chosen[k], other[k])), None)
        value = (above - below) / (2 * step if self._central else step)
        return Slope(value, step, node, above == below == self._start)

    def _agree(self, exact: float, seen: Slope) -> bool:
        gap = abs(exact - seen.value)
        least = self._tolerance * min(1.0, self.scale) + self.noise(seen.step)
        return gap <= max(least, self._relative * max(abs(exact), abs(seen.value)))

    def _bent(self, place: int, exact: float) -> bool:
        """Whether the slopes on both sides differ, however near: a kink that no choice told of."""
        wide, near = self.step, self.step / 16
        before, _ = self._sides(place, wide)
        bend, middle = self._sides(place, near)
        # What is smooth bends less, the nearer one looks.
        stays = bend > max(0.5 * before, 4 * self.noise(near))
        return stays and bend > 0.5 * abs(exact - middle)

    def _sides(self, place: int, step: float) -> tuple[float, float]:
        """How far the slopes on both sides are apart, and the middle between them."""
        held = self._flat[place]
        sides = []
        for distance in (step, -step):
            self._flat[place] = held + distance
            sides.append((self._loss()[0] - self._start) / distance)
        self._flat[place] = held
        return abs(sides[0] - sides[1]), sum(sides) / 2

    # ---- all numbers at once -----------------------------------------------------------------

    def sweep(self, random: np.random.Generator) -> Slope:
        """The slope along a random direction through all numbers; at a kink, of a shorter step."""
        direction = _direction(random, self._flat.size)
        for step in (self.step, self.step / 100):
            found = self._along(direction, step)
            if found.node is None:
                break
        return found

    def suspect(self, random: np.random.Generator) -> tuple[int | None, bool]:
        """A number whose derivative looks wrong, found among all of them by halves.

        None where a random direction has the slope that the derivatives say; and whether that could
        be told, rather than some choice switching however short the step.
        """
        direction = _direction(random, self._flat.size)
        step = self.step
        if self._along(direction, step).node is not None:
            step /= 100
            if self._along(direction, step).node is not None:
                return None, False
        chosen = np.arange(self._flat.size)
        if self._gap(direction, chosen, step) <= self._allowed(direction, step):
            return None, True
        while len(chosen) > 1:
            halves = np.array_split(chosen, 2)
            gaps = [self._gap(direction, half, step) for half in halves]
            chosen = halves[int(np.argmax(gaps))]
        return int(chosen[0]), True

    def _gap(self, direction: Array, chosen: Array, step: float) -> float:
        """How far the slope along some numbers is from what their derivatives say; 0 at a kink."""
        only = np.zeros_like(direction)
        only[chosen] = direction[chosen]
        found = self._along(only, step)
        if found.node is not None:
            return 0.0
        gap = float(abs(found.value - only @ self.exact))
        return gap if math.isfinite(gap) else math.inf

    def _allowed(self, direction: Array, step: float) -> float:
        """Curvature grows with the numbers that move, so a direction proves less than a number."""
        norm = float(np.linalg.norm(direction * self.exact))
        return 1e-4 * norm + self._tolerance * min(1.0, self.scale) + 4 * self.noise(step)

    def _along(self, direction: Array, step: float) -> Slope:
        held = self._flat.copy()

        def put(distance: float) -> None:
            np.add(held, distance * direction, out=self._flat)

        try:
            return self._across(put, step)
        finally:
            self._flat[:] = held


def _direction(random: np.random.Generator, size: int) -> Array:
    """From a half to one and a half, up or down: no number is passed over."""
    return random.choice((-1.0, 1.0), size) * random.uniform(0.5, 1.5, size)


def _same(a: Array, b: Array) -> bool:
    return np.array_equal(a, b)

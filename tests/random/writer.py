"""The state of a model that is being written: what it has declared, named and not used yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
Shape = tuple[int | str, ...]
Formula = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Known:
    """A value with a text that stands for it.

    shape    per example; a size known only when running is a text
    size     roughly its largest magnitude, so that nothing runs away
    batched  False for weights and what is made of weights alone
    """

    text: str
    shape: Shape
    size: float
    batched: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """A layer, block or op of the model's own: from which shapes to which."""

    text: str
    ports: tuple[Shape, ...]
    shape: Shape
    size: float


@dataclass(slots=True)
class Sample:
    """A model's text with what its tests need to know.

    ops      formula of each `op` of its own
    params   values that replace defaults
    sizes    numbers behind size names
    random   it drops at random while training
    jumpy    it has steps, where a rounding error shows at full size
    """

    text: str
    ops: dict[str, Formula] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    random: bool = False
    jumpy: bool = False


class Writer:
    """Takes decisions and collects lines. A block's body has a writer of its own (`inside`)."""

    def __init__(self, random: Random, outer: Writer | None = None) -> None:
        self.random = random
        self.lines: list[str] = []
        self.values: list[Known] = []
        self.numbers: dict[str, int] = dict(outer.numbers) if outer else {}
        self.flags: dict[str, bool] = dict(outer.flags) if outer else {}
        self.pieces: list[Piece] = []
        self.used: set[str] = set()
        self.outer = outer
        self.depth: int = outer.depth + 1 if outer else 0
        self.sample: Sample = outer.sample if outer else Sample("")
        self.taken: dict[str, int] = outer.taken if outer else {}

    # ---- decisions ---------------------------------------------------------------------

    def pick(self, options: Sequence[T]) -> T:
        """One of several."""
        return self.random.choice(options)

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)

    def chance(self, percent: int) -> bool:
        """True so often."""
        return self.whole(0, 99) >= 100 - percent

    def decimal(self, low: float, high: float) -> str:
        """A number with at most two digits behind its point."""
        return f"{self.whole(round(low * 100), round(high * 100)) / 100:g}"

    # ---- names and numbers -------------------------------------------------------------

    def fresh(self, stem: str) -> str:
        """A name nobody has."""
        count = self.taken[stem] = self.taken.get(stem, 0) + 1
        return stem if count == 1 and stem not in ("h", "w") else f"{stem}{count}"

    def written(self, number: int) -> str:
        """A constant: as digits, as a name that stands for it, or as arithmetic."""
        names = [name for name, value in self.numbers.items() if value == number]
        if names and self.chance(60):
            return self.pick(names)
        if self.chance(8):
            return self.pick(
                [f"{number - 1} + 1", f"2 * {number} // 2", f"{number + 5} % {number + 6} - 5"]
            )
        return str(number)

    def count(self, low: int, high: int) -> tuple[str, int]:
        """A constant in a range, as text and number; rather one that has a name already."""
        named = [n for n in self.numbers.values() if low <= n <= high]
        number = self.pick(named) if named and self.chance(40) else self.whole(low, high)
        return self.written(number), number

    # ---- lines -------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Add a line, sometimes after a comment."""
        if self.chance(5):
            self.lines.append(self.pick(["# what follows", "#", '# -> ) " { not code']))
        self.lines.append(text)

    def name(self, value: Known, stem: str = "h") -> Known:
        """Bind an expression to a name, sometimes with its shape written down."""
        name = self.fresh(stem)
        shape = ""
        if value.shape and all(isinstance(n, int) or n.isidentifier() for n in value.shape):
            shape = f"[{', '.join(map(str, value.shape))}]" if self.chance(15) else ""
        self.line(f"{name}{shape} = {value.text}")
        return self.keep(replace(value, text=name))

    def keep(self, value: Known) -> Known:
        """Make a named value available."""
        self.values.append(value)
        return value

    def any_value(self, *ranks: int) -> Known | None:
        """A value of one of these ranks, those nobody used first."""
        fitting = [v for v in self.values if not ranks or len(v.shape) in ranks]
        if not fitting:
            return None
        idle = [v for v in fitting if v.text not in self.used]
        return self.use(self.pick(idle if idle and self.chance(70) else fitting))

    def use(self, value: Known) -> Known:
        """Note that the value is used."""
        self.used.add(value.text)
        return value

    def idle(self) -> list[Known]:
        """Values nobody used."""
        return [v for v in self.values if v.text not in self.used]


def fixed(shape: Shape) -> bool:
    """Whether every size is known when compiling."""
    return all(isinstance(n, int) for n in shape)

"""A batch to differentiate at: given, drawn, or the first examples of a data set."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..backends.bind_sizes import require_steps
from ..errors import DataError
from ..graph import Shaped
from ..program import Program, evaluate
from .port import Port, accepted

Array = np.ndarray[Any, Any]
LENGTHS = (4, 8, 16, 32, 64)


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

"""First values of weights: drawn per weight from (seed, name), so that no weight moves another."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from ..data.archive import npy_file
from ..errors import DataError, UsageError
from ..graph import Initial, Weight

Array = np.ndarray[Any, Any]


def initial_value(weight: Weight, seed: int, folder: Path | None) -> Array:
    """The float64 array a weight starts with.

    `folder` is where `file("w.npy")` looks; a file never leaves it.
    """
    initial = weight.initial
    if initial.name == "file":
        return _from_file(weight, initial, folder)
    if initial.name == "vectors":
        # Until it is known which words the ids are: see word_vectors.py.
        return np.zeros(weight.shape)
    if initial.name == "constant":
        return np.full(weight.shape, initial.arguments[0])
    random = np.random.Generator(np.random.Philox(key=[seed, crc32(weight.name.encode())]))
    return DRAWS[initial.name](random, weight.shape, *initial.arguments)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Numbers into and out of one unit, for a weight [out, in, *kernel]."""
    if len(shape) < 2:
        count = math.prod(shape)
        return count, count
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def _uniform(random: np.random.Generator, shape: tuple[int, ...], a: float) -> Array:
    return random.uniform(-a, a, shape)


def _normal(random: np.random.Generator, shape: tuple[int, ...], deviation: float) -> Array:
    return random.normal(0.0, deviation, shape)


def _glorot(random: np.random.Generator, shape: tuple[int, ...], gain: float = 1.0) -> Array:
    """Glorot and Bengio 2010: uniform with variance 2 / (fan in + fan out)."""
    a = gain * math.sqrt(6 / sum(fans(shape)))
    return random.uniform(-a, a, shape)


def _he(random: np.random.Generator, shape: tuple[int, ...], gain: float = 1.0) -> Array:
    """He et al. 2015: normal with variance 2 / fan in."""
    return random.normal(0.0, gain * math.sqrt(2 / fans(shape)[0]), shape)


def _orthogonal(random: np.random.Generator, shape: tuple[int, ...], gain: float = 1.0) -> Array:
    """Saxe et al. 2014: orthonormal rows or columns."""
    rows = shape[0] if shape else 1
    matrix = random.normal(size=(rows, max(math.prod(shape) // rows, 1)))
    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diagonal(r))
    array: Array = gain * (q if tall is matrix else q.T).reshape(shape)
    return array


DRAWS: dict[str, Callable[..., Array]] = {
    "uniform": _uniform,
    "normal": _normal,
    "glorot": _glorot,
    "he": _he,
    "orthogonal": _orthogonal,
}


def _from_file(weight: Weight, initial: Initial, folder: Path | None) -> Array:
    if folder is None:
        raise UsageError(f"`{weight.name}` starts from a file, but this model is not a file")
    path = (folder / initial.path).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise UsageError(f'`{weight.name}`: "{initial.path}" leaves the folder of the model')
    if not path.exists():
        raise DataError(f"`{weight.name}` starts from {path}, which does not exist")
    try:
        array = npy_file(path)
    except DataError as error:
        raise DataError(f"`{weight.name}`: {error}") from None
    if array.shape != weight.shape:
        shape = list(array.shape)
        raise DataError(f"`{weight.name}` is {list(weight.shape)}, but {path} holds {shape}")
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise DataError(f"`{weight.name}`: {path} holds values that are not finite numbers")
    return np.asarray(array, np.float64)

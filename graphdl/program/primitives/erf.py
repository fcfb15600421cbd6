"""The kernel of erf out of basic arithmetic, because NumPy has none: one formula per precision."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial
from types import ModuleType

from ..primitive import Array, Call, Scratch

# float32: erf(x) = x P(x²) / Q(x²) on |x| <= 4, highest power first (the rational form of Eigen).
TOP = (
    -2.72614225801306e-10,
    2.77068142495902e-08,
    -2.10102402082508e-06,
    -5.69250639462346e-05,
    -7.34990630326855e-04,
    -2.95459980854025e-03,
    -1.60960333262415e-02,
)
BOTTOM = (
    -1.45660718464996e-05,
    -2.13374055278905e-04,
    -1.68282697438203e-03,
    -7.37332916720468e-03,
    -1.42647390514189e-02,
)
# float64: erfc(z) = t exp(-z² + C(t)), t = 2 / (2 + z), C a Chebyshev series in 2t - 1
# (Numerical Recipes, 3rd edition, 6.2.2).
_C = (
    -1.3026537197817094,
    6.4196979235649026e-1,
    1.9476473204185836e-2,
    -9.561514786808631e-3,
    -9.46595344482036e-4,
    3.66839497852761e-4,
    4.2523324806907e-5,
    -2.0278578112534e-5,
    -1.624290004647e-6,
    1.303655835580e-6,
    1.5626441722e-8,
    -8.5238095915e-8,
    6.529054439e-9,
    5.059343495e-9,
    -9.91364156e-10,
    -2.27365122e-10,
    9.6467911e-11,
    2.394038e-12,
    -6.886027e-12,
    8.94487e-13,
    3.13092e-13,
    -1.12708e-13,
    3.81e-16,
    7.106e-15,
    -1.523e-15,
    -9.4e-17,
    1.21e-16,
    -2.8e-17,
)


def erf_calls(xp: ModuleType, scratch: Scratch, out: Array, x: Array) -> Iterator[Call]:
    """The calls that write erf(x) to `out`, which may be the memory of `x`."""
    if out.dtype.itemsize == 4:
        return _rational(xp, scratch, out, x)
    return _chebyshev(xp, scratch, out, x)


def _rational(xp: ModuleType, scratch: Scratch, out: Array, x: Array) -> Iterator[Call]:
    clipped, square, top = (scratch(x.shape, "float") for _ in range(3))
    yield partial(xp.minimum, x, 4.0, out=clipped)
    yield partial(xp.maximum, clipped, -4.0, out=clipped)
    yield partial(xp.multiply, clipped, clipped, square)
    yield from horner(xp, top, square, TOP)
    yield partial(xp.multiply, top, clipped, clipped)
    yield from horner(xp, top, square, BOTTOM)
    yield partial(xp.divide, clipped, top, out)


def horner(xp: ModuleType, out: Array, x: Array, coefficients: tuple[float, ...]) -> Iterator[Call]:
    """A polynomial of x, highest power first."""
    yield partial(xp.multiply, x, coefficients[0], out)
    for coefficient in coefficients[1:-1]:
        yield partial(xp.add, out, coefficient, out)
        yield partial(xp.multiply, out, x, out)
    yield partial(xp.add, out, coefficients[-1], out)


def _chebyshev(xp: ModuleType, scratch: Scratch, out: Array, x: Array) -> Iterator[Call]:
    t, spare, sign, square = (scratch(x.shape, "float") for _ in range(4))
    yield partial(xp.sign, x, sign)
    yield partial(xp.multiply, x, x, square)
    yield partial(xp.absolute, x, t)
    low = yield from erfc_exponent(xp, scratch, t, out, spare)
    yield partial(xp.subtract, low, square, low)
    yield partial(xp.exp, low, low)
    yield partial(xp.multiply, low, t, low)
    yield partial(xp.subtract, 1.0, low, low)
    yield partial(xp.multiply, low, sign, out)


def erfc_exponent(
    xp: ModuleType, scratch: Scratch, z: Array, first: Array, second: Array
) -> Generator[Call, None, Array]:
    """C(t) for z >= 0, in one of two arrays; `z` becomes t."""
    u, part = (scratch(z.shape, "float") for _ in range(2))
    yield partial(xp.add, z, 2.0, z)
    yield partial(xp.divide, 2.0, z, z)
    yield partial(xp.multiply, z, 4.0, u)
    yield partial(xp.subtract, u, 2.0, u)
    # Clenshaw: b_j = c_j + u b_(j+1) - b_(j+2); the two arrays take turns.
    high, low = first, second
    yield partial(high.fill, _C[-1])
    yield partial(low.fill, 0.0)
    for coefficient in reversed(_C[1:-1]):
        yield partial(xp.subtract, coefficient, low, low)
        yield from _add_product(xp, part, low, u, high)
        high, low = low, high
    yield partial(xp.multiply, u, 0.5, u)
    yield partial(xp.subtract, _C[0] / 2, low, low)
    yield from _add_product(xp, part, low, u, high)
    return low


def _add_product(xp: ModuleType, part: Array, total: Array, a: Array, b: Array) -> Iterator[Call]:
    yield partial(xp.multiply, a, b, part)
    yield partial(xp.add, total, part, total)

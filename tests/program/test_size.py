"""Sizes obey arithmetic, and what is equal for every value has one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl.program import Dim, Size, evaluate, product, read

B, T = Size.named("B"), Size.named("T")
VALUES = st.fixed_dictionaries({"B": st.integers(1, 50), "T": st.integers(1, 50)})
LEAVES: st.SearchStrategy[Dim] = st.sampled_from([B, T]) | st.integers(-5, 5)


def grown(parts: st.SearchStrategy[Dim]) -> st.SearchStrategy[Dim]:
    divisors = st.integers(1, 6)
    return st.one_of(
        st.builds(lambda a, b: a + b, parts, parts),
        st.builds(lambda a, b: a - b, parts, parts),
        st.builds(lambda a, b: a * b, parts, parts),
        st.builds(lambda a, b: a // b, parts, divisors),
        st.builds(lambda a, b: a % b, parts, divisors),
    )


SIZES = st.recursive(LEAVES, grown, max_leaves=8)


@given(SIZES, SIZES, st.integers(1, 9), VALUES)
def test_arithmetic_is_that_of_numbers(a: Dim, b: Dim, n: int, values: dict[str, int]) -> None:
    x, y = evaluate(a, values), evaluate(b, values)
    assert evaluate(a + b, values) == x + y
    assert evaluate(a - b, values) == x - y
    assert evaluate(a * b, values) == x * y
    assert evaluate(a // n, values) == x // n
    assert evaluate(a // -n, values) == x // -n
    assert evaluate(a % n, values) == x % n
    assert evaluate(3 - a, values) == 3 - x


@given(SIZES, SIZES, SIZES)
def test_one_form(a: Dim, b: Dim, c: Dim) -> None:
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert a * (b + c) == a * b + a * c
    assert a - a == 0
    assert hash(a + b - b) == hash(a)


POLYNOMIALS = st.builds(lambda a, b, c, d: a * B * T + b * B + c * T + d, *[st.integers(-4, 4)] * 4)


@given(POLYNOMIALS, st.integers(1, 6), st.integers(1, 6), st.integers(-9, 9))
def test_one_form_of_floors(a: Dim, m: int, n: int, k: int) -> None:
    assert (a + k * m) // m == a // m + k
    assert (a * m) // m == a
    assert a * m // (n * m) == a // n
    assert (a // m + k) // n == (a + k * m) // (m * n)


@given(SIZES)
def test_text_reads_back(a: Dim) -> None:
    value = read(f'%x: float[{a}] = input data "x"').inputs[0].value
    assert value.type.shape == (a,)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (T * 3 + B - 2, "B+3*T-2"),
        (-T, "-T"),
        (T // 2 * B * 4, "4*B*(T//2)"),
        (-(T // 2), "-(T//2)"),
        ((T - 3) // 2 + 1, "(T-1)//2"),
        ((T - 5 + 2) // 1 + 1, "T-2"),
        (((T - 2) // 2 + 1 - 2) // 2 + 1, "T//4"),
        (B * T // (B + 1), "(B*T)//(B+1)"),
        (B * T * 6 // (T * 2), "3*B"),
        (T // B, "T//B"),
        (7 // T, "(7)//T"),
        (T % 3, "T%3"),
        (T // T, "1"),
        (T * 0, "0"),
    ],
)
def test_form(size: Dim, text: str) -> None:
    assert str(size) == text


def test_names_and_product() -> None:
    size = product((2, B, (T + 1) // (B + 1)))
    assert isinstance(size, Size)
    assert size.names() == {"B", "T"}
    assert product(()) == 1
    with pytest.raises(ZeroDivisionError):
        T // 0

"""Programs survive being written and read, and broken ones are found."""

from __future__ import annotations

import pytest

from graphdl.program import BrokenProgram, Builder, Size, Type, differentiate, read, text, verify
from graphdl.program.program import Program, Update

B, T = Size.named("B"), Size.named("T")

STEP = """\
%x: float[B, 3] = input data "x"
%w: float[2, 3] = input weight "logits.linear.weight"
%lr: float[] = input scalar "lr"
%1: float[B, 2] = contract[spec='b k, n k -> b n'] %x, %w  # logits.linear
%2: float[B, 1] = slice[axis=1, start=0, stop=1] %1
%3: float[B] = reshape[shape=(B,)] %2
%4: float[] = sum[axes=(0,)] %3  # loss
%5: float[2, 3] = broadcast[shape=(2, 3)] %lr
%6: float[2, 3] = sub %w, %5
%7: float[(T-1)//2+1, B*T] = random[shape=((T-1)//2+1, B*T), node=3] %seed, %seed
output "a \\"loss\\"" = %4
update %w = %6
""".replace("%1:", '%seed: int[] = input scalar "seed"\n%1:', 1)


def test_fixture_is_a_fixed_point() -> None:
    assert text(verify(read(STEP))) == STEP


def test_a_training_program_survives() -> None:
    build = Builder()
    x = build.input("x", Type((B, 2, T)), "data", "x")
    w = build.input("w", Type((4, 1, 3)), "weight", "conv.weight")
    build.origin = "h.conv#2"
    y = build.convolve(x, w, (2,), ((1, 2),), (1,), groups=2)
    y = build.window_max(build.erf(y), (2,), (2,), ((0, 1),), ceil=True)
    y = build.pad(y, 2, 1, 1, float("-inf"))
    loss = build.mean(build.window_mean(build.exp(y), (2,), (1,), ((0, 0),)))
    (grad,) = differentiate(build, loss, [w])
    updates = [Update(w, build.sub(w, grad))]
    program = verify(build.finish([("loss", loss)], updates))
    again = verify(read(text(program)))
    assert text(again) == text(program)
    assert [op.primitive for op in again.ops] == [op.primitive for op in program.ops]
    assert [op.origin for op in again.ops] == [op.origin for op in program.ops]


@pytest.mark.parametrize(
    "line",
    [
        "%1 = add %x",
        "nonsense",
        "%1: float[B] = addd %x, %x",
        "%1: float[B] = neg %y",
        "%1: real[B] = neg %x",
        "%1: float[B.c] = neg %x",
        'output "y" = %1',
    ],
)
def test_unreadable(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read('%x: float[B] = input data "x"\n' + line)


HEAD = '%x: float[B, 3] = input data "x"\n%w: float[3] = input weight "w"\n'
STRIDED = """\
%1: float[3, B] = transpose[permutation=(1, 0)] %x
%2: float[3*B] = reshape[shape=(3*B,)] %1
"""


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("%x: float[3] = neg %w", "%x is bound twice"),
        ("%1: float[B, 2] = neg %x", "the type should be float[B, 3]"),
        ("%1: float[B, 3] = add %x, %w", "one type"),
        ("%1: float[B] = sum[axes=(2,)] %x", "no axes [2]"),
        ("update %x = %x", "is not kept between runs"),
        ("update %w = %x", "cannot take"),
        ("update %w = %w\nupdate %w = %w", "updated twice"),
        (STRIDED, "cannot be a view"),
    ],
)
def test_broken(rest: str, message: str) -> None:
    with pytest.raises(BrokenProgram) as caught:
        verify(read(HEAD + rest))
    assert message in str(caught.value)


def test_unbound_values_are_found() -> None:
    program = read(HEAD + '%1: float[B, 3] = neg %x\n%2: float[B, 3] = neg %1\noutput "y" = %2')
    first, second = program.ops
    for broken in (
        Program(program.inputs, (second, first), program.outputs),
        Program(program.inputs, (first,), program.outputs),
        Program(program.inputs, (), (), (Update(program.inputs[1].value, first.out),)),
    ):
        with pytest.raises(BrokenProgram, match="bound"):
            verify(broken)

"""One call of a network at a time: threads take turns, and no call breaks into another one."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ..backends.llvm import MAKING
from ..errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")


class Turn:
    """Whose turn it is, and what the call does whose turn it is.

    lock      held by the thread whose turn it is. The same thread comes to it again only where a
              signal's handler or a finaliser breaks into a call
    depth     how many calls that read are under way, each broken into by the next
    changing  whether weights, states or programs are being changed
    training  whether `fit` is at work, which takes a turn for each batch
    """

    __slots__ = ("__weakref__", "changing", "depth", "lock", "training")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.depth = 0
        self.changing = self.training = False
        TURNS.add(self)


class Taking(Protocol):
    """What has a turn to take."""

    turn: Turn


N = TypeVar("N", bound=Taking)

# How many calls may break into each other: each depth takes memory of its own.
DEEPEST = 3
INSIDE = (
    "which a signal's handler or a finaliser broke into: set a flag there, and call the network "
    "when that call is done"
)


def reading(method: Callable[Concatenate[N, P], R]) -> Callable[Concatenate[N, P], R]:
    """A method that computes from what the network holds.

    It may break into another such method: each depth has executables of its own.
    """

    @functools.wraps(method)
    def in_turn(self: N, /, *args: P.args, **named: P.kwargs) -> R:
        turn = self.turn
        if MAKING:
            refuse_while_making()
        # Nothing may come between taking the lock and the block that gives it back: `with` sees to
        # that, even where a handler raises.
        with turn.lock:
            if turn.changing or turn.depth > DEEPEST:
                raise inside()
            depth = turn.depth
            try:
                turn.depth = depth + 1
                return method(self, *args, **named)
            finally:
                turn.depth = depth

    return in_turn


def changing(method: Callable[Concatenate[N, P], R]) -> Callable[Concatenate[N, P], R]:
    """A method that changes what the network holds: it breaks into no other one."""

    @functools.wraps(method)
    def in_turn(self: N, /, *args: P.args, **named: P.kwargs) -> R:
        turn = self.turn
        if MAKING:
            refuse_while_making()
        with turn.lock:
            if turn.depth or turn.changing:
                raise inside()
            try:
                turn.changing = True
                return method(self, *args, **named)
            finally:
                turn.changing = False

    return in_turn


def inside() -> UsageError:
    """The error of a call that breaks into another one."""
    return UsageError(f"this network is in the middle of another call, {INSIDE}")


@contextmanager
def training(turn: Turn) -> Iterator[None]:
    """A training from beginning to end; UsageError while there is another one."""
    with turn.lock:
        if turn.training:
            raise UsageError("this network is being trained already: wait for its `fit` to end")
        turn.training = True
    try:
        yield
    finally:
        turn.training = False


def refuse_while_making() -> None:
    """UsageError where this thread makes kernels: it holds what those it would wait for need."""
    if threading.get_ident() in MAKING:
        raise UsageError(f"kernels are being made in the middle of another call, {INSIDE}")


TURNS: weakref.WeakSet[Turn] = weakref.WeakSet()
_held: list[Turn] = []


def _take_all() -> None:
    for turn in list(TURNS):
        turn.lock.acquire()
        _held.append(turn)


def _give_all() -> None:
    while _held:
        _held.pop().lock.release()


if hasattr(os, "register_at_fork"):
    # No process begins with weights that another thread has half changed, or waits for that thread.
    os.register_at_fork(before=_take_all, after_in_parent=_give_all, after_in_child=_give_all)

"""One call of a network at a time: threads take turns, and no call breaks into another one."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ..backends import busy
from ..errors import UsageError

P, R = ParamSpec("P"), TypeVar("R")


class Turn:
    """Whose turn it is.

    lock      held by the thread whose turn it is
    inside    whether arrays are being computed or changed: whoever comes then, although the lock is
              open to this thread, is a signal's handler or a finaliser that breaks into the call
    training  whether `fit` is at work, which holds the lock for one batch at a time
    """

    __slots__ = ("__weakref__", "inside", "lock", "training")

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.inside = self.training = False
        TURNS.add(self)

    def refuse_inside(self) -> None:
        """UsageError where another call of this thread is not done yet."""
        if self.inside:
            raise UsageError(
                "this network is in the middle of another call, which a signal's handler or a "
                "finaliser broke into: set a flag there, and call the network after it"
            )


class Taking(Protocol):
    """What has a turn to take."""

    turn: Turn


N = TypeVar("N", bound=Taking)


def alone(
    method: Callable[Concatenate[N, P], R],
) -> Callable[Concatenate[N, P], R]:
    """A method that computes or changes what the network holds, and calls no other such method."""

    @functools.wraps(method)
    def in_turn(self: N, *args: P.args, **named: P.kwargs) -> R:
        if busy():
            refuse_while_compiling()
        turn = self.turn
        # Nothing may come between taking the lock and the block that gives it back: `with` sees to
        # that, even where a handler raises.
        with turn.lock:
            if turn.inside:
                turn.refuse_inside()
            turn.inside = True
            try:
                return method(self, *args, **named)
            finally:
                turn.inside = False

    return in_turn


def refuse_while_compiling() -> None:
    """UsageError where this thread is making kernels.

    It holds what other threads wait for then, so it cannot wait for them.
    """
    if threading.get_ident() in busy():
        raise UsageError(
            "kernels are being made in the middle of another call, which a signal's handler or a "
            "finaliser broke into: set a flag there, and call the network after it"
        )


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

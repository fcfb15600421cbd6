"""What a signal does to a command that trains: leave no half-made things, and say which it was."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
BASE = 128  # a shell reports a program that a signal ended by this and the signal's number


@contextmanager
def leaving_well() -> Iterator[None]:
    """SIGTERM and SIGHUP leave as other failures do, so that what was begun is cleared away.

    Training itself catches them, saves, and passes them on without a frame: then there is nothing
    left to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.getsignal(n) for n in NUMBERS}
    try:
        for number in (n for n, handler in before.items() if handler is signal.SIG_DFL):
            signal.signal(number, _leave)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    if frame is not None:
        raise SystemExit(BASE + number)

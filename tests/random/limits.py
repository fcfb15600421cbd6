"""The limits of one trial: processor time, and a machine with little memory."""

from __future__ import annotations

import resource
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graphdl.backends import memory_limit
from graphdl.errors import ModelWarning

SECONDS = 5.0
RUNNING = 20.0  # where a text is compiled and trained a step too, with all its layers
MEMORY = 1 << 25
LARGEST = 1 << 30  # bytes that a process may have touched
ADDRESSES = 8 << 30


class TooLong(BaseException):
    """Not an Exception, so that nothing swallows it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooLong after so many seconds of processor time; what else runs here is no fault."""

    def stop(*_: Any) -> None:
        raise TooLong(f"took longer than {seconds} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def little_memory() -> Iterator[None]:
    """A machine so small that whatever fits also runs within the time; warnings are no faults."""
    before, memory_limit.LIMIT = memory_limit.LIMIT, MEMORY
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)
            yield
    finally:
        memory_limit.LIMIT = before


def bounded() -> None:
    """An allocation that nothing refuses fails here instead of filling the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))


def peak() -> int:
    """The most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

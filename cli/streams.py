"""The standard streams: what is closed gets a stand-in, and what stderr loses is remembered."""

from __future__ import annotations

import errno
import os
import sys

import click

from graphdl.errors import escaped

# Why something could not be said: whoever works on may want to stop then.
LOST: list[OSError] = []


class Closed:
    """A stream that nobody reads, as a pipe whose reader has left."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        """Fails, unless there is nothing to write."""
        if text:
            raise BrokenPipeError(errno.EPIPE, "the stream is closed")
        return 0

    def flush(self) -> None:
        """Nothing waits."""

    def isatty(self) -> bool:
        """It is no terminal."""
        return False

    def fileno(self) -> int:
        """It has no number."""
        raise OSError(errno.EBADF, "the stream is closed")


def stand_in() -> None:
    """Put something in the place of standard streams that were closed before we began.

    Their numbers are taken too, or the next file opened would have one and be written into.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Closed())


def tell(sentence: str) -> None:
    """Says something on stderr, where it does not mix with results."""
    try:
        click.echo(escaped(sentence, "\n"), err=True)
    except OSError as error:
        LOST.append(error)

"""What must hold for every text whatsoever: diagnostics or a network, nothing else, and soon."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

import numpy as np

import graphdl
from graphdl.backends import room
from graphdl.errors import DivergedError, GdlError
from graphdl.network import Network, Port

SECONDS = 2.0
MEMORY = 1 << 25
LENGTH, BATCH = 5, 2
Verdict = Literal["refused", "ran", "too large to feed"]


class TooLong(BaseException):
    """Not an Exception, so that nothing swallows it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooLong after so many seconds of processor time; what else runs here is no fault."""

    def stop(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def little_memory() -> Iterator[None]:
    """A machine so small that whatever fits also runs within the time."""
    before, room.LIMIT = room.LIMIT, MEMORY
    try:
        yield
    finally:
        room.LIMIT = before


def verdict(text: str) -> Verdict:
    """What became of the text. Anything but a GdlError comes out as it is."""
    with little_memory():
        try:
            with limited(SECONDS):
                net = _network(text + "\n")
            with limited(5 * SECONDS):
                return _trained(net) if isinstance(net, Network) else net
        except GdlError:
            return "refused"
        except TooLong as late:
            raise AssertionError(f"took longer than {SECONDS} seconds") from late


def _network(text: str) -> Network | Verdict:
    """Checked, compiled, and run forward once."""
    findings = graphdl.check(text)
    for finding in findings:
        assert graphdl.render(finding)
    if any(finding.code.startswith("E") for finding in findings):
        return "refused"
    net = graphdl.compile(text)
    given = _given(net.inputs)
    if net.outputs and given is not None:
        net(**given)
    return net


def _trained(net: Network) -> Verdict:
    """One step; a loss that is not finite is none of the text's faults."""
    given = _given({**net.inputs, **net.targets})
    if given is None:
        return "too large to feed"
    if net.graph.losses:
        net.loss(**given)
        with suppress(DivergedError):
            net.step(lr=None, **given)
    return "ran"


def _given(ports: dict[str, Port]) -> dict[str, Any] | None:
    data = {name: _fed(port) for name, port in ports.items()}
    return None if any(array is None for array in data.values()) else data


def _fed(port: Port) -> Any:
    """Numbers of the right shape that take no memory; None where reading them would take long."""
    whole = port.dtype == "int64"
    shape = (BATCH, *(LENGTH if isinstance(n, str) else n for n in port.shape))
    if math.prod(shape) > 10**7:
        return None
    return np.broadcast_to(np.asarray(0 if whole else 0.5, port.dtype), shape)

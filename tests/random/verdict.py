"""What must hold for every text whatsoever: diagnostics or a network, nothing else, and soon."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

import numpy as np

import graphdl
from graphdl.errors import Diagnostic, DivergedError, GdlError, ModelError, Span
from graphdl.errors.render import render_github, render_json
from graphdl.network import Network, Port

from .limits import little_memory

LENGTH, BATCH = 5, 2
RUNNING, NATIVE = 8, 64  # one in so many is run too, and with kernels of its own
Verdict = Literal["refused", "fine", "ran", "too large to feed"]
PYTHON = re.compile(
    r"<(class|function|object|bound)|object at 0x|\b(Named|Span|Interval|Size|Tensor|Layer|Unknown"
    r"|Definition|Builtin|Axis|Scope|Initial|Shaped|Wire|mappingproxy|dtype|array|np\.\w+)\("
    r"|'\w+' object|unhashable|invalid literal|not iterable|to unpack|positional argument"
    r"|\b(None|NoneType|True|False|Traceback|TypeError|KeyError|lambda)\b"
)


@contextmanager
def unwarned() -> Iterator[None]:
    """What is warned of in a model is none of the matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", graphdl.ModelWarning)
        yield


def verdict(text: str, number: int = 0) -> Verdict:
    """What became of the text. Anything but a GdlError comes out as it is."""
    with little_memory():
        try:
            if not _checked(text + "\n"):
                return "refused"
            if number % RUNNING:
                return "fine"
            with unwarned():
                backend = None if number % NATIVE == 0 else "numpy"
                net = graphdl.compile(text + "\n", backend=backend)
            return _ran(net)
        except ModelError as error:
            sound(error.diagnostics, text)
            return "refused"
        except GdlError as error:
            sentence(str(error), text)
            return "refused"


def _checked(text: str) -> bool:
    findings = graphdl.check(text)
    sound(findings, text)
    return not any(finding.is_error for finding in findings)


def sound(findings: Sequence[Diagnostic], text: str) -> None:
    """Each finding can be shown in every form, at a place that exists."""
    for finding in findings:
        sentence(graphdl.render(finding), text)
        json.dumps(render_json(finding)).encode()
        render_github(finding)
        labels = [finding.primary] if finding.primary else []
        for label in (*labels, *finding.secondary):
            _inside(label.span)


def _inside(span: Span) -> None:
    length = len(span.source.text)
    assert 0 <= span.start <= span.end <= length, f"{span.start}..{span.end} of {length}"


def sentence(said: str, text: str) -> None:
    """What is said can be printed, and is no Python; the text's own words may be repeated."""
    assert said.strip(), "an empty message"
    said.encode()
    for character in said:
        assert character == "\n" or character.isprintable(), f"{character!r} in {said!r}"
    for found in PYTHON.finditer(said):
        assert found[0] in text, f"{found[0]!r} in {said!r}"


def _ran(net: Network) -> Verdict:
    """Forward, and one step; a loss that is not finite is none of the text's faults."""
    given = _given(net.inputs)
    if net.outputs and given is not None:
        net(**given)
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

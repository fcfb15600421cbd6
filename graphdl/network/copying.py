"""Copies of a network, through the bytes of a checkpoint: for `copy.deepcopy` and for pickling.

What is pickled is these bytes and plain values; nothing of the package is in them but the name of
`rebuilt`, and the package itself never unpickles anything.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.checkpoint import save_checkpoint
from ..engine.settings import Settings

if TYPE_CHECKING:
    from .network import Network

NAME = "network.safetensors"
Parts = tuple[bytes, str, dict[str, Any]]


def reduced(net: Network) -> tuple[Callable[..., Network], Parts]:
    """What copying and pickling keep: a function, and what it makes the same network of again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        save_checkpoint(path, net, settings=net.trained_with, state=net.held(), memory=True)
        content = path.read_bytes()
    about = {
        "source": net.syntax.source.name,
        "settings": net.using.to_json(),
        "awaits": sorted(net.awaits_vectors),
        "gathered": net.gathered,
    }
    return rebuilt, (content, net.backend, about)


def rebuilt(content: bytes, backend: str, about: Mapping[str, Any]) -> Network:
    """The network that `reduced` took apart; it trains on bit for bit.

    Raises UsageError where its backend is missing, DataError for bytes that are no checkpoint.
    """
    from .compiling import network_of

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.write_bytes(content)
        net = network_of(path, backend, name=str(about["source"]))
    net.use(Settings.from_json(about["settings"]))
    net.awaits_vectors = set(about["awaits"])
    net.gathered = int(about["gathered"])
    return net

"""What commands on a trained model take: its checkpoint, and the examples to run it on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from .settings import constant
from .streams import tell

if TYPE_CHECKING:
    from graphdl.data import Dataset, Split
    from graphdl.network import Network

F = TypeVar("F", bound=Callable[..., object])


def takes_examples(command: F) -> F:
    """Adds `split`, `data` and `batch`."""
    command = click.option(
        "--batch", type=click.IntRange(1), help="So many examples at a time.  [default: 256]"
    )(command)
    command = click.option(
        "--data",
        metavar="CALL",
        help="Other data than the model was trained on: 'csv(\"test.csv\")'.",
    )(command)
    return click.option(
        "--split",
        metavar="NAME",
        help="train, validation or test.  [default: test, if there is one]",
    )(command)


def opened(path: Path, backend: str | None, told: bool = True) -> Network:
    """The network of a checkpoint, or of the best one in a run folder: which one is `told`."""
    import graphdl
    from graphdl.engine.run_folder import best_checkpoint

    chosen = best_checkpoint(path)
    net = graphdl.load(chosen, backend=backend)
    if told and path.is_dir():
        tell(f"{chosen}: {net.steps:,} steps")
    return net


def examples_of(
    net: Network,
    data: str | None,
    split: str | None,
    data_dir: Path | None,
    *,
    need_targets: bool,
) -> tuple[str, Split]:
    """The name and the examples of a split: of `data`, or of what the run was trained on."""
    from graphdl.network.judging import split_of

    return split_of(_dataset(net, data, data_dir, need_targets), split)


def _dataset(net: Network, data: str | None, data_dir: Path | None, need_targets: bool) -> Dataset:
    source = None if data is None else constant("data", data)
    return net.dataset(data_dir=data_dir, report=tell, need_targets=need_targets, data=source)

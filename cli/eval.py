"""`graphdl eval`: loss, metrics and confusion matrix of a trained model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .examples import examples
from .json_lines import finite
from .machine import chosen, takes_backend, takes_data
from .trained import examples_of, opened, takes_examples

if TYPE_CHECKING:
    from graphdl.engine.confusion import Confusion

WIDEST = 20  # classes beyond which the matrix itself does not fit a terminal


@click.command(
    epilog=examples(
        "graphdl eval runs/digits-1",
        "graphdl eval best.safetensors --split validation --json",
        "graphdl eval best.safetensors --data 'csv(\"new.csv\")'",
    )
)
@click.argument("checkpoint", type=click.Path(path_type=Path))
@takes_examples
@takes_data
@takes_backend
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    checkpoint: Path,
    split: str | None,
    data: str | None,
    batch: int | None,
    data_dir: Path | None,
    gpu: bool,
    backend: str | None,
    as_json: bool,
) -> None:
    """Measure a trained model on its test data.

    CHECKPOINT is a file or a run's folder (its best checkpoint is taken). Prints loss and metrics,
    and for a classifier the confusion matrix with precision and recall of each class.
    """
    net = opened(checkpoint, chosen(gpu, backend))
    name, chosen_split = examples_of(net, data, split, data_dir, need_targets=True)
    from graphdl.network.judging import confusion, measure, settings_of_run

    settings = settings_of_run(net)
    figures = measure(net, chosen_split, batch, settings)
    matrix = confusion(net, chosen_split, batch, settings)
    if as_json:
        click.echo(json.dumps(_facts(name, len(chosen_split), figures, matrix), indent=2))
        return
    unit = "tokens" if chosen_split.stream else "examples"
    click.echo(f"{name}: {len(chosen_split):,} {unit}")
    width = max(map(len, figures), default=0)
    for metric, value in figures.items():
        click.echo(f"{metric:<{width}}  {value:.6g}")
    if matrix is not None:
        _print(matrix)


def _facts(
    split: str, count: int, figures: dict[str, float], matrix: Confusion | None
) -> dict[str, Any]:
    facts: dict[str, Any] = {"split": split, "examples": count}
    facts["metrics"] = finite(figures)
    if matrix is not None:
        facts["confusion"] = matrix.counts.tolist()
        facts["classes"] = [
            {
                "name": row.name,
                "precision": finite(row.precision),
                "recall": finite(row.recall),
                "support": row.support,
            }
            for row in matrix.rows()
        ]
    return facts


def _print(matrix: Confusion) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.measure import Measurement
    from rich.table import Table

    shown = len(matrix.names) <= WIDEST
    table = Table(box=SIMPLE_HEAD, title="true class by row, predicted class by column")
    table.add_column("", justify="right")
    for name in matrix.names if shown else ():
        table.add_column(escape(name), justify="right")
    for heading in ("precision", "recall", "examples"):
        table.add_column(heading, justify="right", style="dim")
    for i, row in enumerate(matrix.rows()):
        cells = [_cell(int(n), right=i == j) for j, n in enumerate(matrix.counts[i])]
        figures = (_share(row.precision), _share(row.recall), f"{row.support:,}")
        table.add_row(escape(row.name), *(cells if shown else []), *figures)
    console = Console(highlight=False)
    # A terminal that is too narrow wraps lines; cut-off figures would be lost.
    boundless = console.options.update(max_width=10_000)
    console.width = max(console.width, Measurement.get(console, boundless, table).maximum)
    console.print(table)


def _cell(count: int, right: bool) -> str:
    if right:
        return f"[bold]{count}[/]"
    return str(count) if count else "[dim]·[/]"


def _share(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "-"

"""`graphdl draw`: a picture of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from .examples import examples
from .model import graph_of, model, reads_model
from .settings import overrides, takes_settings


@click.command(
    epilog=examples(
        "graphdl draw digits -o digits.svg",
        "graphdl draw net.gdl -o net.pdf --direction right",
    )
)
@reads_model
@takes_settings
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to: .svg, .png, .pdf or .dot; - prints DOT text. Default: the model's name .svg.",
)
@click.option(
    "--direction",
    type=click.Choice(["down", "right"]),
    default="down",
    help="Where the data flows.",
)
@click.option("--title", default="", help="A line above the drawing.")
def command(
    file: str | None,
    text: str | None,
    settings: tuple[str, ...],
    output: Path | None,
    direction: Literal["down", "right"],
    title: str,
) -> None:
    """Draw a model: boxes and arrows, shapes on the arrows, blocks as frames."""
    source, (params, _) = model(file, text), overrides(settings)
    if output is None:
        output = Path(f"{source.stem if isinstance(source, Path) else 'model'}.svg")
    from graphdl.draw import draw, format_of

    if str(output) != "-":
        format_of(output)  # a wrong ending is told before the model is read
    drawing = draw(graph_of(source, params), direction, title)
    if str(output) == "-":
        click.echo(drawing.dot, nl=False)
        return
    drawing.save(output)
    click.echo(f"wrote {output}", err=True)

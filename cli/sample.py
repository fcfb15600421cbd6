"""`graphdl sample`: text from a trained language model."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from graphdl.errors import escaped

from .examples import examples
from .machine import chosen, takes_backend
from .trained import opened

CONTROL = re.compile(r"(?![\n\t])[\x00-\x1f\x7f-\x9f]")  # what a vocabulary could do to a terminal


@click.command(
    epilog=examples(
        "graphdl sample runs/lstm_lm-1",
        'graphdl sample best.safetensors --n 50 --prime "the company said"',
        "graphdl sample runs/char_lm-1 --n 500 --temperature 0.7 --top-k 10 --seed 3",
    )
)
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--n", type=click.IntRange(0), default=200, show_default=True, help="Tokens to draw.")
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    help="Below 1 bolder, above 1 wilder; 0 takes the likeliest.",
)
@click.option("--top-k", type=click.IntRange(1), help="Draw among so many likeliest tokens only.")
@click.option("--prime", default="", metavar="TEXT", help="How the text begins.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
@takes_backend
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    checkpoint: Path,
    n: int,
    temperature: float,
    top_k: int | None,
    prime: str,
    seed: int,
    gpu: bool,
    backend: str | None,
    as_json: bool,
) -> None:
    """Write text with a trained language model.

    CHECKPOINT is a file or a run's folder (its best checkpoint is taken). The vocabulary is inside.
    """
    net = opened(checkpoint, chosen(gpu, backend), told=False)
    text = net.sample(n, prime=prime, temperature=temperature, top_k=top_k, seed=seed)
    if as_json:
        click.echo(json.dumps({"text": text, "seed": seed, "temperature": temperature}))
    else:
        click.echo(CONTROL.sub(lambda found: escaped(found[0]), text))

"""`graphdl check`: every diagnostic of every file, as text, JSON or GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .examples import examples
from .model import model

if TYPE_CHECKING:
    from graphdl.errors import Diagnostic


@click.command(
    epilog=examples(
        "graphdl check net.gdl",
        "graphdl check models/*.gdl --format github",
        'graphdl check -e "input -> linear(2, 3) -> softmax -> nll"',
    )
)
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("-e", "--text", metavar="TEXT", help="Check a program given here.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="`github` makes annotations in a workflow.",
)
@click.option("-q", "--quiet", is_flag=True, help="No summary line.")
def command(files: tuple[str, ...], text: str | None, style: str, quiet: bool) -> int:
    """Check model files and print every error at once.

    Exits with 3 when there are errors; warnings alone are fine.
    """
    import graphdl

    sources = [model(file) for file in files]
    sources += [model(None, text)] if text is not None or not files else []
    found = [d for source in sources for d in graphdl.check(source)]
    errors = sum(d.is_error for d in found)
    click.echo(_written(found, style), nl=False)
    if not quiet:
        click.echo(_summed_up(files, errors, len(found) - errors), err=style != "text")
    return 3 if errors else 0


def _written(found: Sequence[Diagnostic], style: str) -> str:
    from graphdl.errors import render, render_github, render_json

    if style == "json":
        return json.dumps([render_json(d) for d in found], indent=2) + "\n"
    if style == "github":
        return "".join(render_github(d) + "\n" for d in found)
    return "".join(render(d) + "\n\n" for d in found)


def _summed_up(files: Sequence[str], errors: int, warnings: int) -> str:
    what = f"{len(files)} files" if len(files) > 1 else "the program"
    if len(files) == 1 and files[0] != "-":
        what = files[0]
    counts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for count, word in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return f"{what}: {', '.join(counts) or 'fine'}"

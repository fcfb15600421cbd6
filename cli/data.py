"""`graphdl data`: the data sets and readers, where files are looked for, what one holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .examples import examples
from .machine import takes_data
from .streams import tell

if TYPE_CHECKING:
    from graphdl.data import Dataset, Lookup


@click.command(
    epilog=examples(
        "graphdl data",
        "graphdl data mnist --data-dir ~/sets",
        "graphdl data csv iris.csv",
        'graphdl data \'csv("iris.csv", delimiter = ";")\'',
    )
)
@click.argument("name", required=False)
@click.argument("paths", nargs=-1)
@takes_data
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, paths: tuple[str, ...], data_dir: Path | None, as_json: bool) -> None:
    """List the data sets and where they are looked for.

    With a NAME and the paths of its files, or a call with options as a model writes it, read it and
    say what it holds; a known set that is in none of the folders is downloaded.
    """
    from graphdl.data import Lookup

    lookup = Lookup.standard(data_dir=data_dir, stood=Path(), report=tell)
    if name is None:
        _list(lookup, as_json)
    else:
        _describe(_read(name, paths, lookup), name, as_json)


def _read(name: str, paths: tuple[str, ...], lookup: Lookup) -> Dataset:
    from graphdl.data import READERS, read
    from graphdl.errors import UsageError, did_you_mean
    from graphdl.graph import Named

    from .settings import constant

    source = constant("data", name) if "(" in name and not paths else Named(name, paths)
    if not isinstance(source, Named):
        raise UsageError(f'`{name}` is no call such as `csv("iris.csv")`')
    if source.name not in READERS:
        hint = did_you_mean(source.name, READERS) or f"there are: {', '.join(READERS)}"
        raise UsageError(f"there is no data set or reader called `{source.name}`; {hint}")
    return read(source.name, *source.arguments, lookup=lookup, **source.keywords)


def _list(lookup: Lookup, as_json: bool) -> None:
    from graphdl.data import known, options

    if as_json:
        rows = [{"name": n, "about": about, "options": options(n)} for n, about in known()]
        folders = {place: str(folder) for place, folder in lookup.roots}
        click.echo(json.dumps({"sets": rows, "folders": folders}, indent=2))
        return
    width = max(len(name) for name, _ in known())
    for name, about in known():
        click.echo(f"{name:<{width}}  {about}")
    click.echo(f"\nlooked for in {lookup.places()}")


MOST = 12  # words of a vocabulary, or classes, that are shown


def _describe(data: Dataset, name: str, as_json: bool) -> None:
    from graphdl.data.stream import shown
    from graphdl.errors import escaped

    about = data.train.about
    if as_json:
        facts = {
            "name": name,
            "splits": {part: len(split) for part, split in data.splits.items()},
            "fields": {f: list(v.shape[1:]) for f, v in data.train.fields.items()},
            "classes": {f: list(c) for f in data.fields if (c := data.classes(f))},
            "unusable": {f: column.trouble for f, column in about.items() if column.trouble},
            "vocabularies": {
                f: len(v) for f in data.fields if (v := data.train.column(f).vocabulary)
            },
        }
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(escaped(str(data)))
    for field in data.fields:
        if classes := data.classes(field):
            click.echo(f"{shown(field)}: {_some(len(classes), 'classes', classes)}")
        if vocabulary := data.train.column(field).vocabulary:
            count, what = len(vocabulary), f"{vocabulary.level}s"
            click.echo(f"{shown(field)}: {_some(count, what, vocabulary.words)}")
    for field, column in about.items():
        if column.trouble:
            click.echo(f"{shown(field)}: not usable: {escaped(column.trouble)}")


def _some(count: int, what: str, names: Sequence[str]) -> str:
    from graphdl.data.stream import shown

    some = ", ".join(map(shown, names[:MOST]))
    return f"{count:,} {what}: {some}{', ...' if count > MOST else ''}"

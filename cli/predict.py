"""`graphdl predict`: what a trained model says of every example, as CSV."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from graphdl.errors import UsageError, did_you_mean

from .examples import examples
from .machine import chosen, takes_backend, takes_data
from .streams import tell
from .trained import examples_of, opened, takes_examples

if TYPE_CHECKING:
    from graphdl.data import Split
    from graphdl.network import Network

Row = Sequence[object]


@click.command(
    epilog=examples(
        "graphdl predict runs/digits-1 -o predictions.csv",
        'graphdl predict best.safetensors --header "Id,Prediction" --id-base 1 --labels 0=-1,1=1',
        "graphdl predict best.safetensors --probabilities -o probabilities.csv",
    )
)
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("-"),
    help="The file to write; by default standard output.",
)
@click.option("--header", help='Names of the columns, such as "Id,Prediction"; "" for no header.')
@click.option(
    "--id-base",
    type=int,
    default=0,
    show_default=True,
    help="Number of the first row, where the data has no numbers.",
)
@click.option("--labels", metavar="0=-1,1=1", help="What to write for each class.")
@click.option("--output", metavar="NAME", help="The output to write, if the model has several.")
@click.option("--ids", is_flag=True, help="Classes by number, also where they have names.")
@click.option("--probabilities", is_flag=True, help="Every number of the output, not the class.")
@takes_examples
@takes_data
@takes_backend
def command(
    checkpoint: Path,
    target: Path,
    header: str | None,
    id_base: int,
    labels: str | None,
    output: str | None,
    ids: bool,
    probabilities: bool,
    split: str | None,
    data: str | None,
    batch: int | None,
    data_dir: Path | None,
    gpu: bool,
    backend: str | None,
) -> None:
    """Write a trained model's predictions as CSV.

    One row for each example: its number, and the class with the largest score or, where the model
    does not choose between classes, the output itself. Classes are written by name where training
    knew names, below the name of their target; --ids writes their numbers. With --labels a single
    probability is a choice too: class 1 above one half. A model that tags every word gives its
    tags, with blanks between them.
    """
    from graphdl.network.judging import predicted, tagged
    from graphdl.network.scored import names_in, scored

    if sum((ids, probabilities, labels is not None)) > 1:
        raise UsageError("--ids, --labels and --probabilities exclude each other: choose one")
    net = opened(checkpoint, chosen(gpu, backend))
    name = _output(net, output)
    target_of = scored(net.graph, name)
    if ids and target_of is None:
        raise UsageError(f"--ids is for classes; `{name}` is written as numbers")
    _, chosen_split = examples_of(net, data, split, data_dir, need_targets=False)
    if chosen_split.stream:
        raise UsageError(
            "this data is one long text, not examples to predict: `graphdl eval` measures the "
            "model on it, `graphdl sample` writes on"
        )
    classes = names_in(net, target_of) if target_of is not None else ()
    title = _title(target_of, bool(classes), ids=ids, spelled=labels is not None)
    names = () if ids else classes
    if target_of is not None and not probabilities and labels is None:
        texts = tagged(net, chosen_split, name, names, batch)
        if texts is not None:
            rows = _numbered(chosen_split, id_base, [[text] for text in texts])
            _write(target, _columns([title], header), rows)
            return
    found = predicted(net, chosen_split, name, batch)
    values = found.reshape(len(found), -1)
    if values.shape[1] == 1 and labels is not None:
        values = _both(values)
    count = values.shape[1]
    choosing = not probabilities and count > 1 and (target_of is not None or labels is not None)
    if choosing and found.ndim > 2:
        shape = list(found.shape[1:])
        raise UsageError(f"`{name}` is {shape} for each example; write it with --probabilities")
    spellings = dict(enumerate(names)) | _spellings(labels, count, choosing)
    numbers = names if len(names) == count else [str(number) for number in range(count)]
    columns = [title] if choosing or count == 1 else list(numbers)
    told = _told(values, choosing, spellings)
    _write(target, _columns(columns, header), _numbered(chosen_split, id_base, told))


def _title(target: str | None, named: bool, *, ids: bool, spelled: bool) -> str:
    """The name of the column of predictions: what was predicted, where names or ids say which."""
    if target is None or not named or spelled:
        return "Prediction"
    return f"{target} id" if ids else target


def _write(target: Path, columns: list[str], rows: list[Row]) -> None:
    with _opened(target) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([columns] if columns else [])
        writer.writerows(rows)
    if str(target) != "-":
        tell(f"wrote {len(rows):,} predictions to {target}")


def _numbered(split: Split, base: int, told: Iterable[Row]) -> list[Row]:
    """Each row behind its number in the file, or counted from `base`."""
    numbers = range(base, base + len(split)) if split.numbers is None else split.numbers.tolist()
    return [(number, *row) for number, row in zip(numbers, told, strict=True)]


def _output(net: Network, name: str | None) -> str:
    known = list(net.outputs)
    if not known:
        raise UsageError("this model has no output to predict")
    if name is None:
        return known[0]
    if name not in known:
        hint = did_you_mean(name, known) or f"outputs: {', '.join(known)}"
        raise UsageError(f"there is no output `{name}`; {hint}")
    return name


def _columns(names: list[str], header: str | None) -> list[str]:
    if header == "":
        return []
    if header is None:
        return ["Id", *names]
    columns = next(csv.reader([header]))
    if len(columns) != len(names) + 1:
        raise UsageError(f"--header names {len(columns)} columns, there are {len(names) + 1}")
    return columns


def _spellings(labels: str | None, classes: int, choosing: bool) -> dict[int, str]:
    """The class written as something else: `0=-1,1=1`."""
    if labels is None:
        return {}
    if not choosing:
        raise UsageError("--labels is for classes; this output is written as numbers")
    spellings: dict[int, str] = {}
    for pair in labels.split(","):
        number, equals, text = pair.partition("=")
        if not equals or not number.strip().isdecimal() or not text.strip():
            raise UsageError(f"--labels is a list such as 0=-1,1=1, not `{labels}`")
        spellings[int(number)] = text.strip()
    absent = sorted(set(range(classes)) - spellings.keys())
    unknown = sorted(spellings.keys() - set(range(classes)))
    if absent or unknown:
        what = f"says nothing of class {absent[0]}" if absent else f"names class {unknown[0]}"
        raise UsageError(f"--labels {what}; the classes are 0..{classes - 1}")
    return spellings


def _both(values: Any) -> Any:
    """Scores of two classes from the probability of the second."""
    import numpy as np

    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise UsageError("--labels needs classes or a probability; this output is any number")
    return np.concatenate([1 - values, values], axis=1)


def _told(values: Any, choosing: bool, spellings: dict[int, str]) -> Iterator[Row]:
    if choosing:
        for best in values.argmax(axis=1).tolist():
            yield (spellings.get(best, best),)
        return
    for figures in values.tolist():
        yield tuple(f"{figure:.7g}" for figure in figures)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if str(path) == "-":
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file

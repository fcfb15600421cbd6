"""Weights from a file into a network by name, with a report of what fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, nearest
from ..graph.kept import NOT_WEIGHTS
from .tensor_file import TensorFile, open_tensors
from .trainable import Arrays, Trainable


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What happened to each name.

    loaded      taken over
    missing     in the model, not in the file
    unexpected  in the file, not in the model
    mismatched  name, shape in the model, shape in the file
    """

    path: Path
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    @property
    def complete(self) -> bool:
        """Whether every weight of the model was found."""
        return not self.missing and not self.mismatched

    def __str__(self) -> str:
        lines = [f"loaded {len(self.loaded)} weights from {self.path}"]
        lines += [_missing(name, self.unexpected) for name in self.missing]
        lines += [f"  `{n}` is {_shape(m)} in the model, {_shape(f)} in the file"
                  for n, m, f in self.mismatched]  # fmt: skip
        lines += [f"  `{name}` is not in the model" for name in self.unexpected]
        return "\n".join(lines)


def compare(file: TensorFile, wanted: Mapping[str, tuple[int, ...]]) -> LoadReport:
    """Which names and shapes of a model a file has; reads no tensor."""
    held = {name: entry.shape for name, entry in file.entries.items()}
    return LoadReport(
        file.path,
        tuple(name for name, shape in wanted.items() if held.get(name) == shape),
        tuple(name for name in wanted if name not in held),
        tuple(name for name in held if name not in wanted and not name.startswith(NOT_WEIGHTS)),
        tuple((n, s, held[n]) for n, s in wanted.items() if n in held and held[n] != s),
    )


def load_by_name(trainable: Trainable, path: Path) -> LoadReport:
    """Takes over the weights and running values of a file that fit by name and shape.

    Raises:
        UsageError, DataError: the file cannot be read, or nothing in it fits.
    """
    file = open_tensors(path)
    own = {key[2:]: key for key in trainable.state() if not key.startswith(NOT_WEIGHTS)}
    state = trainable.state()
    report = compare(file, {name: state[key].shape for name, key in own.items()})
    if not report.loaded:
        raise DataError(f"nothing in {path} fits this model\n" + "\n".join(_lines(report)[:5]))
    found: Arrays = {
        own[name]: file.entries[name].read().astype(state[own[name]].dtype)
        for name in report.loaded
    }
    trainable.restore(found)
    return report


def insist(report: LoadReport) -> None:
    """Raises unless every weight was found: for a checkpoint that should be this model's own."""
    if not report.complete:
        head = f"{report.path} does not belong to this model"
        raise DataError("\n".join([head, *_lines(report)[:8]]))


def _lines(report: LoadReport) -> list[str]:
    return str(report).splitlines()[1:]


def _missing(name: str, unexpected: tuple[str, ...]) -> str:
    near = nearest(name, unexpected)
    return f"  `{name}` is not in the file" + (f"; it has `{near}`" if near else "")


def _shape(shape: tuple[int, ...]) -> str:
    return str(list(shape))

"""The names and shapes of a file beside those of a network, with a report of what fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, nearest
from ..graph.kept import NOT_WEIGHTS
from .tensor_file import TensorFile


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What happened to each name.

    loaded      taken over
    missing     in the model, not in the file
    unexpected  in the file, not in the model
    mismatched  name, shape in the model, shape in the file
    matched     where entries are words or classes: name, how many were found, of how many, of what
    """

    path: Path
    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    matched: tuple[tuple[str, int, int, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every weight of the model was found."""
        return not self.missing and not self.mismatched

    def __str__(self) -> str:
        return "\n".join([f"loaded {len(self.loaded)} weights from {self.path}", *self.lines()])

    def lines(self) -> list[str]:
        """What is worth saying of single names."""
        lines = [_found(*one) for one in self.matched]
        lines += [_missing(name, self.unexpected) for name in self.missing]
        lines += [f"  `{n}` is {_shape(m)} in the model, {_shape(f)} in the file"
                  for n, m, f in self.mismatched]  # fmt: skip
        return lines + [f"  `{name}` is not in the model" for name in self.unexpected]


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


def insist(report: LoadReport) -> None:
    """Raises unless every weight was found: for a checkpoint that should be this model's own."""
    if not report.complete:
        head = f"{report.path} does not belong to this model"
        raise DataError("\n".join([head, *report.lines()[:8]]))


def _found(name: str, found: int, due: int, what: str) -> str:
    rest = "" if found == due else f", the other {due - found:,} start anew"
    return f"  `{name}`: {found:,} of {due:,} {what} found{rest}"


def _missing(name: str, unexpected: tuple[str, ...]) -> str:
    near = nearest(name, unexpected)
    return f"  `{name}` is not in the file" + (f"; it has `{near}`" if near else "")


def _shape(shape: tuple[int, ...]) -> str:
    return str(list(shape))

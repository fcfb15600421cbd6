"""The folders that a run found its data in, kept in its checkpoints: it finds them again.

A file that a checkpoint names is read as data and nothing else, as every file is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data import Lookup
from ..data.lookup import silent

if TYPE_CHECKING:
    from ..engine.checkpoint import Checkpoint

ABOVE = 3  # folders above a checkpoint of version 0.1.0 in which its model is looked for


@dataclass(frozen=True, slots=True)
class Places:
    """Where files are looked for, besides the folders that are the same for all.

    model     the folder of the model's file
    stood     where the user stood who gave the data by hand; None where the file names it
    data_dir  the folder of data that was named
    """

    model: Path | None = None
    stood: Path | None = None
    data_dir: Path | None = None

    def lookup(
        self, data_dir: str | Path | None = None, report: Callable[[str], None] = silent
    ) -> Lookup:
        """The search for data; a path that was given by hand may lead anywhere."""
        named = data_dir if data_dir is not None else self.data_dir
        return Lookup.standard(self.model, named, stood=self.stood, report=report)

    def to_json(self) -> dict[str, str]:
        """Whole paths by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: str(path.resolve()) for name, path in found.items() if path is not None}


def places_of(checkpoint: Checkpoint) -> Places:
    """The folders of a checkpoint that are still there, or lie to it as they did."""
    about = checkpoint.description
    written, name = about.get("places"), Path(str(about.get("file") or "")).name
    if not isinstance(written, dict):
        return Places(model=_above(checkpoint, name))
    found = {
        field.name: _candidates(checkpoint, written.get(field.name)) for field in fields(Places)
    }
    return Places(
        model=next((folder for folder in found["model"] if _is_file(folder / name)), None),
        stood=next(found["stood"], None),
        data_dir=next(found["data_dir"], None),
    )


def _candidates(checkpoint: Checkpoint, written: Any) -> Iterator[Path]:
    """The folder itself, then the one that lies to a moved checkpoint as it did."""
    if not isinstance(written, str) or "\0" in written:
        return
    folder = Path(written)
    moved = [folder]
    if checkpoint.at:
        moved.append(checkpoint.path.resolve().parent / os.path.relpath(folder, checkpoint.at))
    for path in moved:
        if _is_dir(path):
            yield path.resolve()


def _above(checkpoint: Checkpoint, name: str) -> Path | None:
    """A folder above that holds the very model, for one that says nothing of its place."""
    for folder in list(checkpoint.path.resolve().parents)[: ABOVE + 1]:
        if name and _is_file(folder / name) and _text(folder / name) == checkpoint.model:
            return folder
    return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, ValueError):
        return None


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False

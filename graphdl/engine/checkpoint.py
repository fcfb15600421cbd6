"""Checkpoints: one safetensors file from which a model can be evaluated, drawn, resumed, exported.

Weights and running values stand under their own names; only where training is to go on, optimiser
memory stands under `o/<weight>.<state>` and states between two windows under `c/<state>`. The
model's text and all else are texts in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from ..errors import DataError, Source
from ..graph.kept import MEMORY, NOT_WEIGHTS
from ..syntax import parse, tree
from . import plain
from .atomic import Sync, write_atomically
from .by_name import compare, insist
from .history import Progress
from .memory import insist_on_memory
from .tensor_file import TensorFile, open_tensors
from .trainable import Arrays, Trainable

FORMAT = "1"
LONGEST = 200  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was opened: texts are read, tensors wait until they are asked for.

    description  what `Trainable.description` said: parameters, versions, dtype, backend
    settings     of the training, as `Settings.to_json` wrote them
    record       figures of the epoch it was saved at
    progress     where training stood; None when it is not for resuming
    at           the folder it was written in; empty where it does not say
    """

    path: Path
    model: str
    description: dict[str, Any]
    seed: int
    steps: int
    draws: int
    settings: dict[str, Any]
    record: dict[str, Any]
    progress: Progress | None
    running: frozenset[str]
    file: TensorFile
    at: str = ""

    def weights(self) -> Arrays:
        """Weights and running values by name."""
        entries = self.file.entries
        return {name: e.read() for name, e in entries.items() if not name.startswith(NOT_WEIGHTS)}

    def state(self) -> Arrays:
        """All arrays as `Trainable.restore` takes them."""
        return {self.key(name): entry.read() for name, entry in self.file.entries.items()}

    def key(self, name: str) -> str:
        """What the network calls a tensor of the file."""
        if name.startswith(NOT_WEIGHTS):
            return name
        return f"r/{name}" if name in self.running else f"w/{name}"


def save_checkpoint(
    path: Path,
    trainable: Trainable,
    *,
    settings: dict[str, Any] | None = None,
    record: dict[str, Any] | None = None,
    progress: Progress | None = None,
    state: Arrays | None = None,
    counts: tuple[int, int] | None = None,
    memory: bool = False,
    sync: Sync | None = None,
) -> None:
    """Writes a checkpoint atomically; optimiser memory goes in when `progress` says to resume.

    `state` is an earlier state of the network to write instead of the present one, and `counts` its
    steps and draws. `memory` puts in what the optimiser keeps in any case.

    Raises:
        GdlError: nothing could be written; the file from before is untouched.
    """
    state = trainable.state() if state is None else state
    steps, draws = counts or (trainable.steps, trainable.draws)
    arrays = {_file_name(key): _plain(array) for key, array in state.items()
              if progress or memory or not key.startswith(NOT_WEIGHTS)}  # fmt: skip
    description = dict(trainable.description())
    training = {
        "seed": int(trainable.seed),
        "steps": int(steps),
        "draws": int(draws),
        "settings": settings or {},
        "record": record or {},
        "progress": progress.to_json() if progress else None,
        "at": str(path.resolve().parent),
        "running": [key[2:] for key in state if key.startswith("r/")],
    }
    metadata = {
        "graphdl": FORMAT,
        "model": str(description.pop("model", "")),
        "description": json.dumps(description, default=str),
        "training": json.dumps(training),
    }
    write_atomically(path, save(arrays, metadata), sync)


def open_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint's texts and checks its table of contents.

    Raises:
        UsageError, DataError: there is none, it is broken, or graphdl did not write it.
    """
    file = open_tensors(path)
    if "graphdl" not in file.metadata:
        raise DataError(f"{path} holds tensors but no model: it is not a graphdl checkpoint")
    if file.metadata["graphdl"] != FORMAT:
        raise DataError(f"{path} was written by a newer graphdl; this one reads format {FORMAT}")
    try:
        metadata = {key: _json(file.metadata, key) for key in ("training", "description")}
        training = plain.table(metadata, "training")
        at = plain.table(training, "progress") if training.get("progress") else None
        return Checkpoint(
            path,
            _text(file.metadata, "model"),
            plain.table(metadata, "description"),
            plain.whole(training, "seed", beyond=2**128),
            plain.whole(training, "steps"),
            plain.whole(training, "draws"),
            plain.table(training, "settings"),
            plain.table(training, "record"),
            Progress.from_json(at) if at else None,
            frozenset(plain.texts(training, "running")),
            file,
            str(training.get("at") or ""),
        )
    except UnicodeEncodeError:
        raise DataError(f"{path}: its metadata are broken: half of a character in them") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: its metadata are broken: {error}") from None


def _text(metadata: Mapping[str, str], key: str) -> str:
    if key not in metadata:
        raise ValueError(f"it has no `{key}`")
    return metadata[key]


def _json(metadata: Mapping[str, str], key: str) -> Any:
    found = json.loads(_text(metadata, key))
    plain.shallow(found)
    return found


def model_of(checkpoint: Checkpoint, name: str | None = None) -> tuple[tree.Model, dict[str, Any]]:
    """The model inside a checkpoint, with what it imports, and its parameters.

    `name` is what it is called in messages, if not as its file was.

    Raises:
        ModelError, DataError: it is no model, or what belongs to it is broken.
    """
    about = checkpoint.description
    params, imports = about.get("params") or {}, about.get("imports") or {}
    if not isinstance(params, dict) or not isinstance(imports, dict):
        raise DataError(f"{checkpoint.path}: its parameters or imports are broken")
    # A name without a folder: nothing beside the checkpoint is ever read for it.
    source = Source(name or _name(about.get("file")), checkpoint.model)
    library = {str(k): str(v) for k, v in imports.items()}
    by_position = about.get("language") is None
    return replace(parse(source), library=library, by_position=by_position), params


def _name(file: Any) -> str:
    """What messages call the model: its file's name, if it is one."""
    name = Path(file).name if isinstance(file, str) else ""
    return name if name.isprintable() and 0 < len(name) <= LONGEST else "checkpoint"


def place(
    trainable: Trainable, weights: Mapping[str, tuple[int, ...]], checkpoint: Checkpoint
) -> None:
    """Puts a network where the checkpoint was; its optimiser's memory is asked for by training.

    `weights` are the shapes of the network's weights and running values.

    Raises:
        DataError: the checkpoint is of another model; nothing has been changed then.
    """
    insist(compare(checkpoint.file, weights))
    arrays = checkpoint.state()
    trainable.restore(
        {key: a for key, a in arrays.items() if key.startswith(NOT_WEIGHTS) or key[2:] in weights}
    )
    trainable.seed, trainable.steps = checkpoint.seed, checkpoint.steps
    trainable.draws = checkpoint.draws


def restore(trainable: Trainable, checkpoint: Checkpoint) -> None:
    """Puts a network where the checkpoint was, ready to train on as if it had never stopped.

    Raises:
        DataError: the checkpoint is of another model, or holds not all that the optimizer needs;
            nothing has been changed then.
    """
    own = trainable.state()
    wanted = {_file_name(key): array.shape for key, array in own.items()}
    weights = {name: s for name, s in wanted.items() if not name.startswith(NOT_WEIGHTS)}
    insist(compare(checkpoint.file, weights))
    anew: Arrays = {}
    if checkpoint.progress:
        due = {n: s for n, s in wanted.items() if n.startswith(MEMORY)}
        anew = insist_on_memory(checkpoint, due)
    place(trainable, weights, checkpoint)
    trainable.restore(anew)


def _file_name(key: str) -> str:
    return key if key.startswith(NOT_WEIGHTS) else key[2:]


def _plain(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    # safetensors writes the memory of a strided array as if it were contiguous
    little = array.dtype.newbyteorder("<")
    return np.asarray(array, dtype=little, order="C")

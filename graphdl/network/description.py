"""What a checkpoint says of the network inside it."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Vocabulary
from ..data.trained import Trained
from ..engine import plain
from ..errors import DataError

if TYPE_CHECKING:
    from ..engine.checkpoint import Checkpoint
    from .network import Network

# Texts without a number are from before arguments went by name only.
LANGUAGE = 2


def description(net: Network, imports: dict[str, str]) -> dict[str, Any]:
    """The model's text and what else makes the same network again, fit for JSON."""
    from .. import __version__

    source = net.syntax.source
    held = {id(v): v for v in net.vocabularies.values()}
    vocabularies = [
        {"of": [n for n, v in net.vocabularies.items() if v is one], **one.to_json()}
        for one in held.values()
    ]
    return {
        "model": source.text,
        "file": Path(source.name).name,
        "imports": imports,
        "language": None if net.syntax.by_position else LANGUAGE,
        "params": net.params,
        "places": net.places.to_json(),
        "vocabularies": vocabularies,
        "labels": {name: list(labels) for name, labels in net.labels.items()},
        "fields": net.trained.to_json(),
        "scale": net.trained.scale,
        "seed": net.seed,
        "dtype": net.dtype,
        "backend": net.backend,
        "versions": {
            "graphdl": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def names_of(
    about: dict[str, Any], path: str | os.PathLike[str]
) -> tuple[dict[str, Vocabulary], dict[str, tuple[str, ...]]]:
    """Vocabularies and names of classes, by input or target, that a checkpoint holds.

    Raises DataError when they are not what `description` wrote.
    """
    try:
        held = {"vocabularies": [], "labels": {}, **{k: v for k, v in about.items() if v}}
        vocabularies = {
            name: found
            for one in plain.tables(held, "vocabularies")
            for found in [Vocabulary.from_json(one)]
            for name in plain.texts(one, "of")
        }
        labels = plain.table(held, "labels")
        return vocabularies, {name: tuple(plain.texts(labels, name)) for name in labels}
    except (ValueError, DataError) as error:
        raise DataError(f"{path}: its vocabulary is broken: {error}") from None


def trained_of(checkpoint: Checkpoint) -> Trained:
    """The fields that a checkpoint was trained on; of version 0.1.0, those that its data named.

    Raises DataError when they are not what `description` wrote.
    """
    try:
        data = checkpoint.settings.get("data")
        keywords = data.get("keywords") if isinstance(data, dict) else None
        written = keywords if isinstance(keywords, dict) else {}
        about = checkpoint.description
        scale = about.get("scale")
        if "fields" not in about and not isinstance(written.get("scale"), str | list):
            scale = written.get("scale")  # a text would be the field of an input of that name
        return Trained.from_json(about.get("fields"), scale).with_mapping(written)
    except ValueError as error:
        raise DataError(f"{checkpoint.path}: its names of data are broken: {error}") from None

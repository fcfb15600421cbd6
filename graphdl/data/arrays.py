"""Arrays as data sets: from Python, and from the parts of an npz file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from ..errors import DataError
from .dataset import Array, Column, Dataset, Field, Split
from .given import array_of
from .match import FEATURE_NAMES, LABEL_NAMES
from .partition import Partition, partitioned
from .pixels import MOST
from .ragged import Ragged


def dataset_from_arrays(
    fields: Mapping[str, Any],
    validation: Mapping[str, Any] | float | None,
    test: Mapping[str, Any] | float | None,
    name: str,
) -> Dataset:
    """The set of arrays from Python; counts and shares are set aside at random, seed 0."""
    given = {"train": fields, "validation": validation, "test": test}
    parts = {
        part: {field: as_array(field, values, name) for field, values in arrays.items()}
        for part, arrays in given.items()
        if isinstance(arrays, Mapping)
    }
    whole = dataset_of_parts(parts, name, {part: f"{name} ({part})" for part in parts})
    aside = Partition(validation=_share(validation), test=_share(test), shuffle=True)
    return partitioned(whole, aside)


def dataset_of_parts(
    parts: Mapping[str, Mapping[str, Field]],
    name: str,
    sources: Mapping[str, str],
    scale: float | None = None,
    scaled: Collection[str] = (),
) -> Dataset:
    """Splits of arrays that hold the same fields; texts become classes over all splits.

    `scale` divides those that are features by their names, and those in `scaled`.
    """
    train = parts["train"]
    if not train:
        raise DataError(f"{sources['train']}: there are no arrays")
    for part, arrays in parts.items():
        _same_fields(train, arrays, sources[part])
    about = {
        part: {
            field: _column(field, values, train, scale, scaled) for field, values in arrays.items()
        }
        for part, arrays in parts.items()
    }
    fields = {part: dict(arrays) for part, arrays in parts.items()}
    for field, values in train.items():
        if values.dtype.kind == "U":
            names = np.unique(np.concatenate([arrays[field] for arrays in parts.values()]))
            for part, arrays in fields.items():
                named = Column(about[part][field].role, classes=tuple(names.tolist()))
                about[part][field] = named
                arrays[field] = np.searchsorted(names, arrays[field])
    splits = {p: Split(arrays, about[p], sources[p]) for p, arrays in fields.items()}
    return Dataset(name, splits["train"], splits.get("validation"), splits.get("test"))


def _share(aside: Mapping[str, Any] | float | None) -> float | None:
    return None if isinstance(aside, Mapping) else aside


def as_array(field: str, values: Any, source: str) -> Field:
    """The array of a field of a source, as `array_of` takes it."""
    found = array_of(values, f"{source}: `{field}`")
    if found.ndim == 0:
        raise DataError(f"{source}: `{field}` is one number, an array of examples is needed")
    return found


def _same_fields(train: Mapping[str, Field], other: Mapping[str, Field], source: str) -> None:
    if set(train) != set(other):
        have, need = (", ".join(sorted(fields)) or "none" for fields in (other, train))
        raise DataError(f"{source}: the fields are {have}; those of the training part are {need}")
    for field, values in train.items():
        if (other[field].dtype.kind == "U") != (values.dtype.kind == "U"):
            kinds = ("texts", "numbers") if values.dtype.kind == "U" else ("numbers", "texts")
            raise DataError(
                f"{source}: `{field}` holds {kinds[1]}, and the training part {kinds[0]}: "
                "write the same in both"
            )
        here, there = other[field].shape[1:], values.shape[1:]
        varies = isinstance(values, Ragged) or isinstance(other[field], Ragged)
        if here != there and not varies:
            raise DataError(
                f"{source}: `{field}` is {list(here)} per example, "
                f"{list(there)} in the training part"
            )


def _column(
    field: str,
    values: Array,
    train: Mapping[str, Array],
    scale: float | None,
    scaled: Collection[str],
) -> Column:
    others = [other for other in train if other != field]
    features, label = field.lower() in FEATURE_NAMES, field.lower() in LABEL_NAMES
    if len(others) == 1 and not features and not label:
        # Of two fields, one known by its name says what the other is.
        features, label = others[0].lower() in LABEL_NAMES, others[0].lower() in FEATURE_NAMES
    if (features or field in scaled) and scale is not None:
        return Column("features" if features else "other", scale)
    # Bytes with two or more axes look like an image; a model says whether they are one.
    image = MOST if values.dtype == np.uint8 and values.ndim > 2 and not label else 1.0
    return Column("features" if features else "label" if label else "other", image, guessed=True)

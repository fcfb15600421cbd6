"""What a trained network remembers of the data it was trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors.constant import constant

# A field; columns of a table, side by side; or how far along a text.
Source = str | tuple[str, ...] | int


@dataclass(frozen=True, slots=True)
class Trained:
    """Which field, or which columns of a table, each input and target was trained on.

    fields    by input or target; a single column of a table is a tuple of one
    by_place  whether it was trained by version 0.1.0, which kept no names: `fields` are then
              those that the model writes, and what it does not write goes by place as it did
    scale     what `scale` divided the inputs by, where it did: so it does with other files
    """

    fields: Mapping[str, Source] = field(default_factory=dict)
    by_place: bool = False
    scale: float | None = None

    def to_json(self) -> dict[str, Any] | None:
        """Fit for JSON; None for what version 0.1.0 did not keep."""
        if self.by_place:
            return None
        return {n: list(of) if isinstance(of, tuple) else of for n, of in self.fields.items()}

    @classmethod
    def from_json(cls, values: Any, scale: Any = None) -> Trained:
        """The inverse of `to_json`, beside the scale; ValueError for anything else."""
        if scale is not None and not (type(scale) in (int, float) and 0 < scale < math.inf):
            raise ValueError(f"their scale is {scale!r}")
        if values is None:
            return cls(by_place=True, scale=scale)
        if not isinstance(values, dict):
            raise ValueError(f"fields are {constant(values)}")
        fields: dict[str, Source] = {}
        for name, of in values.items():
            columns = of if isinstance(of, list) else [of]
            names = bool(columns) and all(type(one) is str for one in columns)
            if not names and type(of) is not int:
                raise ValueError(f"the field of `{name}` is {constant(of)}")
            fields[str(name)] = tuple(of) if isinstance(of, list) else of
        return cls(fields, scale=scale)

    def with_mapping(self, mapping: Mapping[str, Any]) -> Trained:
        """What version 0.1.0 did not keep, as far as the mapping says it that it trained with."""
        if not self.by_place:
            return self
        fields: dict[str, Source] = {}
        for name, of in mapping.items():
            columns = of if isinstance(of, list | tuple) else [of]
            if columns and all(type(one) is str for one in columns):
                fields[name] = tuple(columns)
            elif type(of) is int:
                fields[name] = of
        return Trained(fields, by_place=True, scale=self.scale)

    @property
    def shifts(self) -> dict[str, int]:
        """How far along a text an input or target lay."""
        return {name: of for name, of in self.fields.items() if isinstance(of, int)}

    @property
    def named(self) -> dict[str, str | tuple[str, ...]]:
        """The fields and columns that have names."""
        return {name: of for name, of in self.fields.items() if not isinstance(of, int)}

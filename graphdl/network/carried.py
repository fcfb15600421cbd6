"""States of scans on their way from one window of a sequence to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..backends import Backend, Executable
from ..backends.bind_sizes import bind_sizes
from ..errors import UsageError
from ..graph.kept import CARRIED
from ..passes.layout import concrete

Array = np.ndarray[Any, Any]


class Carried:
    """What the last window left behind, by the key of the input that takes it."""

    def __init__(self, backend: Backend, dtype: str) -> None:
        self.arrays: dict[str, Array] = {}
        self._backend, self._dtype = backend, dtype

    def fed(
        self,
        program: Executable,
        data: Mapping[str, Array],
        fresh: bool,
        going: Array | None = None,
    ) -> dict[str, Array]:
        """The data of a window with the states before it, which count only if it is not `fresh`.

        `going` are the rows of the window before that go on in this one, None for all.

        Raises UsageError when the batch is not that of the window before.
        """
        inputs = program.program.inputs
        given = [i for i in inputs if i.role == "data" and not i.key.startswith(CARRIED)]
        sizes = bind_sizes(given, {i.key: data[i.key].shape for i in given})
        found = dict(data)
        for one in inputs:
            if not one.key.startswith(CARRIED):
                continue
            shape = concrete(one.value.type, sizes)
            held = None if fresh else self.arrays.get(one.key)
            if held is None and not fresh:
                raise UsageError(f"`{one.key}` was not kept: this window has none before it")
            if held is not None and going is not None:
                held = held[going]
            if held is not None and held.shape != shape:
                raise UsageError(
                    f"a window of {sizes.get('B')} sequences cannot follow one of {len(held)}"
                )
            found[one.key] = np.zeros(shape, self._dtype) if held is None else held
        return found

    def take(self, found: dict[str, Any]) -> dict[str, Any]:
        """Keep the states behind a window; what else came out of it is given back."""
        for key in [key for key in found if key.startswith(CARRIED)]:
            self.arrays[key] = np.array(self._backend.to_host(found.pop(key)))
        return found

"""All errors of a file at once: a wrong statement is set aside, and what needs it with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import Diagnostic, ModelError
from ..graph import Shaped
from ..syntax import tree
from .apply import located
from .scope import SPOILED, Scope
from .statements import names_of
from .values import Deferred, Resolved, Spoiled

if TYPE_CHECKING:
    from .tracer import Tracer

MOST = 20


class Findings:
    """The errors so far; names whose statements failed stand for nothing and say nothing more."""

    def __init__(self, t: Tracer, scope: Scope) -> None:
        self._t, self._scope = t, scope
        self._found: dict[object, Diagnostic] = {}
        self._free: list[str] = []

    @contextmanager
    def of(self, st: tree.Statement | None) -> Iterator[None]:
        """Run a statement, and keep what is wrong with it."""
        try:
            if st is None:
                yield
            else:
                with located(self._t, st.span, []):
                    yield
        except Spoiled:
            self._spoil(st)
        except Deferred as deferred:
            self._free.append(deferred.root)
            self._spoil(st)
        except ModelError as error:
            for diagnostic in error.diagnostics:
                self._found.setdefault(_key(diagnostic), diagnostic)
            self._spoil(st)

    @property
    def enough(self) -> bool:
        """As many as are shown: nobody needs more, and each takes time."""
        return len(self._found) >= MOST

    def report(self) -> None:
        """Raise what was found, or start again with one number for an input of any shape."""
        if self._found:
            errors = list(self._found.values())[:MOST]
            # What was warned of may be the reason.
            raise ModelError(*errors, *self._t.graph.warnings)
        if self._free:
            raise Resolved(self._free[0], Shaped(()))

    def _spoil(self, st: tree.Statement | None) -> None:
        if st is None:
            return
        if isinstance(st, tree.Tensor) and st.role == "target":
            self._t.target_spoiled = True
        names = names_of(st)
        if isinstance(st, tree.Import):
            names = [(str(name), name.span) for name in st.names]
        for name, span in names:
            if name not in self._scope.names:
                self._scope.bind(name, SPOILED, span)


def _key(diagnostic: Diagnostic) -> object:
    """The same error of a block that is used twice is one error."""
    span = diagnostic.primary.span if diagnostic.primary else None
    return diagnostic.code, diagnostic.message, span and (span.source.name, span.start, span.end)

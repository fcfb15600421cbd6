"""The likeliest intended spelling of an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .escape import escaped


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, or None when none is close.

    >>> nearest("liner", ["conv", "linear"])
    'linear'
    """
    names = list(known)
    lowered = {n.lower(): n for n in names}
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean `linear`?` or an empty string."""
    found = nearest(name, known)
    return f"did you mean `{escaped(found)}`?" if found else ""

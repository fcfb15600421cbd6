"""The likeliest intended spelling of an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .escape import escaped

LONGEST, MOST = 100, 2000  # characters of a name, and names that are looked through


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, or None when none is close.

    >>> nearest("liner", ["conv", "linear"])
    'linear'
    """
    # Names that nobody typed by hand: looking through them would take longer than the rest.
    names = [n for n in known if len(n) <= LONGEST][-MOST:]
    if len(name) > LONGEST:
        return None
    lowered = {n.lower(): n for n in names}
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean `linear`?` or an empty string."""
    found = nearest(name, known)
    return f"did you mean `{escaped(found)}`?" if found else ""

"""Text made safe for DOT: quoted strings, and the HTML-like labels Graphviz knows."""

from __future__ import annotations

import re

# XML has no way to write these, so an SVG that held one would not open.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
# The backslash too: Graphviz puts the node's name for \N even here.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\\": "&#92;"}


def quoted(text: str) -> str:
    r"""A DOT string that shows exactly `text`: no escape, entity or quote in it is special.

    >>> print(quoted('say "hi" \\N & go'))
    "say \"hi\" \\N &amp; go"
    """
    text = _UNPRINTABLE.sub("\ufffd", text).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("&", "&amp;").replace("\r", "").replace("\n", "\\n") + '"'


def markup(text: str) -> str:
    """Text for inside an HTML-like label.

    >>> markup("a < b")
    'a &lt; b'
    """
    # Graphviz refuses an empty <B></B>.
    text = _UNPRINTABLE.sub("\ufffd", one_line(text)) or "\u00a0"
    return "".join(_ENTITIES.get(letter, letter) for letter in text)


def one_line(text: str) -> str:
    """Text with every run of white space as one space."""
    return " ".join(text.split())


def shortened(text: str, most: int = 44) -> str:
    """Text that fits in a box; what is cut off stays in the tooltip.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"

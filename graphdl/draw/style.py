"""Colours and fonts of drawings: pale fills with dark lines from the Okabe-Ito palette."""

from __future__ import annotations

from typing import NamedTuple

FONT = "Helvetica,Arial,sans-serif"
INK = "#1F2933"  # text
QUIET = "#52606D"  # secondary text: 6.5 to 1 on white
EDGE = "#7B8794"


class Look(NamedTuple):
    """How one kind of box is drawn."""

    fill: str
    line: str
    shape: str = "box"
    square: bool = False


# What enters and leaves is square, what computes is round; the word in the box says the rest,
# so colour is never needed to read one.
LOOKS = {
    "input": Look("#DCEBF7", "#0072B2", square=True),
    "target": Look("#FCEBC8", "#A86F00", square=True),
    "weight": Look("#FFFFFF", "#52606D", "note"),
    "layer": Look("#EEF1F5", "#52606D"),
    "op": Look("#FFFFFF", "#9AA5B1"),
    "scan": Look("#E9E6F4", "#5B4B9A", "box3d"),
    "output": Look("#D6EFE6", "#007A5A", square=True),
    "loss": Look("#FADFD2", "#B84A00", square=True),
    "metric": Look("#F3E1ED", "#97507F", square=True),
}

# Blocks inside blocks: each level a little darker, so that nesting shows without heavy lines.
BLOCK_FILLS = ("#F7F9FB", "#EFF3F7", "#E6ECF2", "#DDE5ED")
BLOCK_LINE = "#CBD2D9"


def block_fill(depth: int) -> str:
    """Background of a block at a nesting depth, from 0."""
    return BLOCK_FILLS[min(depth, len(BLOCK_FILLS) - 1)]

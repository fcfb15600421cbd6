"""What a model may cost before it is refused: bounds that nobody meets by accident, and can raise.

Each is a number in an environment variable of its name, read when it is needed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from .errors import UsageError


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound: the variable that raises it, what it is unless that is set, and what it counts."""

    variable: str
    default: int
    of: str

    @property
    def most(self) -> int:
        """The bound now.

        Raises:
            UsageError: the variable holds something else than a whole number from 1.
        """
        written = os.environ.get(self.variable, "").strip()
        if not written:
            return self.default
        if not (written.isascii() and written.isdigit() and len(written) < 20 and int(written)):
            raise UsageError(
                f"{self.variable} must be a whole number from 1, such as {self.default}, "
                f"got `{written[:40]}`"
            )
        return int(written)

    @property
    def hint(self) -> str:
        """How to raise it."""
        return f"the limit is {self.of}; to raise it set {self.variable}={self.most * 10}"


CHARACTERS = Limit("GRAPHDL_CHARACTERS", 2**20, "on the text of a model")
TOKENS = Limit("GRAPHDL_TOKENS", 100_000, "on the words and signs of a model's text")
EXPRESSIONS = Limit("GRAPHDL_EXPRESSIONS", 130_000, "on what a model unfolds into")
NODES = Limit("GRAPHDL_NODES", 10_000, "on the nodes of a model")
VALUES = Limit("GRAPHDL_VALUES", 10_000, "on the values of one list, range or count")
LIMITS = (CHARACTERS, TOKENS, EXPRESSIONS, NODES, VALUES)

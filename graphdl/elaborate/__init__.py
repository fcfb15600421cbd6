"""Working a model out: expressions become constants, layers, and a graph with its program."""

from .elaborate import Elaborated, elaborate

__all__ = ["Elaborated", "elaborate"]

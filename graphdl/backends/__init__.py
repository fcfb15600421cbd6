"""Executables: optimised programs bound to arrays of NumPy or CuPy."""

from .binding import ShapeMismatch
from .executable import Executable
from .schedule import NonFinite, Schedule
from .store import Store

__all__ = ["Executable", "NonFinite", "Schedule", "ShapeMismatch", "Store"]

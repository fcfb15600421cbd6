"""Executables: optimised programs bound to arrays of NumPy or CuPy."""

from .backend import BACKENDS, Backend, open_backend
from .binding import ShapeMismatch
from .executable import Executable
from .schedule import NonFinite, Schedule
from .store import Store

__all__ = ["BACKENDS", "Backend", "Executable", "NonFinite", "Schedule", "ShapeMismatch", "Store", "open_backend"]

"""Executables: optimised programs bound to arrays of NumPy or CuPy."""

from .backend import Backend, open_backend
from .binding import ShapeMismatch
from .executable import Executable
from .schedule import NonFinite, Schedule
from .store import Store

__all__ = [
    "Backend",
    "Executable",
    "NonFinite",
    "Schedule",
    "ShapeMismatch",
    "Store",
    "open_backend",
]

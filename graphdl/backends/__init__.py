"""Executables: optimised programs bound to arrays of NumPy or CuPy."""

from .backend import Backend, open_backend
from .bind_sizes import ShapeMismatch
from .bound_program import BoundProgram, NonFinite
from .executable import Executable
from .store import Store

__all__ = [
    "Backend",
    "BoundProgram",
    "Executable",
    "NonFinite",
    "ShapeMismatch",
    "Store",
    "open_backend",
]

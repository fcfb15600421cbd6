"""How files are opened that somebody else may have made: models, data, checkpoints."""

from .regular import NotAFileError, open_regular

__all__ = ["NotAFileError", "open_regular"]

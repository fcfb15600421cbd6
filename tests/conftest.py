"""What all tests share: where no backend is named, it is NumPy's, the reference."""

from __future__ import annotations

import os

# Before anything opens a backend; commands that tests run inherit it.
os.environ["GRAPHDL_BACKEND"] = "numpy"

"""What the tests of recurrence share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def formulas() -> Any:
    """The file of formulas as a module: tests are no package."""
    path = Path(__file__).with_name("formulas.py")
    spec = importlib.util.spec_from_file_location("recurrence_formulas", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

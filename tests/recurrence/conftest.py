"""What the tests of recurrence share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


def load(path: Path) -> Any:
    """A test file as a module: tests are no package."""
    spec = importlib.util.spec_from_file_location(f"recurrence_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def formulas() -> Any:
    """The file of formulas."""
    return load(Path(__file__).with_name("formulas.py"))


@pytest.fixture(scope="session")
def standin() -> Any:
    """An array module that is as strict as CuPy."""
    return load(Path(__file__).parents[1] / "backends" / "standin.py").module()

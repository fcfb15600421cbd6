"""The array modules that every backend test runs on."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from graphdl.backends import Executable, open_backend
from graphdl.errors import UsageError

TESTS = Path(__file__).parent.parent


def load(path: Path) -> ModuleType:
    """A test file as a module: tests are no package."""
    spec = importlib.util.spec_from_file_location(f"loaded_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    if spec.name in sys.modules:
        return sys.modules[spec.name]
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def array_module(name: str) -> Any:
    """NumPy, the stand-in for CuPy, or CuPy itself where it runs."""
    if name == "standin":
        return load(TESTS / "backends" / "standin.py").module()
    try:
        return open_backend(name).xp
    except UsageError as error:
        pytest.skip(str(error))


DEVICES = ["standin", pytest.param("cupy", marks=pytest.mark.gpu)]


@pytest.fixture(params=["numpy", "native", *DEVICES])
def xp(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An array module; bodies that take it run on all of them, and on generated kernels."""
    found = array_module(request.param)
    if request.param == "native":
        generate_kernels(monkeypatch)
    return found


def generate_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all executables on NumPy's arrays run generated kernels."""
    plain = Executable.__init__

    def native(self: Executable, program: Any, xp: ModuleType, dtype: str) -> None:
        plain(self, program, xp, dtype, native=xp is np)

    monkeypatch.setattr(Executable, "__init__", native)


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> Any:
    """An array module that is not NumPy."""
    return array_module(request.param)


@pytest.fixture
def host() -> Any:
    """Any array as NumPy's."""
    return lambda a: a if isinstance(a, np.ndarray) else a.get()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take `row` run on the whole table of primitives."""
    if "row" in metafunc.fixturenames:
        rows = load(TESTS / "program" / "conftest.py").ROWS
        metafunc.parametrize("row", [pytest.param(row, id=row.name) for row in rows])

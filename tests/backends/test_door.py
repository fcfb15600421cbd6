"""The one door to array libraries: what opens, and the sentence where nothing does."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from graphdl.backends import Backend, Store, open_backend
from graphdl.errors import UsageError


def fake_cupy(driver: int, devices: int | str) -> ModuleType:
    """As much of CuPy as the door asks; a text is the error the runtime raises."""

    def count() -> int:
        if isinstance(devices, str):
            raise RuntimeError(devices)
        return devices

    module = ModuleType("cupy")
    runtime = SimpleNamespace(driverGetVersion=lambda: driver, getDeviceCount=count)
    vars(module)["cuda"] = SimpleNamespace(runtime=runtime)
    return module


ABSENT = [
    (None, "CuPy is not installed: `pip install 'graphdl[gpu]'`, or run without --gpu"),
    (fake_cupy(0, "no driver"), "there is no NVIDIA driver here: install one, or run without"),
    (fake_cupy(12080, "no device"), "no GPU is visible: look at `nvidia-smi`"),
    (fake_cupy(12080, 0), "no GPU is visible: look at `nvidia-smi`"),
]


@pytest.mark.parametrize(("module", "sentence"), ABSENT)
def test_what_is_missing_is_said(
    module: ModuleType | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if module is None:
        monkeypatch.setattr(sys, "meta_path", [NoCupy(), *sys.meta_path])
        monkeypatch.delitem(sys.modules, "cupy", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "cupy", module)
    with pytest.raises(UsageError) as caught:
        open_backend("cupy")
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 2


class NoCupy:
    """An import system in which CuPy does not exist."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "cupy":
            raise ModuleNotFoundError("No module named 'cupy'", name=name)


def test_cupy_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    module = fake_cupy(12080, 1)
    monkeypatch.setitem(sys.modules, "cupy", module)
    backend = open_backend("cupy")
    assert (backend.name, backend.xp) == ("cupy", module)


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match="no backend `numpi`; did you mean `numpy`"):
        open_backend("numpi")
    with pytest.raises(UsageError, match="no backend `tpu`; there are: native, numpy, cupy"):
        open_backend("tpu")


def test_there_and_back(xp: Any) -> None:
    backend = Backend(xp.__name__, xp)
    array = np.arange(6.0).reshape(2, 3)
    there = backend.from_host(array)
    assert isinstance(there, xp.ndarray)
    np.testing.assert_array_equal(backend.to_host(there), array)


def test_a_store_writes_in_place(xp: Any, host: Any) -> None:
    store = Store(xp)
    store["w"] = np.ones((2, 3), "float32")
    array, version = store["w"], store.version
    store["w"] = xp.asarray(np.full((2, 3), 4.0, "float32"))
    assert store["w"] is array
    assert (host(array).sum(), store.version) == (24, version)
    store["w"] = np.zeros(5, "float32")
    assert (store["w"].shape, store.version) == ((5,), version + 1)
    store["scalar"] = np.array(3.0)
    assert float(store["scalar"]) == 3
    del store["w"]
    assert list(store) == ["scalar"]

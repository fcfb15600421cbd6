"""The one door to array libraries: what opens, and the sentence where nothing does."""

from __future__ import annotations

import importlib
import json
import sys
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from graphdl.backends import Backend, Store, cupy, open_backend
from graphdl.errors import UsageError

from . import standin


def fake_cupy(
    driver: int = 12080,
    devices: int | str = 1,
    version: str | None = "14.2.0",
    **broken: BaseException | Any,
) -> ModuleType:
    """As much of CuPy as the door asks; a text is the error the runtime raises.

    `broken` says what `asarray` (the first kernel) or `matmul` raises, or gives instead.
    """

    def count() -> int:
        if isinstance(devices, str):
            raise RuntimeError(devices)
        return devices

    module = standin.module()
    module.__name__ = "cupy"
    runtime = SimpleNamespace(driverGetVersion=lambda: driver, getDeviceCount=count)
    vars(module)["cuda"] = SimpleNamespace(runtime=runtime)
    if version is not None:
        vars(module)["__version__"] = version
    for name, instead in broken.items():
        vars(module)[name] = partial(_instead, instead)
    return module


def _instead(instead: Any, *_: Any) -> Any:
    if isinstance(instead, BaseException):
        raise instead
    return standin.asarray(instead)


class OutOfMemoryError(MemoryError):
    """As CuPy's own."""


def missing(library: str) -> RuntimeError:
    """What CuPy 14 raises where a part of the toolkit is not there."""
    return RuntimeError(f'Failure finding "lib{library}.so.12": No such file: lib{library}.so.12')


AGAIN = "`pip install 'graphdl[gpu]'`, or run without --gpu"
# what is there, or what happens when it is imported; what is said
ABSENT: list[tuple[Any, str]] = [
    (ModuleNotFoundError("No module named 'cupy'", name="cupy"),
     f"CuPy is not installed: {AGAIN}"),
    (ModuleNotFoundError("No module named 'fastrlock'", name="fastrlock"),
     f"CuPy is installed but does not load (No module named 'fastrlock'): {AGAIN}"),
    (ImportError("\n=====\nCuPy is not correctly installed.\n\nOriginal error:\n"
                 "  ImportError: libcuda.so.1: cannot open\n=====\n"),
     f"does not load (ImportError: libcuda.so.1: cannot open): {AGAIN}"),
    (AttributeError("module 'numpy' has no attribute 'product'"), "does not load (module 'numpy'"),
    (fake_cupy(version="13.6.0"), f"CuPy 13.6.0 is too old, graphdl needs 14 or newer: {AGAIN}"),
    (fake_cupy(version="9.0.0b2"), "CuPy 9.0.0b2 is too old"),
    (fake_cupy(version=None), "a module `cupy` is there that is not CuPy"),
    (fake_cupy(0, "no driver"), "there is no NVIDIA driver here: install one, or run without"),
    (fake_cupy(11040, "cudaErrorInsufficientDriver"),
     "driver here is for CUDA 11.4, CuPy needs 12.0 or newer: install a newer driver"),
    (fake_cupy(12080, "cudaErrorNoDevice: no CUDA-capable device is detected"),
     "no GPU is visible: look at `nvidia-smi` and CUDA_VISIBLE_DEVICES, or run without --gpu"),
    (fake_cupy(12080, 0), "no GPU is visible: look at `nvidia-smi`"),
    (fake_cupy(12080, "cudaErrorSystemNotReady: system not yet initialized"),
     "no GPU is visible (cudaErrorSystemNotReady: system not yet initialized): look at"),
    (fake_cupy(asarray=missing("nvrtc")),
     f"CuPy is there without NVRTC, which compiles its kernels: {AGAIN}"),
    (fake_cupy(asarray=RuntimeError("CuPy failed to load libnvrtc.so.12: OSError: ...")),
     f"CuPy is there without NVRTC, which compiles its kernels: {AGAIN}"),
    (fake_cupy(asarray=RuntimeError("Failed to find CUDA headers")), "CuPy is there without NVRTC"),
    (fake_cupy(matmul=missing("cublasLt")),
     f"CuPy is there without cuBLAS, which multiplies its matrices: {AGAIN}"),
    (fake_cupy(matmul=ImportError("libcublas.so.12: cannot open shared object file")),
     "CuPy is there without cuBLAS"),
    (fake_cupy(matmul=RuntimeError("CUBLAS_STATUS_NOT_INITIALIZED")),
     f"CuPy is there but cannot multiply matrices (CUBLAS_STATUS_NOT_INITIALIZED): {AGAIN}"),
    (fake_cupy(asarray=OutOfMemoryError("Out of memory allocating 512 bytes")),
     "the GPU has no memory left: end what `nvidia-smi` shows on it"),
    (fake_cupy(asarray=RuntimeError("cudaErrorDevicesUnavailable: CUDA-capable device(s) is busy")),
     "the GPU is taken by another process"),
    (fake_cupy(asarray=RuntimeError("CUDA_ERROR_NO_BINARY cudaErrorNoKernelImageForDevice")),
     "this CuPy has no kernels for this GPU"),
    (fake_cupy(asarray=PermissionError(13, "Permission denied", "/root/.cupy")),
     "set CUPY_CACHE_DIR to a folder that can be written"),
    (fake_cupy(asarray=TypeError()), f"CuPy is there but cannot run a kernel (TypeError): {AGAIN}"),
    (fake_cupy(asarray=[3.0, 3.0]), "the GPU computes, but wrongly"),
    (fake_cupy(matmul=[[7.0, 10.0], [15.0, 21.0]]), "the GPU computes, but wrongly"),
]  # fmt: skip


@pytest.mark.parametrize(("there", "sentence"), ABSENT)
def test_what_is_missing_is_said(
    there: ModuleType | Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    present(there, monkeypatch)
    monkeypatch.setattr(cupy, "packages_distributions", dict)
    for _ in range(2):
        with pytest.raises(UsageError) as caught:
            open_backend("cupy")
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith("or run without --gpu")
        assert caught.value.exit_code == 2


def present(there: ModuleType | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CuPy that is there, or fails like this when it is imported."""
    if isinstance(there, ModuleType):
        monkeypatch.setitem(sys.modules, "cupy", there)
    else:
        monkeypatch.setattr(sys, "meta_path", [NoCupy(there), *sys.meta_path])
        monkeypatch.delitem(sys.modules, "cupy", raising=False)


def test_the_command_line_says_it_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    present(fake_cupy(matmul=missing("cublas")), monkeypatch)
    with pytest.raises(SystemExit) as caught:
        run(["train", "digits", "--gpu", "--fast-dev-run"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error: CuPy is there without cuBLAS")
    assert said.count("\n") == 1


def run(arguments: list[str]) -> None:
    """The `graphdl` command."""
    command: Any = importlib.import_module("graphdl.cli").main
    command(arguments)


def test_wheels_in_each_other_s_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both: Any = lambda: {"cupy": ["cupy-cuda11x", "cupy-cuda12x"], "numpy": ["numpy"]}  # noqa: E731
    monkeypatch.setattr(cupy, "packages_distributions", both)
    present(fake_cupy(version="13.0"), monkeypatch)
    with pytest.raises(UsageError, match=r"`pip uninstall -y cupy-cuda11x`, then `pip install"):
        open_backend("cupy")
    version: Any = importlib.import_module("graphdl.cli.version")
    monkeypatch.setattr(version, "packages_distributions", both)
    monkeypatch.setattr(version, "version", lambda name: f"{name} is there")
    with pytest.raises(SystemExit):
        run(["version", "--json"])
    told = json.loads(capsys.readouterr().out)
    for name in ("cupy-cuda11x", "cupy-cuda12x", "llvmlite"):
        assert told[name] == f"{name} is there"


class NoCupy:
    """An import system in which CuPy does not exist, or does not load."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "cupy":
            raise self.error


def test_cupy_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    module = fake_cupy()
    monkeypatch.setitem(sys.modules, "cupy", module)
    backend = open_backend("cupy")
    assert (backend.name, backend.xp) == ("cupy", module)
    vars(module)["matmul"] = partial(_instead, missing("cublas"))
    assert open_backend("cupy").xp is module  # tried once


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

"""The way to CuPy, or the one sentence that says which of library, driver and GPU is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import packages_distributions
from types import ModuleType
from typing import Any

from ..errors import UsageError

OTHERWISE = "or run without --gpu"
INSTALL = "`pip install 'graphdl[gpu]'`"
WHEEL = "cupy-cuda12x"  # what that installs
OLDEST_CUPY = 14  # CuPy 13 cannot add rows by int64
OLDEST_DRIVER = 12000  # CUDA 12.0, as the runtime writes it
LONGEST = 200  # of what CuPy says, letters

# Modules on which a kernel and a product have run: once is enough for a process.
_proven: list[ModuleType] = []


def find_cupy() -> ModuleType:
    """The module `cupy`, once a program can run on it; otherwise a UsageError.

    CuPy imports without a driver, and without the libraries that compile kernels and multiply
    matrices; each fails where it is first needed. So all of them are tried here.
    """
    cupy = _imported()
    if any(module is cupy for module in _proven):
        return cupy
    _require_version(cupy)
    _require_driver(cupy)
    _require_device(cupy)
    _require_kernel(cupy)
    _require_product(cupy)
    _proven.append(cupy)
    return cupy


def _imported() -> ModuleType:
    try:
        import cupy
    except ModuleNotFoundError as error:
        if error.name == "cupy":
            raise UsageError(f"CuPy is not installed: {INSTALL}, {OTHERWISE}") from None
        raise _does_not_load(error) from None
    except Exception as error:  # whatever a broken installation raises
        raise _does_not_load(error) from None
    return cupy  # type: ignore[no-any-return]


def _does_not_load(error: Exception) -> UsageError:
    return UsageError(
        f"CuPy is installed but does not load ({_said(error)}): {_again()}, {OTHERWISE}"
    )


def _require_version(cupy: ModuleType) -> None:
    version = str(getattr(cupy, "__version__", ""))
    number = re.match(r"\d+", version)
    if number is None:
        raise UsageError(
            f"a module `cupy` is there that is not CuPy ({getattr(cupy, '__file__', None)}): "
            f"rename it, {OTHERWISE}"
        )
    if int(number[0]) < OLDEST_CUPY:
        raise UsageError(
            f"CuPy {version} is too old, graphdl needs {OLDEST_CUPY} or newer: "
            f"{_again()}, {OTHERWISE}"
        )


def _again() -> str:
    """The command that puts the right wheel there: two of them are in each other's way."""
    others = sorted(set(packages_distributions().get("cupy", ())) - {WHEEL})
    if others:
        return f"`pip uninstall -y {' '.join(others)}`, then {INSTALL}"
    return INSTALL


def _require_driver(cupy: ModuleType) -> None:
    driver, _ = _asked(cupy.cuda.runtime.driverGetVersion)
    if driver == 0:
        raise UsageError(f"there is no NVIDIA driver here: install one, {OTHERWISE}")
    if driver < OLDEST_DRIVER:
        had, wanted = (f"{v // 1000}.{v % 1000 // 10}" for v in (driver, OLDEST_DRIVER))
        raise UsageError(
            f"the NVIDIA driver here is for CUDA {had}, CuPy needs {wanted} or newer: install a "
            f"newer driver (`nvidia-smi` shows it), {OTHERWISE}"
        )


def _require_device(cupy: ModuleType) -> None:
    count, why = _asked(cupy.cuda.runtime.getDeviceCount)
    if count == 0:
        reason = f" ({why})" if why and "NoDevice" not in why else ""
        raise UsageError(
            f"CuPy and the driver are there but no GPU is visible{reason}: look at `nvidia-smi` "
            f"and CUDA_VISIBLE_DEVICES, {OTHERWISE}"
        )


def _asked(question: Callable[[], Any]) -> tuple[int, str]:
    """The runtime's answer; it raises a RuntimeError where it has none, and that is why."""
    try:
        return int(question()), ""
    except RuntimeError as error:
        return 0, _said(error)


def _require_kernel(cupy: ModuleType) -> None:
    def run() -> bool:
        found = cupy.asarray([1.0, 2.0]) + cupy.asarray([2.0, 3.0])
        return bool(found.get().tolist() == [3.0, 5.0])

    _try(run, "run a kernel", "NVRTC, which compiles its kernels", ("nvrtc", "header", ".h"))


def _require_product(cupy: ModuleType) -> None:
    def run() -> bool:
        rows = cupy.asarray([[1.0, 2.0], [3.0, 4.0]])
        return bool(cupy.matmul(rows, rows).get().tolist() == [[7.0, 10.0], [15.0, 22.0]])

    _try(run, "multiply matrices", "cuBLAS, which multiplies its matrices", ("cublas",))


def _try(run: Callable[[], bool], what: str, library: str, names: tuple[str, ...]) -> None:
    """UsageError where a first computation fails, or gives another result than it must."""
    try:
        right = run()
    except MemoryError:  # CuPy's own is one
        raise UsageError(
            f"the GPU has no memory left: end what `nvidia-smi` shows on it, {OTHERWISE}"
        ) from None
    except OSError as error:
        raise UsageError(
            f"CuPy cannot keep its kernels ({_said(error)}): set CUPY_CACHE_DIR to a folder that "
            f"can be written, {OTHERWISE}"
        ) from None
    except Exception as error:  # of many kinds, and none is a mistake of ours
        raise _refused(error, what, library, names) from None
    if not right:
        raise UsageError(
            f"the GPU computes, but wrongly (a first attempt to {what} failed): {_again()}, "
            f"{OTHERWISE}"
        )


def _refused(error: Exception, what: str, library: str, names: tuple[str, ...]) -> UsageError:
    said = _said(error)
    low = said.lower()
    missing = isinstance(error, ImportError) or any(
        word in low for word in ("no such file", "failed to load", "failure finding", "not found",
                                 "cannot open", "could not find", "failed to find")
    )  # fmt: skip
    if missing and (any(name in low for name in names) or isinstance(error, ImportError)):
        return UsageError(f"CuPy is there without {library}: {_again()}, {OTHERWISE}")
    if "nokernelimage" in low or "gpu-architecture" in low or "invalidptx" in low:
        return UsageError(
            f"this CuPy has no kernels for this GPU ({said}): `pip install -U {WHEEL}`, {OTHERWISE}"
        )
    if "unavailable" in low:
        return UsageError(
            f"the GPU is taken by another process ({said}): see `nvidia-smi`, {OTHERWISE}"
        )
    return UsageError(f"CuPy is there but cannot {what} ({said}): {_again()}, {OTHERWISE}")


def _said(error: Exception) -> str:
    """The line of an error that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [line for line in lines if line and set(line) - set("=-")]
    marked = [n for n, line in enumerate(lines) if line.startswith("Original error")]
    chosen = lines[marked[0] + 1 :] if marked else lines
    said = next(iter(chosen), "") or type(error).__name__
    return said if len(said) <= LONGEST else said[: LONGEST - 3] + "..."

"""The way to CuPy, or the one sentence that says which of library, driver and GPU is missing."""

from __future__ import annotations

from types import ModuleType

from ..errors import UsageError

OTHERWISE = "or run without --gpu"


def find_cupy() -> ModuleType:
    """The module `cupy`, once a program can run on it; otherwise a UsageError.

    CuPy imports without a driver and fails at its first array, so driver and GPU are asked for.
    """
    try:
        import cupy
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            raise UsageError(
                f"CuPy is not installed: `pip install 'graphdl[gpu]'`, {OTHERWISE}"
            ) from None
        raise UsageError(
            f"CuPy is installed but does not load ({error}): reinstall it, {OTHERWISE}"
        ) from None
    if _asked(cupy.cuda.runtime.driverGetVersion) == 0:
        raise UsageError(f"there is no NVIDIA driver here: install one, {OTHERWISE}")
    if _asked(cupy.cuda.runtime.getDeviceCount) == 0:
        raise UsageError(
            "CuPy and the driver are there but no GPU is visible: look at `nvidia-smi` "
            f"and CUDA_VISIBLE_DEVICES, {OTHERWISE}"
        )
    return cupy  # type: ignore[no-any-return]


def _asked(question: object) -> int:
    """The runtime's answer; it raises a RuntimeError where it has none."""
    try:
        return int(question())  # type: ignore[operator]
    except RuntimeError:
        return 0

"""No kernel reads or writes beyond an array."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="the script guards memory as Linux does")
def test_kernels_stay_inside() -> None:
    script = Path(__file__).with_name("guarded.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout[-200:], done.stderr[-2000:])
    assert len(done.stdout.splitlines()) == 20

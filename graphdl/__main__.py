"""`python -m graphdl` is the `graphdl` command."""

from __future__ import annotations

import runpy

if __name__ == "__main__":
    runpy.run_module("graphdl.cli", run_name="__main__", alter_sys=True)

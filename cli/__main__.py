"""Lets `python -m graphdl` and `python -m graphdl.cli` run the command."""

from __future__ import annotations

from . import main

main()

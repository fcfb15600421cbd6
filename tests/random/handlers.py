"""Handlers of signals that ask networks in the middle of other calls, beside another thread."""

from __future__ import annotations

import faulthandler
import random
import signal
import threading
import time
import traceback
from collections import Counter
from typing import Any

from graphdl.errors import UsageError

from .asked import Asked, say
from .questions import Questions

COUNT = 20  # seconds
EVERY = 0.004  # seconds from signal to signal
HANGING = 60  # seconds without an end


def run(asked: Asked) -> int:
    """Ask for so many seconds; the number of wrong answers and errors."""
    faulthandler.dump_traceback_later(asked.count + 2 * HANGING, exit=True)
    questions, outcomes = Questions(asked.seed), Counter[str]()
    end = time.monotonic() + asked.count
    inside = False

    def ask(who: str, dice: random.Random) -> None:
        try:
            outcomes[f"{who} right" if questions.ask(dice) else f"{who} wrong"] += 1
        except UsageError as error:
            middle = "in the middle of another call" in str(error)
            outcomes[f"{who} refused" if middle and who == "handler" else f"{who} failed"] += 1
        except Exception:
            outcomes[f"{who} failed"] += 1
            say(traceback.format_exc())

    def receive(*_: Any) -> None:
        nonlocal inside
        if not inside:
            inside = True
            ask("handler", dice)
            inside = False

    def beside() -> None:
        own = random.Random(asked.seed + 1)
        while time.monotonic() < end:
            ask("thread", own)

    dice = random.Random(asked.seed)
    thread = threading.Thread(target=beside)
    before = signal.signal(signal.SIGALRM, receive)
    signal.setitimer(signal.ITIMER_REAL, EVERY, EVERY)
    try:
        thread.start()
        mine = random.Random(asked.seed + 2)
        while time.monotonic() < end:
            ask("main", mine)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    thread.join()
    faulthandler.cancel_dump_traceback_later()
    shown = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
    say(f"signals: one every {1000 * EVERY:g} ms for {asked.count} s: {shown}")
    return sum(count for name, count in outcomes.items() if name.endswith(("wrong", "failed")))

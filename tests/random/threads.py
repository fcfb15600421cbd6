"""Threads that ask the same few networks everything at once, and children that go on alone."""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import threading
import time
import traceback
import warnings
from collections import Counter

from .asked import Asked, say
from .questions import Questions

COUNT = 20  # seconds
THREADS = 6
HANGING = 60  # seconds without an end
EVERY = 2.0  # seconds from child to child


def run(asked: Asked) -> int:
    """Ask for so many seconds; the number of wrong answers and errors."""
    faulthandler.dump_traceback_later(asked.count + 2 * HANGING, exit=True)
    questions, outcomes = Questions(asked.seed), Counter[str]()
    end = time.monotonic() + asked.count

    def ask(number: int) -> None:
        dice = random.Random(asked.seed * THREADS + number)
        while time.monotonic() < end:
            try:
                outcomes["right" if questions.ask(dice) else "wrong"] += 1
            except Exception:
                outcomes["failed"] += 1
                say(traceback.format_exc())

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        time.sleep(min(EVERY, max(0.0, end - time.monotonic())))
        outcomes["child right" if _child(questions, asked.seed) else "child wrong"] += 1
    for thread in threads:
        thread.join()
    faulthandler.cancel_dump_traceback_later()
    shown = ", ".join(f"{count:,} {name}" for name, count in sorted(outcomes.items()))
    say(f"threads: {THREADS} of them for {asked.count} s: {shown}")
    return outcomes["wrong"] + outcomes["failed"] + outcomes["child wrong"]


def _child(questions: Questions, seed: int) -> bool:
    """Whether a child process, begun at any moment, gets right answers."""
    if not hasattr(os, "fork"):
        return True
    with warnings.catch_warnings():
        # That threads are not inherited is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        signal.alarm(HANGING)
        dice = random.Random(seed)
        os._exit(not all(questions.ask(dice) for _ in range(20)))
    return os.waitpid(child, 0)[1] == 0

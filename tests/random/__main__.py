"""The whole run: `python -m tests.random [models|texts|all] [--count N] [--seed N] [--shrink]`.

Models: 1,000 random valid ones against the interpreter, up to the first that fails.
Texts: 10,000 mutated ones; every kind of failure is shown once, with its text.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import sys
import time
import traceback
from collections import Counter

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from .judge import judge
from .models import models
from .mutations import corpus, mutant
from .verdict import verdict
from .writer import Sample

ADDRESSES = 8 << 30
HANGING = 60


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(text.encode(errors="backslashreplace").decode() + "\n")
    sys.stdout.flush()


def run_models(count: int, seed: int, shrink: bool) -> int:
    """Judge so many random models, up to the first that fails; the number of failures."""
    seen = 0

    @hypothesis.seed(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(models())
    def check(sample: Sample) -> None:
        nonlocal seen
        seen += 1
        try:
            judge(sample)
        except BaseException as error:
            error.add_note(f"{sample.text}\n{sample.params} {sample.sizes}")
            raise
        if seen % 100 == 0:
            say(f"  {seen:,} models")

    try:
        check()
    except Exception:
        traceback.print_exc(file=sys.stdout)
        say(f"models: failed after {seen:,}, seed {seed}")
        return 1
    say(f"models: {seen:,} agree with the interpreter, seed {seed}")
    return 0


def run_texts(count: int, seed: int) -> int:
    """Try so many mutated texts; the number of failures."""
    # An allocation that nothing refuses fails here instead of filling the machine.
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    verdicts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    longest = 0.0
    corpus()
    for number in range(seed, seed + count):
        text, start = mutant(number), time.process_time()
        faulthandler.dump_traceback_later(HANGING, exit=True)
        try:
            verdicts[verdict(text)] += 1
        except Exception as error:
            kind = f"{type(error).__name__}: {str(error).splitlines()[:1]}"
            failures[kind] += 1
            if failures[kind] == 1:
                say(f"--- mutant {number}\n{text}\n---")
                traceback.print_exc(file=sys.stdout)
        longest = max(longest, time.process_time() - start)
    faulthandler.cancel_dump_traceback_later()
    shown = ", ".join(f"{n:,} {name}" for name, n in verdicts.items())
    failed = sum(failures.values())
    say(f"texts: {count:,}: {shown}; {failed} failed; the longest took {longest:.2f} s")
    return failed


def main() -> int:
    """The exit status: 0 when all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.random", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("models", "texts", "all"), default="all")
    parser.add_argument("--count", type=int, help="1,000 models and 10,000 texts unless given")
    parser.add_argument("--shrink", action="store_true", help="shrink a model that fails: minutes")
    parser.add_argument("--seed", type=int, default=0)
    given_ = parser.parse_args()
    failed = 0
    if given_.what != "texts":
        failed += run_models(given_.count or 1000, given_.seed, given_.shrink)
    if given_.what != "models":
        failed += run_texts(given_.count or 10_000, given_.seed)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

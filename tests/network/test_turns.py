"""One network in several threads, in handlers of signals and in children: right, or refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import graphdl as gdl
from graphdl.engine.reporter import Quiet
from graphdl.errors import UsageError
from graphdl.network.turn import DEEPEST

MODEL = """
input x[8]
target y: int(3)
h = x -> linear(16) -> batch_norm -> tanh
s = h -> linear(3)
output p = s -> softmax
loss = s -> cross_entropy(y)
"""
MEMORY = """
input x[T, 3]
target y[T]: int(4)
s = x -> lstm(5) -> linear(4)
output p = s -> softmax
loss = s -> cross_entropy(y)
train { window = 4  carry_state = true  batch = 2 }
""".replace("  ", "\n")
RNG = np.random.default_rng(0)
BATCHES = [RNG.normal(size=(size, 8)).astype(np.float32) for size in (2, 7, 64, 200, 64, 3)]


@pytest.fixture(params=["numpy", "native"])
def backend(request: pytest.FixtureRequest) -> str:
    """A backend of this machine."""
    return str(request.param)


def ids(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Some classes for a batch."""
    return np.arange(len(x)) % 3


def answers(net: gdl.Network, x: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """What every way to ask says of a batch."""
    batch: dict[str, Any] = {"x": x, "y": ids(x)}
    gradients = net.gradients(("x", "s.linear.weight"), **batch)
    return [
        net(x=x)["p"],
        net(x=x, outputs="h")["h"],
        net.predict(x=x, batch=5),
        np.array(net.loss(**batch)),
        np.array(net.evaluate(**batch, batch=6)["loss"]),
        *gradients.values(),
    ]


def same(found: list[np.ndarray[Any, Any]], expected: list[np.ndarray[Any, Any]]) -> bool:
    """Whether all answers are the same to the last bit."""
    return all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_threads_that_ask_one_network(backend: str) -> None:
    net = gdl.compile(MODEL, backend=backend, seed=1)
    expected = [answers(gdl.compile(MODEL, backend=backend, seed=1), x) for x in BATCHES]

    def ask(number: int) -> bool:
        place = number % len(BATCHES)
        return same(answers(net, BATCHES[place]), expected[place])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(24)))


def test_threads_with_a_network_each(backend: str) -> None:
    def train(seed: int) -> list[float]:
        net = gdl.compile(MODEL, backend=backend, seed=seed)
        return [net.step(x=x, y=ids(x)) for x in BATCHES[1:] * 4]

    expected = [train(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(train, range(4))) == expected


def test_threads_that_train_one_network_make_every_update(backend: str) -> None:
    model = MODEL + "train { optimizer = sgd(lr = 0.0) }"
    net, alone = (gdl.compile(model, backend=backend, seed=1) for _ in range(2))
    x = BATCHES[2]
    with ThreadPoolExecutor(4) as pool:
        losses = set(pool.map(lambda _: net.step(x=x, y=ids(x)), range(60)))
    assert losses == {alone.step(x=x, y=ids(x))}
    assert (net.steps, net.draws) == (60, 60)


def test_predictions_during_a_training_are_those_of_some_step(backend: str) -> None:
    x = BATCHES[3]
    settings: dict[str, Any] = {"x": x, "y": ids(x), "epochs": 60, "batch": 200}
    net, alone = (gdl.compile(MODEL, backend=backend, seed=1) for _ in range(2))
    seen: set[bytes] = set()
    possible = {alone(x=x)["p"].tobytes()}

    class Reporter(Quiet):
        def epoch(self, *_: Any) -> None:
            possible.add(alone(x=x)["p"].tobytes())

    def ask() -> None:
        while not stop.is_set():
            seen.add(net(x=x)["p"].tobytes())

    stop = threading.Event()
    thread = threading.Thread(target=ask)
    thread.start()
    net.fit(**settings)
    stop.set()
    thread.join()
    alone.fit(**settings, reporter=Reporter())
    assert seen
    assert seen <= possible


def test_a_network_is_trained_once_at_a_time(backend: str) -> None:
    net = gdl.compile(MODEL, backend=backend)
    x = BATCHES[1]
    said = []

    class Reporter(Quiet):
        def epoch(self, *_: Any) -> None:
            said.append(net.evaluate(x=x, y=ids(x))["loss"])
            for again in (net.fit, net.step):
                with pytest.raises(UsageError, match="train"):
                    again(x=x, y=ids(x))

    net.fit(x=x, y=ids(x), epochs=2, reporter=Reporter())
    assert len(said) == 2
    assert np.isfinite(net.step(x=x, y=ids(x)))


def test_evaluations_with_carried_states_do_not_mix(backend: str) -> None:
    net = gdl.compile(MEMORY, backend=backend, seed=2)
    x = RNG.normal(size=(6, 12, 3)).astype(np.float32)
    y = RNG.integers(0, 4, (6, 12))
    net.fit(x=x, y=y, epochs=1)
    expected = [net.evaluate(x=x[n:], y=y[n:], batch=2)["loss"] for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda n: net.evaluate(x=x[n % 4 :], y=y[n % 4 :], batch=2), range(12))
        assert [each["loss"] for each in found] == expected * 3


@contextmanager
def interrupted_by(handler: Callable[[], None]) -> Iterator[list[int]]:
    """Calls `handler` between any two steps of Python, every few milliseconds; how often."""
    calls, inside = [0], [False]

    def receive(*_: Any) -> None:
        if not inside[0]:
            inside[0] = True
            calls[0] += 1
            try:
                handler()
            finally:
                inside[0] = False

    before = signal.signal(signal.SIGALRM, receive)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        yield calls
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_handler_asks_the_network_it_breaks_into(
    backend: str, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHDL_THREADS", threads)
    net, other = (gdl.compile(MODEL, backend=backend, seed=1) for _ in range(2))
    expected = [answers(other, x) for x in BATCHES]
    right: list[bool] = []
    refused: list[str] = []

    def handler() -> None:
        place = len(right) % len(BATCHES)
        try:
            right.append(same(answers(net, BATCHES[place]), expected[place]))
        except UsageError as error:
            refused.append(str(error))

    turns = 0
    with interrupted_by(handler):
        while len(right) < 20 and turns < 4000:
            place = turns % len(BATCHES)
            assert same(answers(net, BATCHES[place]), expected[place])
            turns += 1
    assert all(right)
    assert len(right) >= 20
    assert all("in the middle of another call" in text for text in refused)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_handler_during_updates_is_refused_or_right(backend: str) -> None:
    net, plain = (gdl.compile(MODEL, backend=backend, seed=1) for _ in range(2))
    x = BATCHES[2]
    outcomes = set()

    def handler() -> None:
        try:
            net.step(x=x, y=ids(x))
        except UsageError:
            outcomes.add("refused")
        else:
            outcomes.add("done")

    with interrupted_by(handler) as calls:
        while outcomes != {"refused", "done"} and calls[0] < 3000:
            net.step(x=x, y=ids(x))
    for _ in range(net.steps):
        plain.step(x=x, y=ids(x))
    assert all(np.array_equal(net[name], plain[name]) for name in net.weights)


def test_an_update_that_a_handler_ends_is_whole() -> None:
    """What is raised between two operations of NumPy leaves no weight behind the others."""
    net, plain = (gdl.compile(MODEL, backend="numpy", seed=1) for _ in range(2))
    x = BATCHES[2]
    plain.step(x=x, y=ids(x))
    schedule: Any = net.training_step().last.schedule(net.store, {"x": x, "y": ids(x)}, "loss")

    def broken() -> None:
        raise KeyboardInterrupt

    for place in range(0, len(schedule.after), 5):
        calls = [*schedule.after[:place], broken, *schedule.after[place:]]
        start = gdl.compile(MODEL, backend="numpy", seed=1).state()
        net.restore({k: v for k, v in start.items() if k in net.state()})
        net.training_step().reset(net.store)
        cut = type(schedule)(
            **{n: getattr(schedule, n) for n in schedule.__slots__} | {"after": tuple(calls)}
        )
        with pytest.raises(KeyboardInterrupt):
            cut.run({"x": x, "y": ids(x)}, {"seed": 0, "draw": 0, "lr": 1e-3, "step": 1})
        assert all(np.array_equal(net[name], plain[name]) for name in net.weights)


def test_a_finaliser_asks_the_network(backend: str) -> None:
    net = gdl.compile(MODEL, backend=backend, seed=1)
    x = BATCHES[1]
    expected, found = net(x=x)["p"], []
    refused: list[str] = []

    class Last:
        def __del__(self) -> None:
            try:
                found.append(net(x=x)["p"])
            except UsageError as error:
                refused.append(str(error))

    plain = net._programs.copies

    def copies(given: Any) -> Any:
        Last()
        return plain(given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(net._programs, "copies", copies)
        result = net(x=x)["p"]
    assert np.array_equal(result, expected)
    # Each of them broke into the one before, up to where there is an end to it.
    assert len(refused) == 1
    assert len(found) == DEEPEST
    assert all(np.array_equal(each, expected) for each in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_children_of_a_process_with_threads() -> None:
    script = f"""
import os, signal, threading, numpy as np, graphdl as gdl
nets = [gdl.compile({MODEL!r}, seed=1, backend=b) for b in ("numpy", "native")]
x = np.random.default_rng(0).normal(size=(200, 8))
want = [net(x=x)["p"] for net in nets]
stop = threading.Event()
def ask(net):
    while not stop.is_set():
        net(x=x)
threads = [threading.Thread(target=ask, args=(net,)) for net in nets * 2]
for each in threads:
    each.start()
bad = 0
for _ in range(10):
    child = os.fork()
    if not child:
        signal.alarm(30)
        os._exit(not all(np.array_equal(n(x=x)["p"], w) for n, w in zip(nets, want)))
    bad += os.waitpid(child, 0)[1] != 0
stop.set()
print(bad)
"""
    environment = {**os.environ, "GRAPHDL_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_waits_for_a_call_that_comes_to_compile() -> None:
    script = """
import os, signal, threading, time, graphdl as gdl
from graphdl.backends.llvm import LOCK
signal.alarm(60)
net = gdl.compile("input x[2]\\noutput y = exp(x)", backend="numpy")
inside = threading.Event()
def call():
    with net.turn.lock:
        inside.set()
        time.sleep(0.3)
        with LOCK:
            pass
thread = threading.Thread(target=call)
thread.start()
inside.wait()
child = os.fork()
if not child:
    net(x=[[1, 2]])
    os._exit(0)
print(os.waitpid(child, 0)[1])
thread.join()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("0\n", "")

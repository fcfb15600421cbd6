"""JSON as nobody wrote it: values of every type in every place, keys that lack or stand twice."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

Place = tuple[Any, Any]  # a table or list, and the key or index in it

SCALARS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 100_000, 2**31, 2**63 - 1, 2**63, 2**64, -(2**63), 10**30,
    10**400, 0.5, -0.5, 1e-320, 1e308, float("inf"), float("-inf"), float("nan"), "", "1", "x",
    "none", "inf", "9" * 400, "x" * 20_000, "a.b", "../../etc/passwd", "/dev/zero", "\x1b[2J",
    "\u202e", "\ud800", "\0", "a\nb", "float32", "float16", "float64", "int64", [], {}, [[]], [0],
    [1, 2], ["x"], {"x": 1}, {"call": "adam"}, {"call": 3}, {"call": "steps", "arguments": 3},
    {"call": "csv", "arguments": ["x"]}, {"table": 3}, {"call": "x", "keywords": []},
    {"table": [[1]]}, {"table": [[[1], 2]]}, {"table": [[{}, 2]]},
)  # fmt: skip


def bent(random: Random, value: Any) -> Any:
    """A copy with one to three places changed."""
    root = [copy.deepcopy(value)]
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = list(_places(root))
        holder, key = random.choice(places)
        match random.randrange(8):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[random.choice((f"{key}x", "", "x", "\x1b[2J", str(key).upper()))] = holder[
                    key
                ]
            case 2:
                other, there = random.choice(places)
                if _present(other, there):
                    holder[key] = copy.deepcopy(other[there])
            case 3:
                holder[key] = [holder[key]] * random.choice((1, 2, 1000))
            case 4:
                holder[key] = _nested(random, holder[key])
            case 5 if isinstance(holder[key], int | float) and holder[key] == holder[key]:
                holder[key] = _near(random, holder[key])
            case _:
                holder[key] = copy.deepcopy(random.choice(SCALARS))
    return root[0]


def _present(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else isinstance(key, int) and key < len(holder)


def _near(random: Random, number: Any) -> Any:
    return random.choice((-number, number + 1, number - 1, number / 2, str(number), [number]))


def _nested(random: Random, value: Any) -> Any:
    for _ in range(random.choice((2, 50, 300))):
        value = [value] if random.random() < 0.5 else {"call": value}
    return value


def _places(holder: Any) -> list[Place]:
    found: list[Place] = []
    waiting = [holder]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else list(range(len(one)))
        for key in keys[:200]:
            found.append((one, key))
            if isinstance(one[key], dict | list):
                waiting.append(one[key])
    return found


def written(random: Random, value: Any) -> str:
    """As text: some with a key that stands twice, or a character that lacks."""
    text = json.dumps(value)
    match random.randrange(20):
        case 0:
            return text[: random.randrange(len(text) + 1)]
        case 1 if text.startswith("{") and len(text) > 2:
            return '{"seed": 1, ' + text[1:]
        case 2:
            at = random.randrange(len(text) + 1)
            return text[:at] + random.choice(('"', "]", "}", ",", "\0", "1e999", "NaN")) + text[at:]
    return text

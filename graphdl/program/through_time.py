"""Back-propagation through time: the gradient of a scan is a scan in the other direction.

Each step is computed again from the states before it, which the scan has kept. The gradient of a
value that is the same at every step is a sum over the steps; where its share is a product, the
factors of all steps are gathered and multiplied once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .differentiate import leading_to
from .primitives import Add, Contract, Pad
from .primitives.scan import Scan
from .program import Op, Value
from .region import Region
from .size import Dim
from .unchosen import Unchosen

if TYPE_CHECKING:
    from .builder import Builder


def gradients(
    build: Builder,
    scan: Scan,
    args: tuple[Value, ...],
    out: Value,
    grad: Value,
    wanted: Sequence[bool],
) -> tuple[Value | None, ...]:
    """The gradient of each argument that is wanted."""
    body = scan.body
    outside = [_portion(build, scan, grad, part) for part in range(len(body.results))]
    kept = [_kept(build, scan, out, part) for part in range(len(body.results))]
    initial = args[len(args) - len(body.carried) :]
    before = [_before(build, scan, *pair) for pair in zip(initial, kept, strict=False)]
    region = Region(build, scan.length, not scan.reverse)
    counts = len(body.steps), len(body.steps) + len(body.held)
    values = dict(zip(body.steps, map(region.step, args), strict=False))
    values |= zip(body.held, args[counts[0] : counts[1]], strict=True)
    values |= zip(body.carried, map(region.step, before), strict=True)
    made = {op.out for op in body.ops}
    values |= {v: region.step(k) for v, k in zip(body.results, kept, strict=True) if v in made}
    ops = [_again(build, op, values) for op in body.ops]
    wrt = [values[v] for v, w in zip(body.given, wanted, strict=True) if w or v in body.carried]
    sweep = _Sweep(build, leading_to(ops, wrt), {values[v] for v in body.held})
    later = [region.carry(build.zeros(v.type)) for v in body.following]
    for value, share in zip(body.following, later, strict=True):
        sweep.begin(values[value], share)
    for value, whole in zip(body.results, outside, strict=True):
        if whole is not None:
            sweep.begin(values[value], region.step(whole))
    sweep.run(ops)
    return _gathered(build, scan, region, sweep, values)


def _gathered(
    build: Builder,
    scan: Scan,
    region: Region,
    sweep: _Sweep,
    values: dict[Value, Value],
) -> tuple[Value | None, ...]:
    """Close the loop and work out the gradient of every argument from what it has kept."""
    body = scan.body
    earlier = [sweep.gradient(values[v]) for v in body.carried]
    steps = [sweep.shares.get(values[v]) for v in body.steps]
    factors = [v for shares in sweep.sums.values() for s in shares for v in _factors(build, s)]
    kept = list(dict.fromkeys([*earlier, *(s for s in steps if s), *factors]))
    whole = dict(zip(kept, region.close(earlier, kept), strict=True))
    found: list[Value | None] = [whole[s] if s else None for s in steps]
    for held in body.held:
        shares = sweep.sums.pop(values[held], [])
        found.append(_total(build, shares, whole))
    for state, share in zip(body.carried, earlier, strict=True):
        place = scan.length - 1 if scan.reverse else 0
        first = build.slice(whole[share], 0, place, place + 1)
        found.append(build.reshape(first, state.type.shape))
    return tuple(found)


@dataclass
class _Sweep:
    """The gradients of one step, pulled through its operations from the last to the first.

    held    values that are the same at every step: the shares in their gradients stay apart
    """

    build: Builder
    leading: set[Value]
    held: set[Value]
    shares: dict[Value, Value] = field(default_factory=dict)
    sums: dict[Value, list[Value]] = field(default_factory=dict)
    unchosen: Unchosen = field(init=False)

    def __post_init__(self) -> None:
        self.unchosen = Unchosen(self.build)

    def give(self, value: Value, share: Value) -> None:
        """Add a share to the gradient of a value."""
        if value not in self.leading:
            return
        if value in self.held:
            self.sums.setdefault(value, []).append(share)
        elif value in self.shares:
            total = self.build.add(self.shares[value], share)
            self.unchosen.added(total, self.shares[value], share)
            self.shares[value] = total
        else:
            self.shares[value] = share

    def begin(self, value: Value, share: Value) -> None:
        """Add a share that comes from outside the step, and may be zero anywhere."""
        self.unchosen.begin(share)
        self.give(value, share)

    def run(self, ops: Sequence[Op]) -> None:
        """Pull through every operation."""
        origin = self.build.origin
        for op in reversed(ops):
            if op.out not in self.shares:
                continue
            self.build.origin = op.origin
            wanted = [arg in self.leading for arg in op.args]
            grad = self.shares[op.out]
            found = op.primitive.pull(self.build, op.args, op.out, grad, wanted)
            kept = tuple(s if want else None for s, want in zip(found, wanted, strict=True))
            for arg, share in zip(op.args, self.unchosen.guarded(op, grad, kept), strict=True):
                if share is not None:
                    self.give(arg, share)
        self.build.origin = origin

    def gradient(self, value: Value) -> Value:
        """The gradient of a value, zeros if nothing reaches it."""
        return self.shares.get(value) or self.build.zeros(value.type)


def _again(build: Builder, op: Op, values: dict[Value, Value]) -> Op:
    """The operation on the values of the loop that goes back: what was not kept is done again."""
    args = tuple(values[arg] for arg in op.args)
    if op.out not in values:
        origin, build.origin = build.origin, op.origin
        values[op.out] = build.emit(op.primitive, *args)
        build.origin = origin
    return Op(values[op.out], op.primitive, args, op.origin)


def _kept(build: Builder, scan: Scan, out: Value, number: int) -> Value:
    """All steps of a result: [T, ...]."""
    start, stop = scan.parts()[number]
    shape = scan.body.results[number].type.shape
    return build.reshape(build.slice(out, 0, start, stop), (scan.length, *shape))


def _before(build: Builder, scan: Scan, initial: Value, after: Value) -> Value:
    """What a state was before each step: [T, ...]."""
    first = build.reshape(initial, (1, *initial.type.shape))
    if scan.reverse:
        return build.concat([build.slice(after, 0, 1, scan.length), first], 0)
    return build.concat([first, build.slice(after, 0, 0, scan.length - 1)], 0)


def _portion(build: Builder, scan: Scan, grad: Value, number: int) -> Value | None:
    """The gradient of all steps of one result; None where it is known to be zero."""
    start, stop = scan.parts()[number]
    type = scan.body.results[number].type
    flat = _cut(build, grad, (start, stop), scan.parts())
    return None if flat is None else build.reshape(flat, (scan.length, *type.shape))


def _cut(
    build: Builder, grad: Value, part: tuple[Dim, Dim], parts: list[tuple[Dim, Dim]]
) -> Value | None:
    """One part of a packed gradient; what was only padded to the whole is taken as it was."""
    made = build.maker(grad)
    if build.number(grad) == 0:
        return None
    if made and isinstance(made.primitive, Add):
        found = [_cut(build, arg, part, parts) for arg in made.args]
        shares = [share for share in found if share is not None]
        return build.add(*shares) if len(shares) > 1 else next(iter(shares), None)
    if made and isinstance(made.primitive, Pad):
        (x,) = made.args
        span = made.primitive.before, made.primitive.before + x.type.shape[0]
        if span == part:
            return x
        if span in parts:
            return None
    return build.slice(grad, 0, *part)


def _factors(build: Builder, share: Value) -> tuple[Value, ...]:
    """What has to be kept of every step to sum a share over the steps."""
    made = build.maker(share)
    return made.args if made and isinstance(made.primitive, Contract) else (share,)


def _total(build: Builder, shares: Sequence[Value], whole: dict[Value, Value]) -> Value | None:
    """The sum over the steps of all shares in the gradient of a held value."""
    total: Value | None = None
    for share in shares:
        made = build.maker(share)
        if made and isinstance(made.primitive, Contract):
            all_at_once = made.primitive.for_steps([arg in whole for arg in made.args], summed=True)
            found = build.emit(all_at_once, *(whole.get(arg, arg) for arg in made.args))
        else:
            found = build.sum(whole[share], [0])
        total = found if total is None else build.add(total, found)
    return total

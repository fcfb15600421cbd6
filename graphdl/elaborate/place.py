"""Names from structure: where a layer stands, counted within its binding or block."""

from __future__ import annotations

from dataclasses import dataclass, field


def joined(prefix: str, part: str) -> str:
    """Two parts of a dotted name."""
    return f"{prefix}.{part}" if prefix and part else prefix or part


@dataclass(slots=True)
class Place:
    """A prefix for the names of nodes and weights, with a count per label.

    The two prefixes differ inside a shared layer: each use has nodes of its own, the weights are
    the layer's. `single` makes the first child take the place's own name, so that the weights of
    `layer enc = linear(64)` are called `enc.weight`.

    >>> place = Place("logits", "logits")
    >>> place.child("conv").name, place.child("conv").name
    ('logits.conv', 'logits.conv#2')
    """

    name: str = ""
    weights: str = ""
    single: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    def child(self, label: str) -> Place:
        """The place of the next thing called `label`."""
        count = self.counts[label] = self.counts.get(label, 0) + 1
        if self.single and sum(self.counts.values()) == 1:
            return Place(self.name, self.weights)
        part = label if count == 1 else f"{label}#{count}"
        return Place(joined(self.name, part), joined(self.weights, part))

    def within(self, binding: str) -> Place:
        """The place of a statement that gives its value a name."""
        return Place(joined(self.name, binding), joined(self.weights, binding))

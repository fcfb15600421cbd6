"""A whole program bound to addresses: its calls in order, merged, chained, guarded, repeated."""

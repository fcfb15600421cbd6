"""How the names begin of what a run keeps besides weights and running statistics."""

MEMORY = "o/"  # what an optimiser keeps for a weight: `o/<weight>.<state>`
CARRIED = "c/"  # states of scans on their way from one window to the next: `c/<scan>.<state>`
NOT_WEIGHTS = (MEMORY, CARRIED)

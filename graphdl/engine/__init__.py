"""Training: settings, the loop, checkpoints, records, and what people see of it."""

"""The models that ship with graphdl; `graphdl train digits` finds them here by name."""

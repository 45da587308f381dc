"""Judges a change against what its author's profile may do: the diff, never the tool calls that made it."""

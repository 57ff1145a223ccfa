"""The full-screen view of `--live`: a model of what stands, a screen made of it, and a terminal.

`picture` and `health` are told every event; `screen` makes lines of them for a size; `drawing`
paints these with Rich; `terminal` owns the screen and the keys; `view` joins them.
"""

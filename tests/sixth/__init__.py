"""An exchange that nobody knows, to prove that a new one is two files and nothing else."""

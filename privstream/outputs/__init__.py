"""Where events go: each output takes batches of events and writes them at once."""

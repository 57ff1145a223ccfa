"""Where events go beside standard output, through the outbox on the disk."""

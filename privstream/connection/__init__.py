"""All the I/O with the outside."""

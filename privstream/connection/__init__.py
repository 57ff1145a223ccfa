"""All the I/O with exchanges."""

"""One account's memory, pure: what was emitted, each fact once, orders whole."""

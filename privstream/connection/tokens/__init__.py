"""Session tokens, shared by all processes of a key."""

"""What the user configured, and where credentials come from."""

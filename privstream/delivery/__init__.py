"""From the accounts' threads to every output, and what is remembered of it."""

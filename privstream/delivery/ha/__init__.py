"""Two hosts, or more, that stream the same accounts by turns: who, and what both know."""

"""Runs REST flows: requests, nonces, request budgets."""

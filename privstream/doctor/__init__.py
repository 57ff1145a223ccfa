"""Examines what privstream stands on: machine, files, variables, network, and every account.

The one rule: whatever is found wrong comes with the command or the action that mends it, and
nothing is changed but what every login leaves: the key's nonce counter, a token in the cache.
"""

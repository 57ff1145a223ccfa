"""Which free leases a host takes: its share of the accounts, and what nobody else takes.

The one rule: what somebody streams stays with him. A host that comes later gets its share when
something is given back or its holder dies, so accounts never wander to and fro. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from zlib import crc32

from privstream.delivery.ha.lease import Lease, Terms


class Shares:
    """One host's choice."""

    def __init__(self, me: str, terms: Terms) -> None:
        self._me = me
        self._terms = terms
        self._free_since: dict[str, float] = {}

    def wanted(
        self,
        accounts: Sequence[str],
        leases: Mapping[str, Lease],
        others: Collection[str],
        now: float,
    ) -> list[str]:
        """Which to take now; `others` are the hosts that are there beside us."""
        free = [name for name in accounts if leases[name].is_free(now)]
        self._free_since = {name: self._free_since.get(name, now) for name in free}
        dead = {leases[name].holder for name in free if leases[name].is_dead(now)}
        hosts = 1 + len(set(others) - dead - {self._me})
        room = -(-len(accounts) // hosts) - sum(leases[name].is_ours for name in accounts)
        # Each host has an order of its own, so that two that begin together seldom want the same.
        free.sort(key=lambda name: crc32(f"{self._me} {name}".encode()))
        taken = free[: max(0, room)]
        # An account that its share's host does not take, because it cannot, is for everybody.
        return taken + [name for name in free[len(taken) :] if self._is_left(name, now)]

    def _is_left(self, name: str, now: float) -> bool:
        return now - self._free_since[name] >= self._terms.ttl / 2

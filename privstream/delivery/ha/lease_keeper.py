"""Keeps one host's leases: looks, renews, takes what is free, lets go in time.

The one rule: what is not held any more is told at once, before anything else is asked; whether
the engine answers does not matter for that. Runs in one loop; hosts write when they were here.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Protocol

from msgspec import DecodeError, Struct, json

from privstream.delivery.ha.lease import Bid, Claim, Lease, Terms, Watch
from privstream.delivery.ha.ports import Away, Bucket, Conflict, Stored
from privstream.delivery.ha.shares import Shares

ROUNDS = 40
"""Looks in the life of a lease."""
MANY = 100
"""Accounts from which on one looks half as often, and so on to a quarter."""
CHECKS = 100
"""How often in the life of a lease somebody looks whether ours are over."""
SETTLE = 3
"""Looks before the first taking: a host that begins at the same time gets its share."""
FORGET = 10
"""Lives of a lease after which a host that is not there any more is not listed any more."""
ACCOUNT, HOST = "account.", "host."


class Written(Struct, frozen=True):
    """A lease as it is written; readable, since a person may look."""

    holder: str = ""
    epoch: int = 0
    ttl: float = 0.0


class Streams(Protocol):
    """Who streams what this host holds. Neither waits."""

    def gained(self, account: str, epoch: int) -> None:
        """It is ours."""

    def lost(self, account: str, why: str) -> None:
        """It is not ours any more: nothing more of it may be read or told."""


class LeaseKeeper:
    """One host's leases."""

    def __init__(
        self,
        bucket: Bucket,
        me: str,
        accounts: Sequence[str],
        terms: Terms,
        streams: Streams,
        *,
        now: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        """`now`: seconds on a clock that nobody sets and that does not stop."""
        self._bucket = bucket
        self._me = me
        self._terms = terms
        self._streams = streams
        self._now = now
        self._say = say
        self._shares = Shares(me, terms)
        self._hosts: dict[str, Watch] = {}
        self._beat: float | None = None
        self._looks = 0
        self._barred: set[str] = set()
        self._away: str | None = None
        self.leases: dict[str, Lease] = {}
        self.follow(accounts)

    def follow(self, accounts: Sequence[str]) -> None:
        """These are the accounts from now on."""
        for name in accounts:
            self.leases.setdefault(name, Lease(self._me, self._terms))
        self._accounts = list(accounts)
        self._barred.clear()

    @property
    def away(self) -> str | None:
        """Why the engine could not be asked last; `None` where it answers."""
        return self._away

    @property
    def pause(self) -> float:
        """Seconds between two rounds: of many accounts each costs some."""
        return self._terms.ttl / ROUNDS * min(4, 1 + len(self._accounts) // MANY)

    async def watch(self) -> None:
        """Let go in time, whatever the engine does."""
        while True:
            self.expire()
            await asyncio.sleep(self._terms.ttl / CHECKS)

    async def run(self) -> None:
        """Round after round."""
        while True:
            await self.round()
            await asyncio.sleep(self.pause)

    # --- one round -------------------------------------------------------------------------

    async def round(self) -> None:
        """Say that we are here, look, renew, take."""
        try:
            await self._say_we_are_here()
            found = await self._bucket.entries()
        except Away as problem:
            self._blind(str(problem))
            return
        self._sees()
        self._look(found)
        self.expire()
        await self._renew()
        self._looks += 1
        if self._looks > SETTLE:
            await self._take()
        await self._forget()

    async def _say_we_are_here(self) -> None:
        asked = self._now()
        if self._beat is None or asked - self._beat >= self._terms.renew_every:
            await self._bucket.put(f"{HOST}{self._me}", b"{}")
            self._beat = asked

    def _look(self, found: Mapping[str, Stored]) -> None:
        now = self._now()
        for name, lease in self.leases.items():
            lease.sees(_claim(found.get(f"{ACCOUNT}{name}")), now)
        hosts = {
            key.removeprefix(HOST): one.sequence
            for key, one in found.items()
            if key.startswith(HOST)
        }
        self._hosts = {host: self._hosts.get(host, Watch(self._terms)) for host in hosts}
        for host, watch in self._hosts.items():
            watch.sees(hosts[host], now)

    def expire(self) -> None:
        """Let go what is over."""
        now = self._now()
        for name, lease in self.leases.items():
            if lease.is_ours and not lease.is_held(now):
                lease.drop()
                self._streams.lost(name, "its lease is over")

    async def _renew(self) -> None:
        now = self._now()
        due = [name for name in self.leases if self.leases[name].is_due(now)]
        await asyncio.gather(*map(self._renew_one, due))

    async def _renew_one(self, name: str) -> None:
        lease = self.leases[name]
        bid, asked = lease.renewal(), self._now()
        try:
            revision = await self._write(name, bid)
        except (Away, Conflict):
            return  # what the next look shows counts
        if lease.is_ours:
            lease.renewed(revision, asked)

    async def _take(self) -> None:
        now = self._now()
        wanted = [name for name in self._accounts if name not in self._barred]
        others = [
            host
            for host, watch in self._hosts.items()
            if not watch.stood_still(self._terms.ttl, now)
        ]
        names = self._shares.wanted(wanted, self.leases, others, now)
        await asyncio.gather(*map(self._take_one, names))

    async def _take_one(self, name: str) -> None:
        lease = self.leases[name]
        bid, asked = lease.bid(), self._now()
        try:
            revision = await self._write(name, bid)
        except (Away, Conflict):
            lease.refused()
            return
        lease.taken(bid, revision, asked)
        self._streams.gained(name, lease.epoch)

    async def _forget(self) -> None:
        now = self._now()
        for host, watch in self._hosts.items():
            if watch.stood_still(FORGET * self._terms.ttl, now):
                await self._quietly(self._bucket.forget(f"{HOST}{host}"))

    # --- giving back -----------------------------------------------------------------------

    def bar(self, name: str) -> None:
        """This host cannot stream it: leave it to others until the accounts are told anew."""
        self._barred.add(name)

    async def release(self, name: str) -> None:
        """Give it back, so that nobody has to wait for its end."""
        lease = self.leases[name]
        if lease.is_ours:
            bid = lease.release()
            lease.drop()
            await self._quietly(self._write(name, bid))

    async def leave(self) -> None:
        """This host is not there any more."""
        await self._quietly(self._bucket.forget(f"{HOST}{self._me}"))

    async def _quietly(self, work: Coroutine[object, object, object]) -> None:
        try:
            await work
        except (Away, Conflict):
            return  # then it ends by itself

    async def _write(self, name: str, bid: Bid) -> int:
        written = Written(bid.holder, bid.epoch, self._terms.ttl)
        return await self._bucket.put(f"{ACCOUNT}{name}", json.encode(written), bid.over)

    # --- the engine comes and goes ---------------------------------------------------------

    def _blind(self, why: str) -> None:
        if self._away is None:
            self._say(f"the hosts cannot agree now: {why}")
        self._away = why
        for lease in self.leases.values():
            lease.blind()
        for watch in self._hosts.values():
            watch.blind()

    def _sees(self) -> None:
        if self._away is not None:
            self._say("the hosts can agree again")
        self._away = None


def _claim(stored: Stored | None) -> Claim | None:
    if stored is None:
        return None
    try:
        written = json.decode(stored.body, type=Written)
    except DecodeError:
        written = Written("somebody else", 0)  # it is not ours, and nobody renews it
    return Claim(stored.sequence, written.epoch, written.holder, written.ttl)

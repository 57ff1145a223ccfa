"""Who streams an account: one host at a time, by a lease that all others watch.

The one rule: no other host's clock counts. Who wants a lease must have seen it stand still for
its whole life, on his own clock and without a break in his sight; who has one lets it go a while
earlier than that. Pure: no I/O, no clock.
"""

from msgspec import Struct


class Terms(Struct, frozen=True):
    """How long a lease lives, and what follows from that."""

    ttl: float = 20.0

    @property
    def renew_every(self) -> float:
        return self.ttl * 0.15

    @property
    def held_for(self) -> float:
        """Since it was last renewed: shorter than anybody must have watched it."""
        return self.ttl * 0.9

    @property
    def sight(self) -> float:
        """The longest time between two looks that still counts as watching."""
        return self.ttl * 0.2


class Claim(Struct, frozen=True):
    """A lease as it lies in the bucket."""

    revision: int
    """Rises with every writing."""
    epoch: int
    """Rises with every taking."""
    holder: str
    """Empty: it was given back."""
    ttl: float = 0.0
    """As its holder is configured."""


class Watch:
    """How long something has stood still before our eyes."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._revision: int | None = None
        self._since: float | None = None
        self._looked: float | None = None

    def sees(self, revision: int, now: float) -> None:
        """This is its revision now."""
        # Who did not look, or had nothing to look at, does not know what others could not do then.
        blinked = self._looked is None or now - self._looked > self._terms.sight
        if blinked or revision != self._revision:
            self._since = now
        self._revision, self._looked = revision, now

    def blind(self) -> None:
        """The bucket could not be read, or not be written: nothing seen so far counts."""
        self._looked = self._since = None

    def stood_still(self, seconds: float, now: float) -> bool:
        if self._since is None or self._looked is None or now - self._looked > self._terms.sight:
            return False
        return now - self._since >= seconds


class Bid(Struct, frozen=True):
    """What to write, and over which revision; 0 where nothing must be there."""

    over: int
    epoch: int
    holder: str


class Lease:
    """One account's lease, as one host sees it."""

    def __init__(self, me: str, terms: Terms) -> None:
        self._me = me
        self._terms = terms
        self._watch = Watch(terms)
        self._claim: Claim | None = None
        self._is_known = False
        """It was looked at since the last thing that makes us doubt it."""
        self._epoch = 0
        self._revision = 0
        self._renewed: float | None = None
        """When what we hold was last asked for; `None` where we hold nothing."""

    # --- what is read ----------------------------------------------------------------------

    def sees(self, claim: Claim | None, now: float) -> None:
        """This lies in the bucket; `None`: nothing."""
        if claim is not None and self._renewed is not None and claim.revision > self._revision:
            if (claim.holder, claim.epoch) == (self._me, self._epoch):
                self._revision = claim.revision  # a renewal that was not answered: no later held
            else:
                self.drop()
        self._claim, self._is_known = claim, True
        self._watch.sees(0 if claim is None else claim.revision, now)

    def blind(self) -> None:
        """The bucket could not be read, or not be written."""
        self._is_known = False
        self._watch.blind()

    # --- who wants it ----------------------------------------------------------------------

    def is_free(self, now: float) -> bool:
        """Whether it may be taken: never held, given back, ours, or dead for its whole life."""
        claim = self._claim
        if self._renewed is not None or not self._is_known:
            return False
        if claim is None or claim.holder in {"", self._me}:
            return True
        return self._watch.stood_still(max(self._terms.ttl, claim.ttl), now)

    def is_dead(self, now: float) -> bool:
        """Whether somebody else holds it who is not there any more."""
        held = self._claim is not None and self._claim.holder not in {"", self._me}
        return held and self.is_free(now)

    @property
    def holder(self) -> str:
        """Who has it, as far as is known."""
        return "" if self._claim is None else self._claim.holder

    def bid(self) -> Bid:
        """How to take it."""
        claim = self._claim
        if claim is None:
            return Bid(0, 1, self._me)
        return Bid(claim.revision, claim.epoch + 1, self._me)

    def taken(self, bid: Bid, revision: int, asked: float) -> None:
        """The bid was written; `asked`: when we began to write it."""
        self._epoch, self._revision, self._renewed = bid.epoch, revision, asked
        self._claim = Claim(revision, bid.epoch, self._me, self._terms.ttl)

    def refused(self) -> None:
        """Somebody wrote before us: look again before anything is tried."""
        self._is_known = False
        self._watch.blind()

    # --- who has it ------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """Of what we hold, or held last."""
        return self._epoch

    def is_held(self, now: float) -> bool:
        return self._renewed is not None and now < self._renewed + self._terms.held_for

    @property
    def is_ours(self) -> bool:
        """We took it and did not let it go, even if its time is over."""
        return self._renewed is not None

    def is_due(self, now: float) -> bool:
        """Whether it is time to renew it."""
        return self._renewed is not None and now >= self._renewed + self._terms.renew_every

    def renewal(self) -> Bid:
        return Bid(self._revision, self._epoch, self._me)

    def release(self) -> Bid:
        """How to give it back, so that the next host need not wait."""
        return Bid(self._revision, self._epoch, "")

    def renewed(self, revision: int, asked: float) -> None:
        self._revision, self._renewed = revision, asked
        self._claim = Claim(revision, self._epoch, self._me, self._terms.ttl)

    def drop(self) -> None:
        """We do not hold it any more."""
        self._renewed = None

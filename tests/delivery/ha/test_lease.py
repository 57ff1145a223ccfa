"""At no moment do two hosts hold one lease, whatever stops, jumps or stays away."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privstream.delivery.ha.lease import Bid, Claim, Lease, Terms, Watch

TERMS = Terms(20.0)
LOOK = 1.0


@dataclass
class Bucket:
    """One key of a bucket; `None`: away."""

    claim: Claim | None = None
    is_there: bool = True
    revision: int = 0

    def write(self, bid: Bid) -> int | None:
        """The new revision, or `None` where somebody wrote before."""
        if bid.over != (0 if self.claim is None else self.claim.revision):
            return None
        self.revision += 1
        self.claim = Claim(self.revision, bid.epoch, bid.holder, TERMS.ttl)
        return self.revision


@dataclass
class Host:
    """A host that looks, renews and takes as the service does."""

    name: str
    bucket: Bucket
    lease: Lease = field(init=False)

    def __post_init__(self) -> None:
        self.lease = Lease(self.name, TERMS)

    def look(self, now: float) -> None:
        lease, bucket = self.lease, self.bucket
        if lease.is_ours and not lease.is_held(now):
            lease.drop()
        if not bucket.is_there:
            lease.blind()
            return
        lease.sees(bucket.claim, now)
        if lease.is_due(now):
            self._renew(now)
        elif lease.is_free(now):
            bid = lease.bid()
            revision = bucket.write(bid)
            if revision is None:
                lease.refused()
            else:
                lease.taken(bid, revision, now)

    def _renew(self, now: float) -> None:
        revision = self.bucket.write(self.lease.renewal())
        if revision is None:
            self.lease.drop()
        else:
            self.lease.renewed(revision, now)

    def release(self) -> None:
        assert self.bucket.write(self.lease.release()) is not None
        self.lease.drop()


def looks(hosts: list[Host], begin: float, end: float) -> None:
    """All of them look once a second."""
    now = begin
    while now < end:
        for host in hosts:
            host.look(now)
        now += LOOK


def two() -> tuple[Bucket, Host, Host]:
    bucket = Bucket()
    return bucket, Host("a", bucket), Host("b", bucket)


def test_the_first_takes_it_and_keeps_it() -> None:
    _, a, b = two()
    looks([a, b], 0, 100)
    assert a.lease.is_held(100)
    assert not b.lease.is_ours
    assert a.lease.epoch == 1


def test_what_is_given_back_is_taken_at_the_next_look() -> None:
    _, a, b = two()
    looks([a, b], 0, 10)
    a.release()
    b.look(10)
    assert b.lease.is_held(10)
    assert b.lease.epoch == 2


def test_a_dead_holder_is_followed_after_the_whole_life_of_the_lease() -> None:
    _, a, b = two()
    looks([a, b], 0, 10)  # the last renewal was at 9
    looks([b], 10, 29)
    assert not b.lease.is_ours
    looks([b], 29, 30)
    assert b.lease.is_held(29)


def test_a_holder_lets_go_before_anybody_may_take() -> None:
    _, a, b = two()
    looks([a, b], 0, 10)
    assert a.lease.is_held(26.9)
    assert not a.lease.is_held(27)
    looks([b], 10, 28)
    assert not b.lease.is_ours


def test_a_stopped_candidate_that_wakes_has_seen_nothing() -> None:
    _, a, b = two()
    looks([a, b], 0, 10)
    looks([a], 10, 60)
    a.lease.drop()  # dies at 60
    b.look(60.0)
    looks([b], 61, 80)
    assert not b.lease.is_ours, "what it last saw, before it was stopped, does not count"
    b.look(80.0)
    assert b.lease.is_ours


def test_a_stopped_holder_that_wakes_holds_nothing() -> None:
    _, a, b = two()
    looks([a, b], 0, 10)
    looks([b], 10, 50)
    assert b.lease.is_held(50)
    assert not a.lease.is_held(50)
    a.look(50)
    assert not a.lease.is_ours


def test_an_engine_that_was_away_gives_the_lease_to_nobody_new() -> None:
    """The first that is back would take it from one that could not renew it meanwhile."""
    bucket, a, b = two()
    looks([a, b], 0, 10)
    bucket.is_there = False
    looks([a, b], 10, 100)
    assert not a.lease.is_ours, "nobody knows what others may do by then"
    bucket.is_there = True
    b.look(100)
    assert not b.lease.is_ours
    a.look(100.5)
    assert a.lease.is_held(100.5), "its own, by a new taking"
    assert a.lease.epoch == 2


def test_a_short_absence_of_the_engine_changes_nothing() -> None:
    bucket, a, b = two()
    looks([a, b], 0, 10)
    bucket.is_there = False
    looks([a, b], 10, 20)
    bucket.is_there = True
    looks([a, b], 20, 60)
    assert a.lease.is_held(60)
    assert a.lease.epoch == 1


def test_who_comes_too_late_looks_again() -> None:
    _, a, b = two()
    a.lease.sees(None, 0)
    b.lease.sees(None, 0)
    bid = b.lease.bid()
    a.look(0)
    assert b.bucket.write(bid) is None
    b.lease.refused()
    assert not b.lease.is_free(0)


def test_a_replica_that_lags_takes_nothing_away() -> None:
    bucket, a, _ = two()
    a.look(0)
    before = bucket.claim
    looks([a], 1, 10)
    a.lease.sees(before, 10)
    assert a.lease.is_held(10)


def test_a_lost_answer_does_not_prolong_what_is_held() -> None:
    bucket, a, _ = two()
    a.look(0)
    bucket.write(a.lease.renewal())  # nobody told us
    a.lease.sees(bucket.claim, 4)
    assert not a.lease.is_held(18)
    assert bucket.write(a.lease.renewal()) == 3


def test_the_longer_life_of_the_two_counts() -> None:
    lease = Lease("b", Terms(5.0))
    for second in range(20):
        lease.sees(Claim(1, 1, "a", 20.0), float(second))
    assert not lease.is_free(19)
    lease.sees(Claim(1, 1, "a", 20.0), 20.0)
    assert lease.is_free(20)


@pytest.mark.parametrize("ttl", [1.0, 20.0, 120.0])
def test_there_is_time_between_letting_go_and_taking(ttl: float) -> None:
    terms = Terms(ttl)
    assert terms.renew_every < terms.held_for < terms.ttl
    assert terms.held_for + terms.ttl * 0.05 < terms.ttl


def test_watching_ends_where_nobody_looks() -> None:
    watch = Watch(TERMS)
    for second in range(21):
        watch.sees(7, float(second))
    assert watch.stood_still(20, 20.0)
    assert not watch.stood_still(20, 30.0)


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "both", "none", "engine"]),
        st.sampled_from([0.5, 1.0, 3.0, 4.5, 15.0, 19.5, 20.5, 45.0]),
    ),
    max_size=60,
)


@given(deeds=DEEDS)
def test_never_do_two_hold_it(deeds: list[tuple[str, float]]) -> None:
    """Hosts stop and go on, the engine comes and goes, time jumps."""
    bucket, a, b = two()
    now, epochs = 0.0, [0]
    for who, seconds in deeds:
        now += seconds
        if who == "engine":
            bucket.is_there = not bucket.is_there
        for host in (a, b):
            if who in {host.name, "both"}:
                host.look(now)
        assert not (a.lease.is_held(now) and b.lease.is_held(now))
        if bucket.claim is not None:
            epochs.append(bucket.claim.epoch)
    assert epochs == sorted(epochs)

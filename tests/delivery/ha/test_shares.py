"""Accounts are spread over the hosts that are there, and never taken from one that streams them."""

from privstream.delivery.ha.lease import Claim, Lease, Terms
from privstream.delivery.ha.shares import Shares

TERMS = Terms(20.0)
ACCOUNTS = ["one", "two", "three", "four", "five"]


def leases(**holders: str) -> dict[str, Lease]:
    """As host `a` sees them at 0; those that are not named were never held."""
    made = {}
    for name in ACCOUNTS:
        made[name] = Lease("a", TERMS)
        holder = holders.get(name)
        made[name].sees(None if holder is None else Claim(1, 1, holder), 0.0)
    return made


def test_the_only_host_takes_all() -> None:
    assert sorted(Shares("a", TERMS).wanted(ACCOUNTS, leases(), [], 0.0)) == sorted(ACCOUNTS)


def test_two_hosts_take_a_half_each_rounded_up() -> None:
    assert len(Shares("a", TERMS).wanted(ACCOUNTS, leases(), ["b"], 0.0)) == 3
    assert len(Shares("b", TERMS).wanted(ACCOUNTS, leases(), ["a"], 0.0)) == 3


def test_what_we_hold_counts() -> None:
    held = leases()
    for name in ("one", "two"):
        held[name].taken(held[name].bid(), 1, 0.0)
    assert len(Shares("a", TERMS).wanted(ACCOUNTS, held, ["b"], 0.0)) == 1


def test_nothing_is_taken_from_a_host_that_has_more_than_its_share() -> None:
    held = dict.fromkeys(ACCOUNTS, "b")
    assert Shares("a", TERMS).wanted(ACCOUNTS, leases(**held), ["b"], 0.0) == []


def test_the_accounts_of_a_dead_host_count_without_it() -> None:
    seen = leases(one="b", two="b")
    for second in range(21):
        for name, lease in seen.items():
            lease.sees(Claim(1, 1, "b") if name in {"one", "two"} else None, float(second))
    assert len(Shares("a", TERMS).wanted(ACCOUNTS, seen, ["b"], 20.0)) == 5


def test_what_nobody_takes_is_for_everybody() -> None:
    shares, free = Shares("a", TERMS), leases()
    assert len(shares.wanted(ACCOUNTS, free, ["b", "c", "d", "e"], 0.0)) == 1
    assert len(shares.wanted(ACCOUNTS, free, ["b", "c", "d", "e"], 9.0)) == 1
    assert len(shares.wanted(ACCOUNTS, free, ["b", "c", "d", "e"], 10.0)) == 5


def test_each_host_has_an_order_of_its_own() -> None:
    orders = {tuple(Shares(me, TERMS).wanted(ACCOUNTS, leases(), ["z"], 0.0)) for me in "abcdefgh"}
    assert len(orders) > 2

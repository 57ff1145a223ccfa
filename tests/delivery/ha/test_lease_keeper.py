"""A host lets go in time, whatever the engine does, and takes over what nobody streams."""

from privstream.delivery.ha.lease import Terms
from privstream.delivery.ha.lease_keeper import SETTLE, LeaseKeeper
from tests.delivery.ha.shared import Shared, run

TERMS = Terms(20.0)
STEP = 0.5


class Time:
    def __init__(self) -> None:
        self.now = 100.0


class Host:
    """A keeper that looks every half second."""

    def __init__(self, name: str, shared: Shared, time: Time, *accounts: str) -> None:
        self.streamed: set[str] = set()
        self.said: list[str] = []
        self.lost_at: list[float] = []
        self._time = time
        self.keeper = LeaseKeeper(
            shared, name, accounts, TERMS, self, now=lambda: time.now, say=self.said.append
        )

    def gained(self, account: str, epoch: int) -> None:
        assert epoch > 0
        self.streamed.add(account)

    def lost(self, account: str, why: str) -> None:
        assert why
        self.streamed.remove(account)
        self.lost_at.append(self._time.now)

    async def release(self, account: str) -> None:
        self.streamed.remove(account)
        await self.keeper.release(account)


async def pass_by(time: Time, seconds: float, *hosts: Host) -> None:
    until = time.now + seconds
    while time.now < until:
        for host in hosts:
            host.keeper.expire()
            await host.keeper.round()
        for name in {name for host in hosts for name in host.streamed}:
            assert sum(name in host.streamed for host in hosts) == 1
        time.now += STEP


def test_two_that_begin_together_share_the_accounts() -> None:
    async def story() -> None:
        shared, time = Shared(), Time()
        a, b = (Host(name, shared, time, "1", "2", "3", "4") for name in "ab")
        await pass_by(time, STEP * (SETTLE + 2), a, b)
        assert len(a.streamed) == len(b.streamed) == 2

    run(story())


def test_one_that_comes_later_takes_what_is_given_back() -> None:
    async def story() -> None:
        shared, time = Shared(), Time()
        a, b = (Host(name, shared, time, "1", "2") for name in "ab")
        await pass_by(time, 5, a)
        assert a.streamed == {"1", "2"}
        await pass_by(time, 60, a, b)
        assert a.streamed == {"1", "2"}, "nothing wanders"
        for name in ("1", "2"):
            await a.release(name)
        await a.keeper.leave()
        await pass_by(time, STEP, b)
        assert b.streamed == {"1", "2"}

    run(story())


def test_all_of_a_dead_host_is_taken_over_in_time() -> None:
    async def story() -> None:
        shared, time = Shared(), Time()
        a, b = (Host(name, shared, time, "1", "2", "3") for name in "ab")
        await pass_by(time, 30, a, b)
        before = set(b.streamed)
        assert a.streamed
        await pass_by(time, 16, b)
        assert b.streamed == before, "the last renewal was up to 3 s earlier"
        await pass_by(time, 5, b)
        assert b.streamed == {"1", "2", "3"}

    run(story())


def test_without_the_engine_a_host_lets_go_and_goes_on_when_it_is_back() -> None:
    async def story() -> None:
        shared, time = Shared(), Time()
        a, b = (Host(name, shared, time, "1") for name in "ab")
        await pass_by(time, 10, a)
        await pass_by(time, 10, a, b)
        shared.is_there = False
        begun = time.now
        await pass_by(time, 60, a, b)
        assert not a.streamed
        assert begun + 14 < a.lost_at[0] <= begun + 18
        shared.is_there = True
        await pass_by(time, STEP, b, a)
        assert a.streamed == {"1"}, "b has watched nothing stand still"
        assert a.said == b.said == ["the hosts cannot agree now: away", "the hosts can agree again"]

    run(story())


def test_a_host_that_was_stopped_lets_go_before_it_asks() -> None:
    async def story() -> None:
        shared, time = Shared(), Time()
        a, b = (Host(name, shared, time, "1") for name in "ab")
        await pass_by(time, 10, a)
        await pass_by(time, 40, b)
        assert b.streamed == {"1"}
        shared.is_there = False
        a.keeper.expire()
        assert not a.streamed

    run(story())


def test_what_a_host_cannot_stream_is_left_to_others() -> None:
    async def story() -> None:
        shared, time = Shared(), Time()
        a, b = (Host(name, shared, time, "1") for name in "ab")
        await pass_by(time, 5, a)
        a.keeper.bar("1")
        await a.release("1")
        await pass_by(time, 5, a, b)
        assert (a.streamed, b.streamed) == (set(), {"1"})
        await b.release("1")
        a.keeper.follow(["1"])
        await pass_by(time, STEP, a)
        assert a.streamed == {"1"}

    run(story())


def test_hosts_that_are_long_gone_are_forgotten() -> None:
    async def story() -> None:
        shared, time = Shared(), Time()
        a, b = (Host(name, shared, time, "1") for name in "ab")
        await pass_by(time, 5, a, b)
        await pass_by(time, 210, a)
        assert [key for key in shared.keys if key.startswith("host.")] == ["host.a"]

    run(story())

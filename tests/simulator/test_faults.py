"""Every kind of fault on one socket, decided without a port: frames go in, deeds come out."""

from collections.abc import Iterable
from typing import Any, Self

import pytest

from privstream.model import exact
from privstream.model.rest import Now
from privstream.simulator.base import Answer, Close, Out, Ping, Text
from privstream.simulator.faults import (
    Deed,
    Drip,
    Endless,
    Fault,
    Faults,
    Happened,
    Line,
    Reset,
    Torn,
    parse,
)
from privstream.simulator.indodax.exchange import SimulatedIndodax
from privstream.simulator.kraken import SimulatedKraken

HEARTBEAT = '{"channel":"heartbeat"}'
PONG = '{"method":"pong","req_id":1}'
ACK = '{"method":"subscribe","result":{"channel":"executions"},"success":true}'
CUT = Close(1006)


def fill(number: int) -> str:
    return f'{{"channel":"executions","type":"update","data":[],"sequence":{number}}}'


class Server:
    """What `server.py` does, without a port: one socket of a simulated Kraken."""

    def __init__(self, *faults: str, **settings: Any) -> None:
        self.now = Now(1_780_000_000_000_000_000, 500.0)
        self.kraken = SimulatedKraken(seed=1, rate=1.0)
        self.told: list[Happened] = []
        planned = [parse(fault) for fault in faults]
        self.faults = Faults(planned, exchange=self.kraken, tell=self.told.append, **settings)
        self.faults.begin(self.now)
        self.line = self.opens()

    def opens(self) -> Line:
        assert self.faults.connecting(self.now) is None
        self.line = self.faults.line(self.now)
        return self.line

    def wait(self, seconds: float) -> Self:
        wall_ns, monotonic = self.now
        self.now = Now(wall_ns + round(seconds * 1e9), monotonic + seconds)
        return self

    def strikes(self, fault: Fault | str) -> Self:
        self.faults.strike(fault)
        return self

    def says(self, *outs: str | Out) -> list[Any]:
        """Let the exchange say something; returns what is done, texts as texts."""
        self.faults.due(self.now)
        frames: Iterable[Out] = [Text(o) if isinstance(o, str) else o for o in outs]
        deeds = [*self.line.tick(self.now), *self.faults.through(self.line, frames, self.now)]
        return [_plain(deed) for deed in deeds]

    @property
    def happened(self) -> list[str]:
        return [str(h).partition(": ")[2] for h in self.faults.happened]


def _plain(deed: Deed) -> Any:
    return deed.text if isinstance(deed, Text) else deed


# --- ends ------------------------------------------------------------------------------


def test_what_ends_a_socket_is_the_last_that_is_heard_of_it() -> None:
    cases: list[tuple[str, Deed]] = [
        ("drop", CUT),
        ("reset", Reset()),
        ("close=1012:restart", Close(1012, "restart")),
        ("huge", Endless()),
    ]
    for fault, deed in cases:
        server = Server(f"{fault}@10s")
        assert server.wait(9.9).says(fill(1)) == [fill(1)]
        assert server.wait(0.2).says(fill(2), Ping()) == [deed]
        assert server.wait(1).says(fill(3), HEARTBEAT) == []
        assert server.happened == [f"{fault}@10s"]


@pytest.mark.parametrize(("kind", "deed"), [("drop", CUT), ("reset", Reset())])
def test_a_frame_can_be_torn_in_half_by_the_end(kind: str, deed: Deed) -> None:
    server = Server(f"{kind}=half@n=2")
    assert server.says(fill(1), HEARTBEAT) == [fill(1), HEARTBEAT]
    assert server.says(fill(2), fill(3)) == [Torn(fill(2)), deed]
    assert [h.frame for h in server.told] == [fill(2)]


def test_a_fault_spares_the_next_socket() -> None:
    server = Server("drop@1s")
    assert server.wait(1).says() == [CUT]
    server.faults.closed(server.line)
    server.opens()
    assert server.wait(5).says(fill(1)) == [fill(1)]


# --- silence ---------------------------------------------------------------------------


def test_a_stalled_socket_sends_nothing_until_it_moves_again() -> None:
    server = Server("stall=8@1s")
    assert server.wait(1).says(fill(1), HEARTBEAT) == []
    assert server.line.is_frozen(server.now)
    assert server.wait(7.9).says() == []
    assert server.wait(0.2).says(fill(2)) == [fill(1), HEARTBEAT, fill(2)]
    assert not server.line.is_frozen(server.now)


def test_a_socket_that_stalls_for_ever_can_only_be_cut() -> None:
    server = Server("stall@n=1")
    assert server.says(fill(1)) == []
    assert server.wait(10_000).strikes("close=1012").strikes("junk").says(fill(2)) == []
    assert server.strikes("drop").says() == [CUT]
    notes = [h.note for h in server.told]
    assert notes == ["", "nobody was connected", "nobody was connected", ""]


def test_a_mute_socket_answers_but_tells_nothing_of_the_account() -> None:
    server = Server("mute=5@1s")
    assert server.wait(1).says(ACK, fill(1), HEARTBEAT, PONG, Ping()) == [
        ACK,
        HEARTBEAT,
        PONG,
        Ping(),
    ]
    assert server.wait(5.1).says(fill(2)) == [fill(2)]


def test_a_wholly_mute_socket_says_nothing_at_all() -> None:
    server = Server("mute=all:5@1s")
    assert server.wait(1).says(ACK, fill(1), HEARTBEAT, Ping(), Close(1000)) == []
    assert server.wait(5.1).says(HEARTBEAT) == [HEARTBEAT]


# --- what becomes of account frames ----------------------------------------------------


def test_the_hundredth_account_frame_is_the_one_that_is_lost() -> None:
    server = Server("lose@n=100")
    heard = [text for n in range(1, 201) for text in server.says(HEARTBEAT, fill(n))]
    assert heard.count(HEARTBEAT) == 200
    assert [t for t in heard if t != HEARTBEAT] == [fill(n) for n in range(1, 201) if n != 100]
    assert [(h.frame, h.sockets) for h in server.told] == [(fill(100), 1)]


def test_several_frames_can_be_lost_and_each_is_told() -> None:
    server = Server("gap=3@n=2")
    assert server.says(*map(fill, range(1, 7))) == [fill(1), fill(5), fill(6)]
    assert [h.frame for h in server.told] == [fill(2), fill(3), fill(4)]


def test_one_frame_is_repeated_or_all_of_them_for_a_while() -> None:
    server = Server("duplicate=3@n=1", "duplicate=2:5@10s")
    assert server.says(fill(1), HEARTBEAT, fill(2)) == [fill(1)] * 3 + [HEARTBEAT, fill(2)]
    assert server.wait(10).says(fill(3), fill(4)) == [fill(3)] * 2 + [fill(4)] * 2
    assert server.wait(5.1).says(fill(5)) == [fill(5)]


def test_frames_change_places_within_a_window_and_none_is_lost() -> None:
    server = Server("reorder=4@n=2")
    assert server.says(fill(1), fill(2), HEARTBEAT, fill(3)) == [fill(1), HEARTBEAT]
    heard = server.says(fill(4), fill(5), fill(6))
    assert heard[4:] == [fill(6)]
    assert heard[:4] != [fill(n) for n in (2, 3, 4, 5)]
    assert sorted(heard[:4]) == [fill(n) for n in (2, 3, 4, 5)]


def test_a_frame_waits_a_second_at_most_for_others_to_change_places_with() -> None:
    server = Server("reorder=9@n=1")
    assert server.says(fill(1), fill(2)) == []
    assert server.wait(1).says() == [fill(2), fill(1)]
    assert len(server.told) == 1


def test_a_lone_frame_cannot_change_places_so_the_next_ones_do() -> None:
    server = Server("reorder=2@n=1")
    assert server.says(fill(1)) == []
    assert server.wait(1).says() == [fill(1)]
    assert server.told == []
    assert server.says(fill(2), fill(3)) == [fill(3), fill(2)]


def test_a_frame_drips_and_the_next_one_does_not() -> None:
    server = Server("drip=40@1s")
    assert server.wait(1).says(HEARTBEAT, fill(1), fill(2)) == [
        HEARTBEAT,
        Drip(fill(1), 40.0),
        fill(2),
    ]


def test_a_huge_frame_is_of_the_size_that_was_asked_for() -> None:
    [huge, after] = Server("huge=5000000@1s").wait(1).says(fill(1))
    assert len(huge) == 5_000_000
    assert exact.decode(huge) == "x" * 4_999_998
    assert after == fill(1)


def test_junk_comes_between_the_frames_and_is_of_many_sorts() -> None:
    server = Server("junk=200@n=2")
    heard = server.says(fill(1), fill(2))
    assert [heard[0], heard[-1]] == [fill(1), fill(2)]
    junk = set(heard[1:-1])
    assert len(heard) == 202
    assert len(junk) > 15
    assert "{}" not in junk, "a ping of Centrifugo is no junk"


def test_a_frame_of_several_messages_loses_only_those_of_the_account() -> None:
    indodax = SimulatedIndodax(seed=1, rate=1.0)
    push = '{"push":{"channel":"c","pub":{"data":[]}}}'
    faults, now = Faults([parse("lose@n=1")], exchange=indodax), Now(0, 0.0)
    line = faults.line(now)
    deeds = faults.through(line, [Text(f'{push}\n{{"id":1,"subscribe":{{}}}}\n{{}}')], now)
    assert deeds == [Text('{"id":1,"subscribe":{}}\n{}')]


# --- when ------------------------------------------------------------------------------


def test_a_fault_comes_back_every_so_often() -> None:
    server = Server("junk@every=30s")
    heard = [len(server.wait(1).says()) for _ in range(100)]
    assert [n for n, count in enumerate(heard, 1) if count] == [30, 60, 90]


def test_a_fault_strikes_the_second_connection_only() -> None:
    server = Server("mute@connect=2")
    assert server.says(fill(1)) == [fill(1)]
    server.opens()
    assert server.says(ACK, fill(1)) == [ACK]
    server.opens()
    assert server.says(fill(1)) == [fill(1)]


def test_a_handshake_can_be_refused_by_its_number() -> None:
    server = Server("http=429:20@connect=2")
    refusal = server.faults.connecting(server.now)
    assert refusal is not None
    assert (refusal.status, refusal.headers["Retry-After"]) == (429, "20")


def test_a_fault_that_meets_nobody_is_told_so() -> None:
    server = Server("drop@1s")
    server.faults.closed(server.line)
    server.wait(1).says()
    assert server.happened == ["drop@1s (nobody was connected)"]


def test_what_happened_is_one_line_with_time_exchange_and_fault() -> None:
    server = Server("close=1012:restart@1s")
    server.wait(1).says()
    assert [str(h) for h in server.told] == [
        "2026-05-28T20:26:41.000000Z kraken: close=1012:restart@1s"
    ]
    assert server.told == server.faults.happened


def test_random_faults_strike_at_their_moments() -> None:
    def run() -> list[tuple[int, str]]:
        plan = iter([parse("lose@1s"), parse("junk=2@3s"), parse("drop@4s")])
        server = Server(random=plan)
        for n in range(100):
            server.wait(0.1).says(fill(n))
        return [(h.wall_ns // 10**8 % 1000, str(h.fault)) for h in server.told]

    assert run() == run()
    assert [fault for _, fault in run()] == ["lose@1s", "junk=2@3s", "drop@4s"]
    assert [tenths for tenths, _ in run()] == [10, 30, 40]


def test_a_random_refusal_spares_whoever_is_not_connected() -> None:
    server = Server(random=iter([parse("refuse=nonce@1s"), parse("refuse=nonce@3s")]))
    server.wait(1.5).says()
    assert server.kraken.rest.refusal == "nonce"
    server.kraken.refuse(None)
    server.faults.closed(server.line)
    server.wait(2).says()
    assert server.kraken.rest.refusal is None
    assert [h.note for h in server.told] == ["", "nobody was connected"]


def test_who_looks_late_finds_faults_and_their_ends_as_of_their_own_moments() -> None:
    server = Server("http=503:10@5s", "drop@7s", "mute=20@10s")
    server.wait(12).says()
    assert [(h.wall_ns // 10**9 % 100, h.fault.kind) for h in server.told] == [
        (5, "http"),
        (7, "drop"),
        (10, "mute"),
    ]
    refusal = server.faults.refusal(server.now)
    assert refusal is not None
    assert refusal.headers == {"Retry-After": "3"}
    server.wait(100).says()
    assert [h.wall_ns // 10**9 % 100 for h in server.told if h.note == "over"] == [15]


# --- the exchange as a whole -----------------------------------------------------------


def test_an_http_status_answers_everybody_until_it_is_over() -> None:
    server = Server("http=503:10@1s")
    assert server.faults.refusal(server.now) is None
    server.wait(1).says()
    refusal = server.faults.refusal(server.now)
    assert refusal is not None
    assert (refusal.status, refusal.headers) == (503, {"Retry-After": "10"})
    assert refusal.content_type == "text/html"
    assert server.wait(9.5).says(fill(1)) == [fill(1)], "open sockets are not touched"
    later = server.faults.refusal(server.now)
    assert later is not None
    assert later.headers == {"Retry-After": "1"}
    server.wait(0.6).says()
    assert server.faults.refusal(server.now) is None
    assert server.happened == ["http=503@1s", "http=503@1s (over)"]


def test_the_last_of_two_outages_decides_when_they_are_over() -> None:
    server = Server("http=503:10@1s", "http=500:20@5s")
    server.wait(1).says()
    server.wait(4).says()
    server.wait(7).says()
    refusal = server.faults.refusal(server.now)
    assert refusal is not None
    assert (refusal.status, refusal.headers) == (500, {})
    server.wait(14).says()
    assert server.faults.refusal(server.now) is None


def test_an_exchange_without_an_announcement_goes_down_and_comes_back() -> None:
    now = Now(0, 0.0)
    faults = Faults([parse("maintenance=20@1s")], exchange=SimulatedIndodax(seed=1, rate=1.0))
    faults.begin(now)
    line = faults.line(now)
    faults.due(Now(1_000_000_000, 1.0))
    assert line.tick(Now(0, 1.0)) == [Close(3001, "shutdown")]
    refusal = faults.refusal(Now(0, 1.0))
    assert isinstance(refusal, Answer)
    assert refusal.status == 503
    faults.due(Now(0, 21.1))
    assert faults.refusal(Now(0, 21.1)) is None


def test_without_faults_frames_are_not_even_looked_into() -> None:
    assert Server().says("no JSON at all") == ["no JSON at all"]


def test_a_mute_exchange_is_mute_on_new_sockets_too() -> None:
    server = Server()
    server.faults.mute()
    assert server.says(HEARTBEAT) == []
    server.opens()
    assert server.says(HEARTBEAT) == []
    server.faults.mute(on=False)
    assert server.says(HEARTBEAT) == [HEARTBEAT]

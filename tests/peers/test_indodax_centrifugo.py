"""A real Centrifugo server, our simulated one and our client understand one another."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any, TypeVar

import pytest
import websocket

from privstream.connection.account.backoff import Backoff
from privstream.connection.account.supervisor import Outside, Supervisor
from privstream.connection.clock import SystemClock
from privstream.connection.rest.job import AT_ONCE, Job, Manner
from privstream.connection.socket.websocket import Socket
from privstream.exchanges.indodax import Indodax
from privstream.memory.event_maker import View
from privstream.memory.ledger import Ledger
from privstream.model.account import Account, Endpoints, Secret
from privstream.model.errors import Refused
from privstream.model.events import AnyEvent, Gap, Order, Status, Trade
from privstream.model.rest import HttpRequest, HttpResponse, RestFlow, Stamp
from privstream.model.times import from_nanos
from privstream.simulator.indodax.exchange import USER as SIMULATED_USER
from privstream.simulator.indodax.exchange import SimulatedIndodax
from privstream.simulator.server import Simulation
from tests.peers.centrifugo import CHANNEL, PROGRAM, USER, Centrifugo, running
from tests.rest_play import AnswersAtOnce, answer
from tests.simulator.indodax_desk import mint

T = TypeVar("T")
REASON = "needs a `centrifugo` server on PATH or in $CENTRIFUGO"
needs_server = pytest.mark.skipif(PROGRAM is None, reason=REASON)
PATIENCE = 15.0


# --- the same dialogues with the real server and with ours -------------------------------


class Place:
    """Where a dialogue is held."""

    def __init__(self, url: str, user: str, token: Callable[[int], str]) -> None:
        self.url, self.user, self.token = url, user, token


@pytest.fixture(params=["simulated", pytest.param("real", marks=[pytest.mark.peer, needs_server])])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "real":
        with running(tmp_path) as server:
            yield Place(server.url, USER, server.token)
        return
    indodax = SimulatedIndodax(seed=1, rate=0.01)
    with Simulation([], exchanges={"indodax": indodax}) as served:
        url = served.account("indodax", {}).endpoints.ws_url

        def token(life: int) -> str:
            return mint(SIMULATED_USER, SystemClock().now().wall_ns // 10**9 + life)

        yield Place(url, SIMULATED_USER, token)


class Talk:
    """One raw socket, without any client of ours."""

    def __init__(self, url: str) -> None:
        self._socket = websocket.create_connection(url, timeout=5, suppress_origin=True)

    def say(self, *messages: Any) -> None:
        self._socket.send("\n".join(json.dumps(message) for message in messages))

    def hear(self, count: int) -> list[Any]:
        """The next messages, without what differs from server to server."""
        heard: list[Any] = []
        while len(heard) < count:
            opcode, frame = self._socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return [*heard, (int.from_bytes(frame[:2], "big"), frame[2:].decode())]
            heard += [_common(json.loads(line)) for line in frame.decode().splitlines() if line]
        return heard

    def end(self) -> None:
        self._socket.shutdown()  # type: ignore[no-untyped-call]  # it has no types


def _common(message: Any) -> Any:
    for reply in ("connect", "refresh"):
        if reply in message:
            told = message[reply]
            told["ttl"] = told["ttl"] > 0
            for name in ("client", "version", "node", "session", "time"):
                told.pop(name, None)
    return message


@pytest.fixture
def talk(place: Place) -> Iterator[Talk]:
    one = Talk(place.url)
    yield one
    one.end()


def connect(token: str, number: int = 1) -> Any:
    return {"connect": {"token": token}, "id": number}


def subscribe(user: str, number: int = 2) -> Any:
    return {"subscribe": {"channel": f"pws:#{user}"}, "id": number}


CONNECTED = {"id": 1, "connect": {"expires": True, "ttl": True}}
BAD_REQUEST = (3501, "bad request")


def test_login_and_subscription_may_share_a_frame(place: Place, talk: Talk) -> None:
    talk.say(connect(place.token(600)), subscribe(place.user))
    assert talk.hear(2) == [CONNECTED, {"id": 2, "subscribe": {}}]


def test_only_the_own_channel_and_only_once(place: Place, talk: Talk) -> None:
    talk.say(connect(place.token(600)), subscribe(place.user), subscribe(place.user, 3))
    talk.say(subscribe("c12d3ca099785ede15c37c9b7642ab89d19bc96e", 4))
    replies = {reply["id"]: reply for reply in talk.hear(4)}
    assert replies[3]["error"] == {"code": 105, "message": "already subscribed"}
    assert replies[4]["error"] == {"code": 103, "message": "permission denied"}


def test_a_login_with_an_expired_token_is_answered_and_the_socket_dead(
    place: Place, talk: Talk
) -> None:
    talk.say(connect(place.token(-60)))
    assert talk.hear(1) == [{"id": 1, "error": {"code": 109, "message": "token expired"}}]
    talk.say(connect(place.token(600), 2))
    talk._socket.settimeout(1)
    with pytest.raises(websocket.WebSocketTimeoutException):
        talk.hear(1)


def test_a_refresh_is_answered_with_its_time(place: Place, talk: Talk) -> None:
    talk.say(connect(place.token(600)))
    talk.hear(1)
    talk.say({"refresh": {"token": place.token(900)}, "id": 2})
    assert talk.hear(1) == [{"id": 2, "refresh": {"expires": True, "ttl": True}}]


@pytest.mark.parametrize(
    ("token", "close"), [("nonsense", (3500, "invalid token")), ("", BAD_REQUEST)]
)
def test_a_bad_token_closes_the_socket(
    place: Place, talk: Talk, token: str, close: tuple[int, str]
) -> None:
    assert place.url
    talk.say(connect(token))
    assert talk.hear(1) == [close]


@pytest.mark.parametrize("message", [{}, {"foo": {}, "id": 5}, {"ping": {}, "id": 7}])
def test_what_is_no_command_closes_the_socket(place: Place, talk: Talk, message: Any) -> None:
    talk.say(connect(place.token(600)))
    talk.hear(1)
    talk.say(message)
    assert talk.hear(1) == [BAD_REQUEST]


def test_a_foreign_origin_is_turned_away(place: Place) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(place.url, timeout=5, origin="https://other.example")
    assert caught.value.status_code == 403


# --- our client with the real server ---------------------------------------------------


class Rest:
    """The REST half, which Centrifugo has not: a token of its secret, an empty account."""

    skew_ns = 0

    def __init__(self, server: Centrifugo) -> None:
        self._server, self._clock = server, SystemClock()

    def run(
        self,
        flow: RestFlow[T],
        *,
        idle: Callable[[], None] | None = None,
        deadline: float = 60.0,
    ) -> T:
        del idle, deadline  # it answers at once
        job = self.start(flow)
        assert job.poll()
        return job.result()

    def start(self, flow: RestFlow[T], manner: Manner = AT_ONCE) -> Job[T]:
        sender = AnswersAtOnce(lambda _call, request: self._answer(request), self._stamp)
        return Job(flow, sender, self._clock, manner=manner)

    def _stamp(self) -> Stamp:
        return Stamp(self._clock.now(), 0)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.path.endswith("/generate_token"):
            granted = {"connToken": self._server.token(), "channel": CHANNEL}
            return answer({"success": 1, "return": granted})
        if request.path.startswith("/api/v2/"):
            return answer({"data": []})
        if b"method=getInfo" in request.body:
            seconds = self._clock.now().wall_ns // 10**9
            empty = {"server_time": seconds, "balance": {"idr": 0}, "balance_hold": {"idr": 0}}
            return answer({"success": 1, "return": empty})
        return answer({"success": 1, "return": {"orders": None}})


class Watch:
    """Our client at work in a thread of its own; events come over a queue."""

    def __init__(self, server: Centrifugo) -> None:
        self.queue: Queue[AnyEvent | BaseException] = Queue()
        self.told: list[AnyEvent] = []
        account = Account(
            name="indodax",
            exchange="indodax",
            credentials={"api_key": Secret("any key"), "api_secret": Secret("any secret")},
            endpoints=Endpoints("http://127.0.0.1:9", server.url, "http://127.0.0.1:9"),
        )
        exchange, clock = Indodax(account), SystemClock()
        self._exchange = exchange
        channels = exchange.select(())
        view = View(exchange="indodax", account="indodax", channels=frozenset(channels))
        outside = Outside(
            clock=clock,
            socket=Socket,
            rest=Rest(server),
            nonce=lambda: contextlib.nullcontext(0),
            backoff=Backoff(exchange.limits.connects, Random(1)),
            outlet=self,
            note=lambda _: None,
        )
        ledger = Ledger(view, started=from_nanos(clock.now().wall_ns))
        stop = threading.Event()
        self._supervisor = Supervisor(exchange, channels, ledger, outside, stop=stop)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._supervisor.run()
        except Refused as problem:
            self.queue.put(problem)

    def until(self, done: Callable[[AnyEvent], bool]) -> AnyEvent:
        """Take events up to the first such one."""
        while True:
            event = self.queue.get(timeout=PATIENCE)
            if isinstance(event, BaseException):
                raise event
            self.told.append(event)
            if done(event):
                return event

    def has_place(self) -> None:
        """Wait until what stands was read: before that no place in the channel counts."""
        deadline = time.monotonic() + PATIENCE
        while self._exchange._bookmark.told is None:
            assert time.monotonic() < deadline, "no place in the channel counts"
            time.sleep(0.01)

    def met(self, kind: type[AnyEvent]) -> AnyEvent:
        """The first event of a type, be it past or to come."""
        past = next((event for event in self.told if isinstance(event, kind)), None)
        return past or self.until(lambda event: isinstance(event, kind))

    def stop(self) -> None:
        self._supervisor.abort()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    # --- the outlet ----------------------------------------------------------------------

    takes_frames = False

    def frames(self, told: list[tuple[bytes, list[AnyEvent]]]) -> None:
        """Nobody asked for frames."""

    def whole(self, wall_ns: int) -> None:
        """Nothing is resumed."""

    def events(self, events: list[AnyEvent]) -> None:
        for event in events:
            self.queue.put(event)


@contextmanager
def watching(folder: Path, *, history: int = 0) -> Iterator[Any]:
    with running(folder, history=history) as server:
        watch = Watch(server)
        try:
            watch.until(is_live)
            yield server, watch
        finally:
            watch.stop()


def is_live(event: AnyEvent) -> bool:
    return isinstance(event, Status) and event.state == "live"


def told(number: int) -> Callable[[AnyEvent], bool]:
    return lambda event: isinstance(event, Trade) and event.trade_id == str(2**56 + number)


def update(number: int, status: str, filled: str, left: str) -> Any:
    order = {
        "orderId": f"aaveidr-limit-{number}",
        "symbol": "aaveidr",
        "side": "SELL",
        "origQty": "0.5",
        "unfilledQty": left,
        "executedQty": filled,
        "price": "4009900",
        "description": "AAVE/IDR",
        "status": status,
        "transactionTime": SystemClock().now().wall_ns // 10**6,
        "clientOrderId": f"lendidr-limit-{number}",
    }
    return {"eventType": "order_update", "order": order}


def fill(number: int) -> Any:
    event = update(number, "FILL", "0.5", "0")
    event["order"] |= {
        "tradeId": str(2**56 + number),
        "fillInformation": {
            "participant": "MAKER",
            "filledQty": "0.5",
            "qty": "0.5",
            "feeAsset": "idr",
            "feeRate": 0.001,
            "fee": "2004",
            "taxAsset": "idr",
            "taxRate": 0.0021,
            "tax": "4210",
            "clearingAsset": "idr",
            "clearingRate": 1.11e-4,
            "clearing": "222",
        },
    }
    return event


@pytest.mark.peer
@needs_server
def test_our_client_hears_orders_and_fills_of_a_real_centrifugo(tmp_path: Path) -> None:
    with watching(tmp_path) as (server, watch):
        server.publish(update(1, "NEW", "0", "0.5"))
        server.publish(fill(1), update(1, "DONE", "0.5", "0"))
        trade = watch.until(told(1))
        watch.until(lambda e: isinstance(e, Order) and e.status == "filled")
    assert (trade.price, trade.quantity, trade.fee) == ("4009900", "0.5", "6436")
    assert (trade.symbol, trade.liquidity, trade.source) == ("AAVE/IDR", "maker", "stream")
    assert next(e.status for e in watch.told if isinstance(e, Order)) == "open"


@pytest.mark.peer
@needs_server
def test_our_client_has_replayed_what_it_missed(tmp_path: Path) -> None:
    with watching(tmp_path, history=100) as (server, watch):
        server.publish(fill(1))
        watch.until(told(1))
        watch.has_place()
        server.disconnect(3001, "shutdown")
        for number in range(2, 12):
            server.publish(fill(number))
        watch.until(told(11))
        gap = watch.met(Gap)
    trades = [event.trade_id for event in watch.told if isinstance(event, Trade)]
    assert trades == [str(2**56 + number) for number in range(1, 12)]
    assert gap.complete, gap.detail


@pytest.mark.peer
@needs_server
def test_our_client_connects_again_after_a_passing_close(tmp_path: Path) -> None:
    with watching(tmp_path) as (server, watch):
        server.disconnect(3011, "force reconnect")
        watch.until(is_live)
        server.publish(fill(1))
        watch.until(told(1))

"""One connection from its first word to its end: frames in, actions done, events out.

The one rule: news of the stream wait for nothing. Only what a new connection lists by itself
may be held a little, to be told in order with what is read back. Runs in the account's thread.
"""

from collections.abc import Iterable, Iterator

from privstream.connection.account.lists import HeldLists
from privstream.connection.account.merging import Movements, by_time
from privstream.connection.clock import Clock
from privstream.connection.ports import Outlet, Wire
from privstream.memory.ledger import Ledger
from privstream.model.account import Secret
from privstream.model.errors import Interrupted
from privstream.model.events import AnyEvent
from privstream.model.reports import (
    AnyReport,
    BalanceReport,
    Fill,
    Listed,
    NoticeReport,
    OrderReport,
    PositionReport,
    PriceReport,
    Report,
)
from privstream.model.rest import Now, Stamp
from privstream.model.session import (
    TICK,
    Action,
    Ask,
    Delivered,
    Ping,
    Ready,
    Reconnect,
    Reply,
    Send,
    Session,
    Synced,
    Tap,
)
from privstream.model.times import from_nanos

NEWS = frozenset({OrderReport, Fill, BalanceReport, PositionReport, PriceReport})
"""What is not counted, said or kept, but told."""
REPORTS = (Report, Listed)
UNREAD = 100
"""So many unreadable elements in a row, and this connection speaks something else."""
ASLEEP = 20.0
"""Seconds by which the wall clock may run ahead of the monotonic one between two looks."""


class Conversation:
    """One connection's protocol, ledger and outlet, joined."""

    def __init__(
        self,
        wire: Wire,
        session: Session,
        ledger: Ledger,
        *,
        clock: Clock,
        outlet: Outlet,
        tap: Tap | None = None,
        secrets: tuple[Secret, ...] = (),
        movements: Movements | None = None,
    ) -> None:
        self._wire = wire
        self._session = session
        self._ledger = ledger
        self._clock = clock
        self._outlet = outlet
        self._tap = None if tap is None else _redacted(tap, secrets)
        self._secrets = tuple(_spellings(secrets))
        self._lists = HeldLists()
        self._movements = movements or Movements(clock)
        self._end: Interrupted | None = None
        """Why this connection is over, once what came with its end has been taken."""
        self._out: list[AnyEvent] = []
        self._received = ""
        self._stepped: Now | None = None
        self.last_heard: float | None = None
        """When anything came, signs of life included (monotonic)."""
        self._unread = 0
        """Unreadable elements in a row."""
        self._asks: list[Ask] = []
        self.replies: list[Reply] = []
        """What the exchange answered to what was said."""
        self.is_ready = False
        self.is_synced = False
        self.delivered: Now | None = None
        """Everything that the exchange had to tell before this moment has come."""

    def open(self, stamp: Stamp) -> None:
        """Say hello."""
        if self._tap is not None:
            self._tap("open", "")
        self._obey_all(self._session.open(stamp))

    def step(self, timeout: float = TICK) -> None:
        """Take what came, let time pass, deliver. Raises Interrupted when it is over."""
        frames = self._receive(timeout)
        now = self._clock.now()
        self._received = from_nanos(now.wall_ns)
        try:
            if frames:
                self.last_heard = now.monotonic
                self._take(frames, now)
            for pong in self._wire.controls():
                self.last_heard = now.monotonic
                self._session.alive(now, pong)
            self._notice_sleep(now)
            self._obey_all(self._session.tick(now))
        finally:
            self.flush()

    @property
    def patience(self) -> float:
        """Seconds that nothing need be done for, unless something comes."""
        return self._session.patience(self._stepped or self._clock.now())

    def say(self, message: Send) -> None:
        """Send something of our own. Raises Interrupted where it may not have got there."""
        if self._tap is not None:
            self._tap("out", message.text if message.shown is None else message.shown)
        self._wire.send(message.text)

    def _receive(self, timeout: float) -> list[bytes]:
        """What came, without what it repeats of the login: events, errors and raw would show it."""
        frames = self._wire.receive(timeout)
        if not frames:
            return frames
        # Together they are looked through six times as quickly as one by one.
        together = frames[0] if len(frames) == 1 else b"\n".join(frames)
        for secret in self._secrets:
            if secret in together:
                frames = [frame.replace(secret, b"<secret>") for frame in frames]
        return frames

    def _notice_sleep(self, now: Now) -> None:
        """While a computer sleeps its monotonic clock stands still and the exchange hangs up."""
        before, self._stepped = self._stepped, now
        if before is not None:
            slept = (now.wall_ns - before.wall_ns) / 1e9 - (now.monotonic - before.monotonic)
            if slept > ASLEEP:
                why = f"the computer slept, or its clock was set, by {slept:.0f} s"
                raise Interrupted(why, cause="suspended")

    def _take(self, frames: list[bytes], now: Now) -> None:
        if self._outlet.takes_frames:
            self._take_with_events(frames, now)
        else:
            for frame in frames:
                self._take_one(frame, now)
        if self._end is not None:
            raise self._end

    def _take_with_events(self, frames: list[bytes], now: Now) -> None:
        """Deliver each frame with the events that it made."""
        self.flush()
        told: list[tuple[bytes, list[AnyEvent]]] = []
        try:
            for frame in frames:
                try:
                    self._take_one(frame, now)
                finally:
                    told.append((frame, self._out))
                    self._out = []
        finally:
            # What came behind the frame that ended it was received too.
            self._outlet.frames([*told, *((frame, []) for frame in frames[len(told) :])])

    def _take_one(self, frame: bytes, now: Now) -> None:
        if self._tap is not None:
            self._tap("in", frame.decode("utf-8", "replace"))
        self._obey_all(self._session.receive(frame, now), is_last=False)

    def _obey_all(self, actions: Iterable[Action], *, is_last: bool = True) -> None:
        """What follows the end of a connection in the same breath is still true, and is told."""
        for action in actions:
            if type(action) in NEWS and not (self._lists.is_holding or self._movements.is_watched):
                # Nearly always; a look at the type takes a tenth of a walk through the cases.
                self._unread = 0
                self._out += self._ledger.take(action, self._received)  # type: ignore[arg-type]  # its type was looked at
                continue
            try:
                self._obey(action)
            except Interrupted as end:
                self._end = self._end or end
        if is_last and self._end is not None:
            raise self._end

    def _obey(self, action: Action) -> None:
        if isinstance(action, REPORTS):
            self._count_unread(action)
            self._take_report(action)
            return
        match action:
            case Send():
                self.say(action)
            case Ping():
                self._wire.ping(action.payload)
            case Reconnect():
                raise Interrupted(action.detail, cause=action.cause, floor=action.floor)
            case _:
                self._note(action)

    def _note(self, action: Action) -> None:
        """Keep what others ask for."""
        match action:
            case Reply():
                self.replies.append(action)
            case Ready():
                self.is_ready = True
            case Synced():
                self.is_synced = True
            case Ask():
                self._asks.append(action)
            case Delivered():
                self.delivered = action.until

    def _count_unread(self, report: Report | Listed) -> None:
        if type(report) is not NoticeReport or report.code != "unrecognised":
            self._unread = 0
            return
        self._unread += 1
        if self._unread > UNREAD:
            why = f"{UNREAD} frames in a row could not be read"
            raise Interrupted(why, cause="unreadable", floor=5.0)

    @property
    def has_asks(self) -> bool:
        """The session wants something read over REST."""
        return bool(self._asks)

    def take_asks(self) -> list[Ask]:
        """What the session wants read over REST, since the last time."""
        asks, self._asks = self._asks, []
        return asks

    def flush(self) -> None:
        """Deliver what was made so far."""
        if self._out:
            out, self._out = self._out, []
            self._outlet.events(out)

    # --- what the connection lists by itself -----------------------------------------------

    def hold_lists(self) -> None:
        """Keep them, and tell with them what is read back, in order."""
        self._lists.hold()

    @property
    def oldest_listed_fill(self) -> str | None:
        """When the oldest of the fills happened that this connection listed by itself."""
        return self._lists.oldest_fill

    def take_held(self) -> list[AnyReport | Listed]:
        """What is held, for somebody who tells it; nothing is held back any more."""
        return self._lists.take()

    def release(self) -> None:
        """Tell what is held, oldest first; nothing is held back any more."""
        self._tell(sorted(self._lists.take(), key=by_time))
        self.flush()

    def _take_report(self, report: AnyReport | Listed) -> None:
        if self._lists.is_holding:
            if self._lists.keep(report):
                return
            self._tell(sorted(self._lists.before(report), key=by_time))
        if self._movements.is_watched:
            self._movements.note(report)
        self._tell((report,))

    def _tell(self, reports: Iterable[AnyReport | Listed]) -> None:
        for report in reports:
            self._out += self._ledger.take(report, self._received)


SHORTEST_SECRET = 16
"""Bytes: what is shorter stands by chance in a frame, and no exchange gives it out."""


def _spellings(secrets: tuple[Secret, ...]) -> Iterator[bytes]:
    """As they stand in JSON, where a slash may be escaped."""
    for secret in secrets:
        text = secret.reveal().encode()
        if len(text) >= SHORTEST_SECRET:
            yield text
            if b"/" in text:
                yield text.replace(b"/", rb"\/")


def _redacted(tap: Tap, secrets: tuple[Secret, ...]) -> Tap:
    """The same tap, seeing no secret, whoever wrote it into a frame."""
    texts = [secret.reveal() for secret in secrets]

    def redacted(direction: str, text: str) -> None:
        for secret in texts:
            text = text.replace(secret, "<secret>")
        tap(direction, text)

    return redacted

"""One connection from its first word to its end: frames in, actions done, events out.

The one rule: what comes while something is read back waits its turn, so that events
leave in the order in which things happened. Runs in the account's own thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from privstream.connection.clock import Clock
from privstream.connection.ports import Outlet, Wire
from privstream.memory.ledger import Ledger
from privstream.model.account import Secret
from privstream.model.errors import Interrupted
from privstream.model.events import AnyEvent
from privstream.model.reports import AnyReport, Fill, Listed, NoticeReport, Report
from privstream.model.rest import Now, Stamp
from privstream.model.session import (
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

TICK = 0.5
"""Seconds: how often a session may look at the clock."""
UNREAD = 100
"""So many unreadable elements in a row, and this connection speaks something else."""
ASLEEP = 20.0
"""Seconds by which the wall clock may run ahead of the monotonic one between two looks."""
HELD = 50_000
"""Reports held back while history is read; then frames wait in the socket."""


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
    ) -> None:
        self._wire = wire
        self._session = session
        self._ledger = ledger
        self._clock = clock
        self._outlet = outlet
        self._tap = None if tap is None else _redacted(tap, secrets)
        self._secrets = tuple(_spellings(secrets))
        self._held: list[AnyReport | Listed] | None = None
        self._out: list[AnyEvent] = []
        self._received = ""
        self._stepped: Now | None = None
        self._unread = 0
        """Unreadable elements in a row."""
        self.asks: list[Ask] = []
        """What the session wants read over REST."""
        self.replies: list[Reply] = []
        """What the exchange answered to what was said."""
        self.is_ready = False
        self.is_synced = False
        self.heard: Now | None = None
        """When the last frame came that left nothing missing."""
        self.delivered: Now | None = None
        """Everything that the exchange had to tell before this moment has come."""

    def open(self, stamp: Stamp) -> None:
        """Say hello."""
        if self._tap is not None:
            self._tap("open", "")
        for action in self._session.open(stamp):
            self._obey(action)

    def step(self, timeout: float = TICK) -> None:
        """Take what came, let time pass, deliver. Raises Interrupted when it is over."""
        frames = self._receive(timeout)
        now = self._clock.now()
        self._notice_sleep(now)
        self._received = from_nanos(now.wall_ns)
        try:
            if frames:
                self._take(frames, now)
            for pong in self._wire.controls():
                self._session.alive(now, pong)
            for action in self._session.tick(now):
                self._obey(action)
        finally:
            self.flush()

    def say(self, message: Send) -> None:
        """Send something of our own. Raises Interrupted where it may not have got there."""
        if self._tap is not None:
            self._tap("out", message.text if message.shown is None else message.shown)
        self._wire.send(message.text)

    def _receive(self, timeout: float) -> list[bytes]:
        """What came, without what it repeats of the login: events, errors and raw would show it."""
        frames = self._wire.receive(timeout)
        together = b"\n".join(frames)  # six times quicker to look through than one by one
        if any(secret in together for secret in self._secrets):
            for secret in self._secrets:
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
        self._outlet.frames(frames)
        for frame in frames:
            if self._tap is not None:
                self._tap("in", frame.decode("utf-8", "replace"))
            for action in self._session.receive(frame, now):
                self._obey(action)
        self.heard = now

    def _obey(self, action: Action) -> None:
        if isinstance(action, Report | Listed):  # nearly always
            self._count_unread(action)
            if self._held is None:
                self._out += self._ledger.take(action, self._received)
            else:
                self._held.append(action)
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
                self.asks.append(action)
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

    def flush(self) -> None:
        """Deliver what was made so far."""
        if self._out:
            out, self._out = self._out, []
            self._outlet.events(out)

    # --- while history is read ---------------------------------------------------------

    def hold(self) -> None:
        """Keep reports back from now on, besides those that are held already."""
        if self._held is None:
            self._held = []

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold back in the block, and tell what came meanwhile at its end, whatever happened."""
        self.hold()
        try:
            yield
        finally:
            self.resume()

    def pump(self) -> None:
        """Keep the socket alive while something else takes its time."""
        if self._held is not None and len(self._held) < HELD:
            self.step(timeout=0.0)

    def oldest_listed_fill(self) -> str | None:
        """When the oldest of the fills happened that this connection listed by itself."""
        listed = (r for r in self._held or () if isinstance(r, Fill) and r.source == "snapshot")
        return min((fill.time for fill in listed if fill.time is not None), default=None)

    def release(self, read_back: tuple[AnyReport | Listed, ...]) -> list[AnyEvent]:
        """Tell what was read back and listed, oldest first; the rest follows with `resume`.

        Returns those events; they are not yet delivered.
        """
        held, self._held = self._held or [], []
        past: list[AnyReport | Listed] = [*read_back]
        for report in held:
            is_past = isinstance(report, Listed) or report.source != "stream"
            (past if is_past else self._held).append(report)
        events: list[AnyEvent] = []
        for report in sorted(past, key=by_time):
            events += self._ledger.take(report, self._received)
        return events

    def resume(self) -> None:
        """Tell what came meanwhile, and hold nothing back any more."""
        held, self._held = self._held or [], None
        for report in held:
            self._out += self._ledger.take(report, self._received)
        self.flush()


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


LAST = "~"  # sorts behind every time


def by_time(report: AnyReport | Listed) -> str:
    """Oldest first. What has no time is a state as of now, and a list is complete at its end."""
    if isinstance(report, Listed):
        return LAST + LAST
    return report.time or LAST

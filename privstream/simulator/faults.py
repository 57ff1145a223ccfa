"""What is to go wrong: every outgoing frame and answer passes here.

Pure: it only decides. `server.py` does it, within a twentieth of a second. A method
may be called from any thread.
"""

from collections.abc import Sequence

from msgspec import Struct

from privstream.simulator.base import Answer, Close, Out


class Drop(Struct, frozen=True):
    """Cut the connection without a word."""


class Faults:
    """The faults of one simulated exchange; at first there are none."""

    def __init__(self) -> None:
        self._strikes: list[Drop | Close] = []
        self._mute = False
        self._outage: Answer | None = None

    # --- what a test or a person asks for ----------------------------------------------

    def drop(self) -> None:
        """Cut every socket that is open now."""
        self._strikes.append(Drop())

    def close(self, code: int, reason: str = "") -> None:
        """Close every socket that is open now with this code."""
        self._strikes.append(Close(code, reason))

    def mute(self, *, on: bool = True) -> None:
        """Send no frame any more, while the sockets stay open."""
        self._mute = on

    def outage(self, answer: Answer | None) -> None:
        """Answer every request and handshake with this, until it is `None` again."""
        self._outage = answer

    # --- what the server asks ----------------------------------------------------------

    @property
    def struck(self) -> int:
        """How often every socket was struck: a new socket starts from here."""
        return len(self._strikes)

    def since(self, struck: int) -> Sequence[Drop | Close]:
        """What strikes a socket that knows of so many strikes."""
        return self._strikes[struck:]

    def frame(self, out: Out) -> Sequence[Out]:
        """What becomes of an outgoing frame."""
        return () if self._mute else (out,)

    @property
    def refusal(self) -> Answer | None:
        """What is answered before the exchange is even asked."""
        return self._outage

    def answer(self, answer: Answer) -> Answer:
        """What becomes of an answer."""
        return answer

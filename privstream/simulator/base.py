"""The server half of a protocol, pure: told what came, answers with what to send.

Like its client twin it does no I/O. `server.py` serves it, `market.py` lives the
account, `faults.py` spoils what goes out. It is written from what the exchange documents,
never from our client, and it refuses what the real exchange refuses.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal, TypeAlias

from msgspec import Struct

from privstream.model.account import Account
from privstream.model.rest import Now


class Request(Struct, frozen=True):
    """An HTTP request, or the handshake of a socket; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


class Answer(Struct, frozen=True):
    """An HTTP answer; as the answer to a handshake it refuses it."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Text(Struct, frozen=True):
    """A text frame to send."""

    text: str


class Ping(Struct, frozen=True):
    """A ping of the WebSocket protocol, without payload."""


class Pong(Struct, frozen=True):
    """The answer to a ping of the WebSocket protocol."""

    payload: bytes


class Close(Struct, frozen=True):
    """Close the socket with this code and reason; 1006 cuts it without a close frame."""

    code: int
    reason: str = ""


Out: TypeAlias = Text | Ping | Pong | Close
Refusal: TypeAlias = Literal["key", "nonce"]
"""Why a login is refused: for good, or once and never again."""


class Connection(ABC):
    """One open socket of the simulated exchange."""

    @abstractmethod
    def opened(self, now: Now) -> Iterable[Out]:
        """The socket is open."""

    @abstractmethod
    def received(self, text: str, now: Now) -> Iterable[Out]:
        """A text frame came from the client."""

    @abstractmethod
    def tick(self, now: Now) -> Iterable[Out]:
        """Called a few times a second: heartbeats, and what the account's life brought."""

    def ponged(self, now: Now) -> None:
        """A pong of the WebSocket protocol came."""

    def closed(self, now: Now) -> None:
        """The socket is gone, whoever closed it."""


class SimulatedExchange(ABC):
    """One exchange with one account on it. Its module names the class `SIMULATED`."""

    name: ClassVar[str]
    goodbye: ClassVar[Close] = Close(1012, "service restart")
    """What its sockets are closed with where it goes down without an announcement."""

    @abstractmethod
    def __init__(self, *, seed: int, rate: float, limits: bool = True) -> None:
        """An account whose life follows from `seed`; `limits` says whether calls are counted."""

    @abstractmethod
    def account(self, base_url: str, options: Mapping[str, str]) -> Account:
        """The account to watch here; `base_url` is `http://127.0.0.1:PORT`."""

    @abstractmethod
    def request(self, request: Request, now: Now) -> Answer:
        """Answer a REST call."""

    @abstractmethod
    def connect(self, handshake: Request, now: Now) -> Connection | Answer:
        """Accept a socket, or refuse its handshake."""

    # --- what is lost on the way: optional, asked by `faults` ------------------------------

    def confirms(self, told: str) -> bool:  # noqa: ARG002 - who takes no orders confirms none
        """Whether a frame says that an order was taken, or canceled."""
        return False

    def confirmed(self, request: Request, answer: Answer) -> bool:  # noqa: ARG002 - as above
        """Whether a REST call has placed or canceled an order."""
        return False

    # --- what goes wrong at the exchange itself: optional, called by `faults` ------------

    def without_data(self, text: str) -> str | None:  # noqa: ARG002 - who does not know counts all
        """A frame without what it tells of the account.

        Unchanged where it tells nothing of it, `None` where nothing would be left.
        """
        return None

    def expire(self, now: Now) -> bool:  # noqa: ARG002 - not every exchange has tokens
        """Let every token die now; False where there is none to die."""
        return False

    def refuse(self, why: Refusal | None) -> bool:  # noqa: ARG002 - as above
        """Refuse logins from now on, or the next one; `None` lets in again. False: it cannot."""
        return False

    def maintenance(self, *, on: bool) -> bool:  # noqa: ARG002 - as above
        """Announce that maintenance begins or ends, and answer accordingly.

        False where the exchange announces nothing: it is just down, with its `goodbye`.
        """
        return False

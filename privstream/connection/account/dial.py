"""Dials an account's private socket and says what its end means.

The one rule: however it ends, the socket is closed, and a close code has become one of
our errors. Runs in the thread that called it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from privstream.connection.account.conversation import Conversation
from privstream.connection.account.merging import Movements
from privstream.connection.clock import Clock
from privstream.connection.ports import Outlet, Socket
from privstream.connection.socket.websocket import Closed, NoSocket
from privstream.exchanges.base import Exchange
from privstream.memory.ledger import Ledger
from privstream.model.account import Secret, Token
from privstream.model.errors import PrivstreamError, TokenRefused
from privstream.model.rest import Stamp
from privstream.model.session import Session, Tap

OUR_FAULT = frozenset({1002, 1003, 1007, 1009})
POLICY = 1008


@contextmanager
def dialled(
    exchange: Exchange,
    session: Session,
    token: Token | None,
    stamp: Stamp,
    *,
    socket: Socket,
    ledger: Ledger,
    clock: Clock,
    outlet: Outlet,
    note: Callable[[str], None],
    tap: Tap | None = None,
    movements: Movements | None = None,
) -> Iterator[Conversation]:
    """The open connection, nothing said yet. Raises Unreachable and Refused."""
    try:
        handshake = exchange.handshake(stamp)
        socket.open(handshake)
        note(f"connected to {handshake.url.partition('?')[0]}")
        yield Conversation(
            socket,
            session,
            ledger,
            clock=clock,
            outlet=outlet,
            tap=tap,
            secrets=_secrets(exchange, token),
            movements=movements,
        )
    except NoSocket as refusal:
        raise exchange.no_socket(refusal.answer, stamp.now) or refusal from None
    except Closed as end:
        meaning = exchange.closed(end.code, end.reason) or _usual_meaning(exchange, end)
        raise meaning from end
    finally:
        socket.close()


def _usual_meaning(exchange: Exchange, end: Closed) -> PrivstreamError:
    """What a close code says where the exchange has no meaning of its own for it."""
    if end.code in OUR_FAULT:
        hint = "please report it, with what --debug shows"
        return PrivstreamError(
            f"{exchange.title} says that we broke its protocol: {end.message}", hint
        )
    if end.code == POLICY:
        return TokenRefused(f"{exchange.title} does not want this connection: {end.message}")
    return end


def _secrets(exchange: Exchange, token: Token | None) -> tuple[Secret, ...]:
    own = tuple(exchange.account.credentials.values())
    return own if token is None else (*own, token.secret)

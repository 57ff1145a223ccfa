"""Whose account it is: its credentials, its options, where its exchange is, its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn


class Secret:
    """A text that never shows: not in a repr, a log, a traceback or a pickle."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself: at the line that signs or sends it, nowhere else."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__text

    def __hash__(self) -> int:
        return hash(("privstream.Secret", self.__text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


@dataclass(frozen=True)
class Endpoints:
    """Where an exchange is. `ws_url` is the whole URL of the private socket."""

    rest_url: str
    ws_url: str
    history_url: str | None = None
    api_url: str | None = None
    """Where keys of another kind go (Indodax TAPI v2)."""


@dataclass(frozen=True)
class Account:
    """One configured account: its name, its exchange, its credentials and options."""

    name: str
    exchange: str
    credentials: Mapping[str, Secret]
    endpoints: Endpoints
    options: Mapping[str, str] = field(default_factory=dict)
    """The exchange's own settings, like `protocol` on Kraken."""
    symbols: tuple[str, ...] = ()
    """What the user named, in the user's spelling: channels and histories may be per symbol."""

    @property
    def api_key(self) -> Secret:
        return self.credentials["api_key"]

    @property
    def api_secret(self) -> Secret:
        return self.credentials["api_secret"]


@dataclass(frozen=True)
class Token:
    """A session token, and how long it may be used before its first use."""

    secret: Secret
    expires: float | None
    """Seconds from when it was fetched, or `None` where the exchange does not say."""
    channel: str | None = None
    """The private channel that came with the token (Indodax)."""

"""What can go wrong: whose fault it is, whether a retry can help, which exit code it means.

* `PrivstreamError`
* `OutputFailed` (1): disk full, a sink that does not take our lines
* `UsageError` (2): the command line
* `ConfigError` (3): config file, credentials, file modes
* `Refused` (4): the exchange said no, and will say no again
    * `LoginRefused`: key, secret, nonce
    * `PermissionMissing`: the key lacks a right
    * `UnknownOrder`: no order of that id
* `Unreachable` (5): a passing fault, the connection is tried again
    * `Interrupted`: a connection that worked broke, with its cause
    * `RateLimited`: too many calls; `floor` says how long to wait
    * `Unavailable`: 5xx, busy, maintenance
    * `TokenRefused`: the token is dead; a new one may do
    * `Untrusted`: TLS does not verify: never tried again
    * `FateUnknown`: an order or cancel was sent and not answered: look, never send again
* `WrongEnd` (6): the order that was waited for ended in another status
* `TimedOut` (124): what was waited for did not happen in time
"""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    OURS = 1
    USAGE = 2
    CONFIG = 3
    REFUSED = 4
    UNREACHABLE = 5
    WRONG_END = 6
    TIMED_OUT = 124
    INTERRUPTED = 130


class PrivstreamError(Exception):
    """Something a person is told in one sentence, with a hint what to do about it."""

    exit = Exit.OURS
    category = "internal"
    retryable = False

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exchange: str | None = None
        self.account: str | None = None

    def about(self, exchange: str | None, account: str | None) -> "PrivstreamError":
        """The same error, knowing whom it concerns."""
        self.exchange = self.exchange or exchange
        self.account = self.account or account
        return self


class OutputFailed(PrivstreamError):
    """An output does not take our lines."""

    category = "output"


class UsageError(PrivstreamError):
    """The command line asks for something that cannot be."""

    exit = Exit.USAGE
    category = "usage"


class ConfigError(PrivstreamError):
    """The configuration cannot be used as it is."""

    exit = Exit.CONFIG
    category = "config"


class Refused(PrivstreamError):
    """The exchange refused for good: trying again would only be refused again."""

    exit = Exit.REFUSED
    category = "refused"


class LoginRefused(Refused):
    """The exchange does not accept the key, the signature or the nonce."""

    category = "login"


class PermissionMissing(Refused):
    """The key is good but lacks a right."""

    category = "permission"


class UnknownOrder(Refused):
    """The exchange knows no order of that id."""

    category = "unknown_order"


class WrongEnd(PrivstreamError):
    """The order that was waited for ended in another status."""

    exit = Exit.WRONG_END
    category = "wrong_end"


class TimedOut(PrivstreamError):
    """What was waited for did not happen in time."""

    exit = Exit.TIMED_OUT
    category = "timeout"
    retryable = True


class Unreachable(PrivstreamError):
    """A passing fault. `floor` is the least wait in seconds before the next attempt."""

    exit = Exit.UNREACHABLE
    category = "unreachable"
    retryable = True

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        *,
        floor: float = 0.0,
        cause: str = "disconnected",
    ) -> None:
        super().__init__(message, hint)
        self.floor = floor
        self.never_sent = False
        """Nothing of the request left this computer."""
        self.cause = cause
        """One word for the `gap` event: disconnected, silence, sequence, maintenance, …"""


class Interrupted(Unreachable):
    """A connection that worked is no more."""

    category = "interrupted"


class RateLimited(Unreachable):
    """Too many calls."""

    category = "rate_limit"


class Unavailable(Unreachable):
    """The exchange is there but does not serve: 5xx, busy, maintenance."""

    category = "unavailable"


class TokenRefused(Unreachable):
    """The exchange does not know the token any more; the next connection fetches its own."""

    category = "token"


class Untrusted(Unreachable):
    """The TLS certificate does not verify; a retry would not change that."""

    category = "tls"
    retryable = False


class FateUnknown(Unreachable):
    """Something that changes an account was sent, and what became of it cannot be told."""

    category = "unknown"
    retryable = False

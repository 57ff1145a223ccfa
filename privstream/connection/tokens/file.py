"""A token as it lies in the cache folder, for every process that has the same credentials.

The one rule: a file is replaced as a whole or not at all, and one that is not exactly as
we left it (a link, another owner, another mode, other content) counts as no token.
"""

import hashlib
import hmac
import os
import stat
import tempfile
import threading
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from privstream.connection.clock import Clock, Uptime
from privstream.connection.locks import LockFile, strangeness
from privstream.model.account import Account, Secret, Token
from privstream.model.errors import PrivstreamError
from privstream.model.rest import Now

SIZE_LIMIT: Final = 64 * 1024
"""Bytes of a token's file."""
LONGEST_LIFE: Final = 366 * 86400.0
"""Seconds: what claims to live longer is not believed."""
PRIVATE: Final = 0o600

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_Moment = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Life = Annotated[float, msgspec.Meta(gt=0, le=LONGEST_LIFE)]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A token, and when it was fetched by both clocks that processes share."""

    version: Literal[1] = 1
    token: Secret
    channel: str | None
    life: _Life
    """Seconds that it may be used before its first use, from when it was fetched."""
    wall_ns: _Moment
    boot: str
    uptime: _Seconds

    @classmethod
    def of(cls, token: Token, now: Now, up: Uptime) -> "Kept | None":
        """`None` for a token of which nobody knows how long it lives."""
        # Written so that no NaN passes.
        if token.expires is None or not 0 < token.expires <= LONGEST_LIFE:
            return None
        return cls(
            token=token.secret,
            channel=token.channel,
            life=token.expires,
            wall_ns=now.wall_ns,
            boot=up.boot,
            uptime=up.seconds,
        )

    def as_token(self) -> Token:
        return Token(self.token, self.life, self.channel)

    def left(self, now: Now, up: Uptime) -> float:
        """Seconds of life: by the clock that leaves less, none where a clock was set back."""
        ages = ((now.wall_ns - self.wall_ns) / 1e9, up.seconds - self.uptime)
        if self.boot != up.boot or min(ages) < 0:
            return 0.0
        return max(0.0, self.life - max(ages))


class TokenFile:
    """The file of one account's token at one place, and the lock beside it."""

    def __init__(
        self, folder: Path, account: Account, clock: Clock, stop: threading.Event | None = None
    ) -> None:
        self._path = folder / f"token-{_name(account)}"
        self._lock = LockFile(
            path=self._path.with_suffix(".lock"),
            clock=clock,
            what=f"tokens in {folder}",
            hint="the cache folder must be on a local disk and writable by you alone",
            busy="another privstream is fetching this token and does not finish",
            busy_hint="try again; if it stays so, look for a privstream that hangs",
            stop=stop or threading.Event(),
        )

    def locked(self, limit: float) -> AbstractContextManager[int]:
        """Held by the only process that may fetch; waits for it up to `limit` seconds."""
        return self._lock.held(limit)

    def read(self) -> Kept | None:
        """What is kept, alive or not."""
        try:
            file = os.open(self._path, _READ)
        except OSError:  # none, a link, a socket: `write` puts ours in its place
            return None
        try:
            return _decoded(file) if _is_ours(os.fstat(file)) else None
        finally:
            os.close(file)

    def write(self, kept: Kept) -> None:
        """Put it in the place of what is there. Raises ConfigError and OutputFailed."""
        try:
            self._remove_torn()
            file, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            try:
                _fill(file, kept)
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink()
                raise
        except OSError as problem:
            raise self._unusable(problem) from None

    def drop(self) -> None:
        """Forget what is kept. Raises ConfigError and OutputFailed."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as problem:
            raise self._unusable(problem) from None

    def _remove_torn(self) -> None:
        """What a process left that was killed while it wrote: nobody else writes under the lock."""
        for torn in self._path.parent.glob(f".{self._path.name}.*"):
            torn.unlink(missing_ok=True)

    def _unusable(self, problem: OSError) -> PrivstreamError:
        return self._lock.failed(problem, "cannot be written")


def _name(account: Account) -> str:
    """Tells nobody anything, and is another one for another host, key or secret."""
    place = (account.exchange, account.endpoints.rest_url, account.api_key.reveal())
    secret = account.api_secret.reveal().encode()
    return hmac.new(secret, repr(place).encode(), hashlib.sha256).hexdigest()[:32]


def _is_ours(status: os.stat_result) -> bool:
    return strangeness(status) is None and stat.S_IMODE(status.st_mode) == PRIVATE


def _decoded(file: int) -> Kept | None:
    # A flaw's traceback would hold the bytes: it ends here.
    with suppress(msgspec.DecodeError, UnicodeDecodeError, OSError):
        return msgspec.json.decode(os.read(file, SIZE_LIMIT), type=Kept, dec_hook=_as_secret)
    return None


def _as_secret(_kind: type, text: Any) -> Secret:
    if not (isinstance(text, str) and text):
        raise ValueError("no token")
    return Secret(text)


def _fill(file: int, kept: Kept) -> None:
    with open(file, "wb") as opened:
        os.fchmod(file, PRIVATE)  # also under a umask that takes the owner's rights away
        opened.write(msgspec.json.encode(kept, enc_hook=Secret.reveal))
        opened.flush()
        os.fsync(file)

"""Events in Redis streams, one stream an account.

The one rule: an entry's id is the row's place (the outbox's birth and its number), so Redis itself
refuses what comes twice, however much later.

https://redis.io/docs/latest/commands/xadd/ (2026-11-30)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.retry import Retry as Again

from privstream.model.errors import ConfigError
from privstream.outputs.sinks.base import Retry, Row

TIMEOUT = 15.0
"""Seconds for an answer."""
_THERE_ALREADY = "equal or smaller"
"""Of an id that is not above the stream's last: the row is in it, or was."""
_OF_ANOTHER_KIND = "WRONGTYPE"


class Access(Struct, frozen=True, kw_only=True):
    """How to get in; nothing of it ever shows."""

    user: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None

    def __repr__(self) -> str:
        return "Access(****)"


class RedisSink:
    """Adds each row to its account's stream."""

    def __init__(
        self,
        host: str,
        port: int,
        database: int,
        *,
        stream: str,
        where: str,
        access: Access,
        tls: bool,
    ) -> None:
        """`stream`: its name, with `{account}` where the account's is to stand."""
        self._stream = stream
        self._was_in = False
        """It has taken something."""
        self._where = where
        files = {
            "ssl_ca_certs": access.ca_file,
            "ssl_certfile": access.client_cert_file,
            "ssl_keyfile": access.client_key_file,
        }
        encrypted: dict[str, Any] = {"ssl": True, "ssl_cert_reqs": "required"} if tls else {}
        encrypted |= {name: str(path) for name, path in files.items() if tls and path is not None}
        self._redis = Redis(
            host=host,
            port=port,
            db=database,
            username=access.user,
            password=access.password,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            client_name="privstream",
            retry=Again(NoBackoff(), 0),  # whoever delivers waits, and says so
            **encrypted,
        )

    def connect(self) -> None:
        try:
            self._redis.ping()
        except (AuthenticationError, AuthorizationError) as problem:
            raise self._not_allowed(problem) from None
        except (RedisError, OSError) as problem:
            raise Retry(f"{self._where}: {problem}") from problem

    def deliver(self, rows: Sequence[Row], /) -> None:
        try:
            answers = self._added(rows)
        except (AuthenticationError, AuthorizationError) as problem:
            raise self._not_allowed(problem) from None
        except (RedisError, OSError) as problem:
            raise Retry(f"{self._where}: {problem}") from problem
        for done, answer in enumerate(answers):
            if isinstance(answer, ResponseError):
                self._refused(answer, done, rows[done])
        self._was_in = True

    def close(self) -> None:
        self._redis.close()

    def _added(self, rows: Sequence[Row]) -> list[Any]:
        with self._redis.pipeline(transaction=True) as batch:
            for row in rows:
                entry: dict[Any, Any] = {"type": row.type, "id": row.name, "event": row.line}
                batch.xadd(self._name(row), entry, id=_place(row))
            return list(batch.execute(raise_on_error=False))

    def _name(self, row: Row) -> str:
        return self._stream.replace("{account}", row.account)

    def _refused(self, answer: ResponseError, done: int, row: Row) -> None:
        if _THERE_ALREADY in str(answer):
            self._check_there(row, done)
            return
        if isinstance(answer, NoPermissionError):
            raise self._not_allowed(answer)
        # Memory, disk, failover: all may pass, and none is about this one row.
        said = f"{self._where}: {answer}"
        raise Retry(said, delivered=done, is_settled=_OF_ANOTHER_KIND in said)

    def _check_there(self, row: Row, done: int) -> None:
        """Raise Retry unless the row is in the stream, or was: a later one of its outbox came in.

        Another outbox's later birth refuses every row of ours just so.
        """
        name = self._name(row)
        try:
            last = bytes(self._redis.xinfo_stream(name)["last-generated-id"]).decode()
            if last.startswith(f"{row.spool}-") or self._holds(name, row):
                return
        except (RedisError, OSError) as problem:
            raise Retry(f"{self._where}: {problem}", delivered=done) from problem
        raise Retry(
            f"{self._where}: the stream {name} holds later entries of another run or host; "
            "name another stream, or move that one away",
            delivered=done,
            is_settled=True,
        )

    def _holds(self, name: str, row: Row) -> bool:
        found: Any = self._redis.xrange(name, _place(row), _place(row))
        return any(entry.get(b"id") == row.name.encode() for _, entry in found)

    def _not_allowed(self, problem: Exception) -> ConfigError | Retry:
        said = f"{self._where} does not let us in ({type(problem).__name__})"
        if self._was_in:  # whoever changed it there may change it back
            return Retry(said, is_settled=True)
        return ConfigError(said, "check the credentials of this sink")


def _place(row: Row) -> str:
    return f"{row.spool}-{row.number}"

"""What hosts share, as NATS JetStream keeps it: a stream of events, and a bucket of leases.

The one rule: whether a batch is in is only known by the acknowledgement, or by looking. A refusal
and silence are both a `Doubt`.

https://github.com/nats-io/nats-architecture-and-design: ADR-8 (buckets), ADR-50 (atomic batches),
read 2026-11-30.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, json
from nats.aio.client import Client
from nats.errors import Error as NatsError

from privstream.delivery.ha.connection import Answers, Connection, next_of, problem_of, said
from privstream.delivery.ha.ports import Away, Conflict, Doubt, Message, Stored
from privstream.model.errors import ConfigError

ACK_LIMIT = 5.0
"""Seconds for the answer to a batch: an election takes 5 to 8 s."""
IN_FLIGHT = 16
"""Batches of this host on their way: the server takes 50 of a stream, from all hosts."""
AT_ONCE = 1000
"""Messages that one question reads."""
LEAST = (2, 12, 1)
"""The first server that holds a batch to the last sequence of a subject with wildcards."""
NO_STREAM, NO_MESSAGE, WRONG_SEQUENCE, NO_BATCHES = 10059, 10037, 10071, 10174
LATER = frozenset({10005, 10008, 10023, 10028})
"""No peers yet, no leader yet, no resources now: it may be otherwise soon."""
NEEDED = (("allow_atomic", "--allow-batch"), ("allow_direct", "--allow-direct"))


class Names(Struct, frozen=True, kw_only=True):
    """What things are called there."""

    stream: str
    prefix: str
    """Of the subjects."""
    bucket: str
    replicas: int


class Engine:
    """The stream and the bucket. All that is asked may raise Away."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self._connection = connection
        self._names = names
        self._slots = asyncio.Semaphore(IN_FLIGHT)

    @property
    def largest(self) -> int:
        return self._connection.largest

    async def close(self) -> None:
        await self._connection.close()

    # --- at the start ----------------------------------------------------------------------

    async def prepare(self) -> None:
        """See that server, stream and bucket are as they must be, or make them.

        Raises ConfigError with what to do.
        """
        names = self._names
        self._check_version(await self._connection.version())
        common = {"num_replicas": names.replicas, "storage": "file", "allow_direct": True}
        events = {"name": names.stream, "subjects": [f"{names.prefix}.>"], "allow_atomic": True}
        leases = {
            "name": f"KV_{names.bucket}",
            "subjects": [f"$KV.{names.bucket}.>"],
            "max_msgs_per_subject": 1,
            "discard": "new",
            "allow_rollup_hdrs": True,
        }
        self._check_stream(await self._found_or_made({**common, **events}))
        await self._found_or_made({**common, **leases})

    def _check_version(self, text: str) -> None:
        version = tuple(int(part) for part in text.partition("-")[0].split(".") if part.isdigit())
        if version < LEAST:
            raise ConfigError(
                f"{self._where} is nats-server {text}, and --ha needs its atomic batches",
                "install nats-server 2.12.1 or newer on all of its nodes",
            )

    async def _found_or_made(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        name = wanted["name"]
        answer = await self._connection.ask(f"STREAM.INFO.{name}", {})
        problem = problem_of(answer)
        if problem is not None and problem.code == NO_STREAM:
            answer = await self._connection.ask(f"STREAM.CREATE.{name}", wanted)
            problem = problem_of(answer)
        if problem is None:
            config: Mapping[str, Any] = answer["config"]
            return config
        why = f"{self._where}: {name}: {problem.text} ({problem.code})"
        if problem.code in LATER:
            raise Away(why)
        raise ConfigError(why, "set what this server can do in [ha], like replicas = 1")

    def _check_stream(self, config: Mapping[str, Any]) -> None:
        name, prefix = self._names.stream, self._names.prefix
        for key, flag in NEEDED:
            if not config.get(key):
                raise ConfigError(
                    f"{self._where}: the stream {name} lacks {key}, which --ha needs",
                    f"nats stream edit {name} {flag}; or name another stream in [ha]",
                )
        if not {f"{prefix}.>", ">"} & set(config.get("subjects") or ()):
            raise ConfigError(
                f"{self._where}: the stream {name} does not take {prefix}.>",
                f"add {prefix}.> to its subjects, or name another stream in [ha]",
            )

    @property
    def _where(self) -> str:
        return self._connection.where

    # --- leases ----------------------------------------------------------------------------

    async def entries(self) -> dict[str, Stored]:
        begins = f"$KV.{self._names.bucket}."
        wanted = {"multi_last": [f"{begins}>"], "batch": AT_ONCE}
        found = await self._connection.read(f"KV_{self._names.bucket}", wanted)
        return {one.subject.removeprefix(begins): one for one in found}

    async def put(self, key: str, value: bytes, over: int | None = None) -> int:
        headers = None if over is None else {"Nats-Expected-Last-Subject-Sequence": str(over)}
        subject = f"$KV.{self._names.bucket}.{key}"
        answer = await self._connection.request(subject, value, headers)
        problem = problem_of(answer)
        if problem is None:
            return int(answer["seq"])
        if problem.code == WRONG_SEQUENCE:
            raise Conflict(problem.text)
        raise self._away(problem.text, problem.code)

    async def forget(self, key: str) -> None:
        bucket = self._names.bucket
        await self._connection.ask(f"STREAM.PURGE.KV_{bucket}", {"filter": f"$KV.{bucket}.{key}"})

    # --- events ----------------------------------------------------------------------------

    async def last(self, subject: str) -> Stored | None:
        wanted = {"last_by_subj": subject}
        answer = await self._connection.ask(f"STREAM.MSG.GET.{self._names.stream}", wanted)
        problem = problem_of(answer)
        if problem is None:
            found = answer["message"]
            return Stored(found["subject"], found["seq"], base64.b64decode(found.get("data", "")))
        if problem.code == NO_MESSAGE:
            return None
        raise self._away(problem.text, problem.code)

    async def messages(self, subject: str, begin: int, until: int) -> list[Stored]:
        found: list[Stored] = []
        while begin <= until:
            wanted = {"seq": begin, "next_by_subj": subject, "batch": AT_ONCE}
            some = await self._connection.read(self._names.stream, wanted)
            if not some:
                raise Away(f"{self._where}: a replica of {self._names.stream} lags behind")
            found += [one for one in some if one.sequence <= until]
            begin = some[-1].sequence + 1
        return found

    async def publish(self, messages: Sequence[Message], fence: str, expected: int) -> int:
        async with self._slots:
            client = await self._connection.client()
            async with self._connection.replies() as (inbox, answers):
                try:
                    await _send(client, messages, fence, expected, inbox)
                    answer = await asyncio.wait_for(_verdict(answers), ACK_LIMIT)
                except (NatsError, OSError, TimeoutError) as problem:
                    raise Doubt(f"{self._where}: {said(problem)}") from problem
        found = problem_of(answer)
        if found is None:
            return int(answer["seq"])
        if found.code == NO_BATCHES:
            self._check_stream({})
        raise Doubt(f"{self._where}: {found.text} ({found.code})")

    async def purge(self, subject: str, below: int) -> None:
        wanted = {"filter": subject, "seq": below}
        await self._connection.ask(f"STREAM.PURGE.{self._names.stream}", wanted)

    def _away(self, text: str, code: int) -> Away:
        return Away(f"{self._where}: {text} ({code})")


async def _send(
    client: Client, messages: Sequence[Message], fence: str, expected: int, inbox: str
) -> None:
    batch, last = secrets.token_hex(8), len(messages)
    for number, message in enumerate(messages, 1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if number == 1:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(expected)
            headers["Nats-Expected-Last-Subject-Sequence-Subject"] = fence
        if number == last:
            headers["Nats-Batch-Commit"] = "1"
        reply = inbox if number in {1, last} else ""
        await client.publish(message.subject, message.body, reply=reply, headers=headers)


async def _verdict(answers: Answers) -> Mapping[str, Any]:
    """The answer that counts: the first message's is empty where it is in."""
    while True:
        answer = await next_of(answers)
        if answer.data:
            verdict: Mapping[str, Any] = json.decode(answer.data)
            return verdict
        if (answer.headers or {}).get("Status") == "503":
            return {"error": {"err_code": 503, "description": "no stream takes it"}}

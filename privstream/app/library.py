"""The same streams for a Python program: typed events, errors as exceptions.

The one rule: it is what the command line uses; what a program leaves, leaves no thread behind.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from types import MappingProxyType
from typing import Any

from privstream import exchanges
from privstream.app.asking import Person
from privstream.app.environment import Environment
from privstream.app.replay import Player, ReplayRequest, lines_of, opened
from privstream.app.watch import Request, watched
from privstream.delivery.signals import Stop
from privstream.delivery.stream import Ended, Stream
from privstream.model.account import Account, Secret
from privstream.model.events import AnyEvent, Status
from privstream.outputs.console import Console, Format
from privstream.settings.config import Config, Table, read_config
from privstream.settings.credentials import Environment as Variables

PAUSE = 0.5
"""Seconds: how often somebody who waits for events lets other threads have their way."""
IN_CODE = Path("the account given in code")


def account(exchange: str, name: str | None = None, /, **settings: str) -> Account:
    """An account that is in no config file; its settings are called as they are there.

    `account("kraken", api_key=key, api_secret=secret, protocol="v1")`, and `rest_url` and
    `ws_url` where it is not the exchange itself. Raises ConfigError.
    """
    name = name or exchange
    urls = {key: settings.pop(key) for key in tuple(settings) if key.endswith("_url")}
    nothing = Config(
        IN_CODE, False, {}, {}, Variables({}), exchanges.find, tuple(exchanges.names())
    )
    written = {
        "accounts": {name: _concealed({"exchange": exchange, **settings})},
        "exchanges": {exchange: _concealed(urls)} if urls else {},
    }
    return read_config(Table(IN_CODE, "", written), nothing).account(name)


def _concealed(settings: Mapping[str, str]) -> dict[str, Any]:
    return {key: Secret(text) for key, text in settings.items()}


@contextmanager
def watch(
    exchange: str | Account = "all",
    channels: Sequence[str] = (),
    *,
    account: str | None = None,
    options: Mapping[str, str] = MappingProxyType({}),
    symbols: Sequence[str] = (),
    since: str | None = None,
    audit: str = "5m",
    snapshot: bool = True,
    raw: bool = False,
    status: bool = False,
    max_retries: int | None = None,
    simulate: bool = False,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Iterator[AnyEvent]]:
    """The events of one configured account, of all, or of one given in code.

    The arguments are the options of `privstream watch`. At the end of the block every account is
    logged out and every thread has ended. Iterating raises what ends an account for good; it goes
    on for ever otherwise. Raises PrivstreamError.
    """
    given = exchange if isinstance(exchange, Account) else None
    request = Request(
        exchange=exchange.exchange if isinstance(exchange, Account) else exchange,
        given=given,
        account=account,
        options=options,
        channels=list(channels) or None,
        symbol=list(symbols) or None,
        since=since,
        audit=audit,
        no_snapshot=not snapshot,
        raw=raw,
        max_retries=max_retries,
        simulate=simulate,
    )
    with Stop() as stop:
        environment = _environment(stop, variables)
        with watched(environment, request, Format.JSONL) as prepared, prepared.stream as stream:
            yield _events(stream, status=status)


def _events(stream: Stream, *, status: bool) -> Iterator[AnyEvent]:
    for item in stream.items(PAUSE):
        if isinstance(item, Ended):
            _raise(item.error)
        elif isinstance(item, list):
            yield from (event for event in item if status or not isinstance(event, Status))


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error


@contextmanager
def replay(
    file: str | PathLike[str],
    *,
    exchange: str | None = None,
    protocol: str | None = None,
    symbols: Sequence[str] = (),
    snapshot: bool = True,
    raw: bool = False,
) -> Iterator[Iterator[AnyEvent]]:
    """The events of a recording, or with `exchange` of bare frames, one a line.

    Raises PrivstreamError.
    """
    request = ReplayRequest(
        file=fspath(file),
        exchange=exchange,
        protocol=protocol,
        symbols=tuple(symbols),
        snapshot=snapshot,
        raw=raw,
    )
    with Stop() as stop, opened(request.file, sys.stdin) as lines:
        yield Player(lines_of(lines, stop), request).events()


def _environment(stop: Stop, variables: Mapping[str, str] | None) -> Environment:
    """Nobody is told anything and nobody is asked: a program hears by exceptions."""
    console = Console(quiet=True)
    return Environment(
        variables=dict(os.environ) if variables is None else variables,
        stop=stop,
        stdin=sys.stdin,
        console=console,
        person=Person(console, stop, sys.stdin),
    )

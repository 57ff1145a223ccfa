"""What a service is to do, as its config says: which accounts, which sinks and files.

The one rule: all of it is read, fetched and opened before anything of it is used, so that a fault
anywhere leaves everything as it was.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from privstream.app.environment import Environment
from privstream.app.open_sink import open_sink, sink_mark
from privstream.app.watch import no_accounts
from privstream.model.account import Account
from privstream.model.errors import ConfigError, UsageError
from privstream.outputs.base import Output
from privstream.outputs.destination import file_at
from privstream.outputs.sinks.base import Sink
from privstream.settings.config import Config, load
from privstream.settings.sinks import SinkSettings

if TYPE_CHECKING:  # start-up time
    from privstream.settings.ha_section import HaSettings

FILE = "file"
MOST_SHARED = 800
"""Accounts of one bucket: the server tells of 1,024 keys at once, and hosts have some too."""
SCHEMES = frozenset({"nats", "tls"})
Opened: TypeAlias = "Output | Sink"


@dataclass(frozen=True)
class Plan:
    """One reading of the config."""

    config: Config
    accounts: Mapping[str, Account]
    marks: Mapping[str, bytes]
    """By sink: another mark means other settings, or another secret in the same place."""

    def settings(self, name: str) -> SinkSettings:
        return self.config.sinks[name]

    def is_file(self, name: str) -> bool:
        return self.settings(name).scheme == FILE


def read_plan(
    environment: Environment,
    names: Sequence[str] | None,
    simulated: Sequence[Account] | None,
    *,
    ha: bool = False,
) -> Plan:
    """Read the config and fetch its secrets. Raises ConfigError and UsageError.

    `names`: only these accounts. `simulated`: these instead of those of the config. `ha`: the
    events go into the stream that several hosts share, and into no sink.
    """
    config = load(environment.variables)
    if ha:
        shared(config)
    elif not config.sinks:
        raise ConfigError(
            "no sink is configured, so nobody would get the events",
            f'write [sinks.archive] with url = "sqlite:/var/lib/privstream/events.db" into {config.path}',
        )
    if simulated is None:
        if not config.names():
            raise no_accounts(config)
        wanted = dict.fromkeys(names or config.names())
        accounts = [config.account(name) for name in wanted]
    else:
        accounts = list(simulated)
    if ha and len(accounts) > MOST_SHARED:
        raise ConfigError(
            f"{len(accounts)} accounts are more than hosts can share ({MOST_SHARED})",
            "give each group of hosts accounts, a stream and a bucket of its own",
        )
    return Plan(
        config,
        {account.name: account for account in accounts},
        {} if ha else {name: sink_mark(one, config) for name, one in config.sinks.items()},
    )


def shared(config: Config) -> "HaSettings":
    """What several hosts share. Raises ConfigError and UsageError where they cannot."""
    if config.ha is None:
        raise ConfigError(
            "--ha needs to know what the hosts share",
            f'write [ha] with url = "tls://HOST:4222/privstream" into {config.path}',
        )
    for sink in config.sinks.values():
        same = urlsplit(sink.url)[1:3] == urlsplit(config.ha.url)[1:3]
        if not (same and sink.scheme in SCHEMES):
            raise UsageError(
                f"with --ha events go into the stream of [ha] only, and not to {sink.section}",
                f"take {sink.section} out, and have it fed from the stream; "
                "or run one host, without --ha",
            )
    return config.ha


def open_changed(plan: Plan, before: Mapping[str, bytes]) -> dict[str, Opened]:
    """The sinks and files that are new or changed. Raises ConfigError, UsageError, OutputFailed."""
    opened: dict[str, Opened] = {}
    try:
        for name, mark in plan.marks.items():
            if before.get(name) != mark:
                opened[name] = _opened(plan, name)
    except BaseException:
        for one in opened.values():
            one.close()
        raise
    return opened


def _opened(plan: Plan, name: str) -> Opened:
    settings = plan.settings(name)
    if plan.is_file(name):
        return file_at(settings.url.partition(":")[2], time.monotonic)()
    return open_sink(settings, lambda: plan.config)

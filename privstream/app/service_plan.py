"""What a service is to do, as its config says: which accounts, which sinks and files.

The one rule: all of it is read, fetched and opened before anything of it is used, so that a fault
anywhere leaves everything as it was.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from privstream.app.environment import Environment
from privstream.app.open_sink import open_sink, sink_mark
from privstream.app.watch import no_accounts
from privstream.model.account import Account
from privstream.model.errors import ConfigError
from privstream.outputs.base import Output
from privstream.outputs.destination import file_at
from privstream.outputs.sinks.base import Sink
from privstream.settings.config import Config, load
from privstream.settings.sinks import SinkSettings

FILE = "file"
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
    environment: Environment, names: Sequence[str] | None, simulated: Sequence[Account] | None
) -> Plan:
    """Read the config and fetch its secrets. Raises ConfigError.

    `names`: only these accounts. `simulated`: these instead of those of the config.
    """
    config = load(environment.variables)
    if not config.sinks:
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
    return Plan(
        config,
        {account.name: account for account in accounts},
        {name: sink_mark(one, config) for name, one in config.sinks.items()},
    )


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

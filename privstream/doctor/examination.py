"""All checks: of the machine and the configuration first, then of the accounts side by side.

The one rule: everything ends within one time limit; what was not through by then is said
to be so. Accounts are examined in threads of their own, everything else in the main one.
"""

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from privstream.connection.clock import Clock
from privstream.delivery.resume_file import examine as examine_state
from privstream.delivery.signals import Stop, Stopped
from privstream.doctor.account import Equip, PreparedAccount, examine_account
from privstream.doctor.credentials_of import examine_credentials, placed
from privstream.doctor.findings import Finding, failed, passed, wrong
from privstream.doctor.folders import examine_folders, folder_of
from privstream.doctor.installation import examine_installation
from privstream.doctor.settings import (
    Settings,
    doubtful,
    examine_overrides,
    examine_settings,
)
from privstream.doctor.variables import examine_variables
from privstream.model.account import Secret
from privstream.model.errors import ConfigError, Exit, PrivstreamError
from privstream.settings.config import AccountSettings, Config

LIMIT = 29.0
"""Seconds for everything: with the start of Python 30."""
FETCH_CREDENTIALS = "the credentials must be there first"
MEND_FOLDERS = "the state and cache folders must be mended first"
Said: TypeAlias = Finding | BaseException | None
"""From an account's thread: a finding, a bug of ours, or the end."""


def examine(
    environ: Mapping[str, str],
    accounts: Iterable[str],
    equip: Equip,
    clock: Clock,
    *,
    stop: Stop,
    limit: float = LIMIT,
) -> Iterator[Finding]:
    """What concerns everything, then account by account, each finding as soon as it is there.

    `accounts` are all where none is named. Raises Stopped.
    """
    until = clock.now().monotonic + limit
    settings = examine_settings(environ)
    yield from examine_installation()
    yield from (found for found in settings.findings if found.account is None)
    folders = list(examine_folders(environ))
    yield from folders
    yield from examine_variables(environ)
    obstacle = None if all(found.ok for found in folders) else MEND_FOLDERS
    examinations = [
        _AccountExamination(name, settings, environ, obstacle)
        for name in dict.fromkeys(accounts) or settings.names
    ]
    for examination in examinations:
        if clock.now().monotonic < until:
            examination.begin(equip, clock)
    for examination in examinations:
        yield from examination.findings(clock, until, limit, stop)


class _AccountExamination:
    """One account's examination."""

    def __init__(
        self, name: str, settings: Settings, environ: Mapping[str, str], obstacle: str | None
    ) -> None:
        self.name = name
        self._obstacle = obstacle
        """Why nobody can log in."""
        self._settings = settings
        self._environ = environ
        self._exchange: str | None = None
        self._found = [found for found in settings.findings if found.account == name]
        self._said: queue.SimpleQueue[Said] = queue.SimpleQueue()

    def begin(self, equip: Equip, clock: Clock) -> None:
        """Begin, in a thread: also a command that prints a credential may hang."""

        def examine() -> None:
            try:
                for finding in self._examine(equip, clock):
                    self._said.put(finding)
                self._said.put(None)
            except BaseException as bug:  # noqa: BLE001 - raised again in the main thread
                self._said.put(bug)

        threading.Thread(target=examine, name=f"doctor {self.name}", daemon=True).start()

    def _examine(self, equip: Equip, clock: Clock) -> Iterator[Finding]:
        prepared = self._prepared()
        yield from self._found
        if prepared is not None:
            yield from examine_account(prepared, equip, clock, self._environ)

    def findings(self, clock: Clock, until: float, limit: float, stop: Stop) -> Iterator[Finding]:
        """All that is found in time. Raises Stopped."""
        stop.when_told(lambda: self._said.put(Stopped()))
        while (said := self._next(until - clock.now().monotonic, limit)) is not None:
            if isinstance(said, BaseException):
                raise said
            yield said.about(self._exchange, self.name)
            if said.check == "deadline":
                break

    def _next(self, left: float, limit: float) -> Said:
        try:
            return self._said.get(timeout=max(left, 0.0))
        except queue.Empty:
            text = f"not through within {limit:g} s: what is not listed was not examined"
            hint = f"try again with this account alone: privstream doctor {self.name}"
            return wrong("deadline", text, hint, Exit.UNREACHABLE)

    # --- without the network ---------------------------------------------------------------

    def _prepared(self) -> PreparedAccount | None:
        config = self._settings.config
        if config is None or self.name in self._settings.in_doubt:
            self._found.append(doubtful(self.name))
            return None
        try:
            settings = config.settings(self.name)
            self._exchange = settings.exchange
            bare = placed(config, settings)
        except ConfigError as problem:
            self._exchange = self._exchange or problem.exchange
            self._found.append(failed("account", problem, f"see {config.path}"))
            return None
        self._found += examine_overrides(config, settings.exchange)
        self._examine_resume()
        secrets = self._secrets(config, settings)
        moved = frozenset(config.overridden(settings.exchange))
        obstacle = FETCH_CREDENTIALS if secrets is None else self._obstacle
        account = None
        if obstacle is None and secrets is not None:
            account = replace(bare, credentials=MappingProxyType(secrets))
        return PreparedAccount(settings, bare, account, obstacle or "", moved)

    def _secrets(self, config: Config, settings: AccountSettings) -> dict[str, Secret] | None:
        secrets: dict[str, Secret] = {}
        self._found += examine_credentials(config, settings, secrets)
        return secrets if len(secrets) == len(settings.credentials) else None

    def _examine_resume(self) -> None:
        path = folder_of("state", self._environ) / "resume" / f"{self.name}.sqlite"
        if not path.exists():
            return
        try:
            examine_state(path)
        except PrivstreamError as problem:
            self._found.append(failed("resume", problem, f"move it away: mv {path} {path}.old"))
        else:
            self._found.append(passed("resume", f"state of --resume {path}: whole"))

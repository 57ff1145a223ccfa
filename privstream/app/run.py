"""Carries out `privstream run`: every account and sink of the config, as a service.

The one rule: what fails for good is said and seen, and the rest goes on.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from privstream.app import watch
from privstream.app.assembly import Wanted, name_overrides
from privstream.app.deliveries import LEAVING, LEAVING_WHEN_TOLD, worst_exit
from privstream.app.durations import seconds
from privstream.app.environment import Environment
from privstream.app.open_sink import nats_servers
from privstream.app.service import Service
from privstream.app.service_health import Health
from privstream.app.service_pages import shown
from privstream.app.service_plan import Opened, Plan, open_changed, read_plan, shared
from privstream.app.service_reload import Reloading
from privstream.app.service_sinks import Sinks
from privstream.app.service_threads import Threads
from privstream.connection.freed_memory import give_back_large_pieces
from privstream.delivery.printer import SEVERITY
from privstream.delivery.signals import Stopped
from privstream.model.account import Account
from privstream.model.errors import ConfigError, Exit, OutputFailed, PrivstreamError, UsageError
from privstream.model.events import AnyEvent
from privstream.outputs.base import Output
from privstream.outputs.service_manager import ServiceManager
from privstream.outputs.sinks.base import Sink
from privstream.settings.config import load
from privstream.settings.service_section import ServiceSettings

if TYPE_CHECKING:  # optional libraries
    from privstream.app.hosts import Hosts
    from privstream.app.service_metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    accounts: list[str] | None = None
    """Only these."""
    raw: bool = False
    audit: str = "5m"
    duration: str | None = None
    simulate: bool = False
    rate: float = 2.0
    """Happenings a second in the simulated account."""
    seed: int = 1
    ha: bool = False
    """Share the accounts with other hosts."""


def run(environment: Environment, request: Request) -> int:
    """Serve until told to stop; returns the exit code. Raises Stopped."""
    hosts = _hosts(environment, request) if request.ha else None
    with ExitStack() as held:
        manager = held.enter_context(closing(ServiceManager(environment.variables)))
        simulated = held.enter_context(_simulated(request))
        operation = Operation(
            environment,
            request,
            manager,
            partial(read_plan, environment, request.accounts, simulated, ha=request.ha),
            hosts,
        )
        return operation.run()


def _hosts(environment: Environment, request: Request) -> "Hosts":
    """What the hosts share, as the config says now."""
    if request.simulate:
        raise UsageError(
            "--simulate is an account of this process, and --ha shares accounts between hosts",
            "point all hosts at one `privstream simulate`",
        )
    config = load(environment.variables)
    settings = shared(config)
    servers = nats_servers(settings, lambda: config)  # says so where the library is not there
    from privstream.app.hosts import Hosts  # noqa: PLC0415 - only with --ha

    return Hosts(environment, settings, servers)


@contextmanager
def _simulated(request: Request) -> Iterator[Sequence[Account] | None]:
    if not request.simulate:
        yield None
        return
    asked = watch.Request(
        exchange=watch.ALL, accounts=request.accounts, rate=request.rate, seed=request.seed
    )
    with watch.simulated(asked) as accounts:
        yield accounts


class Operation:
    """A service at work."""

    def __init__(
        self,
        environment: Environment,
        request: Request,
        manager: ServiceManager,
        read: Callable[[], Plan],
        hosts: "Hosts | None" = None,
    ) -> None:
        self._environment = environment
        self._manager = manager
        self._read = read
        self._duration = None if request.duration is None else seconds(request.duration)
        wanted = Wanted(
            audit_every=0.0 if request.audit == "0" else seconds(request.audit),
            raw_elements=request.raw,
        )
        # Another seed or rate is another life, of which the last one's past tells nothing.
        life = f"simulated-{request.seed}-{request.rate:g}" if request.simulate else ""
        self._sinks = Sinks(environment, wanted, simulated=life)
        self._health = Health(self._sinks.couriers)
        self._hosts = hosts
        if hosts is not None:
            self._health.others.append(hosts.reasons)
        self._service = Service(
            environment,
            hosts or self._sinks,
            wanted,
            observers=[self._health, self, *([] if hosts is None else [hosts])],
            is_simulated=request.simulate,
            lasts=hosts is not None,
        )
        self._threads = Threads(self._service.turns, self._sinks.couriers)
        self._alive_due = 0.0
        self._settings: ServiceSettings | None = None
        self._accounts: Mapping[str, Account] = {}
        self._marks: Mapping[str, bytes] = {}
        self._reloading = Reloading(
            manager, read=self._read_anew, use=self._use, fail=self._leave_it, do=self._service.do
        )

    def run(self) -> int:
        give_back_large_pieces()
        stop = self._environment.stop
        stop.reopen = self._reloading.ask  # from the beginning: SIGHUP shall not end a service
        stop.when_told(self._manager.stopping)
        plan, opened = self._read_anew()
        name_overrides(self._environment.console, plan.config, *plan.accounts.values())
        with nullcontext() if self._hosts is None else self._hosts.running(self._service):
            code = self._serve(plan, opened)
        for courier in self._sinks.couriers():
            if courier.bug is not None:
                raise courier.bug
        code = max(code, worst_exit(self._sinks.couriers()), key=SEVERITY.index)
        if stop.by is not None:
            raise Stopped
        return code

    def _serve(self, plan: Plan, opened: Mapping[str, Opened]) -> Exit:
        self._use_sinks(plan, opened)
        self._use_accounts(plan)
        self._service.do(self._ready)
        if self._duration is not None:
            self._environment.stop.end_after(self._duration)
        with ExitStack() as end:
            end.callback(self._let_sinks_finish)
            end.enter_context(self._shown(plan))
            return self._service.run()

    def _let_sinks_finish(self) -> None:
        told = self._environment.stop.event.is_set()
        self._sinks.finish(LEAVING_WHEN_TOLD if told else LEAVING)

    def _ready(self) -> None:
        """The thread of every account runs."""
        self._sinks.has_begun = True
        self._manager.ready()
        self._reloading.begin()

    def _shown(self, plan: Plan) -> AbstractContextManager[object]:
        settings = self._settings = plan.config.service
        address = None if settings is None else settings.metrics
        return shown(self._environment, address, self._health, self._threads, self._metrics)

    def _metrics(self) -> "Metrics":
        try:
            from privstream.app.service_metrics import Lease, Metrics  # noqa: PLC0415 - optional
        except ImportError:
            raise ConfigError(
                "[service] metrics needs the extra `metrics`", "pip install 'privstream[metrics]'"
            ) from None
        served, hosts = self._sinks.served, self._hosts
        return Metrics(
            self._health,
            lambda: [*served.values()],
            self._service.last_heard,
            leases=None if hosts is None else lambda: [Lease(*one) for one in hosts.leases()],
            files=self._sinks.files,
        )

    # --- watching over it ------------------------------------------------------------------

    def began(self, account: str, exchange: str, /) -> None:
        """The status says so."""

    def take(self, account: str, events: Sequence[AnyEvent], /) -> None:
        """Others count them."""

    def ended(self, account: str, error: PrivstreamError | None, /) -> None:
        """The status says so."""

    def look(self) -> None:
        """Tell the service manager how it is."""
        now, every = time.monotonic(), self._manager.watchdog
        turn = self._threads.look()
        if every is not None and turn and now >= self._alive_due:
            self._alive_due = now + every
            self._manager.alive()
        self._manager.status(self._health.summary())

    # --- reading the settings anew ---------------------------------------------------------

    def _read_anew(self) -> tuple[Plan, dict[str, Opened]]:
        plan = self._read()
        return plan, open_changed(plan, self._still_good())

    def _still_good(self) -> dict[str, bytes]:
        """The marks of what need not be opened: a sink that has stopped for good is tried again."""
        stopped = {courier.name for courier in self._sinks.couriers() if courier.has_stopped}
        return {name: mark for name, mark in self._marks.items() if name not in stopped}

    def _use(self, found: tuple[Plan, dict[str, Opened]]) -> None:
        plan, opened = found
        changes = [*self._use_sinks(plan, opened), *self._use_accounts(plan)]
        if plan.config.service != self._settings:
            changes.append("[service] takes a restart")
        for courier in self._sinks.couriers():
            courier.hurry()
        said = "; ".join(changes) or "nothing has changed"
        self._environment.console.say(f"read {plan.config.path} again: {said}")

    def _leave_it(self, problem: PrivstreamError) -> None:
        self._environment.console.fail(problem)
        self._environment.console.say("the settings stay as they were")

    def _use_sinks(self, plan: Plan, opened: Mapping[str, Opened]) -> list[str]:
        """Have these served; returns what has changed, in words."""
        before = self._marks
        gone = [name for name in before if name not in plan.marks]
        for name in gone:
            self._sinks.drop(name)
        self._reopen_files()
        for name, one in opened.items():
            settings = plan.settings(name)
            if plan.is_file(name):
                self._sinks.put_file(settings, cast("Output", one))
            else:
                self._sinks.put(settings, cast("Sink", one))
        self._marks = plan.marks
        return _changes("sink", before, gone, opened)

    def _use_accounts(self, plan: Plan) -> list[str]:
        if self._hosts is not None:
            return self._share_accounts(plan, self._hosts)
        before, failed = self._accounts, self._service.failed
        gone = [name for name in before if name not in plan.accounts]
        for name in gone:
            self._service.remove(name)
        put = {
            name: account
            for name, account in plan.accounts.items()
            if before.get(name) != account or name in failed
        }
        for account in put.values():
            self._service.add(account)
        self._accounts = plan.accounts
        return _changes("account", before, gone, put)

    def _share_accounts(self, plan: Plan, hosts: "Hosts") -> list[str]:
        """Have the hosts stream these by turns."""
        before, self._accounts = self._accounts, plan.accounts
        hosts.follow(list(plan.accounts.values()))
        if plan.config.ha != hosts.settings:
            self._environment.console.say("[ha] has changed: that counts from the next start on")
        gone = [name for name in before if name not in plan.accounts]
        put = [name for name, one in plan.accounts.items() if before.get(name) != one]
        return _changes("account", before, gone, put)

    def _reopen_files(self) -> None:
        try:
            self._sinks.reopen_files()
        except OutputFailed as problem:  # the files of before go on
            self._environment.console.fail(problem)


def _changes(
    what: str, before: Mapping[str, object], gone: Iterable[str], put: Iterable[str]
) -> list[str]:
    names = {
        "removed": list(gone),
        "changed": [name for name in put if name in before],
        "new": [name for name in put if name not in before],
    }
    return [
        f"{how} {what}{'s' * (len(some) > 1)} {', '.join(some)}"
        for how, some in names.items()
        if some
    ]

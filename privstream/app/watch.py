"""Carries out a watch: accounts in, one stream, printed until it ends."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from privstream import exchanges
from privstream.app.assembly import (
    Wanted,
    add_account,
    name_overrides,
    open_state,
    shared_budgets,
)
from privstream.app.destinations import Destinations, destinations, narrowed
from privstream.app.durations import moment, seconds
from privstream.app.environment import Environment
from privstream.app.symbols import UnseenSymbols
from privstream.connection.freed_memory import give_back_large_pieces
from privstream.delivery.printer import SEVERITY, Printer
from privstream.delivery.stream import Stream
from privstream.exchanges.base import Exchange
from privstream.model.account import Account
from privstream.model.errors import ConfigError, Exit, UsageError
from privstream.model.nearest import channel_meant
from privstream.model.session import Tap
from privstream.outputs.base import Output
from privstream.outputs.console import Console, Format
from privstream.settings.config import Config, all_options, first_steps, load

if TYPE_CHECKING:  # start-up time
    from privstream.app.deliveries import Deliveries
    from privstream.app.telling import Notifier
    from privstream.delivery.resume_file import State

ALL = "all"
Streamed = list[tuple[Account, tuple[str, ...]]]
"""The accounts, each with the channels to stream of it."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for on the command line."""

    exchange: str
    """Its name, or `all`."""
    options: Mapping[str, str] = field(default_factory=dict)
    channels: list[str] | None = None
    account: str | None = None
    accounts: list[str] | None = None
    """Of `all`: only these."""
    given: Account | None = None
    """One that is in no config file."""
    format: Format | None = None
    json: bool = False
    raw: bool = False
    symbol: list[str] | None = None
    no_snapshot: bool = False
    notify: str | None = None
    """How a person is told who does not look: `desktop` or `bell`."""
    only: str | None = None
    min_value: list[str] | None = None
    fields: str | None = None
    """Which columns of the lines for a person, in the words of the JSON keys."""
    count: int | None = None
    duration: str | None = None
    to: list[str] | None = None
    live: bool = False
    privacy: bool = False
    status: bool = False
    resume: bool = False
    since: str | None = None
    audit: str = "5m"
    max_retries: int | None = None
    simulate: bool = False
    rate: float = 2.0
    """Happenings a second in the simulated account."""
    seed: int = 1


class Recorder(Protocol):
    """Keeps the frames of an account."""

    def begin(self, account: Account, channels: Sequence[str]) -> Tap:
        """Start a recording; what is returned takes each frame."""


def watch(environment: Environment, request: Request, recorder: Recorder | None = None) -> int:
    """Stream until the end; returns the exit code. Raises Stopped."""
    kind = environment.format(request.format, json=request.json)
    _check_screen(environment, request, kind)
    fields = environment.fields(request.fields, kind)
    duration = None if request.duration is None else seconds(request.duration)
    to = destinations(request.to or (), lambda: load(environment.variables))
    to = narrowed(to, request.only, request.min_value or ())
    notifier = _notifier(environment, request, to)
    with (
        watched(environment, request, kind, recorder, to.names) as prepared,
        ExitStack() as shown,
    ):
        deliveries = _deliveries(environment, to, prepared)
        sinks = [opened() for opened in to.files]  # nothing that cannot be has made a file
        if not (environment.stdout_is_open or sinks or to.sinks or recorder):
            return Exit.DONE  # nobody reads, here or anywhere
        output = shown.enter_context(_output(environment, request, kind, prepared, fields))
        symbols, say = request.symbol or (), environment.console.say
        unseen = UnseenSymbols(prepared.exchanges, symbols, say)
        printer = Printer(
            environment.console,
            environment.stop,
            output,
            environment.frame_output(kind),
            sinks=sinks,
            show_status=request.status,
            count=request.count,
            states=prepared.states,
            spool=None if deliveries is None else deliveries.spool,
            summary=environment.summary(kind, masks=request.privacy),
            gather=0.0 if request.live else environment.gathers(kind),
            watchers=[one for one in (unseen, notifier, deliveries) if one is not None],
        )
        if duration is not None:
            environment.stop.end_after(duration)
        give_back_large_pieces()
        with deliveries or nullcontext():
            code = printer.run(prepared.stream)
        return code if deliveries is None else max(code, deliveries.exit, key=SEVERITY.index)


def _deliveries(
    environment: Environment, to: Destinations, prepared: "Watched"
) -> "Deliveries | None":
    """What serves the sinks, if there are any; it runs while its block does."""
    if not to.sinks:
        return None
    from privstream.app.deliveries import Deliveries  # noqa: PLC0415 - only with sinks

    names = {one.account.name: one.name for one in prepared.exchanges}
    return Deliveries(environment, to, lambda: load(environment.variables), prepared.states, names)


def _notifier(environment: Environment, request: Request, to: Destinations) -> "Notifier | None":
    if request.notify is None and (to.sinks or (request.only is None and not request.min_value)):
        return None
    from privstream.app.telling import notifier_for  # noqa: PLC0415 - start-up time

    values = request.min_value or ()
    return notifier_for(environment, request.notify, request.only, values, masked=request.privacy)


@dataclass(frozen=True)
class Watched:
    """Accounts that are ready to be streamed: they connect when the stream is entered."""

    stream: Stream
    exchanges: Sequence[Exchange]
    channels: Mapping[str, Sequence[str]]
    """What is streamed of each account."""
    states: "Mapping[str, State]"


@contextmanager
def watched(
    environment: Environment,
    request: Request,
    kind: Format,
    recorder: Recorder | None = None,
    sinks: Sequence[str] = (),
) -> Iterator[Watched]:
    """Make ready what was asked for; what it holds is let go at the end of the block.

    `sinks`: the names of those that an outbox is kept for.
    """
    wanted = _wanted(environment, request, kind)
    if sinks and kind is Format.RAW:
        raise UsageError(
            "sinks take events, and --format raw prints none",
            "use --raw to have the exchange's own element in each event",
        )
    with ExitStack() as resources:
        streamed = resources.enter_context(_streamed(environment, request))
        states = resources.enter_context(_states(environment, request, streamed, wanted, sinks))
        stream = Stream()
        budgets = shared_budgets(environment, is_simulated=request.simulate)
        for account, channels in streamed:
            tap = None if recorder is None else recorder.begin(account, channels)
            add_account(
                environment,
                stream,
                account,
                channels,
                wanted,
                tap=environment.console.tap(tap),
                state=states.get(account.name),
                is_simulated=request.simulate,
                budgets=budgets,
            )
        found = [exchanges.find(account.exchange)(account) for account, _ in streamed]
        named = {account.name: channels for account, channels in streamed}
        yield Watched(stream, found, named, states)


def _check_screen(environment: Environment, request: Request, kind: Format) -> None:
    if request.live and (request.json or request.format is not None):
        raise UsageError(
            "--live shows a screen, and --format and --json print lines",
            "leave one of them out; --to file:PATH has the lines too",
        )
    if request.privacy and kind is not Format.PRETTY:
        raise UsageError(
            "--privacy masks what is shown to a person; JSON lines and frames are whole",
            "use it with --format pretty or --live",
        )
    if request.privacy and environment.console.tells_details:
        raise UsageError(
            "--privacy hides what --debug shows, and --verbose may",
            "leave one of them out",
        )


@contextmanager
def _output(
    environment: Environment,
    request: Request,
    kind: Format,
    prepared: "Watched",
    fields: Sequence[str],
) -> "Iterator[Output | None]":
    """What shows the events on stdout: a screen where it is wanted and can be, else lines."""
    if request.live:
        from privstream.app.live import opened  # noqa: PLC0415 - start-up time

        with opened(environment, request, prepared) as view:
            if view is not None:
                yield view
                return
    yield environment.output(kind, list(prepared.channels), fields, masks=request.privacy)


def _wanted(environment: Environment, request: Request, kind: Format) -> Wanted:
    if request.resume and kind is Format.RAW:
        raise UsageError(
            "--resume goes on with events, and --format raw prints none",
            "use --raw to have the exchange's own element in each event",
        )
    if request.since is not None and request.resume:
        raise UsageError(
            "--since and --resume say two different beginnings",
            "--resume goes on by itself where the last run stopped",
        )
    since_ns = None
    if request.since is not None:
        since_ns = moment(request.since, time.time_ns(), environment.zone)
    return Wanted(
        since_ns=since_ns,
        audit_every=0.0 if request.audit == "0" else seconds(request.audit),
        symbols=tuple(request.symbol or ()),
        snapshot=not request.no_snapshot,
        raw_elements=request.raw,
        raw_frames=kind is Format.RAW and environment.stdout_is_open,
        max_retries=request.max_retries,
    )


@contextmanager
def _states(
    environment: Environment,
    request: Request,
    streamed: Streamed,
    wanted: Wanted,
    sinks: Sequence[str],
) -> "Iterator[dict[str, State]]":
    """The state of every account, held while the block runs; none without --resume and sinks."""
    with ExitStack() as held:
        states = {}
        if request.resume or sinks:
            # Another seed or rate is another life, of which the last one's past tells nothing.
            simulated = f"simulated-{request.seed}-{request.rate:g}" if request.simulate else ""
            for account, channels in streamed:
                state = open_state(
                    environment,
                    account,
                    channels,
                    wanted,
                    simulated=simulated,
                    resumes=request.resume,
                    sinks=sinks,
                )
                states[account.name] = held.enter_context(state)
        yield states


# --- which accounts ------------------------------------------------------------------------


@contextmanager
def _streamed(environment: Environment, request: Request) -> Iterator[Streamed]:
    """The accounts asked for; simulated ones are there while the block runs."""
    if request.simulate:
        with simulated(request) as accounts:
            yield _with_channels(accounts, request, environment.console)
    elif request.given is not None:
        yield _with_channels([request.given], request, environment.console)
    else:
        accounts, config = _configured(environment, request)
        streamed = _with_channels(accounts, request, environment.console)
        name_overrides(environment.console, config, *accounts)
        yield streamed


@contextmanager
def simulated(request: Request) -> Iterator[list[Account]]:
    """Simulated accounts; their exchanges are there while the block runs."""
    from privstream.simulator import names  # noqa: PLC0415 - only here
    from privstream.simulator.server import Simulation  # noqa: PLC0415

    chosen = names() if request.exchange == ALL else (request.exchange,)
    if request.accounts:
        for name in request.accounts:
            exchanges.find(name)  # a simulated account is called like its exchange
        chosen = tuple(dict.fromkeys(request.accounts))
    for name in chosen:
        all_options(exchanges.find(name), {}, request.options)
    with Simulation(chosen, seed=request.seed, rate=request.rate) as simulation:
        yield [simulation.account(name, request.options) for name in chosen]


def _configured(environment: Environment, request: Request) -> tuple[list[Account], Config]:
    config = load(environment.variables)
    if request.exchange != ALL:
        name = config.chosen(request.account, request.exchange)
        account = config.account(name, exchange=request.exchange, options=request.options)
        return [account], config
    if not config.names():
        raise no_accounts(config)
    names = dict.fromkeys(request.accounts or config.names())
    return [config.account(name) for name in names], config


def no_accounts(config: Config) -> ConfigError:
    """What to raise where there are none."""
    return ConfigError(
        "no account is configured",
        f"{first_steps('kraken')}; or write one into {config.path}, "
        "or set KRAKEN_API_KEY and KRAKEN_API_SECRET",
    )


def _exchange_of(account: Account, request: Request) -> Exchange:
    exchange = exchanges.find(account.exchange)
    if request.symbol:
        account = replace(account, symbols=tuple(request.symbol))
    return exchange(account)


def _with_channels(accounts: list[Account], request: Request, console: Console) -> Streamed:
    chosen = [_exchange_of(account, request) for account in accounts]
    if request.exchange != ALL:
        return [(one.account, one.select(request.channels or ())) for one in chosen]
    named = request.channels or []
    if unknown := [n for n in named if not any(n in one.channels for one in chosen)]:
        known = dict.fromkeys(channel for one in chosen for channel in one.channels)
        message = f"none of these accounts has a channel {unknown[0]!r}"
        raise UsageError(message, channel_meant(unknown[0], known))
    streamed: Streamed = []
    for one in chosen:
        own = [name for name in named if name in one.channels]
        if named and not own:
            console.say(f"{one.account.name}: left out, it has none of these channels")
        else:
            streamed.append((one.account, one.select(own)))
    return streamed

"""Reports what was filled in a stretch of time: read, summed, shown.

The one rule: an answer that lacks something says so, in what it prints and in its exit code.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from privstream import exchanges
from privstream.app.assembly import client_for, name_overrides
from privstream.app.durations import moment
from privstream.app.environment import Environment
from privstream.app.kept_events import EVER, Wanted
from privstream.app.kept_fills import is_database, path_of, read_kept
from privstream.app.past_fills import OverRest, Past, Period
from privstream.app.replay import lines_of, opened
from privstream.app.symbols import not_seen
from privstream.model.account import Account
from privstream.model.errors import ConfigError, Exit, UsageError
from privstream.model.fill_report import FillReport, Market
from privstream.model.times import from_nanos
from privstream.outputs.base import ReaderGone
from privstream.outputs.calendar import Calendar
from privstream.outputs.console import STDOUT
from privstream.outputs.descriptor import write_all
from privstream.outputs.progress import Progress
from privstream.outputs.terminal import line_width
from privstream.settings.config import Config, load

ALL = "all"
TODAY = "today"


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """What was asked for."""

    account: str = ALL
    """A configured account, an exchange, or all."""
    since: str | None = None
    until: str | None = None
    source: str | None = None
    """A file to read instead of asking the exchanges."""
    symbols: Sequence[str] = field(default=())
    json: bool = False
    csv: bool = False
    plot: str | None = None
    simulate: bool = False


def report(environment: Environment, request: ReportRequest) -> int:
    """Print the report; returns the exit code. Raises PrivstreamError and Stopped."""
    picture = _picture(request)
    period = _period(environment, request)
    progress = environment.console.progress()
    try:
        pasts, period = _read(environment, request, period, progress)
    finally:
        progress.clear()
    found = _summed(pasts, period, Calendar(environment.zone))
    if picture is not None:
        from privstream.outputs.report_plot import draw  # noqa: PLC0415 - only with --plot

        draw(found, picture)
    if environment.stdout_is_open:
        _print(environment, request, found)
    elif picture is None:
        raise ReaderGone  # nobody was given the answer
    seen = [market.symbol for market in found.markets()]
    if none := not_seen(request.symbols, [past.exchange for past in pasts], seen):
        environment.console.say(f"no fill of {', '.join(none)} in this period")
    for past in pasts:
        if past.refusal is not None:
            environment.console.fail(past.refusal.about(past.exchange, past.account))
    refused = any(past.refusal is not None for past in pasts)
    return _concluded(environment, found, Exit.REFUSED if refused else Exit.UNREACHABLE)


def _picture(request: ReportRequest) -> Path | None:
    if request.json and request.csv:
        raise UsageError("--json and --csv are two different forms", "take one of them")
    if request.simulate and request.source is not None:
        raise UsageError("--simulate and --from are two different accounts", "take one of them")
    if request.plot is None:
        return None
    from privstream.outputs.report_plot import checked  # noqa: PLC0415 - only with --plot

    return checked(request.plot)


def _period(environment: Environment, request: ReportRequest) -> Period:
    """Of a file all that it holds, unless something else is asked for; else today."""
    now, zone = time.time_ns(), environment.zone
    since = request.since or (None if request.source else TODAY)
    since_ns = EVER.since_ns if since is None else moment(since, now, zone)
    until_ns = EVER.until_ns if request.source else now
    if request.until is not None:
        until_ns = moment(request.until, now, zone, option="--until")
    if until_ns <= since_ns:
        raise UsageError("--until is not after --since", "the period has no time in it")
    return Period(since_ns, until_ns)


def _concluded(environment: Environment, found: FillReport, code: Exit) -> int:
    """Say what the answer is worth; `code` is for one that lacks something."""
    say = environment.console.say
    if found.complete is False:
        first, *others = found.missing
        also = f", and {len(others)} more" if others else ""
        say(f"INCOMPLETE: {first.account}: {first.why}{also}", also_when_quiet=True)
        return code
    if found.complete is None:
        say("a file holds what was streamed into it; whether anything else happened it cannot say")
    elif found.proven_until is not None and found.proven_until < found.until:
        until = Calendar(environment.zone).time_of_day(found.proven_until)
        say(f"whole until {until}; what the exchanges' REST tells with a delay may still come")
    return Exit.DONE


# --- reading ---------------------------------------------------------------------------------


def _read(
    environment: Environment, request: ReportRequest, period: Period, progress: Progress
) -> tuple[list[Past], Period]:
    if request.source is not None:
        return _read_file(environment, request, request.source, period, progress)
    with _accounts(environment, request) as accounts:
        pasts = [_read_account(environment, request, one, period, progress) for one in accounts]
    return pasts, period


def _read_file(
    environment: Environment,
    request: ReportRequest,
    source: str,
    period: Period,
    progress: Progress,
) -> tuple[list[Past], Period]:
    path = path_of(source)
    wanted = Wanted(None if request.account == ALL else request.account, (*request.symbols,))
    read = _read_database if is_database(source, path) else _read_lines
    pasts, covered = read(environment, path, period, wanted, progress)
    if not pasts and request.account != ALL:
        raise ConfigError(f"{path} holds nothing of an account {request.account!r}")
    if not pasts:
        environment.console.say(f"{path} holds no event")
    return pasts, _bounded(covered, time.time_ns())


def _bounded(period: Period, now_ns: int) -> Period:
    """Where nothing is held and nothing was asked for, there is neither beginning nor end."""
    until = now_ns if period.until_ns == EVER.until_ns else period.until_ns
    return Period(until if period.since_ns == EVER.since_ns else period.since_ns, until)


def _read_lines(
    environment: Environment, path: str, period: Period, wanted: Wanted, progress: Progress
) -> tuple[list[Past], Period]:
    with opened(path, environment.stdin) as file:
        size = os.fstat(file.fileno()).st_size

        def tell(read: int) -> None:
            done = read / size if size else None
            progress.show(f"reading {path}: {read} bytes", time.monotonic(), done)

        return read_kept(lines_of(file, environment.stop), period, wanted, tell)


def _read_database(
    environment: Environment, path: str, period: Period, wanted: Wanted, progress: Progress
) -> tuple[list[Past], Period]:
    from privstream.app.kept_rows import read_rows  # noqa: PLC0415 - start-up time

    def tell(rows: int, of: int) -> None:
        progress.show(f"reading {path}: {rows} rows", time.monotonic(), rows / of)

    return read_rows(path, period, wanted, environment.stop, tell)


def _read_account(
    environment: Environment,
    request: ReportRequest,
    account: Account,
    period: Period,
    progress: Progress,
) -> Past:
    client = client_for(environment, account, is_simulated=request.simulate)

    def tell(pages: int, facts: int, reached: str | None, trouble: str | None) -> None:
        at = "" if reached is None else f", at {reached[:16].replace('T', ' ')} UTC"
        again = "" if trouble is None else f"; trying again: {trouble}"
        said = f"{account.name}: {pages} pages, {facts} facts{at}{again}"
        progress.show(said, time.monotonic())

    past = OverRest(
        client.exchange,
        client.rest,
        client.clock,
        stop=client.stop,
        check=client.check,
        tell=tell,
    )
    return past.read(period, request.symbols)


@contextmanager
def _accounts(environment: Environment, request: ReportRequest) -> Iterator[list[Account]]:
    """Those asked for; simulated ones are there while the block runs."""
    if request.simulate:
        from privstream.simulator import names  # noqa: PLC0415 - only here
        from privstream.simulator.server import Simulation  # noqa: PLC0415

        chosen = names() if request.account == ALL else (exchanges.find(request.account).name,)
        with Simulation(chosen) as simulation:
            accounts = [simulation.account(name, {}) for name in chosen]
            yield _with_symbols(accounts, request)
        return
    config = load(environment.variables)
    wanted = config.names() if request.account == ALL else [_meant(config, request.account)]
    if not wanted:
        hint = "privstream accounts add; or --simulate, or --from FILE"
        raise ConfigError("no account is configured", hint)
    accounts = [config.account(name) for name in wanted]
    name_overrides(environment.console, config, *accounts)
    yield _with_symbols(accounts, request)


def _meant(config: Config, name: str) -> str:
    """An account by its name, or by its exchange's where it is the only one there."""
    return config.chosen(None, name) if name in exchanges.names() else name


def _with_symbols(accounts: list[Account], request: ReportRequest) -> list[Account]:
    """Some exchanges list what happened by symbol only."""
    if not request.symbols:
        return accounts
    return [replace(account, symbols=tuple(request.symbols)) for account in accounts]


# --- summing and printing --------------------------------------------------------------------


def _summed(pasts: Sequence[Past], period: Period, calendar: Calendar) -> FillReport:
    proven = [past.proven_until for past in pasts]
    found = FillReport(
        since=from_nanos(period.since_ns),
        until=from_nanos(period.until_ns),
        proven_until=min((one for one in proven if one is not None), default=None)
        if None not in proven
        else None,
        missing=[one for past in pasts for one in past.missing],
    )
    for past in pasts:
        for fill in past.fills:
            market = Market(past.account, past.exchange, fill.symbol or fill.exchange_symbol or "")
            found.add(str(calendar.day(fill.time or "") or ""), market, fill)
    return found


def _print(environment: Environment, request: ReportRequest, found: FillReport) -> None:
    """Whole, or not at all: NotTaken and ReaderGone say that nobody has read it."""
    if request.csv:
        from privstream.outputs.report_lines import csv_text  # noqa: PLC0415 - start-up time

        text = csv_text(found).encode()
    elif request.json or not environment.stdout_is_terminal:
        from privstream.outputs.report_lines import json_lines  # noqa: PLC0415

        text = b"".join(json_lines(found))
    else:
        text = _table(environment, found)
    write_all(STDOUT, text, environment.stop.patience)


def _table(environment: Environment, found: FillReport) -> bytes:
    from privstream.outputs.layout import plain  # noqa: PLC0415 - start-up time
    from privstream.outputs.pretty import colours  # noqa: PLC0415
    from privstream.outputs.report_table import lines  # noqa: PLC0415

    paint = colours() if environment.colour else plain
    shown = lines(found, Calendar(environment.zone), line_width(STDOUT), paint)
    return "".join(f"{line}\n" for line in shown).encode()

"""`watch --resume` killed with -9 at random moments and restarted, against the simulator's truth.

Prints how many trades of the account were lost and how many were told more than once.
A trade may be told twice after a kill, with the same id; none may be lost. With TERM
for -9 the stops are clean, and none may be told twice either.

    python -m tests.benchmarks.kill [KILLS] [EXCHANGE] [SEED] [KILL|TERM]

Not for Bitfinex: half of its simulated fills are of its margin wallet, in other books.
"""

import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from privstream.model.exact import Malformed, decode
from privstream.model.times import to_nanos
from privstream.simulator.market import Market
from privstream.simulator.server import Simulation
from tests.cli.conftest import Program
from tests.forked import Forked

RATES = {"kraken": 8.0}
"""Happenings a second; Kraken's REST budget allows few pages of history."""
LONGEST = 1.6
"""Seconds from a start to the kill at most: about a third of them is start-up."""
SETTLED_NS = 500_000_000
SETTLED = 1.0
"""Seconds of the last run after its gap."""


@dataclass
class Figures:
    """What came of it."""

    kills: int = 0
    truth: int = 0
    told: int = 0
    lost: list[str] = field(default_factory=list)
    unreported: list[str] = field(default_factory=list)
    """Lost, and no gap that is not complete says so."""
    invented: list[str] = field(default_factory=list)
    doubled: int = 0
    gaps: int = 0
    incomplete: int = 0
    codes: Counter[int] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.truth} trades in the account, {self.told} told, "
            f"{len(self.lost)} lost ({len(self.unreported)} unreported), {len(self.invented)} invented, {self.doubled} told again, "
            f"{self.gaps} gaps of cause restart, {self.incomplete} of them incomplete, "
            f"exits {dict(self.codes)}"
        )


def kill(
    kills: int,
    exchange: str = "kraken",
    seed: int = 1,
    number: signal.Signals = signal.SIGKILL,
    *,
    launcher: tuple[str, ...] = ("-m", "privstream"),
) -> Figures:
    """Run so many times, each but the last ended at a random moment."""
    random = Random(seed)
    figures = Figures(kills)
    rate = RATES.get(exchange, 20.0)
    with TemporaryDirectory() as folder:
        home = Path(folder)
        with Simulation([exchange], seed=seed, rate=rate, limits=False) as simulation:
            program = Program(home, configured(simulation, home, exchange), launcher)
            launched = begun = time.time_ns()
            for run in range(kills):
                process = start(program, exchange, home, run)
                if run == 0:
                    ready(process)
                    begun = time.time_ns()
                threading.Event().wait(random.uniform(0.0, LONGEST))
                process.send_signal(number)
                figures.codes[finish(process)] += 1
            process = start(program, exchange, home, kills)
            wait_for_gap(home / f"{kills}.jsonl")
            threading.Event().wait(SETTLED)
            ended = time.time_ns() - SETTLED_NS
            process.send_signal(signal.SIGTERM)
            figures.codes[finish(process)] += 1
        truth = trades_of(simulation, exchange)
        wanted = {name: moment for name, moment in truth.items() if begun <= moment <= ended}
        allowed = {name for name, moment in truth.items() if launched <= moment}
        compare(figures, wanted, allowed, events_of(home, kills))
    return figures


def configured(simulation: Simulation, folder: Path, *exchanges: str, accounts: int = 1) -> Path:
    """A config file that leads to the simulated accounts, so many of each, with one key."""
    path = folder / "config.toml"
    path.touch(0o600)
    sections = [_section(simulation, exchange) for exchange in exchanges]
    for exchange in exchanges:
        credentials = simulation.account(exchange, {}).credentials
        secrets = "".join(f'{name} = "{text.reveal()}"\n' for name, text in credentials.items())
        sections += [
            f'[accounts.{exchange}-{number}]\nexchange = "{exchange}"\n{secrets}'
            for number in range(2, accounts + 1)
        ]
    path.write_text("".join(sections))
    return path


def _section(simulation: Simulation, exchange: str) -> str:
    account = simulation.account(exchange, {})
    secrets = [f'{name} = "{text.reveal()}"' for name, text in account.credentials.items()]
    urls = {
        "rest_url": account.endpoints.rest_url,
        "ws_url": account.endpoints.ws_url,
        "history_url": account.endpoints.history_url,
        "api_url": account.endpoints.api_url,
    }
    places = [f'{name} = "{url}"' for name, url in urls.items() if url is not None]
    return "\n".join([f"[accounts.{exchange}]", *secrets, f"[exchanges.{exchange}]", *places, ""])


def trades_of(simulation: Simulation, exchange: str) -> dict[str, int]:
    """The account's trades and when they were; ask when the simulation has ended."""
    market: Market = simulation.exchanges[exchange].market  # type: ignore[attr-defined]  # each has one
    return {trade.trade_id: trade.time_ns for trade in market.books.trades.values()}


def start(program: Program, exchange: str, home: Path, number: int) -> Forked:
    with (home / f"{number}.jsonl").open("w") as out:
        return program.start("watch", exchange, "trades", "--resume", stdout=out.fileno())


def ready(process: Forked) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if "Ready" in line:
            return
    raise AssertionError("it ended before it was ready")


def wait_for_gap(out: Path) -> None:
    deadline = time.monotonic() + 120  # REST may lag by a minute
    while '"gap"' not in out.read_text():
        assert time.monotonic() < deadline, "no gap came"
        threading.Event().wait(0.05)


def finish(process: Forked) -> int:
    with process:
        process.communicate(timeout=20)
    return process.wait()


def events_of(home: Path, kills: int) -> list[dict[str, Any]]:
    events = []
    for number in range(kills + 1):
        lines = (home / f"{number}.jsonl").read_bytes().splitlines()
        for position, line in enumerate(lines):
            try:
                events.append(decode(line))
            except Malformed:
                assert position == len(lines) - 1, "only the last line may be torn"
    return events


def compare(
    figures: Figures, wanted: dict[str, int], allowed: set[str], events: list[dict[str, Any]]
) -> None:
    """Count what is missing, what never was, and what came again."""
    trades = [event for event in events if event["type"] == "trade"]
    told = Counter(event["id"] for event in trades)
    names = {event["trade_id"] for event in trades}
    figures.truth, figures.told = len(wanted), len(told)
    figures.lost = sorted(wanted.keys() - names)
    figures.invented = sorted(names - allowed)
    figures.doubled = sum(told.values()) - len(told)
    gaps = [event for event in events if event["type"] == "gap" and event["cause"] == "restart"]
    figures.gaps = len(gaps)
    incomplete = [gap for gap in gaps if not gap["complete"]]
    figures.incomplete = len(incomplete)
    holes = [(to_nanos(gap["from"]), to_nanos(gap["to"])) for gap in incomplete]
    figures.unreported = [
        name
        for name in figures.lost
        if not any(since <= wanted[name] <= until for since, until in holes)
    ]


def main() -> None:
    """Print the figures."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    exchange = sys.argv[2] if len(sys.argv) > 2 else "kraken"
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    number = signal.Signals[f"SIG{sys.argv[4]}"] if len(sys.argv) > 4 else signal.SIGKILL
    print(kill(kills, exchange, seed, number))


if __name__ == "__main__":
    main()

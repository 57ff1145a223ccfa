"""Holds a whole output against the simulator's truth, and counts what came of the faults.

The one rule: a trade is told, or it lies in a gap that says it is not complete; anything
else is a violation, whatever went wrong in between.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple, TypeAlias

import jsonschema

from privstream.connection.account.backoff import OWN_BUDGET
from privstream.exchanges import find
from privstream.exchanges.bitfinex.executions import GIVE_UP
from privstream.model.events import TERMINAL, TYPES
from privstream.model.rest import Now
from privstream.model.times import to_nanos
from privstream.simulator.base import SimulatedExchange
from privstream.simulator.faults import Happened
from tests.benchmarks.claims import Span, is_late, lateness, untrue_claims
from tests.benchmarks.ends import Ends, untrue_ends
from tests.valid import assert_valid_line

Told: TypeAlias = dict[str, Any]
Truth: TypeAlias = Mapping[str, int]
"""The trades of an account: when each was, in the exchange's order."""
MARGIN = 2.0
"""Seconds: the two ends of a gap are no finer than the last frame that was heard."""
TAKING = frozenset({"lose", "mute", "reorder"})
"""Faults after which the stream itself may tell a trade late, such as within its order."""
AROUND = 5.0
"""Seconds around such a fault: what it takes may have waited in a stalled socket."""
LONGEST = 120.0
"""Seconds after which a connection that a fault struck was surely given up."""
EARLY = 5.0
"""Seconds before the start from which a fill may be told: some times are whole seconds."""
HELD = {"bitfinex": GIVE_UP + 1.0}
"""Seconds that others may overtake a trade: Bitfinex announces it without its fee, so it waits
for the message with the fee, for REST, and is told without after nine seconds. Of the simulated
ones one in eight has its fee late, and one in forty never by the stream."""
SILENT_KINDS = frozenset({"duplicate", "reorder", "drip", "junk", "refuse"})
"""Faults that need not break a connection: no detection time is taken from them."""
ONLY_ENDS = "does not say when an order was canceled"
"""A notice with these words lacks no fill."""
MORE_MEMORY = 8 * 1024
PASSING = {"threads": 1, "descriptors": 2}
"""What an account may hold at the one moment of a sample and not at another: a thread for the
request under way; a socket that connects anew, and a connection for that request. What leaks
with every reconnect is soon more than that, and raises the usual number besides."""


class Sample(NamedTuple):
    """What the process held at one moment."""

    seconds: float
    kilobytes: int
    threads: int
    descriptors: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All that a soak leaves behind."""

    runs: Sequence[Sequence[bytes]]
    """The lines of each run, in order; all but the last were killed."""
    truth: Mapping[str, Truth]
    """By account."""
    happened: Sequence[Happened]
    until_ns: int
    """What happened later may not have been told yet."""
    started_ns: int | None = None
    """When the first run was started; else its first event tells."""
    since: float | None = None
    """History of so many seconds before the first run was asked for."""
    ends: Mapping[str, Ends] = field(default_factory=dict)
    """By account: how it stands when all is over."""
    secrets: Iterable[str] = ()
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Where else no secret may be: what was said on stderr, the files of the state."""
    samples: Sequence[Sample] = ()
    """Of the longest run."""
    exits: Sequence[tuple[int, int]] = ()
    """The code that a run should have ended with, and the one it did."""
    stalls: Sequence[Span] = ()
    """When nobody read."""


@dataclass
class Report:
    """The figures, and what was broken."""

    faults: Counter[str] = field(default_factory=Counter)
    """Those that met somebody, by kind."""
    events: int = 0
    trades: Counter[str] = field(default_factory=Counter)
    by_account: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lost: list[tuple[str, str, int]] = field(default_factory=list)
    """Account, id and time of the trades that were never told."""
    unreported: list[tuple[str, str, int]] = field(default_factory=list)
    """Those of them that no gap owns up to."""
    gaps: Counter[str] = field(default_factory=Counter)
    detection: list[float] = field(default_factory=list)
    """Seconds from a fault to `retrying`, where one alone struck that connection."""
    lateness: list[float] = field(default_factory=list)
    """Seconds from a live trade to its reading."""
    untrue: list[str] = field(default_factory=list)
    """Gaps that say `complete: true` and are not."""
    recovery: list[float] = field(default_factory=list)
    """Seconds from `retrying` to the gap that ends the interruption."""
    samples: Sequence[Sample] = ()
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [
            f"faults      {self.faults.total()} met somebody: {_counted(self.faults)}",
            f"events      {self.events}; gaps: {_counted(self.gaps)}",
            f"trades      {_counted(self.trades)}",
            *(f"  {name:<10}{_counted(of)}" for name, of in sorted(self.by_account.items())),
            f"detection   {_spread(self.detection)}",
            f"recovery    {_spread(self.recovery)}",
            f"lateness    {_spread(self.lateness)}",
            f"claims      {len(self.untrue)} untrue of {_claims(self.gaps)} that say complete",
            f"memory      {_course([s.kilobytes for s in self.samples])} kB",
            f"threads     {_course([s.threads for s in self.samples])}",
            f"descriptors {_course([s.descriptors for s in self.samples])}",
            *(f"BROKEN      {violation}" for violation in self.violations),
        ]
        return "\n".join(rows)


def check(evidence: Evidence) -> Report:
    """Look at all of it; what is broken is in `violations`, each with its invariant's number."""
    report = Report(samples=evidence.samples)
    report.faults = Counter(one.fault.kind for one in evidence.happened if met_somebody(one))
    clean = [due == 0 for due, _ in evidence.exits] or [
        n == len(evidence.runs) - 1 for n in range(len(evidence.runs))
    ]
    runs = [list(_parsed(report, run, whole=clean[n])) for n, run in enumerate(evidence.runs)]
    _check_chain(report, runs, clean)
    events = [event for run in runs for event in run]
    report.events = len(events)
    for run in runs:
        _check_ids(report, run)
        _check_progress(report, run)
    accounts = _by_account(events)
    report.untrue = [
        claim
        for account, truth in evidence.truth.items()
        for claim in untrue_claims(
            account, _since_live(truth, accounts[account]), accounts[account]
        )
    ]
    _broken(report, "I9", report.untrue)
    for account, ends in evidence.ends.items():
        own = accounts[account]
        if since_ns := _live_since(own):  # else nothing of it was promised
            _broken(report, "I11", untrue_ends(account, ends, own, since_ns))
    for account in evidence.truth:
        _check_trades(report, evidence, account, accounts[account])
        _check_lateness(report, evidence, account, accounts[account])
    for run in runs:
        for account, own in _by_account(run).items():
            _check_order(report, evidence, account, own)
            _measure(report, evidence, account, own, whole=run is runs[-1])
            _check_attempts(report, account, own)
    _check_secrets(report, evidence)
    _check_samples(report, evidence.samples, len(evidence.truth))
    wrong = [f"exit {got} instead of {due}" for due, got in evidence.exits if got != due]
    _broken(report, "I8", wrong)
    return report


def met_somebody(one: Happened) -> bool:
    """It struck, and a client was there to feel it."""
    return not one.note and (one.sockets > 0 or one.fault.kind in {"http", "maintenance"})


def truth_of(exchange: SimulatedExchange, now: Now) -> Truth:
    """The trades of a simulated account until now; Bitfinex has a margin desk besides."""
    simulated: Any = exchange  # each has a market, and its own ways besides
    getattr(simulated, "tape", simulated.market).advance(now)
    books = [simulated.market.books.trades]
    if hasattr(simulated, "margin"):
        books.append(simulated.margin.trades)
    trades = [trade for book in books for trade in book.values()]
    return {t.trade_id: t.time_ns for t in sorted(trades, key=lambda trade: trade.time_ns)}


# --- what came out -------------------------------------------------------------------------


def _parsed(report: Report, lines: Sequence[bytes], *, whole: bool) -> Iterator[Told]:
    """I5: each line is an event; the last one of a killed run may be torn."""
    for number, line in enumerate(lines):
        try:
            event: Told = json.loads(line)
            assert_valid_line(line, TYPES[event["type"]])
        except (ValueError, KeyError, AssertionError, jsonschema.ValidationError) as problem:
            if whole or number < len(lines) - 1:
                report.violations.append(f"I5: line {number + 1}: {str(problem)[:200]}")
            continue
        yield event


def _by_account(events: Iterable[Told]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = defaultdict(list)
    for event in events:
        found[event["account"]].append(event)
    return found


def _check_ids(report: Report, run: Sequence[Told]) -> None:
    """I1: no id twice, and no trade under two ids."""
    ids = Counter((e["account"], e["id"]) for e in run if e["id"] is not None)
    trades = Counter((e["account"], e["trade_id"]) for e in run if e["type"] == "trade")
    doubled = {name: count for name, count in (ids | trades).items() if count > 1}
    report.trades["doubled"] += trades.total() - len(trades)
    for account, trade_id in (name for name, count in trades.items() if count > 1):
        report.by_account[account]["doubled"] += trades[account, trade_id] - 1
    _broken(report, "I1", [f"{name} came {count} times" for name, count in doubled.items()])


def _check_chain(report: Report, runs: Sequence[Sequence[Told]], clean: Sequence[bool]) -> None:
    """I1: after a clean stop no trade is told again."""
    for before, after, was_clean in zip(runs, runs[1:], clean, strict=False):
        if was_clean:
            known = {(e["account"], e["trade_id"]) for e in before if e["type"] == "trade"}
            again = {(e["account"], e["trade_id"]) for e in after if e["type"] == "trade"} & known
            report.trades["doubled"] += len(again)
            _broken(report, "I1", [f"{name} came again after a clean stop" for name in again])


def _check_trades(report: Report, evidence: Evidence, account: str, own: Sequence[Told]) -> None:
    """I2: a missing trade lies in a gap that says something is missing; none is invented."""
    truth, until_ns = evidence.truth[account], evidence.until_ns
    since = _asked_since(evidence, own)
    wanted = {name: at for name, at in truth.items() if since <= at <= until_ns}
    told = {e["trade_id"] for e in own if e["type"] == "trade"}
    holes = [e for e in own if e["type"] == "gap" and not e["complete"]]
    lost = [(account, name, at) for name, at in wanted.items() if name not in told]
    unreported = [one for one in lost if not any(_owns_up(gap, one[2]) for gap in holes)]
    invented = sorted(told - truth.keys())
    figures = {
        "true": len(wanted),
        "told": len(wanted) - len(lost),
        "lost": len(lost),
        "lost unreported": len(unreported),
        "invented": len(invented),
    }
    report.lost += lost
    report.unreported += unreported
    started = to_nanos(own[0]["received"]) if own else until_ns
    started = (evidence.started_ns or started) - round((evidence.since or 0.0) * 1e9)
    early = sorted(n for n in told & truth.keys() if truth[n] < started - EARLY * 1e9)
    figures["early"] = len(early)
    report.trades.update(figures)
    report.by_account[account].update(figures)
    _broken(report, "I2", [f"{name} at {at} lost unreported" for name, at in _named(unreported)])
    _broken(report, "I2", [f"{account} {name} never was" for name in invented])
    _broken(report, "I2", [f"{account} {name} is from before the start" for name in early])


def _asked_since(evidence: Evidence, own: Sequence[Told]) -> int:
    """History is owed unless a notice says that it could not all be read."""
    said = [event["text"] for event in own if event.get("code") == "incomplete"]
    is_short = any(ONLY_ENDS not in text for text in said)
    if evidence.since is not None and own and not is_short:
        return to_nanos(own[0]["received"]) - round(evidence.since * 1e9)
    lives = (to_nanos(event["received"]) for event in own if event.get("state") == "live")
    return next(lives, evidence.until_ns)


def _since_live(truth: Truth, own: Sequence[Told]) -> Truth:
    """What happened before the first connection was live is not asked for."""
    since = _live_since(own)
    return {name: at for name, at in truth.items() if at >= since}


def _live_since(own: Sequence[Told]) -> int:
    return next((to_nanos(e["received"]) for e in own if e.get("state") == "live"), 0)


def _check_lateness(report: Report, evidence: Evidence, account: str, own: Sequence[Told]) -> None:
    """I10: live events are not held back, whatever is read beside them."""
    faults = [
        (
            o.wall_ns - round(AROUND * 1e9),
            o.wall_ns + round((min(o.fault.seconds, LONGEST) + AROUND) * 1e9),
        )
        for o in _struck(evidence, own)
    ]
    excused = [*evidence.stalls, *faults, *_interruptions(own)]
    found = lateness(evidence.truth[account], own, excused)
    report.lateness += found
    exchange = next((event["exchange"] for event in own), "")
    if is_late(found, HELD.get(exchange, 0.0)):
        report.violations.append(f"I10: {account}: live trades {_spread(found)}")


def _owns_up(gap: Told, time_ns: int) -> bool:
    margin = round(MARGIN * 1e9)
    return to_nanos(gap["from"]) - margin <= time_ns <= to_nanos(gap["to"]) + margin


def _named(trades: Iterable[tuple[str, str, int]]) -> Iterator[tuple[str, int]]:
    return ((f"{account} {trade_id}", at) for account, trade_id, at in trades)


def _check_order(report: Report, evidence: Evidence, account: str, own: Sequence[Told]) -> None:
    """I3: the stream's trades in the exchange's order, but for what a fault took out of it."""
    truth = evidence.truth.get(account, {})
    taken = [one for one in _struck(evidence, own) if one.fault.kind in TAKING]
    hidden = _interruptions(own)
    latest = started = _live_since(own) or to_nanos(own[-1]["received"])
    for trade in own:
        at = truth.get(trade.get("trade_id", ""), 0)
        if trade["type"] != "trade" or trade["source"] != "stream" or at < started:
            continue
        late = (latest - at) / 1e9
        held = round(HELD.get(trade["exchange"], 0.0) * 1e9)
        excused = any(_took(one, at) for one in taken) or _nobody_read(evidence, at, held)
        excused = excused or any(since <= at <= until for since, until in hidden)
        if late > held / 1e9 and not excused:
            report.violations.append(f"I3: {account} {trade['trade_id']} is {late:.3f} s too late")
        latest = max(latest, at)


def _interruptions(own: Iterable[Told]) -> list[Span]:
    """What happened in one of these the stream itself may tell later, with its order's next word."""
    gaps = [event for event in own if event["type"] == "gap"]
    return [(to_nanos(gap["from"]), to_nanos(gap["to"])) for gap in gaps]


def _struck(evidence: Evidence, own: Sequence[Told]) -> list[Happened]:
    """The faults of the exchange whose account it is."""
    exchange = own[0]["exchange"] if own else ""
    return [o for o in evidence.happened if o.exchange == exchange and met_somebody(o)]


def _nobody_read(evidence: Evidence, time_ns: int, held_ns: int) -> bool:
    """Not when it came, or not when what was held of it would have been told."""
    margin = round(AROUND * 1e9)
    return any(
        since - margin - held_ns <= time_ns <= until + margin for since, until in evidence.stalls
    )


def _took(one: Happened, time_ns: int) -> bool:
    after = (time_ns - one.wall_ns) / 1e9
    return -AROUND <= after <= one.fault.seconds + AROUND


def _check_progress(report: Report, run: Iterable[Told]) -> None:
    """I3: no order runs backwards, wherever the word came from."""
    stood: dict[tuple[str, str], Told] = {}
    for event in run:
        if event["type"] != "order":
            continue
        name = (event["account"], event["order_id"])
        before = stood.get(name)
        if before is not None and _is_backwards(before, event):
            was, is_now = (f"{e['status']} {e['filled']}" for e in (before, event))
            report.violations.append(f"I3: {name} from {was} back to {is_now}")
        stood[name] = event


def _is_backwards(before: Told, after: Told) -> bool:
    reopened = before["status"] in TERMINAL and after["status"] not in TERMINAL
    return reopened or float(after["filled"] or 0) < float(before["filled"] or 0)


# --- how the connection did ----------------------------------------------------------------


def _measure(
    report: Report, evidence: Evidence, account: str, own: Sequence[Told], *, whole: bool
) -> None:
    """How long it took to notice and to come back; I2: every interruption has its gap."""
    struck = _struck(evidence, own)
    live_at = lost_at = None
    for event in own:
        at = to_nanos(event["received"])
        if event["type"] == "gap":
            report.gaps[f"{event['cause']} {'' if event['complete'] else 'in'}complete"] += 1
            if lost_at is not None and event["cause"] not in {"rest_lag", "drift"}:
                report.recovery.append((at - lost_at) / 1e9)
                lost_at = None
        elif event.get("state") == "live":
            live_at = at
        elif event.get("state") == "retrying" and live_at is not None:
            report.detection += _alone(struck, live_at, at)
            lost_at, live_at = lost_at or at, None
    if whole and lost_at is not None and lost_at < evidence.until_ns:
        report.violations.append(f"I2: {account}: an interruption of {lost_at} has no gap")


def _alone(struck: Iterable[Happened], since: int, until: int) -> list[float]:
    """From the one fault in this time that may have broken the connection."""
    inside = [o for o in struck if since <= o.wall_ns <= until and o.fault.kind not in SILENT_KINDS]
    return [(until - inside[0].wall_ns) / 1e9] if len(inside) == 1 else []


def _check_attempts(report: Report, account: str, own: Iterable[Told]) -> None:
    """I7: within our own budget and the exchange's."""
    tried = [to_nanos(e["received"]) for e in own if e.get("state") == "connecting"]
    exchange = next(e["exchange"] for e in own)
    for count, seconds in (OWN_BUDGET, find(exchange).limits.connects):
        spans = [late - early for early, late in zip(tried, tried[count:], strict=False)]
        if spans and min(spans) < (seconds - 0.1) * 1e9:
            report.violations.append(f"I7: {account}: over {count} attempts in {seconds} s")


def _check_secrets(report: Report, evidence: Evidence) -> None:
    """I4: nowhere."""
    output = b"\n".join(line for run in evidence.runs for line in run)
    places = {"the output": output, **evidence.texts}
    for secret in evidence.secrets:
        found = [place for place, text in places.items() if secret.encode() in text]
        _broken(report, "I4", [f"a secret is in {place}" for place in found])


def _check_samples(report: Report, samples: Sequence[Sample], accounts: int) -> None:
    """I6: the last third holds no more than the first, but for what comes and goes."""
    third = len(samples) // 3
    if not third:
        return
    first, last = samples[:third], samples[-third:]
    before, after = (median(s.kilobytes for s in part) for part in (first, last))
    if after > before + MORE_MEMORY:
        report.violations.append(f"I6: {before:.0f} kB became {after:.0f}")
    for name, of in (("threads", _threads), ("descriptors", _descriptors)):
        for which, how, spare in (("usual", median, 1), ("most", max, PASSING[name])):
            was, became = (how(map(of, part)) for part in (first, last))
            if became > was + spare * accounts:
                report.violations.append(f"I6: {was:g} {name} ({which}) became {became:g}")


def _threads(one: Sample) -> int:
    return one.threads


def _descriptors(one: Sample) -> int:
    return one.descriptors


# --- how it is said ------------------------------------------------------------------------


def _broken(report: Report, invariant: str, sentences: Iterable[str]) -> None:
    report.violations += [f"{invariant}: {sentence}" for sentence in sentences]


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _claims(gaps: Mapping[str, int]) -> int:
    return sum(count for name, count in gaps.items() if name.endswith(" complete"))


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none measured"
    ranked = sorted(seconds)
    p50, p95 = (ranked[min(len(ranked) - 1, int(len(ranked) * p))] for p in (0.5, 0.95))
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s, longest {ranked[-1]:.2f} s, of {len(ranked)}"


def _course(figures: Sequence[int]) -> str:
    third = len(figures) // 3
    if not third:
        return "not sampled"
    first, last = median(figures[:third]), median(figures[-third:])
    return f"{first:.0f} (first third) -> {last:.0f} (last third), peak {max(figures)}"

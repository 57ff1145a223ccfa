"""A report for programs: JSON lines, or a table of comma-separated values.

The one rule: a spreadsheet that opens it runs nothing: a cell that could be a formula is text.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from privstream.model.exact import ascii_line, encode
from privstream.model.fill_report import FillReport, Market
from privstream.model.fill_sums import FillSums, amounts, plain, quote_of

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
COLUMNS = [
    "account",
    "exchange",
    "day",
    "symbol",
    "quote",
    "fills",
    "bought",
    "bought_cost",
    "average_buy",
    "sold",
    "sold_cost",
    "average_sell",
    "volume",
    "maker_share",
    "fees",
    "net",
    "estimated",
    "unknown",
]


def json_lines(report: FillReport) -> Iterator[bytes]:
    """One object for every day of a market, every market, all of it, and the report itself."""
    for day, market, sums in report.by_day():
        yield _line({"type": "day", "day": day, **_of_market(market, sums)})
    for market, sums in report.markets().items():
        yield _line({"type": "symbol", **_of_market(market, sums)})
    total = report.total()
    yield _line({"type": "total", "fills": total.fills, **_of_currencies(total)})
    yield _line(
        {
            "type": "report",
            "from": report.since,
            "to": report.until,
            "proven_to": report.proven_until,
            "complete": report.complete,
            "missing": [
                {"account": one.account, "from": one.since, "to": one.until, "why": one.why}
                for one in report.missing
            ],
        }
    )


def _line(said: dict[str, Any]) -> bytes:
    return ascii_line(encode(said)) + b"\n"


def _of_market(market: Market, sums: FillSums) -> dict[str, Any]:
    share = sums.maker_share
    return {
        "account": market.account,
        "exchange": market.exchange,
        "symbol": market.symbol,
        "quote": quote_of(market.symbol),
        "fills": sums.fills,
        "bought": plain(sums.bought),
        "bought_cost": plain(sums.bought_cost),
        "average_buy": None if sums.average_buy is None else plain(sums.average_buy),
        "sold": plain(sums.sold),
        "sold_cost": plain(sums.sold_cost),
        "average_sell": None if sums.average_sell is None else plain(sums.average_sell),
        "volume": plain(sums.volume),
        "maker_share": None if share is None else plain(share),
        **_of_currencies(sums),
    }


def _of_currencies(sums: FillSums) -> dict[str, Any]:
    return {
        "fees": amounts(sums.fees),
        "net": amounts(sums.net),
        "estimated": sums.estimated,
        "unknown": {what: count for what, count in sorted(sums.unknown.items()) if count},
    }


def csv_text(report: FillReport) -> str:
    """One row for every day of a market, below a row of names."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    rows.writerow(COLUMNS)
    for day, market, sums in report.by_day():
        values = {"day": day, **_of_market(market, sums)}
        rows.writerow([_cell(values[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> str:
    """As text; what a spreadsheet would take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, dict):
        value = "; ".join(f"{name} {amount}" for name, amount in value.items())
    text = str(value)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text

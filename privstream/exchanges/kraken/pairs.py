"""What Kraken's REST calls a pair, and what its sockets do: `XXBTZUSD` and `XBTUSD` are `XBT/USD`.

The one rule: a name only decorates. What cannot be learnt is left out; it costs no fact.

Quirks
    * AssetPairs lists ordinary pairs; those of tokenized stocks (`AAPLxUSD`) are another class,
      to be asked for with `aclass_base=tokenized_asset`. Capitals count.
    * It refuses the whole list for one name that it does not know, like a delisted pair's.
    * A listed pair may lack `wsname`.

Source
    docs.kraken.com, Get Tradable Asset Pairs; Kraken.Net issue 146 and nautilus_trader issue
    3455 on tokenized pairs; checked 2026-11-30.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from privstream.exchanges.kraken import names
from privstream.exchanges.kraken.refusals import UnknownPair
from privstream.model.errors import Interrupted, Refused, Unreachable
from privstream.model.reports import NoticeReport
from privstream.model.rest import RestFlow

ORDINARY, TOKENIZED = CLASSES = "currency", "tokenized_asset"
Row = Mapping[str, Any]
AskPairs = Callable[[Sequence[str], str], RestFlow[Mapping[str, Row]]]
"""AssetPairs of these names, of one class. Raises UnknownPair where one of them is none of it."""


class Wanted(NamedTuple):
    """A pair as a row names it, and the class that the row says it is of."""

    name: str
    aclass: str | None = None

    @property
    def likely(self) -> str:
        return TOKENIZED if self.aclass == TOKENIZED else ORDINARY


def wanted_in(row: object) -> Wanted | None:
    """The pair that a row of an order or a fill names."""
    described = row.get("descr") if isinstance(row, dict) else None
    named = row if described is None else described
    if not isinstance(named, dict) or not isinstance(named.get("pair"), str):
        return None
    aclass = named.get("aclass")
    return Wanted(named["pair"], aclass if isinstance(aclass, str) else None)


def wanted_by(rows: Iterable[object]) -> Iterator[Wanted]:
    """The pairs that rows name."""
    return filter(None, map(wanted_in, rows))


class Pairs:
    """The pairs that are known, by each of their names; one lasts as long as its account."""

    def __init__(self) -> None:
        self._listed: dict[str, str | None] = {}
        """By REST's name; `None` where it is unlisted, or lists no name that can be told."""
        self._heard: dict[str, set[str]] = {}
        """What sockets wrote, by what is left without the slash."""

    def get(self, name: str) -> str | None:
        """The pair as v1 writes it, `XBT/USD`; `None` where it is not known."""
        if "/" in name:
            return name
        heard = self._heard.get(name, ())
        return self._listed.get(name) or (next(iter(heard)) if len(heard) == 1 else None)

    def of(self, row: object) -> str | None:
        """The pair of an order's or a fill's row."""
        named = wanted_in(row)
        return None if named is None else self.get(named.name)

    def lacks(self, wanted: Wanted) -> bool:
        """It is not known and was never asked for."""
        return wanted.name not in self._listed and self.get(wanted.name) is None

    def heard(self, symbol: str) -> None:
        """A socket wrote this pair, which REST may call the same without its slash."""
        base, _, quote = symbol.partition("/")
        base, quote = names.uncommon(base), names.uncommon(quote)
        self._heard.setdefault(f"{base}{quote}", set()).add(f"{base}/{quote}")

    def take(self, rows: Mapping[str, Row]) -> None:
        """Rows of AssetPairs, by their keys."""
        for key, row in rows.items():
            name = wsname_of(row)
            for spelling in (key, row.get("altname")):
                if isinstance(spelling, str):
                    self._listed[spelling] = name

    def miss(self, wanted: Wanted) -> None:
        """It is listed nowhere."""
        self._listed[wanted.name] = None


def wsname_of(row: Row) -> str | None:
    """How v1 writes a listed pair: as its row says, or as its two assets make up its other name."""
    name, altname = row.get("wsname"), row.get("altname")
    if isinstance(name, str) and "/" in name:
        return name
    for base in _short(row.get("base")):
        for quote in _short(row.get("quote")):
            if f"{base}{quote}" == altname:
                return f"{base}/{quote}"
    return None


def _short(code: object) -> tuple[str, ...]:
    """`XXBT` may be `XBT`."""
    if not isinstance(code, str) or not code:
        return ()
    return code, names.short(code)


# --- asking ----------------------------------------------------------------------------


def learn(
    pairs: Pairs, wanted: Iterable[Wanted], ask: AskPairs
) -> RestFlow[tuple[NoticeReport, ...]]:
    """Ask for the names that are not known, each once.

    Returns a notice where Kraken could not be asked: then they are asked for another time.
    """
    missing = {one for one in wanted if pairs.lacks(one)}
    try:
        for likely in (True, False):
            for aclass in CLASSES:
                asked = {one.name for one in missing if (one.likely == aclass) is likely}
                yield from _learn_class(pairs, sorted(asked), aclass, ask)
            missing = {one for one in missing if pairs.lacks(one)}
    except Interrupted:
        raise
    except (Refused, Unreachable) as problem:
        why = f"the names of pairs could not be read: {problem.message}"
        return (
            NoticeReport(
                level="warning", code="unrecognised", text=why, once="pairs", source="rest"
            ),
        )
    for one in missing:
        pairs.miss(one)
    return ()


def _learn_class(pairs: Pairs, asked: list[str], aclass: str, ask: AskPairs) -> RestFlow[None]:
    """One class's pairs of these names; a list that is refused is asked for in halves."""
    if not asked:
        return
    try:
        pairs.take((yield from ask(asked, aclass)))
    except UnknownPair:
        if len(asked) > 1:
            half = len(asked) // 2
            yield from _learn_class(pairs, asked[:half], aclass, ask)
            yield from _learn_class(pairs, asked[half:], aclass, ask)

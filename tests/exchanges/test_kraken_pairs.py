"""Names of Kraken's pairs only decorate: no fact is lost for one that cannot be learnt."""

from collections.abc import Mapping
from typing import Any

import pytest

from privstream.exchanges.kraken.pairs import ORDINARY, TOKENIZED, Pairs, Wanted, learn, wsname_of
from privstream.exchanges.kraken.refusals import UnknownPair
from privstream.model.errors import Unavailable
from privstream.model.events import Gap, Order, Trade
from privstream.model.reports import NoticeReport
from privstream.model.rest import RestFlow
from tests.joined import World
from tests.rest_play import answer, play

LISTED: Mapping[str, Mapping[str, Any]] = {
    ORDINARY: {"XXBTZEUR": {"altname": "XBTEUR", "wsname": "XBT/EUR"}, "SOLEUR": {"wsname": None}},
    TOKENIZED: {"AAPLxUSD": {"altname": "AAPLxUSD", "wsname": "AAPLx/USD"}},
}


class Asked:
    """AssetPairs as strict as Kraken's: one unknown name refuses the list."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], str]] = []

    def __call__(self, names: Any, aclass: str) -> RestFlow[Mapping[str, Mapping[str, Any]]]:
        self.asked.append((tuple(names), aclass))
        listed = LISTED[aclass]
        by_name = {n: k for k, row in listed.items() for n in (k, row.get("altname"))}
        if not set(names) <= by_name.keys():
            raise UnknownPair("EQuery:Unknown asset pair")
        return {by_name[name]: listed[by_name[name]] for name in names}
        yield


def learnt(*wanted: Wanted) -> tuple[Pairs, Asked]:
    pairs, ask = Pairs(), Asked()
    assert play(learn(pairs, wanted, ask), lambda *_: answer({})) == ()
    return pairs, ask


def test_an_unlisted_pair_hides_none_of_the_others() -> None:
    names = ("XBTEUR", "LUNA2EUR", "XXBTZEUR", "USTEUR")
    pairs, ask = learnt(*map(Wanted, names))
    assert [pairs.get(name) for name in names] == ["XBT/EUR", None, "XBT/EUR", None]
    play(learn(pairs, map(Wanted, names), ask), lambda *_: answer({}))
    assert (
        len([asked for asked, _ in ask.asked if "LUNA2EUR" in asked]) < 8
    )  # it is not asked for again


def test_a_tokenized_pair_is_asked_for_in_its_own_class() -> None:
    pairs, ask = learnt(Wanted("AAPLxUSD", TOKENIZED), Wanted("XBTEUR", "forex"))
    assert pairs.get("AAPLxUSD") == "AAPLx/USD"
    assert ask.asked == [(("XBTEUR",), ORDINARY), (("AAPLxUSD",), TOKENIZED)]


def test_the_class_may_be_unsaid() -> None:
    pairs, _ask = learnt(Wanted("AAPLxUSD"))
    assert pairs.get("AAPLxUSD") == "AAPLx/USD"


def test_what_a_socket_wrote_need_not_be_asked_for() -> None:
    pairs = Pairs()
    pairs.heard("NVDAx/USD")
    pairs.heard("BTC/USD")
    pairs.heard("A/BUSD")
    pairs.heard("AB/USD")
    assert [pairs.get(n) for n in ("NVDAxUSD", "XBTUSD", "ABUSD")] == ["NVDAx/USD", "XBT/USD", None]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({"altname": "XBTEUR", "wsname": "XBT/EUR"}, "XBT/EUR"),
        ({"altname": "XBTEUR", "base": "XXBT", "quote": "ZEUR"}, "XBT/EUR"),
        ({"altname": "FLREUR", "base": "FLR", "quote": "ZEUR", "wsname": None}, "FLR/EUR"),
        ({"altname": "ODD", "base": "FLR", "quote": "ZEUR"}, None),
        ({"base": 7}, None),
    ],
)
def test_a_listed_pair_without_its_name_has_that_of_its_assets(
    row: dict[str, Any], name: str | None
) -> None:
    assert wsname_of(row) == name


def test_names_that_cannot_be_asked_for_are_said_to_lack_and_asked_for_later() -> None:
    pairs = Pairs()

    def busy(_names: Any, _aclass: str) -> RestFlow[Mapping[str, Mapping[str, Any]]]:
        raise Unavailable("Kraken is busy")
        yield

    (notice,) = play(learn(pairs, [Wanted("XBTEUR")], busy), lambda *_: answer({}))
    assert isinstance(notice, NoticeReport)
    assert "names of pairs" in notice.text
    assert pairs.lacks(Wanted("XBTEUR"))


def test_orders_of_odd_pairs_are_read_back_after_an_interruption() -> None:
    world = World("kraken", seed=3, rate=2.0, odd_pairs=True)
    events = world.at(5, World.cut).at(5, World.down, 40).watch(240)
    (gap,) = [event for event in events if isinstance(event, Gap)]
    back = [e for e in events if isinstance(e, Order | Trade) and e.source == "rest"]
    assert gap.complete, gap.detail
    assert {"AAPLx/USD", "LUNA2/EUR", "FLR/EUR"} & {event.symbol for event in back}
    assert all(event.symbol or event.exchange_symbol == "LUNA2EUR" for event in back)

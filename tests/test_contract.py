"""What every exchange must bring along; a new one is held to it as soon as it is there."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from privstream import exchanges, simulator
from privstream.exchanges.base import Exchange
from privstream.model.account import Account, Secret, Token
from privstream.model.reports import Known
from privstream.model.rest import Now, Stamp
from privstream.model.session import Action, Delivered, Session
from privstream.simulator.base import SimulatedExchange
from tests.joined import World
from tests.rest_play import answer, play

HEADINGS = ("Login", "Wire examples", "Quirks", "Source")
KINDS = {"orders", "trades", "balances", "positions", "notices", "prices"}
TESTS = Path(__file__).parent
NAMES = exchanges.names()
every_exchange = pytest.mark.parametrize("name", NAMES)


def an_account(kind: type[Exchange]) -> Account:
    secrets = {key: Secret("c2VjcmV0") for key in kind.credentials}
    return Account(kind.name, kind.name, secrets, kind.endpoints({}))


def test_there_is_an_exchange() -> None:
    assert "kraken" in NAMES


@every_exchange
def test_it_is_named_like_its_module(name: str) -> None:
    kind = exchanges.find(name)
    assert kind.name == name
    assert kind.title
    assert not inspect.isabstract(kind)


@every_exchange
def test_its_file_says_login_wire_quirks_and_source(name: str) -> None:
    document = inspect.getdoc(inspect.getmodule(exchanges.find(name))) or ""
    assert [heading for heading in HEADINGS if f"\n{heading}\n" not in document] == []
    assert "2026-" in document, "the date when the source was checked"


@every_exchange
def test_its_channels_are_of_the_known_kinds(name: str) -> None:
    kind = exchanges.find(name)
    assert set(kind.channels) <= KINDS
    assert set(kind.extra_channels) <= set(kind.channels)
    usual = kind(an_account(kind)).select(())
    assert usual
    assert not set(usual) & set(kind.extra_channels)


@every_exchange
def test_its_real_addresses_are_encrypted(name: str) -> None:
    kind = exchanges.find(name)
    for option in kind.options or (None,):
        for choice in option.choices if option else ("",):
            found = kind.endpoints({option.name: choice} if option else {})
            assert urlsplit(found.rest_url).scheme == "https"
            assert urlsplit(found.ws_url).scheme == "wss"


@every_exchange
def test_its_limits_are_sane(name: str) -> None:
    limits = exchanges.find(name).limits
    count, seconds = limits.connects
    assert 0 < count <= 2000
    assert seconds > 0
    assert all(part > 0 for part in limits.rest_budget)
    assert 0 < limits.login <= 30


@every_exchange
def test_it_dials_without_showing_its_secret_in_the_address(name: str) -> None:
    kind = exchanges.find(name)
    exchange = kind(an_account(kind))
    stamp = Stamp(Now(1_780_000_000_000_000_000, 0.0), 1)
    handshake = exchange.handshake(stamp)
    assert handshake.url.startswith("wss://")
    assert "c2VjcmV0" not in handshake.url
    assert "origin" not in {header.lower() for header in handshake.headers}


@every_exchange
def test_it_has_a_simulator_that_knows_its_account(name: str) -> None:
    assert name in simulator.names()
    made: SimulatedExchange = simulator.find(name)(seed=1, rate=1.0)
    account = made.account("http://127.0.0.1:1", {})
    assert account.exchange == name == made.name
    kind = exchanges.find(name)
    assert set(account.credentials) >= set(kind.credentials)
    kind.check_endpoints(account.endpoints, account.options)


@every_exchange
def test_it_has_dialogues_and_holds_real_frames(name: str) -> None:
    tests = "\n".join(path.read_text() for path in (TESTS / "exchanges").glob(f"test_{name}*.py"))
    assert "Playbook(" in tests
    assert "needs_corpus" in tests or "corpus" in tests
    assert list((TESTS / "simulator").glob(f"test_{name}*.py"))


@every_exchange
def test_its_stream_proves_again_and_again_what_it_has_delivered(name: str) -> None:
    run = World(name, limits=False)
    proofs = Proofs(run)
    run.watch(40)
    until = [proof.monotonic for proof in proofs.told]
    assert until == sorted(until)
    assert len(until) >= 3
    assert until[-1] > run.clock.now().monotonic - 15


@every_exchange
def test_a_stream_that_comes_late_proves_no_more_than_what_came(name: str) -> None:
    run = World(name, limits=False)
    proofs = Proofs(run)
    last = run.clock.now().monotonic + 20
    run.at(20, World.mute, 15)
    run.watch(33)
    assert proofs.told
    assert all(proof.monotonic <= last for proof in proofs.told)


class Proofs:
    """What an exchange's sessions prove to have been delivered."""

    def __init__(self, run: World) -> None:
        self.told: list[Now] = []
        self._session = run.exchange.session
        run.exchange.session = self._made  # type: ignore[method-assign]  # it watches the real one

    def _made(self, token: Token | None, channels: tuple[str, ...]) -> Session:
        session = self._session(token, channels)
        tick = session.tick

        def watched(now: Now) -> Iterator[Action]:
            for action in tick(now):
                if isinstance(action, Delivered):
                    self.told.append(action.until)
                yield action

        session.tick = watched  # type: ignore[method-assign]  # as above
        return session


@every_exchange
def test_its_reading_back_says_which_parts_failed_and_why(name: str) -> None:
    kind = exchanges.find(name)
    exchange = kind(an_account(kind))
    channels = exchange.select(())
    moment = 1_780_000_000 * 10**9
    known = Known(since_ns=moment - 10**9, until_ns=moment, channels=channels)
    found = play(exchange.backfill(known), lambda *_: answer("", 503))
    assert not found.complete
    assert found.retryable
    for part in re.split("; (?=[a-z])", found.detail or ""):
        assert re.match(r"[a-z ,]+: .*503", part), part

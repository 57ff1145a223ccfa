"""Whether a host can be reached and trusted, and what is said where not."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from privstream.connection.clock import SystemClock
from privstream.doctor.findings import Finding
from privstream.doctor.reach import Place, places_of, reach
from privstream.model.account import Endpoints
from privstream.model.errors import Exit
from privstream.simulator.server import Simulation
from tests.connection.certificates import Certificates
from tests.connection.loopback import Server, read_until_closed, serve
from tests.doctor.machine import Machine


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine) -> Certificates:
    assert machine.home, "which comes first: it clears the environment"
    return Certificates(tmp_path, monkeypatch)


@pytest.fixture
def dead_port() -> Iterator[int]:
    """Bound, but nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def reached(server: Server, *, moved: bool = False) -> Finding:
    place = Place("localhost", server.port, True, ("rest_url",))
    return reach(place, SystemClock(), os.environ, moved=moved)


def test_a_certificate_that_verifies_is_well(certificates: Certificates) -> None:
    with serve(read_until_closed, certificates.good()) as server:
        found = reached(server)
    assert found.ok
    assert "certificate verified" in found.message


@pytest.mark.parametrize(
    ("why", "reason", "mend"),
    [
        ("expired", "certificate has expired", "date -u"),
        ("wrong host", "not valid for 'localhost'", "check rest_url"),
        ("unknown authority", "unable to get local issuer", "unset SSL_CERT_FILE"),
    ],
)
def test_each_kind_of_bad_certificate_is_told_by_its_reason(
    certificates: Certificates, why: str, reason: str, mend: str
) -> None:
    with serve(read_until_closed, certificates.refused(why)) as server:
        found = reached(server, moved=True)
    assert found.exit is Exit.UNREACHABLE
    assert reason in found.message
    assert mend in str(found.hint)


def test_an_unknown_authority_without_a_store_of_ones_own_is_an_interception(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name)
    with serve(read_until_closed, certificates.good()) as server:
        found = reached(server)
    assert "intercepts" in str(found.hint)


def test_advice_about_the_trust_store_mends_it(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = os.environ["SSL_CERT_FILE"]
    (tmp_path / "other.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    with serve(read_until_closed, certificates.good()) as server:
        assert str(reached(server).hint).endswith("unset SSL_CERT_FILE")
        monkeypatch.setenv("SSL_CERT_FILE", right)
        assert reached(server).ok


def test_a_dead_port_is_found_and_its_advice_mends_it(
    machine: Machine, simulation: Simulation, dead_port: int
) -> None:
    dead = f"http://127.0.0.1:{dead_port}"
    machine.configure(simulation, "kraken", rest_url=dead)
    found = machine.examine()
    error = found.error()
    assert error.check == "rest_host"
    assert error.exit is Exit.UNREACHABLE
    assert error.hint == (
        f"nothing listens on port {dead_port} there: start it, or check rest_url in the config file"
    )
    assert found.one("socket_host").ok
    assert {found.one(check).level for check in ("clock", "key")} == {"skipped"}
    assert machine.configure(simulation, "kraken").examine().is_well()


def test_a_name_that_does_not_resolve_is_told() -> None:
    place = Place("nowhere.invalid", 443, True, ("ws_url",))
    found = reach(place, SystemClock(), {}, moved=False)
    assert "its name does not resolve" in found.message
    assert found.check == "socket_host"
    assert "getent hosts nowhere.invalid" in str(found.hint)


def test_a_proxy_that_is_dead_is_told_in_place_of_the_host(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, dead_port: int
) -> None:
    assert machine.home
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{dead_port}")
    place = Place("exchange.test", 443, True, ("rest_url",))
    found = reach(place, SystemClock(), os.environ, moved=False)
    assert f"the proxy 127.0.0.1:{dead_port}" in found.message
    assert "https_proxy" in str(found.hint)


def test_a_host_that_serves_both_is_reached_once() -> None:
    endpoints = Endpoints("https://a.test", "wss://a.test/ws", "https://b.test:8443/x")
    assert [str(place) for place in places_of(endpoints)] == [
        "REST and socket a.test:443",
        "history b.test:8443",
    ]
    assert [place.check for place in places_of(endpoints)] == ["rest_host", "history_host"]

"""Whom to trust, and which hosts are our own machine."""

import os
import ssl
from pathlib import Path

import pytest
import trustme

from privstream.connection import network
from privstream.connection.network import is_loopback, make_tls_context, proxy_for, tls_context
from privstream.connection.rest.adapter import Adapter


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_only_literal_loopback_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "localhost.evil.test",
        "127.0.0.1.nip.io",
        "::ffff:10.0.0.1",
        "api.kraken.com",
        "0.0.0.0",  # noqa: S104 - a name to judge, nothing is bound
        "",
    ],
)
def test_what_only_looks_like_loopback_is_not(host: str) -> None:
    assert not is_loopback(host)


def test_the_context_verifies_chain_and_name_with_a_modern_protocol() -> None:
    context = tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_all_connections_share_one_context_until_the_certificates_change(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each one read costs a megabyte: a process of many connections grew by it."""
    store = tmp_path / "certificates.pem"
    trustme.CA().cert_pem.write_to_path(str(store))
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    first = tls_context()
    assert tls_context() is first
    os.utime(store, (1, 1))
    assert tls_context() is not first
    assert make_tls_context() is not tls_context()


def test_fifty_requests_that_break_read_the_certificates_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))  # not yet read by any test
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        made.append(make_tls_context())
        return made[-1]

    monkeypatch.setattr(network, "make_tls_context", make)
    for _ in range(50):
        Adapter().close()
    assert len(made) == 1


def test_a_system_without_any_certificates_gets_those_of_certifi(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/file")
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent/folder")
    assert tls_context().cert_store_stats()["x509_ca"] > 50


def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "kraken.com")
    assert proxy_for("api.kraken.com") is None
    assert proxy_for("api.bitfinex.com") is not None


def test_a_proxy_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:PSCANARY@proxy.example:3128")
    proxy = proxy_for("api.kraken.com")
    assert proxy is not None
    assert "PSCANARY" not in repr(proxy) + str(proxy)
    assert proxy.url == "http://me:PSCANARY@proxy.example:3128"

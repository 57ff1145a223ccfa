"""Which URLs the config file may give."""

import pytest

from privstream.settings.endpoints import is_loopback, read_url


@pytest.mark.parametrize(
    "url",
    [
        "https://api.exchange.test",
        "https://api.exchange.test:8443/prefix",
        "https://10.1.2.3",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1:8900",
        "http://127.9.8.7",
        "http://[::1]:8900",
        "http://localhost:8900",
    ],
)
def test_a_rest_url_is_encrypted_or_on_this_machine(url: str) -> None:
    assert read_url("rest_url", url) == url
    assert read_url("ws_url", url.replace("http", "ws", 1)) == url.replace("http", "ws", 1)


@pytest.mark.parametrize(
    "host",
    [
        "api.exchange.test",
        "10.0.0.1",
        "192.168.1.1",
        "0.0.0.0",  # noqa: S104 - nothing binds to it
        "localhost.evil.test",
        "localhost.",
        "evil-localhost",
        "127.0.0.1.nip.io",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::ffff:10.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "[fe80::1]",
    ],
)
@pytest.mark.parametrize(("key", "scheme"), [("rest_url", "http"), ("ws_url", "ws")])
def test_unencrypted_leads_to_nowhere_but_this_machine(host: str, key: str, scheme: str) -> None:
    with pytest.raises(ValueError, match="since the host is not this machine"):
        read_url(key, f"{scheme}://{host}:8900/v2")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://user@127.0.0.1", "user name"),
        ("https://user:word@exchange.test", "user name"),
        ("http://127.0.0.1:80@evil.test", "user name"),
        ("http://@127.0.0.1", "user name"),
        ("http://127.0.0.1\\@evil.test", "backslashes"),
        ("https://exchange.test/a b", "spaces"),
        ("https://exchange.test/\r\nX-Header:1", "special"),
        ("https://exch\u0430nge.test", "special"),
        ("https://exchange.test#part", "fragment"),
        ("https://exchange.test#", "fragment"),
        ("https://exchange.test?a=1", "query"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://:8443", "host"),
        ("https:exchange.test", "host"),
        ("https://exchange.test%00.evil.test", "host"),
        ("https://exchange..test", "host"),
        ("https://exchange.test:99999", "not a URL"),
        ("https://exchange.test:port", "not a URL"),
        ("https://[::1", "not a URL"),
        ("exchange.test", "begin with https"),
        ("", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("wss://exchange.test", "begin with https"),
    ],
)
def test_a_rest_url_of_another_shape_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_url("rest_url", url)


def test_a_rest_url_loses_its_last_slash_and_a_socket_url_keeps_it() -> None:
    assert read_url("rest_url", "https://exchange.test/api/") == "https://exchange.test/api"
    assert read_url("ws_url", "wss://exchange.test/ws/") == "wss://exchange.test/ws/"


def test_a_socket_url_may_hold_a_query_but_no_fragment() -> None:
    url = "wss://exchange.test/ws/?ping=true"
    assert read_url("ws_url", url) == url
    with pytest.raises(ValueError, match="fragment"):
        read_url("ws_url", "wss://exchange.test/ws#part")


def test_a_socket_url_is_no_web_address() -> None:
    with pytest.raises(ValueError, match="must begin with wss://"):
        read_url("ws_url", "https://exchange.test/ws")


def test_this_machine_is_told_by_spelling_alone() -> None:
    assert is_loopback("localhost")
    assert is_loopback("127.0.0.53")
    assert is_loopback("::1")
    assert not is_loopback("128.0.0.1")
    assert not is_loopback("::2")
    assert not is_loopback("")

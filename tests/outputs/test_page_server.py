"""Pages for programs that look after a service: nobody who asks holds anything up."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from privstream.outputs.page_server import CROWD, HEAD_LIMIT, Page, PageServer

LONG = 30.0


@pytest.fixture
def server() -> Iterator[PageServer]:
    pages = {"/healthz": lambda: Page(503, "application/json", b'{"ok":false}\n')}
    server = PageServer("127.0.0.1", 0, pages)
    server.start()
    yield server
    server.close()


def ask(server: PageServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONG)
    connection.request(method, path)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def silent(server: PageServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=LONG)


def test_a_page_is_made_when_it_is_asked_for(server: PageServer) -> None:
    assert ask(server, "/healthz?x=1") == (503, b'{"ok":false}\n')
    assert ask(server, "/healthz", "HEAD") == (503, b"")


def test_what_is_not_there_and_what_is_no_question(server: PageServer) -> None:
    assert ask(server, "/")[0] == 404
    assert ask(server, "/healthz", "POST")[0] == 405


@pytest.mark.parametrize("said", [b"nonsense\r\n\r\n", b"x" * 2 * HEAD_LIMIT])
def test_nonsense_is_answered_and_hung_up_on(server: PageServer, said: bytes) -> None:
    with silent(server) as client:
        client.sendall(said)
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_who_says_nothing_holds_up_nobody_and_is_hung_up_on(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent(server):
        assert ask(server, "/healthz")[0] == 503
    monkeypatch.setattr("privstream.outputs.page_server.PATIENCE", 0.01)
    with silent(server) as client:
        assert closed(client)


def test_a_crowd_is_hung_up_on_and_the_next_is_served(server: PageServer) -> None:
    crowd = [silent(server) for _ in range(CROWD)]
    with silent(server) as one_more:
        assert closed(one_more)
    for client in crowd:
        client.close()
    while closed(patient := silent(server), b"GET /healthz HTTP/1.1\r\n\r\n"):
        patient.close()  # it has not seen yet that they are gone
    patient.close()


def closed(client: socket.socket, said: bytes = b"") -> bool:
    """Whether nothing is answered, and the connection is ended."""
    try:
        client.sendall(said)
        return client.recv(1) == b""
    except ConnectionError:
        return True


def test_a_port_that_is_taken_is_known_at_once(server: PageServer) -> None:
    with pytest.raises(OSError, match="in use"):
        PageServer("127.0.0.1", server.port, {})


def test_one_that_never_began_lets_go_of_its_port() -> None:
    first = PageServer("127.0.0.1", 0, {})
    first.close()
    PageServer("127.0.0.1", first.port, {}).close()

"""What systemd is told, in its own words, and that nobody else is needed."""

import os
import socket
from collections.abc import Iterator

import pytest

from privstream.outputs.service_manager import SHOWN, ServiceManager


class Listener:
    """The other end of a notify socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        said = []
        try:
            while True:
                said.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return said

    def close(self) -> None:
        self._socket.close()


def test_a_path_that_is_too_long_for_a_socket_is_nobody() -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": f"/{'x' * 200}"})
    manager.ready()
    manager.close()


def abstract(name: str) -> tuple[Listener, ServiceManager]:
    return Listener(f"\0{name}"), ServiceManager({"NOTIFY_SOCKET": f"@{name}"})


@pytest.fixture
def both() -> Iterator[tuple[Listener, ServiceManager]]:
    listening, manager = abstract(f"privstream-{os.getpid()}-{os.urandom(8).hex()}")
    yield listening, manager
    listening.close()
    manager.close()


def test_each_step_is_said(both: tuple[Listener, ServiceManager]) -> None:
    listener, manager = both
    manager.ready()
    manager.reloading(12.5)
    manager.alive()
    manager.stopping()
    assert listener.heard() == [
        "READY=1",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_a_status_is_one_short_line_and_said_when_it_changes(
    both: tuple[Listener, ServiceManager],
) -> None:
    listener, manager = both
    for text in ("2 live", "2 live", "1 live\nREADY=1", "x" * 5000):
        manager.status(text)
    assert listener.heard() == ["STATUS=2 live", "STATUS=1 live READY=1", f"STATUS={'x' * SHOWN}"]


def test_a_socket_of_the_file_system(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("n") / "s"
    if len(str(path)) > 100:
        pytest.skip("the folder for temporary files has too long a name for a socket")
    listener, manager = Listener(str(path)), ServiceManager({"NOTIFY_SOCKET": str(path)})
    manager.ready()
    assert listener.heard() == ["READY=1"]
    listener.close()
    manager.ready()  # nobody is there any more
    manager.close()


@pytest.mark.parametrize("named", ["", "vsock:2:1234", "relative"])
def test_where_nobody_listens_nothing_is_said(named: str) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": named, "WATCHDOG_USEC": "1000000"})
    manager.ready()
    assert manager.watchdog is None
    manager.close()


def test_nobody_who_does_not_read_holds_us_up(both: tuple[Listener, ServiceManager]) -> None:
    listener, manager = both
    for _ in range(10_000):
        manager.alive()
    assert listener.heard()


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_signs_of_life_are_due_at_half_of_the_patience(
    variables: dict[str, str], seconds: float | None
) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": "@privstream-nobody", **variables})
    assert manager.watchdog == seconds
    manager.close()

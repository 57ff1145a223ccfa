"""What is said to the service manager that started us: systemd, or what speaks as it does.

The one rule: nothing that is said here ever waits, and nobody who listens changes what we do.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html (2026-12-01)
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

SHOWN: Final = 200
"""Characters of a status that a person reads in one line."""


class ServiceManager:
    """Takes messages to the socket that the variables name; to nobody where they name none."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        named = variables.get("NOTIFY_SOCKET", "")
        # A name that begins with @ is none of the file system.
        self._address = f"\0{named[1:]}" if named.startswith("@") else named
        self._socket: socket.socket | None = None
        if self._address[:1] in {"/", "\0"}:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
        self.watchdog = _watchdog(variables) if self._socket is not None else None
        """Seconds from one sign of life to the next, if any are wanted."""
        self._status = ""

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def ready(self) -> None:
        """The start, or reading the settings anew, is over."""
        self._send("READY=1")

    def reloading(self, now: float) -> None:
        """The settings are read anew since `now`, by the monotonic clock; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(now * 1e6)}")

    def stopping(self) -> None:
        """It is about to end."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """A sign of life."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """What `systemctl status` shows; said only when it changes."""
        line = "".join(letter if letter.isprintable() else " " for letter in text)[:SHOWN]
        if line != self._status:
            self._status = line
            self._send(f"STATUS={line}")

    def _send(self, message: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # nobody listens, or nobody reads
                self._socket.sendto(message.encode(errors="replace"), self._address)


def _watchdog(variables: Mapping[str, str]) -> float | None:
    """Half of the time after which the manager would lose its patience."""
    micros, whose = variables.get("WATCHDOG_USEC", ""), variables.get("WATCHDOG_PID")
    if not (micros.isascii() and micros.isdigit()) or whose not in {None, "", str(os.getpid())}:
        return None
    return int(micros) / 2e6 or None

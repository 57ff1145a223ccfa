"""A server for many connections, each with a heartbeat a second and perhaps a fill, Kraken v2.

Started as a process of its own; prints its port, and at the end of its input how many
milliseconds the latest ping of any client came behind its time.

    python -m tests.benchmarks.crowd FILLS_A_SECOND
"""

import asyncio
import base64
import hashlib
import json
import sys
import time

from tests.benchmarks.blaster import MAGIC, frame
from tests.benchmarks.wires import WIRES

PING_EVERY = 5.0
"""Seconds from one ping of a client to its next."""
KRAKEN = WIRES["kraken v2"]
ACK = '{"method":"subscribe","req_id":1,"result":{"channel":"executions"},"success":true}'


class Crowd:
    """All connections together."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self.latest = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        head = await reader.readuntil(b"\r\n\r\n")
        [key] = [line[19:] for line in head.split(b"\r\n") if line[:18].lower() == NAME]
        accept = base64.b64encode(hashlib.sha1(key.strip() + MAGIC, usedforsecurity=False).digest())
        writer.write(UPGRADE + accept + b"\r\n\r\n")
        life = asyncio.create_task(self._live(writer))
        try:
            await self._listen(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            life.cancel()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pinged = None
        while True:
            first, length = await reader.readexactly(2)
            length &= 0x7F
            if length == 126:
                length = int.from_bytes(await reader.readexactly(2), "big")
            mask = await reader.readexactly(4)
            payload = bytes(b ^ mask[i % 4] for i, b in enumerate(await reader.readexactly(length)))
            if first & 0x0F != 1:
                continue
            said = json.loads(payload)
            if said["method"] == "subscribe":
                writer.write(frame(ACK) + frame(KRAKEN.first[0]))
                continue
            writer.write(frame(json.dumps({"method": "pong", "req_id": said["req_id"]})))
            now = time.monotonic()
            if pinged is not None:
                self.latest = max(self.latest, now - pinged - PING_EVERY)
            pinged = now

    async def _live(self, writer: asyncio.StreamWriter) -> None:
        number = 0
        while not writer.is_closing():
            await asyncio.sleep(1.0)
            writer.write(frame('{"channel":"heartbeat"}'))
            if self._rate:
                number += 1
                writer.write(b"".join(frame(text) for text in KRAKEN.step(number)))


NAME = b"sec-websocket-key:"
UPGRADE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: "
)


async def main() -> None:
    """Serve until the input ends."""
    crowd = Crowd(float(sys.argv[1]))
    server = await asyncio.start_server(crowd.serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(round(1000 * crowd.latest), flush=True)


if __name__ == "__main__":
    asyncio.run(main())

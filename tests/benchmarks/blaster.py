"""A server that sends trade frames as fast as a socket takes them, or at a steady pace.

It speaks just enough of Kraken v2 for a client to log in and subscribe: the token over
REST, the acknowledgement, then COUNT frames of about 600 bytes, then silence. Started
as a process of its own, so that a client's CPU time is its own; prints its port.

    python -m tests.benchmarks.blaster COUNT [RATE]
"""

import base64
import hashlib
import socket
import struct
import sys
import threading
import time
from contextlib import suppress

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FRAME = (
    '{{"channel":"executions","type":"update","data":[{{"order_id":"OK4GJX-KSTLS-7DZZO5",'
    '"order_userref":3,"exec_id":"T{number:012d}","exec_type":"trade","trade_id":{number},'
    '"symbol":"BTC/USD","side":"sell","last_qty":0.00512345,"last_price":26599.90,'
    '"liquidity_ind":"t","cost":136.28325,"order_type":"limit","order_status":"partially_filled",'
    '"timestamp":"{stamp}","cum_qty":{filled}.00512345,"cum_cost":132.9995000000,'
    '"avg_price":26599.9000000000,"fee_usd_equiv":0.3458000000,"margin":false,'
    '"margin_borrow":false,"liquidated":false,"ext_ord_id":"6d1b345e-2821-40e2-ad83-4ecb18a06876",'
    '"fees":[{{"asset":"USD","qty":0.3458000000}}]}}],"sequence":{sequence}}}'
)
ACK = '{"method":"subscribe","req_id":1,"result":{"channel":"executions"},"success":true}'
SNAPSHOT = (
    '{"channel":"executions","type":"snapshot","data":[{"order_id":"OK4GJX-KSTLS-7DZZO5",'
    '"exec_type":"new","order_status":"new","symbol":"BTC/USD","side":"sell","order_type":"limit",'
    '"order_qty":1000000000.00000000,"limit_price":26500.0,"time_in_force":"GTC",'
    '"timestamp":"2026-11-20T11:30:00.000000Z"}],"sequence":1}'
)
TOKEN = b'{"error":[],"result":{"token":"T","expires":900}}'
BATCH = 500
SHORT, LONG = 126, 1 << 16


def frame(text: str) -> bytes:
    """An unmasked text frame."""
    payload = text.encode()
    size = len(payload)
    if size < SHORT:
        return bytes([0x81, size]) + payload
    if size < LONG:
        return struct.pack("!BBH", 0x81, SHORT, size) + payload
    return struct.pack("!BBQ", 0x81, SHORT + 1, size) + payload


def trade(number: int, stamp: str = "2026-11-20T11:32:00.123456Z") -> bytes:
    """The frame of one fill."""
    text = FRAME.format(number=number, sequence=number + 2, stamp=stamp, filled=number)
    return frame(text)


def read_request(connection: socket.socket) -> bytes:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line.partition(b":")[2]):
                body += connection.recv(65536)
    return head


def serve(connection: socket.socket, frames: list[bytes], rate: float) -> None:
    """Answer requests; a handshake gets the frames."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        head = read_request(connection)
        if b"sec-websocket-key" not in head.lower():
            reply = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            )
            connection.sendall(reply % len(TOKEN) + TOKEN)
            continue
        key = next(
            line.partition(b":")[2].strip()
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"sec-websocket-key:")
        )
        accept = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest())
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        connection.recv(65536)  # the subscription
        connection.sendall(frame(ACK) + frame(SNAPSHOT))
        with suppress(ConnectionError):  # a client may have had enough
            send(connection, frames, rate)


def send(connection: socket.socket, frames: list[bytes], rate: float) -> None:
    """All frames: at once in large pieces, or one by one at the rate."""
    if not rate:
        for start in range(0, len(frames), BATCH):
            connection.sendall(b"".join(frames[start : start + BATCH]))
        return
    begin = time.monotonic()
    for number in range(len(frames)):
        wait = begin + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        connection.sendall(trade(number, f"{time.monotonic_ns():027d}"))


def main() -> None:
    """Serve until killed."""
    count, rate = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    frames = [trade(number) for number in range(count)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection, frames, rate), daemon=True).start()


if __name__ == "__main__":
    main()

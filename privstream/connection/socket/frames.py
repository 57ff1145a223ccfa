"""Splits the bytes that a WebSocket server sends into messages, a whole buffer at a time.

Pure and bounded: a frame that is too large is refused from its header alone, and what
came whole before a mistake is still given out.
"""

from dataclasses import dataclass, field

FRAME_LIMIT = 16 * 1024 * 1024
"""Ten thousand open orders come in one frame of 4.6 MB; memory grows with what came, not before."""
MESSAGE_LIMIT = 32 * 1024 * 1024

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FINAL = 0x80
_RESERVED = 0x70
_MASKED = 0x80
_CONTROL = 0x8
_LONGEST_CONTROL = 125
_SHORT = 126
_PLAIN_TEXT = _FINAL | _TEXT
_LONG_HEADER = 4
"""Bytes of the header of a frame of 126 bytes or more, and fewer than 65,536."""


class Violation(Exception):
    """The server broke the protocol, or our limits."""


@dataclass
class Frames:
    """What has come so far of one connection."""

    pings: list[bytes] = field(default_factory=list)
    """Payloads to answer; the reader clears the list."""
    pongs: list[bytes] = field(default_factory=list)
    """Payloads of answers to our pings; the reader clears the list."""
    close: bytes | None = None
    """The payload of the close frame: nothing after it is read."""
    violation: str | None = None
    """Why nothing more is read."""
    completed: int = 0
    """Whole frames so far."""
    in_message: bool = False
    """A fragmented message has begun."""
    _tail: bytearray = field(default_factory=bytearray)
    _needed: int = 0
    _message: bytearray = field(default_factory=bytearray)

    @property
    def unfinished(self) -> bool:
        """Whether part of a frame or message is here, and the rest is not."""
        return bool(self._tail) or self.in_message

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads of the data messages that are complete with this chunk."""
        if self._tail:
            # A bytearray grows in place: joining bytes would be quadratic for large frames.
            self._tail += chunk
            if len(self._tail) < self._needed:
                return []
            chunk = bytes(self._tail)
            self._tail.clear()
        messages: list[bytes] = []
        try:
            position = self._split(chunk, messages)
        except Violation as mistake:
            self.violation = str(mistake)
            return messages
        if position < len(chunk) and self.close is None:
            self._tail += memoryview(chunk)[position:]
        return messages

    def _split(self, chunk: bytes, messages: list[bytes]) -> int:
        """Take whole frames out of the chunk; returns where the first unfinished one starts."""
        position, start = 0, -1
        self._needed = 0
        while position != start and self.close is None:
            if not self.in_message:
                position = self._take_plain(chunk, position, messages)
            start = position
            position = self._take_next(chunk, start, messages)
        return position

    def _take_plain(self, chunk: bytes, position: int, messages: list[bytes]) -> int:
        """Take the whole text messages that begin here, which nearly all frames are."""
        # The hot loop: locals only, one slice a frame, and nothing that calls.
        last, before = len(chunk) - _LONG_HEADER, len(messages)
        while position <= last and chunk[position] == _PLAIN_TEXT:
            body = position + 2
            length = chunk[position + 1]
            if length == _SHORT:
                body += 2
                length = chunk[body - 2] << 8 | chunk[body - 1]
            elif length > _SHORT:
                break
            end = body + length
            message = chunk[body:end]
            if len(message) < length:
                break
            messages.append(message)
            position = end
        self.completed += len(messages) - before
        return position

    def _take_next(self, chunk: bytes, position: int, messages: list[bytes]) -> int:
        """Take one frame of any kind; the same position where it is not all here."""
        size = len(chunk)
        if size - position < 2:  # noqa: PLR2004 - the shortest header
            return position
        first, length = chunk[position], chunk[position + 1]
        body = position + 2
        if length == _SHORT:
            body += 2
            if body > size:
                return position
            length = chunk[body - 2] << 8 | chunk[body - 1]
        elif length > _SHORT:
            body += 8
            length = _long_length(chunk, length, body)
            if length < 0:
                return position
        self._check(first, length)
        end = body + length
        if end > size:
            self._needed = end - position
            return position
        self._take(first, chunk[body:end], messages)
        self.completed += 1
        return end

    def _check(self, first: int, length: int) -> None:
        """Refuse a frame from its header, before its payload is waited for."""
        opcode = first & 0x0F
        if first & _RESERVED:
            raise Violation("a frame with reserved bits")
        if opcode & _CONTROL:
            _check_control(first, opcode, length)
        elif opcode > _BINARY:
            raise Violation(f"unknown opcode {opcode}")
        elif opcode == _CONTINUATION and not self.in_message:
            raise Violation("a continuation of nothing")
        elif opcode != _CONTINUATION and self.in_message:
            raise Violation("a new message inside another")
        elif len(self._message) + length > MESSAGE_LIMIT:
            raise Violation(f"a message of more than {MESSAGE_LIMIT >> 20} MiB")

    def _take(self, first: int, payload: bytes, messages: list[bytes]) -> None:
        opcode = first & 0x0F
        if opcode == _PING:
            self.pings.append(payload)
        elif opcode == _PONG:
            self.pongs.append(payload)
        elif opcode == _CLOSE:
            self.close = payload
        elif first & _FINAL and not self.in_message:
            messages.append(payload)
        else:
            self._message += payload
            self.in_message = not first & _FINAL
            if first & _FINAL:
                messages.append(bytes(self._message))
                self._message.clear()


def _long_length(chunk: bytes, length: int, body: int) -> int:
    """The 64-bit length that ends at `body`; -1 while it is not all here."""
    if length & _MASKED:
        raise Violation("a masked frame")
    if body > len(chunk):
        return -1
    length = int.from_bytes(chunk[body - 8 : body], "big")
    if length > FRAME_LIMIT:
        raise Violation(f"a frame of more than {FRAME_LIMIT >> 20} MiB")
    return length


def _check_control(first: int, opcode: int, length: int) -> None:
    if opcode > _PONG:
        raise Violation(f"unknown opcode {opcode}")
    if not first & _FINAL:
        raise Violation("a fragmented control frame")
    if length > _LONGEST_CONTROL:
        raise Violation("a control frame of more than 125 bytes")

"""Whatever JSON an exchange sends, each line that is printed is JSON for every reader, and exact."""

import json
from pathlib import Path
from typing import Any, NoReturn

import pytest

from privstream import exchanges
from privstream.cli.entry import run
from privstream.model.account import Account, Endpoints, Secret, Token
from privstream.model.rest import HttpRequest, HttpResponse
from privstream.model.session import Handshake, Send
from privstream.outputs.safe_text import MAX_CELLS, safe_text
from tests.security.treasure import Treasure, canary

STRANGE: dict[str, str | bytes] = {
    "a lone surrogate": r'{"a":"\ud800","\udfff":1}',
    "NaN": '{"a":NaN,"b":-Infinity}',
    "a key twice": '{"a":1,"a":2,"channel":"x","channel":"y"}',
    "a huge number": '{"a":1e400,"b":1' + 400 * "0" + "}",
    "2^63": '{"a":9223372036854775808,"b":-9223372036854775809,"c":18446744073709551616}',
    "a tiny number": '[1,"a",0.000000000000000000000000000001,1e-30,2.50]',
    "no UTF-8": b'{"a":"\xff\xfe"}',
    "controls": '{"a":"\\u001b]0;x\\u0007\\u009b31m\\u202e\\u2028","b":"\u202e\x85\x7f"}',
    "a null character": '{"a":"\\u0000"}',
    "a bare word": "null",
    "a bare text": '"text"',
}


def nested(depth: int) -> list[str]:
    """Frames so deep, by themselves and where elements of known frames stand."""
    lists, objects = "[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth
    places = ('[0,"os",[%s]]', '{"channel":"executions","type":"update","data":[%s]}')
    return [
        "[" * depth,
        lists,
        objects,
        *(p % lists for p in places),
        *(p % objects for p in places),
    ]


DEEP = [frame for depth in (30, 500, 990, 1_000, 5_000, 100_000) for frame in nested(depth)]


def refuse(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("name", exchanges.names())
def test_strange_and_deep_frames_become_lines_that_every_reader_can_read(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    frames: list[str | bytes] = [*STRANGE.values(), *DEEP]
    file = tmp_path / "frames"
    file.write_bytes(
        b"\n".join(f if isinstance(f, bytes) else f.encode(errors="surrogatepass") for f in frames)
    )
    assert run(["replay", str(file), "--exchange", name, "--json", "--raw"]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert len(lines) >= len(DEEP)
    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        if len(line) < 1_500:  # the reader of this test gives up on the deepest ones itself
            json.loads(line, parse_constant=refuse, object_pairs_hook=once)
    assert any("0.000000000000000000000000000001,1e-30,2.50" in line for line in lines)


@pytest.mark.parametrize("name", exchanges.names())
def test_the_same_frames_command_no_terminal(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "frames"
    file.write_text("\n".join(frame for frame in STRANGE.values() if isinstance(frame, str)))
    words = ["--exchange", name, "--format", "pretty", "--no-color"]
    assert run(["replay", str(file), *words]) == 0
    printed = capfd.readouterr().out
    assert printed
    assert all(line.isprintable() for line in printed.splitlines())


def test_of_a_megabyte_only_what_is_shown_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def look(character: str) -> str:
        looked_at.append(character)
        return character

    monkeypatch.setattr("privstream.outputs.safe_text._visible", look)
    assert safe_text("[\u202e" * 500_000, MAX_CELLS)
    assert len(looked_at) <= MAX_CELLS + 1


def test_nothing_that_carries_a_secret_shows_it(treasure: Treasure) -> None:
    secret, text = Secret(canary(60)), canary(60)
    endpoints = Endpoints("https://x.test", "wss://x.test")
    headers = {"API-Key": text, "API-Sign": text}
    carriers: list[object] = [
        secret,
        Token(secret, expires=60.0),
        Account("a", "kraken", {"api_key": secret, "api_secret": secret}, endpoints),
        HttpRequest("POST", "/x", headers, text.encode()),
        HttpResponse(200, {"set-cookie": text}, text.encode()),
        Handshake(f"wss://x.test/?sign={text}", headers),
        Send(f'{{"token":"{text}"}}', shown='{"token":"<token>"}'),
    ]
    for carrier in carriers:
        shown = f"{carrier!r} {carrier} {[carrier]}" if carrier is secret else ""
        assert treasure.leaks(f"{carrier!r} {carrier!s} {(carrier,)} {shown}") == []
    assert "API-Key" in repr(carriers[3])

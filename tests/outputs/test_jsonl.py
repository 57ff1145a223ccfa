"""JSON lines: one each, whole, and harmless."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence

import msgspec
import pytest

from privstream.model.events import AnyEvent
from privstream.outputs.base import ReaderGone
from privstream.outputs.jsonl import JsonLines
from tests.outputs.output_events import ALL, NOTICE, TRADE, pipe, read_all, trade


def printed(*batches: Sequence[AnyEvent]) -> bytes:
    with pipe() as (reading, writing):
        output = JsonLines(writing)
        for batch in batches:
            output.write(batch)
        output.close()
        os.close(writing)
        return read_all(reading)


def test_every_type_is_one_line_with_its_keys_in_order() -> None:
    lines = printed(ALL).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(msgspec.json.encode(ALL))
    assert lines[1].startswith(b'{"type":"trade","exchange":"kraken","account":"kraken","id":null,')


def test_a_batch_is_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []

    def write(_: int, text: bytes) -> int:
        writes.append(bytes(text))
        return len(text)

    monkeypatch.setattr(os, "write", write)
    JsonLines(1).write(ALL)
    assert [write.count(b"\n") for write in writes] == [len(ALL)]


def test_nothing_of_one_batch_is_left_in_the_next() -> None:
    lines = printed(ALL, [TRADE], [], [NOTICE]).splitlines()
    assert [json.loads(line)["type"] for line in lines[len(ALL) :]] == ["trade", "notice"]


@pytest.mark.parametrize("character", ["\x1b", "\x7f", "\x9b", "é", "\u202e", "\u2028", "🦑", "\n"])
def test_a_line_is_printable_ascii_and_means_the_same(character: str) -> None:
    text = f"before{character}after"
    line = printed([trade(client_order_id=text), TRADE])
    assert line.count(b"\n") == 2
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in line)
    assert json.loads(line.splitlines()[0])["client_order_id"] == text


@pytest.mark.parametrize("space", [b"\n", b"\r", b"\t", b"\r\n\t"])
def test_white_space_in_a_raw_element_breaks_no_line(space: bytes) -> None:
    raw = msgspec.Raw(b'{"price":' + space + b"1.10" + space + b"}")
    line = printed([trade(raw=raw), TRADE])
    assert line.count(b"\n") == 2
    assert not set(b"\r\t") & set(line)
    assert json.loads(line.splitlines()[0])["raw"] == {"price": 1.10}
    assert b"1.10" in line


def test_a_reader_that_is_gone_ends_the_output() -> None:
    with pipe() as (reading, writing):
        os.close(reading)
        with pytest.raises(ReaderGone):
            JsonLines(writing).write([TRADE])


def test_json_lines_do_not_load_rich() -> None:
    modules = "privstream.outputs.jsonl, privstream.outputs.status_line, privstream.outputs.file"
    code = f"import sys, privstream.outputs, {modules}; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Large frames and answers leave nothing behind once they are read."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest

from privstream.connection.freed_memory import give_back_large_pieces

AGAIN = """
import ctypes, sys
from privstream.connection.freed_memory import give_back_large_pieces
give_back_large_pieces()
names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
class Used(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]
library = ctypes.CDLL(None)
library.mallinfo2.restype = Used
large = bytes(5_000_000)
del large  # from now on glibc would keep such pieces
before = library.mallinfo2()
again = bytes(5_000_000)
after = library.mallinfo2()
print(after.hblkhd - before.hblkhd >= 5_000_000, after.arena == before.arena)
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="its C library does not tell what it keeps"
)
def test_a_large_piece_is_given_back_the_second_time_too() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", AGAIN], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "True True\n"


def test_a_library_without_the_option_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    give_back_large_pieces()

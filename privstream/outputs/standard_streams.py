"""The three streams that every program starts with, or without.

The one rule: nothing else gets their numbers. Imports hardly anything, since it comes first of all.
"""

import os
import sys

STDIN, STDERR = 0, 2


def occupy_closed_streams() -> frozenset[int]:
    """Put /dev/null where stdin, stdout or stderr is closed; tells which were.

    Otherwise the next socket or file takes that number and gets our lines. Call it
    first of all; where it names stdout there is no reader. A closed stdin is an empty one.
    """
    closed = set()
    while (fd := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(fd, True)
        closed.add(fd)
    os.close(fd)
    if STDIN in closed:
        sys.stdin = open(STDIN, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole run
    return frozenset(closed)

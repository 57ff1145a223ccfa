"""Ctrl-C while the program is still being loaded: it ends, and no traceback is shown."""

import signal
import subprocess
import sys

INTERRUPTED = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "privstream.delivery.signals":
            os.kill(os.getpid(), signal.SIGINT)

from privstream.__main__ import main
sys.meta_path.insert(0, Interrupting())
signal.signal(signal.SIGINT, getattr(signal, sys.argv[1]))
sys.argv = ["privstream", "schema", "trade"]
main()
"""


def started(disposition: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", INTERRUPTED, disposition]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_an_interrupt_before_the_handlers_are_there_shows_no_traceback() -> None:
    run = started("default_int_handler")
    assert (run.returncode, run.stdout, run.stderr) == (-signal.SIGINT, "", "")


def test_an_ignored_interrupt_stays_ignored_from_the_first_line() -> None:
    run = started("SIG_IGN")
    assert (run.returncode, run.stderr) == (0, "")

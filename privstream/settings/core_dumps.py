"""Keeps the memory of the process, and the secrets in it, out of core dumps.

The one rule: it costs a command without secrets nothing.
"""

import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def limit_core_dumps() -> None:
    """No core file is written, whatever ends us or a command that we start."""
    import resource  # noqa: PLC0415 - `--version` does without

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def hide_memory() -> None:
    """Where a crash reporter takes the dump (Linux) the limit does not count: refuse it too.

    Other programs of the same user can then neither read our memory nor our environment.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - 2 to 4 ms, only where there are secrets

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)

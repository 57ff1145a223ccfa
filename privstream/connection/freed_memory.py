"""Lets the memory of large frames and answers go back to the system once they are read.

The one rule: it concerns the whole process, so only a program of ours may ask for it, no library.
"""

import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, in glibc's malloc.h
LARGE = 1024 * 1024
"""Bytes. Nearly all frames are much smaller, and these stay as quick as they are."""


def give_back_large_pieces() -> None:
    """By itself glibc learns from the first large piece that is freed to keep such pieces.

    A frame of 5 MB made each account's thread keep up to 10 MB for good
    (https://man7.org/linux/man-pages/man3/mallopt.3.html, M_MMAP_THRESHOLD).
    """
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415 - 2 to 4 ms, and the secrets have imported it by now

    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, LARGE)
        set_option(_TRIM_THRESHOLD, LARGE)

"""Whether Python and the libraries are those that privstream needs.

The one rule: the floors are those of the package's own metadata, repeated nowhere.
"""

import operator
import platform
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import NamedTuple

from privstream import __version__
from privstream.doctor.findings import Finding, passed, skipped, wrong

PACKAGE = "privstream"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*([^;]*)(;.*)?")
_BOUND = re.compile(r"(>=|<=|==|!=|<|>)\s*([0-9]+(?:\.[0-9]+)*)")
_HOLDS: dict[str, Callable[[list[int], list[int]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


class Needed(NamedTuple):
    """A library and the versions of it that will do."""

    name: str
    bounds: str
    optional: bool
    """Of an extra: it may be absent."""


def examine_installation(
    installed: Callable[[str], str] = metadata.version,
) -> Iterator[Finding]:
    """Python, and every library: those that are right in one line."""
    try:
        own = metadata.metadata(PACKAGE)
    except metadata.PackageNotFoundError:
        yield skipped("version", f"privstream {__version__} runs from a folder, not installed")
        return
    yield _python(own["Requires-Python"] or "", platform.python_version())
    right = []
    for text in metadata.requires(PACKAGE) or ():
        needed = read_requirement(text)
        try:
            version = installed(needed.name)
        except metadata.PackageNotFoundError:
            if not needed.optional:
                yield _wrong(needed, "is not installed")
            continue
        if not fits(version, needed.bounds):
            yield _wrong(needed, f"is version {version}, but {needed.bounds} is needed")
        elif not needed.optional:
            right.append(f"{needed.name} {version}")
    if right:
        yield passed("libraries", f"libraries: {', '.join(sorted(right, key=str.lower))}")


def _python(bounds: str, version: str) -> Finding:
    if fits(version, bounds):
        return passed("version", f"privstream {__version__} on Python {version}")
    hint = f"install it anew with a Python {bounds}: pipx install --python PYTHON privstream"
    return wrong("version", f"Python is version {version}, but {bounds} is needed", hint)


def _wrong(needed: Needed, problem: str) -> Finding:
    wanted = shlex.quote(f"{needed.name}{needed.bounds}")
    return wrong(
        "libraries",
        f"library {needed.name} {problem}",
        f"{shlex.quote(sys.executable)} -m pip install {wanted}",
    )


def read_requirement(text: str) -> Needed:
    """A line of the metadata, like `aiohttp>=3.10; extra == "sim"`."""
    match = _REQUIREMENT.match(text)
    if match is None:
        raise ValueError(f"no requirement: {text!r}")
    return Needed(match[1], match[2].strip(), "extra" in (match[3] or ""))


def fits(version: str, bounds: str) -> bool:
    """Whether a version is within bounds like `>=2,<3`; its numbers count, no suffix does."""
    mine = _numbers(version)
    for sign, bound in _BOUND.findall(bounds):
        theirs = _numbers(bound)
        width = max(len(mine), len(theirs))
        if not _HOLDS[sign](_padded(mine, width), _padded(theirs, width)):
            return False
    return True


def _numbers(version: str) -> list[int]:
    match = re.match(r"[0-9]+(\.[0-9]+)*", version)
    return [int(part) for part in match[0].split(".")] if match else []


def _padded(numbers: list[int], width: int) -> list[int]:
    return numbers + [0] * (width - len(numbers))

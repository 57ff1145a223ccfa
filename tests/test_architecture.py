"""Who may import whom: each row imports only what it names, and nothing imports the command line."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "privstream"
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "memory": {"model"},
    "exchanges": {"model"},
    "outputs": {"model"},
    "simulator": {"model", "exchanges"},
    "connection": {"model", "memory", "exchanges", ""},  # its version is in the User-Agent
    "settings": {"model", "exchanges"},
    "delivery": {"model", "memory", "connection", "outputs", "settings"},
}
ALL_ABOVE = {*MAY_IMPORT, ""}
MAY_IMPORT["app"] = ALL_ABOVE
MAY_IMPORT["doctor"] = ALL_ABOVE
MAY_IMPORT["cli"] = ALL_ABOVE | {"app", "doctor"}
MAY_IMPORT[""] = {"app", "cli", "delivery", "model", "outputs", "settings"}  # start and library
IO = {
    "asyncio",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "queue",
    "random",
    "requests",
    "select",
    "socket",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib3",
    "websocket",
}
DO_NO_IO = {"model", "memory", "exchanges", "simulator"}
# `random.Random(seed)` is a pure function of its seed; the server and its clock do the I/O.
ALLOWED_IO = {"simulator/server.py": IO, "simulator/clock.py": {"time"}}
SEEDED = {"random"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The row of the table that a file belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py").replace("__init__", "").replace("__main__", "")


@cache
def imported(path: Path) -> tuple[str, ...]:
    """Full names of what a file imports, wherever in the file."""
    return tuple(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_has_a_row() -> None:
    assert {part_of(path) for path in modules()} == set(MAY_IMPORT)


def test_a_module_imports_only_what_its_row_allows() -> None:
    assert [f"{path} imports {name}" for path in modules() for name in trespasses(path)] == []


def trespasses(path: Path) -> Iterator[str]:
    """What a file imports of rooms that its row does not name."""
    part = part_of(path)
    for name in imported(path):
        top, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        target = target if target in MAY_IMPORT else ""
        if top == "privstream" and target not in {part, *MAY_IMPORT[part]}:
            yield name


def test_protocol_knowledge_does_no_io() -> None:
    pure = [path for path in modules() if part_of(path) in DO_NO_IO]
    assert [f"{path} imports {names}" for path in pure if (names := io_of(path))] == []


def io_of(path: Path) -> set[str]:
    """The modules of I/O that a file imports without leave."""
    allowed = ALLOWED_IO.get(str(path.relative_to(PACKAGE)), set())
    allowed = allowed | (SEEDED if part_of(path) == "simulator" else set())
    return ({name.partition(".")[0] for name in imported(path)} & IO) - allowed


def test_client_and_simulator_never_import_each_other() -> None:
    for path in modules():
        part = part_of(path)
        names = set(imported(path))
        if part == "exchanges":
            assert not any(name.startswith("privstream.simulator") for name in names)
        if part == "simulator":
            # The shared words of the base are no half of a protocol.
            halves = [n for n in names if n.startswith("privstream.exchanges.")]
            assert all(name.startswith("privstream.exchanges.base") for name in halves), path


def test_only_the_clock_reads_the_time() -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(name == "time" or name.startswith("time.") for name in imported(path))
    }
    assert {name for name in readers if not name.startswith(("cli/", "app/", "delivery/"))} <= {
        "connection/clock.py",
        "simulator/clock.py",
        "simulator/server.py",
        "settings/credentials.py",  # the ten seconds of a command
    }


def test_no_shortcut_is_left_in_the_code() -> None:
    forbidden = ("TODO", "FIXME", "NotImplementedError", "except Exception", "time.sleep(")
    for path in modules():
        text = path.read_text()
        assert not [word for word in forbidden if word in text], path


# What stands outside is looked at by whoever starts the program, and handed down. OpenSSL reads
# its variables of the process too, so those of proxies are read beside it.
# A closed stdin is replaced before anything else, and the keyring's process has one of its own.
# How wide the terminal is must be known for the help, before anything is loaded.
LOOKS_OUTSIDE = {
    "__main__.py",
    "cli/outside.py",
    "app/library.py",
    "connection/network.py",
    "outputs/standard_streams.py",
    "settings/keyring_access.py",
}


def test_only_the_start_looks_at_the_environment() -> None:
    texts = {str(path.relative_to(PACKAGE)): path.read_text() for path in modules()}
    words = ("os.environ", "getenv", "sys.stdin")
    looking = {path for path, text in texts.items() if any(word in text for word in words)}
    assert looking <= LOOKS_OUTSIDE

"""Help: examples that run as they stand, what may come first, and what was meant by a misspelt word."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from privstream import __main__, __version__, exchanges
from privstream.cli.entry import run
from privstream.cli.examples import EXAMPLES, examples_of
from privstream.delivery.signals import Stop
from tests.cli.conftest import surroundings
from tests.security.command_lines import leaves

NOWHERE = "http://127.0.0.1:9"
GROUPS = ((), ("watch",), ("record",), ("wait",), ("token",), ("order",), ("accounts",))
PATHS = (*GROUPS, *(("order", action) for action in ("place", "cancel", "get", "list")))
PATHS += tuple(path for path, _ in leaves())
REFUSED = [
    ("order", action, name)
    for action in ("place", "cancel", "get", "list")
    for name in ("bitfinex", "indodax", "poloniex")
] + [("order", "cancel", "zerocap")]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with surroundings(tmp_path, {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}):
        yield tmp_path


def configure(home: Path, *accounts: tuple[str, str]) -> None:
    """Accounts, each on an exchange, which is out of reach."""
    lines = [
        f'[accounts.{name}]\nexchange = "{exchange}"\napi_key = "key"\napi_secret = "c2VjcmV0"\n'
        for name, exchange in accounts
    ]
    places = [f'[exchanges.{name}]\nrest_url = "{NOWHERE}"\n' for name in exchanges.names()]
    folder = home / ".config/privstream"
    folder.mkdir(parents=True, mode=0o700)
    file = folder / "config.toml"
    file.touch(0o600)
    file.write_text("".join([*lines, *places]))


# --- examples --------------------------------------------------------------------------------

EVERY = sorted(
    {
        example
        for path in PATHS
        if path not in REFUSED
        for example in examples_of(" ".join(("privstream", *path)))
    }
)
PLACED = [
    "order",
    "place",
    "kraken",
    "--symbol",
    "BTC/EUR",
    "--side",
    "buy",
    "--quantity",
    "1",
    "--price",
    "1",
]
ELSE = (
    "no terminal to ask on",
    "where are api_key and api_secret kept?",
    "no live token",
    "cannot serve on port",
)
"""How an example ends that is for a person at a terminal, for later, or for a free port."""


@pytest.mark.parametrize("path", [p for p in PATHS if p not in REFUSED], ids=" ".join)
def test_every_help_has_two_examples(
    path: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([*path, "-h"]) == 0
    printed = capfd.readouterr().out
    _, examples = printed.split("\nExamples:\n")
    assert len([line for line in examples.splitlines() if line.startswith("  privstream ")]) == 2
    assert max(map(len, examples.splitlines())) < 80


def test_no_example_is_of_a_command_that_is_not_there() -> None:
    commands = {" ".join(path) for path in PATHS}
    commands |= {" ".join([*path[:-1], "EXCHANGE"]) for path in PATHS if path}
    assert set(EXAMPLES) <= commands | {"privstream"}


@pytest.mark.parametrize("example", EVERY)
def test_every_example_runs(example: str, home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Told to stop before it begins: what is wrong with a command line is found all the same."""
    configure(home, ("desk", "kraken"), ("main", "kraken"), *((n, n) for n in exchanges.names()))
    (home / "frames.jsonl").write_text(HEAD)
    (home / "bare-frames.txt").write_text('{"channel":"heartbeat"}\n')
    words = shlex.split(example.replace("\\\n", "").partition(" > ")[0])
    if words[1:2] == ["record"]:
        (home / "frames.jsonl").unlink()
    if words[1:3] == ["accounts", "add"]:
        words.append("--replace")
    if words[1:2] == ["run"]:
        with (home / ".config/privstream/config.toml").open("a") as config:
            config.write(f'[sinks.archive]\nurl = "sqlite:{home}/e.db"\n')
    with Stop() as stop:
        stop.tell()
        code = run(words[1:], stop)
    said = capfd.readouterr().err
    assert code in {0, 5, 124} or any(end in said for end in ELSE), said


HEAD = (
    '{"recording":"privstream","version":1,"exchange":"kraken","account":"kraken","options":{},'
    '"channels":["orders"],"started":"2026-05-18T12:00:00Z"}\n'
)


def test_help_comes_by_its_short_name_and_by_its_verb(capfd: pytest.CaptureFixture[str]) -> None:
    texts = []
    for words in (["watch", "--help"], ["watch", "-h"], ["help", "watch"]):
        assert run(words) == 0
        texts.append(capfd.readouterr().out)
    assert len(set(texts)) == 1
    for words in (["help"], ["help", "help"]):
        assert run(words) == 0
        assert "Usage: privstream [OPTIONS]" in capfd.readouterr().out


@pytest.mark.parametrize("words", [[""], ["help", " "], ["watch", ""]])
def test_an_empty_command_from_an_unset_variable_is_said_to_be_empty(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert "the command is empty" in capfd.readouterr().err


def test_the_version_has_a_short_name(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["privstream", "-V"])
    __main__.main()
    assert capfd.readouterr().out == f"privstream {__version__}\n"


# --- what may come first ---------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["watch"], ["record", "frames.jsonl"], ["order"]])
@pytest.mark.usefixtures("home")
def test_a_command_without_more_shows_its_help_and_the_first_step(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    out, err = capfd.readouterr()
    assert out == ""  # a script may read it as events
    assert err.startswith(f"Usage: privstream{' ' if words else ''}{' '.join(words[:1])}")
    assert "privstream demo" in err.splitlines()[-1]
    assert "privstream accounts add kraken" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("accounts", "words", "step"),
    [
        ([("kraken", "kraken")], [], "privstream watch kraken)"),
        ([("desk", "kraken")], ["watch"], "privstream watch kraken -a desk)"),
        ([("desk", "kraken"), ("z", "zerocap")], [], "privstream watch all)"),
        ([("desk", "kraken")], ["record", "x"], "privstream record frames.jsonl kraken -a desk)"),
    ],
)
def test_the_first_step_is_one_of_the_accounts_that_are_there(
    accounts: list[tuple[str, str]],
    words: list[str],
    step: str,
    home: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    configure(home, *accounts)
    assert run(words) == 2
    assert step in capfd.readouterr().err.splitlines()[-1]


def test_settings_that_cannot_be_read_are_a_matter_for_the_doctor(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(home, ("kraken", "nowhere"))
    assert run([]) == 2
    assert "privstream doctor says why" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (["watch", "kraken"], "privstream watch kraken --simulate"),
        (["watch", "all"], "privstream watch kraken --simulate"),
        (["order", "list", "zerocap"], "privstream accounts add zerocap"),
        (["wait", "kraken", "OAAAAA-BBBBB-CCCCCC"], "privstream accounts add kraken"),
        (["token", "check"], "privstream accounts add kraken"),
    ],
)
@pytest.mark.usefixtures("home")
def test_who_has_no_key_hears_how_to_do_with_one_and_without(
    words: list[str], step: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 3
    err = capfd.readouterr().err
    assert step in err
    assert "--simulate needs none" in err


# --- misspelt --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["wacth"], "watch"),
        (["WATCH"], "watch"),
        (["help", "wacth"], "watch"),
        (["watch", "krakn"], "kraken"),
        (["watch", "Kraken"], "kraken"),
        (["record", "x", "bitfinx"], "bitfinex"),
        (["order", "plase"], "place"),
        (["order", "place", "zerocop"], "zerocap"),
        (["token", "chek"], "check"),
        (["accounts", "ad"], "add"),
        (["watch", "desk-kraken"], "kraken"),
        (["watch", "desk"], "kraken -a desk"),
        (["order", "list", "desk"], "kraken -a desk"),
        (["watch", "kraken", "order"], "orders"),
        (["watch", "all", "trade"], "trades"),
        (["watch", "kraken", "-a", "dekc"], "desk"),
        (["watch", "all", "-a", "dekc"], "desk"),
        (["watch", "all", "--simulate", "-a", "krakn"], "kraken"),
        (["order", "list", "kraken", "-a", "dekc"], "desk"),
        (["token", "show", "dekc"], "desk"),
        (["doctor", "dekc"], "desk"),
        (["accounts", "remove", "dekc", "--yes"], "desk"),
        (["accounts", "add", "x", "--exchange", "krakn"], "kraken"),
        (["simulate", "krakn"], "kraken"),
        (["replay", "x", "--exchange", "krakn"], "kraken"),
        (["schema", "trad"], "trade"),
        (["wait", "kraken", "OAAAAA-BBBBB-CCCCCC", "--until", "fill"], "filled"),
        (["watch", "kraken", "--jsn"], "--json"),
        (["watch", "kraken", "fills"], "trades"),
        (["watch", "all", "Wallets"], "balances"),
        (["watch", "kraken", "--fields", "prize", "--format", "pretty"], "price"),
        ([*PLACED, "--type", "stop-los", "--yes"], "stop-loss"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_misspelt_word_is_answered_with_the_one_that_was_meant(
    words: list[str], meant: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(home, ("desk", "kraken"))
    if words[0] == "replay":
        (home / "x").touch()
    code = run(words)
    said = "".join(capfd.readouterr())
    assert code in {0, 2, 3}
    assert f"did you mean {meant}?" in said


def test_an_option_before_its_time_is_told_where_it_stands(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(home, ("desk", "kraken"))
    for words in (["-v", "watch", "kraken"], ["watch", "--resume", "kraken"]):
        assert run(words) == 2
        assert "options stand at the end" in capfd.readouterr().err


# --- which account ---------------------------------------------------------------------------


def told_of(words: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """What a watch that is told to stop at once says."""
    with Stop() as stop:
        stop.tell()
        code = run(words, stop)
    return code, capfd.readouterr().err


COMMANDS = (
    ["watch", "kraken", "-v", "--status"],
    ["wait", "kraken", "OAAAAA-BBBBB-CCCCCC"],
    ["order", "list", "kraken"],
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_only_account_of_an_exchange_needs_no_name(
    words: list[str], home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(home, ("desk", "kraken"), ("z", "zerocap"))
    code, err = told_of(words, capfd)
    assert code in {0, 5, 124}, err


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_of_several_accounts_one_has_to_be_named(
    words: list[str], home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(home, ("desk", "kraken"), ("main", "kraken"))
    code, err = told_of(words, capfd)
    assert code == 3
    assert "--account with one of: desk, main" in err
    assert told_of([*words, "-a", "main"], capfd)[0] in {0, 5, 124}


def test_the_account_that_is_called_like_its_exchange_is_the_usual_one(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(home, ("desk", "kraken"), ("kraken", "kraken"))
    assert told_of(["watch", "kraken"], capfd)[0] == 0


def test_some_of_all_accounts_can_be_picked(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["watch", "all", "--simulate", "-a", "kraken", "-a", "zerocap", "-a", "kraken"]
    with Stop() as stop:  # the process's own would end it where it is late
        assert run([*words, "--duration", "0.2s", "-q", "--json", "--status"], stop) == 0
    lines = capfd.readouterr().out.splitlines()
    assert {name for name in exchanges.names() if any(f'"{name}"' in line for line in lines)} == {
        "kraken",
        "zerocap",
    }

"""What the shells offer after the tabulator: commands, channels, accounts, orders; never an error."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from privstream import exchanges
from privstream.cli import quick_completion
from privstream.cli.commands import COMMANDS
from privstream.cli.completion import VARIABLE
from privstream.cli.entry import run
from privstream.cli.lazy import LazyGroup
from privstream.cli.quick_completion import answer, kept_path
from privstream.delivery.resume_file import State, StateOwner, state_path
from privstream.memory.journal import Note
from tests.cli.conftest import surroundings
from tests.cli.test_help import configure

NOW = 1_790_000_000_000_000_000
Offered = Callable[[str], list[str]]


@pytest.fixture
def offered(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Offered:
    """What bash is offered at the end of a line."""

    def press_tab(line: str) -> list[str]:
        words = line.split(" ")
        asked = {VARIABLE: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        with surroundings(tmp_path, {**home, **asked}):
            assert run([]) == 0
        out, err = capfd.readouterr()
        assert err == ""
        return out.split()

    return press_tab


LINES: list[tuple[str, list[str]]] = [
    ("privstream ", list(COMMANDS)),
    ("privstream wa", ["watch", "wait"]),
    ("privstream watch ", [*exchanges.names(), "all"]),
    ("privstream watch kraken ", ["orders", "trades", "balances"]),
    ("privstream watch bitfinex po", ["positions"]),
    ("privstream watch kraken -a ", ["desk", "main"]),
    ("privstream watch kraken orders --account d", ["desk"]),
    ("privstream watch all -a desk -a ", ["desk", "main", "z"]),
    ("privstream watch kraken --js", ["--json"]),
    ("privstream watch kraken --protocol ", ["v2", "v1"]),
    ("privstream record ", []),
    ("privstream record frames.jsonl kr", ["kraken"]),
    ("privstream record frames.jsonl kraken tr", ["trades"]),
    ("privstream replay frames.jsonl --exchange z", ["zerocap"]),
    ("privstream order place kraken --type st", ["stop-loss", "stop-loss-limit"]),
    ("privstream order place kraken --side ", ["buy", "sell"]),
    ("privstream wait kraken OAAAAA-BBBBB-CCCCCC --until part", ["partially_filled"]),
    ("privstream token show ", ["desk", "main", "z"]),
    ("privstream doctor m", ["main"]),
    ("privstream accounts remove z", ["z"]),
    ("privstream simulate ind", ["indodax"]),
    ("privstream schema tr", ["trade"]),
    ("privstream watch kraken -a '' ", ["orders", "trades", "balances"]),
]


@pytest.mark.parametrize(("line", "words"), LINES)
def test_what_fits_is_offered(
    line: str, words: list[str], tmp_path: Path, offered: Offered
) -> None:
    configure(tmp_path, ("desk", "kraken"), ("main", "kraken"), ("z", "zerocap"))
    assert offered(line) == words


# --- told without loading the commands ----------------------------------------------------------


def asked(line: str) -> dict[str, str]:
    return {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}


@pytest.mark.parametrize(("line", "words"), LINES)
def test_what_was_offered_once_is_offered_again_without_the_commands(
    line: str, words: list[str], tmp_path: Path, offered: Offered
) -> None:
    configure(tmp_path, ("desk", "kraken"), ("main", "kraken"), ("z", "zerocap"))
    home = {"HOME": str(tmp_path)}
    assert answer({**home, **asked(line)}, "complete_bash") is None
    offered(line)
    if "'" in line:  # words in quotes are the shell's to read
        assert answer({**home, **asked(line)}, "complete_bash") is None
    else:
        found = answer({**home, **asked(line)}, "complete_bash")
        assert found == ("".join(f"{word}\n" for word in words), 0)


def test_only_the_same_commands_are_described_by_what_was_kept(
    tmp_path: Path, offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, ("desk", "kraken"))
    variables = {"HOME": str(tmp_path), **asked("privstream watch kraken --s")}
    offered("privstream watch kraken --s")
    assert answer(variables, "complete_bash") is not None
    with monkeypatch.context() as changed:
        changed.setattr(quick_completion, "stamp", lambda: [1, 2])
        assert answer(variables, "complete_bash") is None
    Path(kept_path(variables)).write_text("[")
    assert answer(variables, "complete_bash") is None
    assert offered("privstream watch kraken --s") == [
        "--symbol",
        "--since",
        "--status",
        "--simulate",
    ]
    assert answer(variables, "complete_bash") is not None, "what was damaged is made anew"


def test_what_others_may_have_written_is_not_offered(tmp_path: Path, offered: Offered) -> None:
    """Some shells run what they are offered."""
    configure(tmp_path, ("desk", "kraken"))
    variables = {"HOME": str(tmp_path), **asked("privstream watch kraken ")}
    offered("privstream watch kraken ")
    path = Path(kept_path(variables))
    path.chmod(0o620)
    assert answer(variables, "complete_bash") is None
    path.chmod(0o600)
    path.write_text(path.read_text().replace('"trades"', '"$(touch x)", "tra`x`", "a b"'))
    assert answer(variables, "complete_bash") == ("orders\nbalances\n", 0)


@pytest.mark.parametrize(
    "line",
    [
        "privstream watch krakn ",
        "privstream watch kraken --account=d",
        "privstream watch kraken --zzz ",
        "privstream watch kraken -qv ",
        "privstream watch kraken -- ",
        "privstream watch -v ",
        "privstream watch kraken $(x) ",
    ],
)
def test_where_it_cannot_be_sure_the_commands_are_asked(
    line: str, tmp_path: Path, offered: Offered
) -> None:
    configure(tmp_path, ("desk", "kraken"))
    offered("privstream watch kraken ")
    assert answer({"HOME": str(tmp_path), **asked(line)}, "complete_bash") is None


@pytest.mark.parametrize("words", ["watch kraken ", "watch kraken tr", "record ", "report -", "zz"])
@pytest.mark.parametrize(
    "shell", [("zsh", ""), ("fish", "get-args"), ("fish", "is-args")], ids=" ".join
)
def test_every_shell_gets_what_it_would_get_of_the_commands(
    shell: tuple[str, str], words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, ("desk", "kraken"))
    variables = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        VARIABLE: f"complete_{shell[0]}",
        "_TYPER_COMPLETE_ARGS": f"privstream {words}",
        "_TYPER_COMPLETE_FISH_ACTION": shell[1],
    }
    with surroundings(tmp_path, variables):
        code = run([])
    assert answer(variables, variables[VARIABLE]) == (capfd.readouterr().out, code)


def test_open_orders_are_offered_as_the_last_runs_left_them(
    tmp_path: Path, offered: Offered
) -> None:
    configure(tmp_path, ("desk", "kraken"), ("main", "kraken"), ("z", "zerocap"))
    states = tmp_path / ".local/state/privstream"
    for account, exchange, number in (
        ("desk", "kraken", 1),
        ("main", "kraken", 2),
        ("z", "zerocap", 3),
    ):
        path = state_path(states, account)
        with State(path, StateOwner(exchange, account, "host", ("orders",)), NOW) as state:
            notes = [Note("order", f"O{number}{n}", b"", None, lasting=n < 2) for n in range(3)]
            state.commit([*notes, Note("trade", f"T{number}", b"", None, lasting=True)], NOW)
    before = sorted(states.rglob("*"))
    assert offered("privstream wait kraken ") == ["O11", "O10", "O21", "O20"]
    assert sorted(states.rglob("*")) == before
    assert offered("privstream order cancel kraken -a main ") == ["O21", "O20"]
    assert offered("privstream order get zerocap O3") == ["O31", "O30"]
    for line, ids in (
        ("wait kraken ", "O11 O10 O21 O20"),
        ("order cancel kraken -a main ", "O21 O20"),
    ):
        variables = {"HOME": str(tmp_path), **asked(f"privstream {line}")}
        assert answer(variables, "complete_bash") == (ids.replace(" ", "\n") + "\n", 0)


def test_open_orders_are_offered_while_a_run_goes_on_and_only_plain_ids(
    tmp_path: Path, offered: Offered
) -> None:
    configure(tmp_path, ("desk", "kraken"))
    path = state_path(tmp_path / ".local/state/privstream", "desk")
    with State(path, StateOwner("kraken", "desk", "host", ("orders",)), NOW) as state:
        for order_id in ("O1", "$(touch x)", "`x`", "*", "a b", "'", '"', "-n\n"):
            state.commit([Note("order", order_id, b"", None, lasting=True)], NOW)
        assert offered("privstream wait kraken ") == ["O1"]


@pytest.mark.parametrize("damage", ["", "no database", "no settings"])
def test_what_cannot_be_read_offers_nothing(damage: str, tmp_path: Path, offered: Offered) -> None:
    configure(tmp_path, ("desk", "kraken"))
    if damage == "no settings":
        (tmp_path / ".config/privstream/config.toml").write_text("[accounts.")
    elif damage:
        state_path(tmp_path / ".local/state/privstream", "desk").write_text(damage)
    assert offered("privstream wait kraken ") == []
    assert offered("privstream token show ") == ([] if damage == "no settings" else ["desk"])


def test_to_name_the_commands_none_is_loaded(
    offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    get_command = LazyGroup.get_command

    def watched(self: LazyGroup, ctx: object, name: str) -> object:
        found = get_command(self, ctx, name)
        loaded.extend(self.commands)
        return found

    monkeypatch.setattr(LazyGroup, "get_command", watched)
    assert "watch" in offered("privstream ")
    assert loaded == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script(
    shell: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "SHELL": f"/usr/bin/{shell}"}
    with surroundings(tmp_path, home):
        assert run(["--show-completion"]) == 0
        script = capfd.readouterr().out
        assert run(["--install-completion", shell]) == 0
    assert f"{VARIABLE}=complete_{shell}" in script
    kept = [path.read_text() for path in tmp_path.rglob("*privstream*") if path.is_file()]
    assert [text.strip() for text in kept] == [script.strip()]
    assert "start a new shell" in capfd.readouterr().err


def test_a_script_that_cannot_be_kept_is_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    no_folder = tmp_path / "file"
    no_folder.touch()
    with surroundings(tmp_path, {"HOME": str(no_folder)}):
        assert run(["--install-completion", "fish"]) == 1
    assert capfd.readouterr().err.startswith(f"privstream: cannot write {no_folder}")


@pytest.mark.parametrize("asked", ["junk", "complete_bash", "complete_nothing"])
def test_who_asks_otherwise_than_a_shell_gets_no_traceback(
    asked: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with surroundings(tmp_path, {"HOME": str(tmp_path), VARIABLE: asked}):
        assert run([]) in {1, 2}
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("words", [["--show-completion"], ["--install-completion", "powershell"]])
def test_an_unknown_shell_is_a_usage_error(
    words: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with surroundings(tmp_path, {"HOME": str(tmp_path)}):
        assert run(words) == 2
    assert "bash, zsh, fish" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []

"""Where a credential comes from, and what is refused on the way."""

import copy
import json
import logging
import os
import pickle
import select
from pathlib import Path
from typing import Any

import msgspec
import pytest

from privstream.model.account import Secret
from privstream.model.errors import ConfigError
from privstream.settings import credentials
from privstream.settings.credentials import (
    SECRET_LIMIT,
    Environment,
    FromCommand,
    FromFile,
    FromKeyring,
    FromVariable,
    Origin,
    Plain,
    read_origin,
    resolve,
)

CANARY = "PSCANARY00112233445566778899aabbccdd"
WHOSE = "account 'moon': api_key"


def fetched(origin: Origin, **variables: str) -> str:
    environment = Environment({"PATH": os.environ["PATH"], **variables})
    return resolve(origin, WHOSE, environment).reveal()


def refusal(origin: Origin, **variables: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        fetched(origin, **variables)
    assert caught.value.message.startswith(WHOSE)
    assert CANARY not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


def secret_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(content, newline="")
    path.chmod(mode)
    return path


# --- reading the setting ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "origin"),
    [
        (Secret("text"), Plain(Secret("text"))),
        ({"env": Secret("MOON_KEY")}, FromVariable("MOON_KEY")),
        ({"file": Secret("/run/secrets/moon")}, FromFile("/run/secrets/moon")),
        ({"file": Secret("~/moon")}, FromFile("~/moon")),
        ({"command": Secret("pass show 'my key'")}, FromCommand(("pass", "show", "my key"))),
        ({"command": [Secret("pass"), Secret("my key")]}, FromCommand(("pass", "my key"))),
        ({"keyring": Secret("moon-desk")}, FromKeyring("moon-desk")),
    ],
)
def test_every_way_to_write_a_credential(setting: Any, origin: Origin) -> None:
    assert read_origin(setting, WHOSE) == origin


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        (12345, "must be text or a table"),
        (True, "must be text or a table"),
        ([Secret(CANARY)], "must be text or a table"),
        ({}, "exactly one of env, file, command, keyring"),
        ({"envv": Secret(CANARY)}, "has no setting 'envv'"),
        ({CANARY: Secret("A")}, "has no setting a name that is not shown"),
        ({"env": Secret("A"), "file": Secret("/b")}, "exactly one of"),
        ({"env": 5}, "env must be a text"),
        ({"env": Secret("")}, "env must be a text"),
        ({"env": Secret("A\nB")}, "env must be a text"),
        ({"env": Secret(f"{CANARY}/+==")}, "name of an environment variable"),
        ({"file": Secret("secret.txt")}, "begins with / or ~/"),
        ({"file": Secret("~other/secret")}, "begins with / or ~/"),
        ({"file": Secret("/a\0b")}, "file must be a text"),
        ({"keyring": []}, "keyring must be a text"),
        ({"command": Secret("")}, "command must be"),
        ({"command": Secret("pass 'open")}, "command must be"),
        ({"command": Secret("pass \0")}, "command must be"),
        ({"command": []}, "command must be"),
        ({"command": [Secret("")]}, "command must be"),
        ({"command": [Secret("pass"), 5]}, "command must be"),
        ({"command": 5}, "command must be"),
        ({"command": {"a": Secret("b")}}, "command must be"),
    ],
)
def test_any_other_way_is_refused_without_its_text(setting: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        read_origin(setting, WHOSE)
    assert caught.value.message.startswith(WHOSE)
    assert CANARY not in f"{caught.value!r} {caught.value.hint}"


@pytest.mark.parametrize(
    ("key", "meant"),
    [("enviroment", "env"), ("ENV", "env"), ("flie", "file"), ("comand", "command")],
)
def test_a_misspelt_key_is_named_with_what_was_meant(key: str, meant: str) -> None:
    for setting in ({key: Secret("A")}, {key: Secret("A"), "file": Secret("/b")}):
        with pytest.raises(ConfigError) as caught:
            read_origin(setting, WHOSE)
        assert caught.value.message == f"{WHOSE} has no setting '{key}'"
        assert (caught.value.hint or "").startswith(f"did you mean {meant}?")


# --- what a credential may be ----------------------------------------------------------


def test_a_plain_text_is_the_credential() -> None:
    assert fetched(Plain(Secret("a+b/c=="))) == "a+b/c=="


@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_an_empty_credential_is_refused(text: str) -> None:
    assert "is empty" in refusal(Plain(Secret(text))).message


@pytest.mark.parametrize(
    "text",
    ["\r\nX-Evil: 1", "\n", "\r", "\0", "\x1b[31m", "\x7f", "\x85", "\u200b", "\u202e", "\udcff"],
)
def test_a_credential_with_an_invisible_character_is_refused(text: str) -> None:
    assert "invisible character" in refusal(Plain(Secret(CANARY + text + "x"))).message


def test_a_placeholder_that_cannot_go_into_a_header_is_refused() -> None:
    assert "not ASCII" in refusal(Plain(Secret("…"))).message


# --- variables -------------------------------------------------------------------------


def test_a_variable_is_read_from_the_environment_given() -> None:
    assert fetched(FromVariable("MOON_KEY"), MOON_KEY=CANARY) == CANARY


def test_an_empty_variable_is_an_unset_one() -> None:
    for problem in (
        refusal(FromVariable("MOON_KEY")),
        refusal(FromVariable("MOON_KEY"), MOON_KEY=""),
    ):
        assert "environment variable MOON_KEY, which is not set" in problem.message


def test_a_variable_with_a_line_break_is_refused_by_its_name() -> None:
    problem = refusal(FromVariable("MOON_KEY"), MOON_KEY=f"{CANARY}\r\nX-Evil: 1")
    assert "(from MOON_KEY)" in problem.message


# --- files -----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_file_gives_its_text_without_the_last_line_break(tmp_path: Path, ending: str) -> None:
    assert fetched(FromFile(str(secret_file(tmp_path, CANARY + ending)))) == CANARY


def test_only_one_line_break_is_taken_off(tmp_path: Path) -> None:
    path = secret_file(tmp_path, f"{CANARY}\n\n")
    assert "invisible character" in refusal(FromFile(str(path))).message


def test_a_tilde_is_the_home_folder_of_the_environment(tmp_path: Path) -> None:
    secret_file(tmp_path, CANARY)
    assert fetched(FromFile("~/secret"), HOME=str(tmp_path)) == CANARY


def test_a_file_that_others_can_read_is_refused_by_account_and_key(tmp_path: Path) -> None:
    path = secret_file(tmp_path, CANARY, mode=0o640)
    problem = refusal(FromFile(str(path)))
    assert problem.message == f"{WHOSE}: the file {path} can be read by others (mode 0640)"
    assert problem.hint == f"chmod 600 {path}"


def test_a_credential_of_systemd_may_show_the_mask_of_its_acl(tmp_path: Path) -> None:
    path = secret_file(tmp_path, CANARY, mode=0o440)
    assert fetched(FromFile(str(path)), CREDENTIALS_DIRECTORY=str(tmp_path)) == CANARY
    assert "can be read by others" in refusal(FromFile(str(path))).message
    path.chmod(0o444)
    refusal(FromFile(str(path)), CREDENTIALS_DIRECTORY=str(tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert f"there is no file {tmp_path}/none" in refusal(FromFile(f"{tmp_path}/none")).message


def test_a_file_of_more_than_64_kilobytes_is_refused(tmp_path: Path) -> None:
    path = secret_file(tmp_path, "x" * (SECRET_LIMIT + 1))
    assert "larger than 65536 bytes" in refusal(FromFile(str(path))).message


# --- commands --------------------------------------------------------------------------


def shell(script: str) -> FromCommand:
    return FromCommand(("sh", "-c", script))


def test_a_command_gives_what_it_prints_without_the_last_line_break() -> None:
    assert fetched(FromCommand(("echo", CANARY))) == CANARY


def test_a_command_gets_the_environment_and_nothing_to_read() -> None:
    assert fetched(shell('printf %s "$MOON"; cat'), MOON=CANARY) == CANARY


def test_no_shell_reads_the_command() -> None:
    origin = read_origin({"command": Secret("echo $(id) ~ $HOME `id` ; * > /x | y &&")}, WHOSE)
    assert fetched(origin) == "$(id) ~ $HOME `id` ; * > /x | y &&"


def test_a_command_that_fails_is_told_by_its_exit_code_alone(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    problem = refusal(shell(f"echo {CANARY}; echo {CANARY} >&2; exit 3"))
    assert problem.message == f"{WHOSE}: the command failed with exit code 3"
    assert CANARY not in "".join(capfd.readouterr()) + caplog.text


def test_what_a_working_command_says_on_stderr_is_not_shown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert fetched(shell(f"echo {CANARY} >&2; echo good")) == "good"
    assert capfd.readouterr() == ("", "")


def test_a_command_that_does_not_exist_is_one_sentence() -> None:
    problem = refusal(FromCommand(("no-such-command-here",)))
    assert "cannot be started: No such file or directory" in problem.message


def test_a_command_is_found_by_the_path_of_the_environment_given() -> None:
    assert "cannot be started" in refusal(FromCommand(("echo", "x")), PATH="/nowhere").message


@pytest.mark.parametrize("script", ["head -c 1000000 /dev/zero", "yes"])
def test_a_command_that_prints_without_end_is_stopped(script: str) -> None:
    assert "printed more than 65536 bytes" in refusal(shell(script)).message


@pytest.mark.parametrize("leader", ["wait", "exit 0"])
def test_a_command_that_hangs_is_ended_with_all_its_children(
    leader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "COMMAND_TIMEOUT", 0.5)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    alive = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        # The children hold the FIFO and stdout open for as long as they live.
        problem = refusal(shell(f"exec 3>{fifo}; echo x >&3; sleep 600 & {leader}"))
        assert problem.message == f"{WHOSE}: the command took longer than 0.5 s"
        assert os.read(alive, 10) == b"x\n"
        assert select.select([alive], [], [], 5.0)[0]
        assert os.read(alive, 10) == b""
    finally:
        os.close(alive)


def test_a_command_that_prints_no_text_is_refused() -> None:
    assert "invisible" in refusal(shell(r"printf 'key\377\200'")).message
    assert "is empty" in refusal(shell("true")).message


# --- nothing shows ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "carrier",
    [Environment({"MOON_KEY": CANARY}), Plain(Secret(CANARY)), FromCommand(("echo", CANARY))],
)
def test_a_carrier_of_secrets_does_not_show_them(
    carrier: Any, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("test").warning("%r %s", carrier, carrier)
    assert CANARY not in f"{carrier!r} {carrier!s} {carrier}" + caplog.text


@pytest.mark.parametrize("carrier", [Environment({"MOON_KEY": CANARY}), Plain(Secret(CANARY))])
def test_a_carrier_of_secrets_is_not_written_away(carrier: Any) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(carrier)
    with pytest.raises(TypeError):
        copy.deepcopy(carrier)
    with pytest.raises(TypeError):
        json.dumps(carrier)
    with pytest.raises(TypeError):
        msgspec.json.encode(carrier)
    assert CANARY not in repr(getattr(carrier, "__dict__", {}))

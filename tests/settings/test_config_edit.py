"""The config file is changed in one account and nowhere else, at once or not at all."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from privstream.model.account import Secret
from privstream.model.errors import ConfigError, OutputFailed
from privstream.settings import config_edit
from privstream.settings.config import AccountSettings, load
from privstream.settings.config_edit import Setting, current, editing
from privstream.settings.credentials import read_origin
from tests.config_playground import CANARY, assert_silent, config_file

COMMENTED = """\
# Two accounts, and why.

# The one at the desk.
[accounts.kraken]  # main
api_key = "k"      # from 2024
api_secret = '''s
[accounts.trap]
'''
protocol = "v1"    # the bot wants it
# touches the section

# Where it really is.
[exchanges.kraken]
rest_url = "http://127.0.0.1:8900"
ws_url = "ws://127.0.0.1:8901/"


# The second one.
[accounts.desk]
exchange = "kraken"   # says it
read_only = true      # no orders
api_key = { env = "DESK_KEY" }
api_secret = { env = "DESK_SECRET" }

# The end.
"""
ENV = {"api_key": {"env": Secret("A")}, "api_secret": {"env": Secret("B")}}
PLAIN = {"api_key": Secret(CANARY), "api_secret": Secret('q"\\')}


def account(
    name: str, credentials: Mapping[str, Setting], exchange: str = "kraken", **more: Any
) -> AccountSettings:
    origins = {key: read_origin(value, key) for key, value in credentials.items()}
    return AccountSettings(name, exchange, origins, more.pop("options", {}), **more)


def put(
    home: Path,
    name: str,
    credentials: Mapping[str, Setting],
    section: Mapping[str, Setting] = MappingProxyType({}),
    **more: Any,
) -> bool:
    with editing({"HOME": str(home)}) as edit:
        edit.put(account(name, credentials, **more), {**section, **credentials})
        return edit.land()


def remove(home: Path, name: str) -> None:
    with editing({"HOME": str(home)}) as edit:
        edit.remove(name)
        edit.land()


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


# --- what the file says afterwards -----------------------------------------------------------


@pytest.mark.parametrize("text", [COMMENTED, COMMENTED.rstrip(), "\n", "# only a comment", ""])
def test_what_was_there_stays_byte_by_byte_when_an_account_comes(tmp_path: Path, text: str) -> None:
    path = config_file(tmp_path, text)
    put(tmp_path, "new", ENV, {"exchange": Secret("kraken")})
    gap = "\n" if text.endswith("\n") else "\n\n" if text else ""
    assert path.read_text() == (
        f'{text}{gap}[accounts.new]\nexchange = "kraken"\n'
        'api_key = { env = "A" }\napi_secret = { env = "B" }\n'
    )


def test_a_file_with_other_line_ends_keeps_them(tmp_path: Path) -> None:
    path = config_file(tmp_path, "")
    path.write_bytes(COMMENTED.replace("\n", "\r\n").encode())
    put(tmp_path, "new", ENV, {"exchange": Secret("kraken")})
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")
    remove(tmp_path, "new")
    remove(tmp_path, "desk")
    assert b"\n" not in path.read_bytes().replace(b"\r\n", b"")
    assert "# The end." in path.read_text()


def test_secrets_are_quoted_as_the_file_needs(tmp_path: Path) -> None:
    put(tmp_path, "kraken", PLAIN)
    found = load({"HOME": str(tmp_path)}).account("kraken")
    assert (found.api_key, found.api_secret) == (Secret(CANARY), Secret('q"\\'))


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("kraken", COMMENTED[COMMENTED.index("[accounts.kraken]") : COMMENTED.index("\n# Where")]),
        ("desk", COMMENTED[COMMENTED.index("[accounts.desk]") : COMMENTED.index("\n# The end")]),
    ],
)
def test_only_the_section_goes_when_an_account_goes(tmp_path: Path, name: str, gone: str) -> None:
    path = config_file(tmp_path, COMMENTED)
    remove(tmp_path, name)
    assert path.read_text() == COMMENTED.replace(gone, "").replace("desk.\n\n\n#", "desk.\n\n#")
    for comment in ("# Two", "# The one at", "# Where", "# The second", "# The end"):
        assert comment in path.read_text()


def test_a_section_with_tables_of_its_own_goes_with_them(tmp_path: Path) -> None:
    text = (
        '[accounts.desk]\nexchange = "kraken"\n[accounts.desk.api_key]\nenv = "A"\n'
        '[accounts.desk.api_secret]\nenv = "B"\n\n# mine\n[accounts.z]\nexchange = "kraken"\n'
        'api_key = "a"\napi_secret = "b"\n'
    )
    path = config_file(tmp_path, text)
    remove(tmp_path, "desk")
    assert path.read_text() == text[text.index("# mine") :]


def test_a_comment_right_before_the_next_header_stays_with_it(tmp_path: Path) -> None:
    keys = 'exchange = "kraken"\napi_key = "a"\napi_secret = "b"\n'
    path = config_file(tmp_path, f"[accounts.a]\n{keys}# of z\n[accounts.z]\n{keys}# of z too\n")
    put(tmp_path, "a", {**ENV, "otp": {"env": Secret("C")}}, {"exchange": Secret("kraken")})
    assert 'otp = { env = "C" }\n# of z\n[accounts.z]' in path.read_text()
    remove(tmp_path, "a")
    assert path.read_text() == f"# of z\n[accounts.z]\n{keys}# of z too\n"
    remove(tmp_path, "z")
    assert path.read_text() == "# of z\n"


def test_an_account_written_in_one_line_can_go(tmp_path: Path) -> None:
    one = 'desk = { exchange = "kraken", api_key = "a", api_secret = "b" }  # one\n'
    path = config_file(tmp_path, f"[accounts]\n{one}{one.replace('desk', 'z')}# end\n")
    remove(tmp_path, "desk")
    assert path.read_text() == f"[accounts]\n{one.replace('desk', 'z')}# end\n"


def test_new_credentials_leave_the_rest_of_a_section_in_its_place(tmp_path: Path) -> None:
    path = config_file(tmp_path, COMMENTED)
    put(tmp_path, "desk", {**ENV, "otp": {"env": Secret("C")}}, read_only=False)
    assert path.read_text() == COMMENTED.replace("DESK_KEY", "A").replace(
        "read_only = true ", "read_only = false "
    ).replace('{ env = "DESK_SECRET" }\n', '{ env = "B" }\notp = { env = "C" }\n')


def test_what_a_section_has_no_more_is_taken_out(tmp_path: Path) -> None:
    path = config_file(tmp_path, COMMENTED)
    put(tmp_path, "kraken", ENV)
    changed = path.read_text()
    assert 'api_key = { env = "A" }      # from 2024\n' in changed
    assert "protocol" not in changed
    assert "# touches the section\n\n# Where it really is.\n" in changed


@pytest.mark.parametrize(
    "text",
    [
        'accounts = { desk = { exchange = "kraken", api_key = "a", api_secret = "b" } }\n',
        '[accounts]\ndesk = { exchange = "kraken", api_key = "a", api_secret = "b" }\n',
    ],
)
def test_a_file_written_in_a_rare_way_is_changed_rightly_or_not_at_all(
    tmp_path: Path, text: str
) -> None:
    path = config_file(tmp_path, text)
    more = {**ENV, "otp": {"env": Secret("C")}}
    for name in ("desk", "new"):
        changed = None
        try:
            put(tmp_path, name, more, {"exchange": Secret("kraken")})
        except ConfigError as problem:
            changed = problem.hint
        found = load({"HOME": str(tmp_path)}).accounts
        if changed is None:
            assert found[name] == account(name, more)
        else:
            assert changed == "nothing was changed; edit the file by hand"
            assert path.read_text() == text
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


# --- modes and owners ------------------------------------------------------------------------


def test_new_files_and_folders_are_nobody_elses_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        put(tmp_path, "kraken", PLAIN)
    finally:
        os.umask(before)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2  # the config file and the lock
    assert {mode_of(path) for path in files} == {0o600}
    assert {mode_of(path) for path in tmp_path.rglob("*") if path.is_dir()} == {0o700}


def test_a_file_that_gets_its_first_secret_becomes_the_owners_alone(tmp_path: Path) -> None:
    path = config_file(tmp_path, "# open\n", mode=0o644)
    assert not put(tmp_path, "kraken", ENV)
    assert mode_of(path) == 0o644
    assert put(tmp_path, "desk", PLAIN, {"exchange": Secret("kraken")})
    assert mode_of(path) == 0o600


def test_the_new_file_is_never_open_to_others_while_it_holds_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config_file(tmp_path, "", mode=0o644)
    seen: list[int] = []
    sync = os.fsync

    def look(descriptor: int) -> None:
        seen.append(os.fstat(descriptor).st_mode & 0o777)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    put(tmp_path, "kraken", PLAIN)
    assert seen[0] == 0o600
    assert mode_of(path) == 0o600


def test_a_folder_that_everybody_writes_to_gets_no_new_file(tmp_path: Path) -> None:
    folder = tmp_path / ".config/privstream"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match="folder that everybody can write to"):
        put(tmp_path, "kraken", PLAIN)
    assert not list(folder.iterdir())


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = config_file(tmp_path, "")
    real = path.rename(tmp_path / "real.toml")
    path.symlink_to(real)
    with pytest.raises(ConfigError, match="symbolic link"):
        put(tmp_path, "kraken", PLAIN)
    assert real.read_text() == ""


def test_another_users_file_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config_file(tmp_path, "")
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="belongs to another user") as caught:
        config_edit._read(path)
    assert caught.value.hint == "edit it as that user"


def test_a_link_planted_for_the_new_file_is_not_written_through(tmp_path: Path) -> None:
    path = config_file(tmp_path, "")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.with_name(".config.toml.new").symlink_to(victim)
    put(tmp_path, "kraken", PLAIN)
    assert victim.read_text() == "precious"


def test_a_link_planted_at_the_last_moment_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config_file(tmp_path, "")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path.with_name(".config.toml.new").symlink_to(victim)
    monkeypatch.setattr(Path, "unlink", lambda _self: None)  # as if it came right after that
    with pytest.raises(ConfigError, match="cannot be written: File exists"):
        put(tmp_path, "kraken", PLAIN)
    assert victim.read_text() == "precious"


# --- at once or not at all -------------------------------------------------------------------


def test_a_rename_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config_file(tmp_path, COMMENTED)

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputFailed, match="cannot be written: No space left") as caught:
        put(tmp_path, "new", PLAIN, {"exchange": Secret("kraken")})
    assert_silent(caught.value)
    assert path.read_text() == COMMENTED
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_a_result_that_does_not_load_never_lands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config_file(tmp_path, COMMENTED)
    monkeypatch.setattr(
        config_edit, "_appended", lambda text, *_: Secret(f"{text.reveal()}\n[accounts.new\n")
    )
    with pytest.raises(ConfigError, match="does not allow this change") as caught:
        put(tmp_path, "new", PLAIN, {"exchange": Secret("kraken")})
    assert_silent(caught.value)
    assert path.read_text() == COMMENTED


def test_a_result_that_means_something_else_never_lands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config_file(tmp_path, COMMENTED)
    appended = config_edit._appended
    monkeypatch.setattr(
        config_edit,
        "_appended",
        lambda text, *rest: Secret(appended(text, *rest).reveal().replace("DESK_KEY", "OTHER")),
    )
    with pytest.raises(ConfigError, match="does not allow this change"):
        put(tmp_path, "new", ENV, {"exchange": Secret("kraken")})
    assert path.read_text() == COMMENTED


def test_a_file_that_an_editor_saved_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = config_file(tmp_path, "")
    with editing({"HOME": str(tmp_path)}) as edit:
        edit.put(account("kraken", ENV), ENV)
        path.write_text("# saved\n")
        with pytest.raises(ConfigError, match="changed by somebody else"):
            edit.land()
    assert path.read_text() == "# saved\n"


def test_a_change_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    with editing({"HOME": str(tmp_path)}) as edit:
        edit.put(account("kraken", PLAIN), PLAIN)
    assert not [path for path in tmp_path.rglob("*") if "config.toml" in path.name]


def test_writers_at_the_same_time_all_get_their_account_in(tmp_path: Path) -> None:
    names = [f"desk{number}" for number in range(4)]
    start = threading.Barrier(len(names))

    def write(name: str) -> None:
        start.wait()
        put(tmp_path, name, ENV, {"exchange": Secret("kraken")})

    threads = [threading.Thread(target=write, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(load({"HOME": str(tmp_path)}).accounts) == names


def test_a_lock_that_is_never_given_back_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_edit, "LOCK_TRIES", 1)
    monkeypatch.setattr(config_edit, "LOCK_POLL", 0.0)
    environ = {"HOME": str(tmp_path)}
    with editing(environ), pytest.raises(ConfigError, match="another privstream"), editing(environ):
        pass


def test_a_file_that_is_named_but_not_there_yet_is_made(tmp_path: Path) -> None:
    path = tmp_path / "own" / "privstream.toml"
    environ = {"HOME": str(tmp_path), "PRIVSTREAM_CONFIG": str(path)}
    with editing(environ) as edit:
        edit.put(account("kraken", PLAIN), PLAIN)
        edit.land()
    assert mode_of(path) == 0o600
    assert current(environ).path == path
    assert list(load(environ).accounts) == ["kraken"]

"""The config file: which it is, who may touch it, what may be in it."""

from pathlib import Path

import pytest

from privstream.model.errors import ConfigError
from tests.config_playground import CANARY, KEYS, config_file, loaded, refusal

# --- which file ------------------------------------------------------------------------


def test_without_a_file_nothing_is_configured(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert config.names() == ()
    assert not config.exists
    assert config.path == tmp_path / ".config/privstream/config.toml"


def test_the_xdg_folder_and_then_the_variable_say_which_file(tmp_path: Path) -> None:
    config_file(tmp_path, "[accounts.moon]")
    xdg = tmp_path / "xdg/.config"
    config_file(tmp_path / "xdg", "[accounts.mars]")
    named = tmp_path / "named.toml"
    named.write_text("[accounts.desk]\nexchange='moon'\n" + KEYS)
    named.chmod(0o600)
    assert loaded(tmp_path).names() == ("moon",)
    assert loaded(tmp_path, XDG_CONFIG_HOME=str(xdg)).names() == ("mars",)
    both = loaded(tmp_path, XDG_CONFIG_HOME=str(xdg), PRIVSTREAM_CONFIG=str(named))
    assert both.names() == ("desk",)
    assert both.path == named
    assert loaded(tmp_path, XDG_CONFIG_HOME="xdg/.config", PRIVSTREAM_CONFIG="").names() == (
        "moon",
    )


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which PRIVSTREAM_CONFIG names"):
        loaded(tmp_path, PRIVSTREAM_CONFIG=f"{tmp_path}/none.toml")


def test_the_current_folder_is_never_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config.toml", "privstream.toml", "privstream/config.toml"):
        (tmp_path / "here" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "here" / name).write_text("[accounts.moon]")
    monkeypatch.chdir(tmp_path / "here")
    assert not loaded(tmp_path / "home", XDG_CONFIG_HOME=".").exists


# --- who may read and write it ---------------------------------------------------------


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_with_secrets_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = config_file(tmp_path, f"[accounts.moon]\n{KEYS}", mode)
    problem = refusal(tmp_path)
    assert f"config file with secrets {path} can be read by others" in problem.message
    assert problem.hint == f"chmod 600 {path}"


def test_one_secret_in_any_account_makes_a_file_secret(tmp_path: Path) -> None:
    config_file(tmp_path, f"[accounts.mars]\n[accounts.moon]\notp = '{CANARY}'", 0o644)
    assert "by others" in refusal(tmp_path).message


def test_a_file_without_secrets_may_be_read_by_all(tmp_path: Path) -> None:
    text = '[accounts.moon]\napi_key = { env = "A" }\napi_secret = { command = "b" }'
    config_file(tmp_path, text, 0o644)
    assert loaded(tmp_path).names() == ("moon",)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused_though_it_holds_no_secret(
    tmp_path: Path, mode: int
) -> None:
    config_file(tmp_path, "[accounts.moon]", mode)
    assert "can be written by others" in refusal(tmp_path).message


def test_a_file_in_a_folder_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    config_file(tmp_path, "").parent.chmod(0o777)
    with pytest.raises(ConfigError, match="everybody can write to"):
        loaded(tmp_path)


def test_a_linked_config_file_is_not_followed(tmp_path: Path) -> None:
    path = config_file(tmp_path, "[accounts.moon]")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a symbolic link"):
        loaded(tmp_path)


def test_a_file_of_more_than_a_megabyte_is_refused(tmp_path: Path) -> None:
    assert "larger than" in refusal(tmp_path, "#" * (1024 * 1024 + 1)).message


# --- what is in it ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"[accounts.moon]\napi_key = {CANARY}\n", 2),
        (f'\n\napi_key = "{CANARY}', 3),
        (f'a = "{CANARY}"\na = "{CANARY}"', 2),
        ("[accounts.moon\n", 1),
        (f"a = '{CANARY}'\nb = {'[' * 100_000}", 2),
        (f"a = '{CANARY}'\nb = {'9' * 10_000}", 2),
    ],
)
def test_bad_toml_is_told_by_its_line_and_never_quoted(
    tmp_path: Path, text: str, line: int
) -> None:
    problem = refusal(tmp_path, text)
    path = tmp_path / ".config/privstream/config.toml"
    assert problem.message == f"{path}: line {line} is not valid TOML"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("[acounts.moon]", "'acounts' is not a setting", "did you mean accounts?"),
        ("colour = 5", "'colour' is not a setting", "known are: accounts, exchanges"),
        ("accounts = 5", "'accounts' must be a table", None),
        ("[[accounts]]", "'accounts' must be a table", None),
        ("[accounts]\nmoon = 5", "[accounts] 'moon' must be a table", None),
        ("[[exchanges.moon]]", "[exchanges] 'moon' must be a table", None),
        (
            f"[accounts.moon]\napi_kye = '{CANARY}'",
            "[accounts.moon] 'api_kye' is not a setting",
            "did you mean api_key?",
        ),
        ("[accounts.mars]\notp = ''", "[accounts.mars] 'otp' is not a setting", "known are"),
        ("[accounts.mars]\nprotocol = ''", "'protocol' is not a setting", "known are"),
        ("[accounts.mon]", "[accounts.mon] 'exchange' is missing", "did you mean moon?"),
        ("[accounts.desk]", "[accounts.desk] 'exchange' is missing", "known are: mars, moon"),
        (
            "[accounts.desk]\nexchange = 'mooon'",
            "[accounts.desk] 'exchange' is no known exchange: 'mooon'",
            "did you mean moon?",
        ),
        ("[accounts.desk]\nexchange = 5", "'exchange' must be text in quotes", None),
        ("[accounts.moon]\nread_only = 'yes'", "'read_only' must be true or false", None),
        ("[accounts.moon]\nread_only = 1", "'read_only' must be true or false", None),
        ("[accounts.moon]\nprotocol = 'v3'", "'protocol' must be v2 or v1", None),
        ("[accounts.moon]\nprotocol = 2", "'protocol' must be text in quotes", None),
        ("[accounts.moon]\napi_key = 5", "'api_key' must be text or a table", "env"),
        (
            f"[accounts.moon]\napi_key = {{ envv = '{CANARY}' }}",
            "[accounts.moon] 'api_key' has no setting 'envv'",
            "did you mean env?",
        ),
        ("[exchanges.mooon]", "[exchanges] 'mooon' is no known exchange", "did you mean moon?"),
        ("[exchanges.moon]\nurl = 'x'", "[exchanges.moon] 'url' is not a setting", "ws_url"),
        ("[exchanges.moon]\nrest_ulr = ''", "is not a setting", "did you mean rest_url?"),
        ("[exchanges.moon]\nhistory_url = ''", "'history_url' is not a setting", ""),
        ("[exchanges.moon]\nrest_url = 5", "'rest_url' must be text in quotes", None),
        (
            "[exchanges.moon]\nrest_url = 'http://moon.test'",
            "[exchanges.moon] 'rest_url' must begin with https://",
            None,
        ),
        ("[exchanges.moon]\nws_url = 'https://moon.test'", "'ws_url' must begin with wss", None),
        ("[exchanges.mars]\nhistory_url = 'ws://[::1]'", "'history_url' must begin", None),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_file_and_key(
    tmp_path: Path, text: str, problem: str, hint: str | None
) -> None:
    caught = refusal(tmp_path, text)
    assert caught.message.startswith(f"{tmp_path}/.config/privstream/config.toml: ")
    assert problem in caught.message
    assert "\n" not in caught.message
    assert (hint or "") in (caught.hint or "")


def test_a_password_in_a_url_is_refused_and_not_quoted(tmp_path: Path) -> None:
    text = f"[exchanges.moon]\nrest_url = 'https://me:{CANARY}@moon.test'"
    with pytest.raises(ConfigError, match="user name") as caught:
        loaded(tmp_path, text)
    assert CANARY not in str(caught.value)
    assert caught.value.exchange == "moon"


def test_a_key_in_the_line_of_the_exchange_is_not_quoted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'exchange' is no known exchange$") as caught:
        loaded(tmp_path, f"[accounts.desk]\nexchange = '{CANARY}'")
    assert CANARY not in f"{caught.value!r} {caught.value.hint}"


def test_an_error_within_an_account_knows_whom_it_concerns(tmp_path: Path) -> None:
    problem = refusal(tmp_path, "[accounts.desk]\nexchange = 'moon'\nprotocol = 'v9'\n" + KEYS)
    assert (problem.exchange, problem.account) == ("moon", "desk")


@pytest.mark.parametrize("name", ["../../x", "a/b", "\\u0000", "x" * 300, "", "a b", "é", "a\\n"])
def test_an_account_name_is_short_and_plain(tmp_path: Path, name: str) -> None:
    problem = refusal(tmp_path, f'[accounts."{name}"]\nexchange = "moon"\n{KEYS}')
    assert "is no account name" in problem.message
    assert "\0" not in problem.message
    assert len(problem.message) < len(str(tmp_path)) + 120


@pytest.mark.parametrize("name", ["../../x", "a/b", "\0", "x" * 300, "", "moon\n"])
def test_an_account_name_that_is_asked_for_is_checked_alike(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="is no account name"):
        loaded(tmp_path).account(name)

"""`token check`, `show` and `refresh`, as cron and as a person meet them."""

import json
import os
import pty
import re
import socket
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from privstream.app import check_logins as checking
from privstream.app.assembly import client_for, tokens_for
from privstream.app.token_lines import Line, TokenLines, spoken
from privstream.app.watch import Request, watch
from privstream.cli import token
from privstream.model.account import Account
from privstream.model.errors import ConfigError, Exit, LoginRefused, UsageError
from privstream.settings.config import load
from privstream.simulator import names
from privstream.simulator.server import Simulation
from tests.cli.conftest import Program, shown_on
from tests.forked import CLOSED
from tests.outside import context, environment

KEYS = ["account", "exchange", "ok", "kind", "expires", "ttl", "renewed", "error"]
TOKENS = ("indodax", "kraken")
LIVES = {"indodax": 86400, "kraken": 900}
SLOW = 30
"""Seconds that a token may have aged on a busy computer before a test sees it."""


@pytest.fixture(scope="module")
def served() -> Iterator[Simulation]:
    """All five."""
    with Simulation(names(), seed=7, rate=0.1, limits=False) as running:
        yield running


def settings(account: Account, **changes: str) -> str:
    """The lines of an account, and where it is."""
    values = {key: secret.reveal() for key, secret in account.credentials.items()}
    values |= {
        "rest_url": account.endpoints.rest_url,
        "ws_url": account.endpoints.ws_url,
        **changes,
    }
    keys = "".join(f'{key} = "{values.pop(key)}"\n' for key in account.credentials)
    urls = "".join(f'{key} = "{url}"\n' for key, url in values.items())
    return f"[accounts.{account.name}]\n{keys}[exchanges.{account.exchange}]\n{urls}"


class Home:
    """A home folder with a config file, in which commands run inside this process."""

    def __init__(self, folder: Path, served: Simulation, capture: Any) -> None:
        self.folder = folder
        self.served = served
        self._capture = capture
        self.config = folder / "config.toml"
        self.config.touch(0o600)
        self.requests: list[str] = []

    def write(self, *sections: str) -> None:
        self.config.write_text("\n".join(sections))

    def account(self, name: str, **changes: str) -> str:
        return settings(self.served.account(name, {}), **changes)

    def check(self, *accounts: str, **options: Any) -> tuple[int, list[dict[str, Any]], str]:
        """The exit code, the lines, and what was said on stderr."""
        code = token.check(context(), list(accounts), **options)
        out, err = self._capture.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    def said(self) -> tuple[str, str]:
        out, err = self._capture.readouterr()
        return out, err

    @property
    def cache(self) -> Path:
        return self.folder / ".cache/privstream"

    def age(self, seconds: float) -> None:
        """Let the tokens in the cache be so much older."""
        for path in self.cache.glob("token-*"):
            if path.suffix != ".lock":
                kept = json.loads(path.read_text())
                kept["wall_ns"] -= round(seconds * 1e9)
                kept["uptime"] = max(0.0, kept["uptime"] - seconds)
                path.write_text(json.dumps(kept))


@pytest.fixture
def home(
    served: Simulation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Home:
    for variable in list(os.environ):
        if variable.startswith(("XDG_", "KRAKEN_", "PRIVSTREAM_")):
            monkeypatch.delenv(variable)
    home = Home(tmp_path, served, capfd)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PRIVSTREAM_CONFIG", str(home.config))
    for name in TOKENS:
        tokens: Any = served.exchanges[name]
        issue = tokens.tokens.issue

        def counted(now: Any, issue: Any = issue, name: str = name) -> str:
            home.requests.append(name)
            text: str = issue(now)
            return text

        monkeypatch.setattr(tokens.tokens, "issue", counted)
    return home


@pytest.fixture
def kraken(home: Home) -> Home:
    """The same, with one account."""
    home.write(home.account("kraken"))
    return home


def dead_url() -> str:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


# --- check ---------------------------------------------------------------------------------


def test_every_account_has_a_line_of_its_own_kind(home: Home) -> None:
    home.write(*(home.account(name) for name in names()))
    code, lines, err = home.check()
    assert (code, err) == (0, "")
    assert [line["account"] for line in lines] == list(names())
    assert all(list(line) == KEYS and line["ok"] and line["error"] is None for line in lines)
    assert [line["account"] for line in lines if line["kind"] == "token"] == list(TOKENS)
    for line in lines:
        if line["kind"] == "token":
            assert line["renewed"]
            assert 0 < LIVES[line["account"]] - line["ttl"] < SLOW
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["expires"])
        else:
            assert (line["expires"], line["ttl"], line["renewed"]) == (None, None, False)
    assert sorted(home.requests) == list(TOKENS)


def test_what_is_cached_is_not_fetched_again(kraken: Home) -> None:
    first = kraken.check()[1][0]
    code, [second], _ = kraken.check("kraken")
    assert code == 0
    assert (second["renewed"], second["expires"]) == (False, first["expires"])
    assert kraken.requests == ["kraken"]


@pytest.mark.parametrize(("age", "renewed"), [(700, False), (800, True)])
def test_what_runs_out_is_renewed(kraken: Home, age: float, renewed: bool) -> None:  # noqa: FBT001 - a case
    kraken.check()
    kraken.age(age)
    code, [line], _ = kraken.check()
    assert (code, line["renewed"]) == (0, renewed)
    assert kraken.check(min_ttl="10m")[1][0]["renewed"] is not renewed


def test_a_wrong_key_is_exit_4(home: Home) -> None:
    home.write(home.account("kraken", api_key="PSCANARYwrong"))
    code, [line], err = home.check()
    assert code == Exit.REFUSED
    assert (line["ok"], line["kind"], line["error"]) == (False, "token", "login")
    assert err.startswith("privstream: kraken: Kraken does not know this API key")
    assert err.count("\n") == 1
    assert "PSCANARY" not in err


def test_a_dead_host_is_exit_5(home: Home) -> None:
    home.write(home.account("kraken", rest_url=dead_url()))
    code, [line], err = home.check()
    assert (code, line["error"]) == (Exit.UNREACHABLE, "unreachable")
    assert "connection refused" in err


def test_a_dead_socket_is_exit_5_where_one_logs_in(home: Home) -> None:
    home.write(home.account("zerocap", ws_url=dead_url().replace("http", "ws")))
    code, [line], err = home.check()
    assert (code, line["kind"], line["error"]) == (Exit.UNREACHABLE, "login", "unreachable")
    assert err.startswith("privstream: zerocap: ")


def test_one_that_fails_keeps_no_other_and_the_worst_is_the_exit_code(home: Home) -> None:
    variable = (
        '[accounts.desk]\nexchange = "kraken"\napi_key = "k"\napi_secret = { env = "NONE" }\n'
    )
    home.write(
        variable,
        home.account("kraken", api_secret="d3Jvbmc="),
        home.account("zerocap", ws_url=dead_url().replace("http", "ws")),
        home.account("bitfinex"),
    )
    code, lines, err = home.check()
    assert code == Exit.CONFIG
    found = {line["account"]: (line["exchange"], line["kind"], line["error"]) for line in lines}
    assert found == {
        "desk": ("kraken", "token", "config"),
        "kraken": ("kraken", "token", "login"),
        "zerocap": ("zerocap", "login", "unreachable"),
        "bitfinex": ("bitfinex", "login", None),
    }
    assert [said.split(": ")[1] for said in err.splitlines()] == ["desk", "kraken", "zerocap"]
    assert "NONE, which is not set (set NONE)" in err
    assert home.check("kraken", "zerocap")[0] == Exit.REFUSED
    assert home.check("zerocap", "bitfinex")[0] == Exit.UNREACHABLE


def test_an_account_that_is_not_there_is_exit_3_and_a_line(kraken: Home) -> None:
    code, lines, err = kraken.check("kraken", "desk")
    assert code == Exit.CONFIG
    assert [line["ok"] for line in lines] == [True, False]
    assert (lines[1]["exchange"], lines[1]["kind"]) == (None, None)
    assert "there is no account 'desk'" in err


def test_no_account_at_all_is_exit_3(home: Home) -> None:
    with pytest.raises(ConfigError, match="no account is configured") as caught:
        home.check()
    assert "KRAKEN_API_KEY" in (caught.value.hint or "")


def test_more_life_than_the_exchange_gives_is_said_not_tried_again(kraken: Home) -> None:
    code, [line], err = kraken.check(min_ttl="20m")
    assert code == Exit.USAGE
    assert (line["ok"], line["error"]) == (False, "usage")
    assert 0 < 900 - line["ttl"] < SLOW
    assert "Kraken's tokens live for 15 min, less than the 20 min of --min-ttl" in err
    assert kraken.requests == ["kraken"]
    assert kraken.check()[1][0]["renewed"] is False


def test_all_the_life_that_the_exchange_gives_can_be_asked_for(kraken: Home) -> None:
    assert kraken.check(min_ttl="15m")[0] == 0


def test_quiet_prints_nothing_and_still_says_what_failed(home: Home) -> None:
    home.write(home.account("kraken"), home.account("indodax", api_secret="wrong"))
    assert home.check("kraken", quiet=True) == (0, [], "")
    code, lines, err = home.check(quiet=True)
    assert (code, lines) == (Exit.REFUSED, [])
    assert err.startswith("privstream: indodax: ")


def test_as_json_what_failed_is_json_too(home: Home) -> None:
    home.write(home.account("kraken", api_key="unknown"))
    code, [line], err = home.check(json=True)
    said = json.loads(err)
    assert (code, line["error"]) == (4, said["error"])
    assert list(said) == ["error", "exchange", "account", "message", "hint", "retryable"]
    assert (said["exchange"], said["account"]) == ("kraken", "kraken")


def test_an_account_that_hangs_holds_up_no_other(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        home.write(home.account("kraken", rest_url=url), home.account("indodax"))
        home.check(
            "indodax"
        )  # its token is in the cache then: no request that a busy computer delays
        config = load(os.environ)
        names_ = ("kraken", "indodax")
        hung, good = checking.check_accounts(
            environment(quiet=True), config, names_, 120.0, total=0.5
        )
    assert (hung.line.ok, hung.line.error, hung.line.kind) == (False, "unreachable", "token")
    assert hung.problem is not None
    assert hung.problem.message == "the check was not done within 0.5 s"
    assert (hung.problem.exit, hung.problem.account) == (5, "kraken")
    assert good.line.ok


def test_a_bug_in_a_check_is_not_taken_for_a_result(
    kraken: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "tokens_for", lambda *_, **__: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        kraken.check()


def test_a_check_and_a_stream_give_each_other_no_nonce_errors(kraken: Home) -> None:
    # The simulated Kraken refuses every nonce that is not above the one before.
    account = load(os.environ).account("kraken")
    failed: list[BaseException] = []

    def read_back() -> None:
        try:
            client = client_for(environment(), account)
            for _ in range(4):
                client.ask(client.exchange.look_up(["OABCDE-FGHIJ-KLMNOP"]))
        except BaseException as problem:  # noqa: BLE001 - looked at below
            failed.append(problem)

    stream = threading.Thread(target=read_back)
    stream.start()
    client = client_for(environment(), account)
    tokens = tokens_for(environment(), client.exchange, client.rest, client.clock, client.stop)
    assert tokens is not None
    for _ in range(4):
        tokens.refresh()
    stream.join()
    assert failed == []
    assert kraken.requests == ["kraken"] * 4


# --- shared with a stream ------------------------------------------------------------------


def test_a_stream_begins_with_the_token_that_cron_fetched(kraken: Home) -> None:
    kraken.check()
    assert watch(environment(), Request(exchange="kraken", count=1)) == 0
    assert kraken.requests == ["kraken"]


def test_what_a_stream_fetched_is_there_for_cron(kraken: Home) -> None:
    watch(environment(), Request(exchange="kraken", count=1))
    kraken.said()
    assert kraken.check()[1][0]["renewed"] is False
    assert kraken.requests == ["kraken"]


def test_an_embedded_simulator_leaves_no_token_behind(home: Home) -> None:
    assert watch(environment(), Request(exchange="kraken", simulate=True, count=1)) == 0
    assert not home.cache.exists()


# --- show, refresh -------------------------------------------------------------------------


def test_show_masks_and_reveals_what_is_in_the_cache(kraken: Home) -> None:
    assert token.refresh(context(), "kraken") == 0
    refreshed = json.loads(kraken.said()[0])
    assert list(refreshed) == KEYS
    assert refreshed["renewed"]
    assert token.show(context(), "kraken", reveal=True) == 0
    revealed = json.loads(kraken.said()[0])
    assert list(revealed) == [*KEYS, "token"]
    assert (revealed["expires"], revealed["renewed"]) == (refreshed["expires"], False)
    assert token.show(context(), "kraken") == 0
    out, _ = kraken.said()
    assert json.loads(out)["token"] == f"****{revealed['token'][-4:]}"
    assert revealed["token"][:-4] not in out
    assert len(revealed["token"]) > 40
    assert kraken.requests == ["kraken"]


def test_show_fetches_none(kraken: Home) -> None:
    with pytest.raises(ConfigError, match="no live token in the cache") as caught:
        token.show(context(), "kraken")
    assert caught.value.hint == "privstream token refresh kraken fetches one"
    assert kraken.requests == []
    token.refresh(context(), "kraken")
    kraken.age(1000)
    with pytest.raises(ConfigError, match="no live token"):
        token.show(context(), "kraken")


def test_refresh_fetches_whatever_is_left(kraken: Home) -> None:
    token.refresh(context(), "kraken")
    token.refresh(context(), "kraken")
    assert kraken.requests == ["kraken"] * 2


def test_a_refused_refresh_names_the_account(home: Home) -> None:
    home.write(home.account("kraken", api_key="unknown"))
    with pytest.raises(LoginRefused) as caught:
        token.refresh(context(), "kraken")
    assert (caught.value.exchange, caught.value.account) == ("kraken", "kraken")


def test_an_exchange_without_tokens_has_none_to_show(home: Home) -> None:
    home.write(home.account("bitfinex"))
    for command in (token.show, token.refresh):
        with pytest.raises(UsageError, match="Bitfinex has no session tokens") as caught:
            command(context(), "bitfinex")
        assert caught.value.hint == "privstream token check bitfinex logs in and out"


def test_another_secret_never_sees_the_token_of_the_old_one(kraken: Home) -> None:
    token.refresh(context(), "kraken")
    kraken.write(kraken.account("kraken", api_secret="d3Jvbmc="))
    with pytest.raises(ConfigError, match="no live token"):
        token.show(context(), "kraken")


def test_check_never_prints_a_token(kraken: Home) -> None:
    kraken.check()
    token.show(context(), "kraken", reveal=True)
    text = json.loads(kraken.said()[0])["token"]
    token.check(context(), ["kraken"], debug=True)
    out, err = kraken.said()
    assert text not in out + err
    assert err == "privstream: kraken: the token in the cache will do\n"
    token.refresh(context(), "kraken", debug=True)
    out, err = kraken.said()
    assert text not in out + err
    token.show(context(), "kraken", reveal=True)
    assert json.loads(kraken.said()[0])["token"] not in out + err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (898, "14 min 58 s"), (900, "15 min"), (86399, "23 h 59 min")],
)
def test_durations_are_told_in_two_units(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


def test_a_person_reads_until_when_by_his_own_clock() -> None:
    line = Line(
        account="desk", ok=True, kind="token", ttl=60, expires="2026-11-20T11:32:00.000000Z"
    )
    zone = timezone(timedelta(hours=5, minutes=30))
    lines = TokenLines(replace(environment({}), zone=zone), ("desk",), json=False)
    assert lines._told(line).endswith("11-20 17:02:00)")


# --- real processes ------------------------------------------------------------------------


def test_two_at_once_make_one_request(kraken: Home) -> None:
    program = Program(kraken.folder, kraken.config)
    both = [program.start("token", "check") for _ in range(2)]
    lines = []
    for process in both:
        with process:
            lines.append(json.loads(process.communicate()[0]))
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(line["renewed"] for line in lines) == [False, True]
    assert lines[0]["expires"] == lines[1]["expires"]
    assert kraken.requests == ["kraken"]


def test_with_every_stream_closed_and_no_umask_the_exit_code_still_tells(home: Home) -> None:
    home.write(home.account("kraken"), home.account("indodax", api_secret="wrong"))
    program = Program(home.folder, home.config)
    ended = program("token", "check", stdin=CLOSED, stdout=CLOSED, stderr=CLOSED, umask=0)
    assert ended.code == Exit.REFUSED
    assert home.requests == ["kraken"]
    assert stat.S_IMODE(home.cache.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.cache.iterdir()} == {0o600}


def test_a_person_gets_readable_lines(home: Home) -> None:
    home.write(home.account("kraken"), home.account("bitfinex", api_secret="wrong"))
    ours, theirs = pty.openpty()
    process = Program(home.folder, home.config).start(
        "token", "check", stdout=theirs, stderr=theirs, environ={"TERM": "xterm", "NO_COLOR": "1"}
    )
    os.close(theirs)
    lines = shown_on(ours).splitlines()
    os.close(ours)
    assert process.wait() == Exit.REFUSED
    assert re.fullmatch(
        r"● kraken    token for another 14 min \d+ s \(until (\d\d-\d\d )?[\d:]{8}\), new", lines[0]
    )
    assert lines[1] == "■ bitfinex  failed"
    assert lines[2].startswith("privstream: bitfinex: ")
    assert len(lines) == 3

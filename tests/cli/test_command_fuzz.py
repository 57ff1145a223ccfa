"""Junk on the command line is answered with a sentence, whatever the command and the option."""

from pathlib import Path
from typing import Any

import pytest

from privstream import exchanges
from tests.benchmarks.fuzz import fuzz
from tests.cli.command_fuzz import LEAVES, Home


def test_no_junk_ends_in_a_bug(tmp_path: Path) -> None:
    home = fuzz(25, 2, tmp_path)
    assert home.faults == []
    assert len(home.codes) > 1


EMPTY = {
    (*(word for word in path if word not in exchanges.names()), parameter.name): (
        path,
        command,
        parameter,
    )
    for path, command in LEAVES
    for parameter in command.params
    if not getattr(parameter, "is_flag", False) and parameter.name != "help"
}
"""Every option and argument, of one exchange where several have it."""
TAKING = {path: [one for one in EMPTY.values() if one[0] == path] for path, *_ in EMPTY.values()}


@pytest.mark.parametrize("path", TAKING, ids=" ".join)
def test_an_empty_text_is_never_the_same_as_leaving_it_out(
    path: tuple[str, ...], tmp_path: Path
) -> None:
    """`order cancel kraken -a "$UNSET" --all --yes` acted on the default account."""
    for _, command, parameter in TAKING[path]:
        assert_empty_is_refused(path, command, parameter, tmp_path)


def assert_empty_is_refused(
    path: tuple[str, ...], command: Any, parameter: Any, folder: Path
) -> None:
    words = ["record", "file", *path[1:]] if path[0] == "record" else [*path]
    for other in command.params:
        if other is parameter or other.required:
            text = "" if other is parameter else "x"
            words += [text] if other.param_type_name == "argument" else [other.opts[0], text]
    home = Home(folder)
    home.call(words)
    assert home.codes.keys() <= {2, 3}, words
    shown = (
        parameter.metavar
        if parameter.param_type_name == "argument"
        else max(parameter.opts, key=len)
    )
    assert shown in home.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["watch", "kraken", "--duration", "9" * 400], "too long"),
        (["watch", "kraken", "--since", "9" * 400 + "d"], "too long"),
        (["watch", "kraken", "--since", "0001-01-01T00:00:00Z"], "before any exchange"),
        (["wait", "kraken", "OAAAAA-BBBBB-CCCCCC", "--timeout", "1" + "0" * 400], "too long"),
        (["order", "list", "zerocap", "--limit", "9" * 5000], "at most 9 digits"),
        (["watch", "kraken", "--to", "file:~nouser/x"], "file:~nouser/x"),
        (["demo", "--rate", "nan"], "--rate takes a number"),
        (["simulate", "--chaos", "nan"], "--chaos takes a number"),
        (["watch", "kraken", "--account", "\udcff"], "account name"),
        (["\udcff\udcfe"], "there is no privstream"),
        (["record", "", "kraken"], "FILE is empty"),
        (["watch", "kraken", "--simulate", "--protocol", "v9"], "v2 or v1"),
        (["doctor", "\udcff", "--json"], "account name"),
        (["token", "check", "\udcff", "--json"], "account name"),
        (["order", "list", "zerocap", "--symbol", "\udcff"], "--symbol is no UTF-8 text"),
        (["order", "list", "kraken", "--userref", "x\udcff"], "--userref is no UTF-8 text"),
        (["order", "get", "zerocap", "\udcff"], "is no UTF-8 text"),
        (["report", "--from", "/none\udcff"], "none"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_junk_of_a_known_kind_is_answered_with_a_sentence(
    words: list[str], said: str, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    home.call(words)
    assert home.faults == []
    assert said in home.said
    assert set(home.codes) <= {2, 3}

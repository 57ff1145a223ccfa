"""A [sinks.NAME] section is checked whole, and no message quotes what may be secret."""

from decimal import Decimal
from pathlib import Path

import pytest

from privstream.settings.sinks import short_time, size
from tests.config_playground import loaded, refusal

URL = 'url = "https://hook.example/hunter2"\n'


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('types = ["trade"]', "[sinks.hook] 'url' is missing"),
        ('url = "hunter2"', "has no scheme that is known"),
        ('url = "http://hook.example/hunter2"', "write https://"),
        ('url = "https://u:hunter2@hook.example/"', "no name or password"),
        (URL + 'timeot = "15s"', "'timeot' is not a setting"),
        (URL + 'timeout = "15"', "must be a time like 15s"),
        (URL + 'timeout = "0s"', "must be a time like 15s"),
        (URL + 'types = ["trades"]', "'trades' is no type of event"),
        (URL + 'types = "trade"', "must be a list"),
        (URL + 'only = ["fill"]', "'only' names no kind of events"),
        (URL + 'types = ["gap"]\nonly = ["fills"]', "'only' and types leave nothing"),
        (URL + 'min_value = ["hunter2"]', "'min_value' is no list of amounts"),
        (URL + 'accounts = ["mon"]', "'accounts' names 'mon', which is no account"),
        (URL + 'accounts = [""]', "holds an empty text"),
        (URL + 'buffer.max_size = "1 XB"', "must be a size like"),
        (URL + 'buffer.when_full = "drop"', "must be block or drop_newest"),
        (URL + 'buffer.type = "disk"', "'type' is not a setting"),
        (URL + 'dead_letter = "dead.jsonl"', "must be a path that begins with /"),
        (URL + "secret = []", "'secret' is empty"),
        (URL + 'secret = { file = "hunter2" }', "file must be a path"),
        (URL + 'token = "hunter2"', "'token' is not a setting"),
        ('url = "sqlite:/x.db"\nsecret = "hunter2"', "'secret' is not a setting"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, section: str, said: str) -> None:
    problem = refusal(tmp_path, f"[sinks.hook]\n{section}\n")
    assert said in problem.message
    assert "hunter2" not in f"{problem.message} {problem.hint}"


def test_what_a_sink_shall_get(tmp_path: Path) -> None:
    wanted = 'only = ["fills", "gaps"]\nmin_value = ["1000EUR", "0.05 btc"]'
    sink = loaded(tmp_path, f"[sinks.hook]\n{URL}{wanted}\n").sinks["hook"]
    assert sink.only == {"fills", "gaps"}
    assert sink.min_value == {"EUR": Decimal(1000), "BTC": Decimal("0.05")}


def test_a_name_is_checked(tmp_path: Path) -> None:
    assert "no name of a sink" in refusal(tmp_path, f'[sinks."a b"]\n{URL}').message


def test_secrets_are_not_fetched_before_they_are_needed(tmp_path: Path) -> None:
    text = f'[sinks.hook]\n{URL}secret = [{{ env = "NEW" }}, {{ env = "OLD" }}]\n'
    sink = loaded(tmp_path, text).sinks["hook"]
    assert len(sink.settings["secret"]) == 2  # type: ignore[arg-type]  # a tuple of origins


@pytest.mark.parametrize(
    ("text", "count"), [("1GiB", 1 << 30), ("512 MiB", 512 << 20), ("10KiB", 10240), ("7", 7)]
)
def test_sizes(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5GiB", "1GB", "9" * 400, "1e3"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="must be a size"):
        size(text)


@pytest.mark.parametrize("text", ["", "s", "1m", "nan s", "1e3s", "9" * 400 + "s"])
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="must be a time"):
        short_time(text)

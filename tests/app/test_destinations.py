"""What `--to` names is checked before anything connects or is made, and tells no secret."""

from pathlib import Path

import pytest

from privstream.app.destinations import destinations
from privstream.model.errors import ConfigError, UsageError
from privstream.settings.config import Config
from tests.config_playground import loaded

SINKS = """
[sinks.archive]
url = "sqlite:/var/lib/privstream/events.db"
[accounts.desk]
exchange = "moon"
api_key = "k"
api_secret = "s"
[sinks.hook]
url = "https://hook.example/in/a-secret-path"
secret = "whsec_c2VjcmV0"
accounts = ["desk"]
types = ["trade"]
timeout = "20s"
buffer.max_size = "512MiB"
buffer.when_full = "drop_newest"
"""


def no_config() -> Config:
    raise AssertionError("no section was named")


def test_files_are_opened_later_and_the_rest_is_served(tmp_path: Path) -> None:
    found = destinations(
        [f"file:{tmp_path}/a.jsonl", f"sqlite:{tmp_path}/b.db", "https://h.example/x"], no_config
    )
    assert len(found.files) == 1
    assert [sink.scheme for sink in found.sinks] == ["sqlite", "https"]
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_kept_under_a_name_that_tells_nothing() -> None:
    [one], [again] = (
        destinations(["https://h.example/key-in-the-path"], no_config).names for _ in range(2)
    )
    assert one == again
    assert "key" not in one
    [sink] = destinations(["https://h.example/key-in-the-path"], no_config).sinks
    assert sink.where == "https://h.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://u:hunter2@h.example/x",
        "nats://hunter2@127.0.0.1/x",
        "rediss://:hunter2@h.example/0",
        "http://h.example/hunter2",
        "nats://127.0.0.1,h.example/hunter2",
        "redis://h.example/hunter2",
        "https:///hunter2",
        "https://h.example/hun ter2",
        "https://[::1/hunter2",
        "sqlite:",
        "ftp://h.example/hunter2",
        "hunter2.jsonl",
        "\x1b[2J",
        "",
    ],
)
def test_what_cannot_be_delivered_to_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        destinations([url], no_config)
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:80"])
def test_without_encryption_only_this_machine(host: str) -> None:
    assert destinations([f"http://{host}/x"], no_config).names


def test_a_section_is_named_without_a_scheme(tmp_path: Path) -> None:
    [hook] = destinations(["hook"], lambda: loaded(tmp_path, SINKS)).sinks
    assert (hook.name, hook.timeout, hook.max_size) == ("hook", 20.0, 512 << 20)
    assert hook.when_full == "drop_newest"
    assert (set(hook.accounts), set(hook.types)) == ({"desk"}, {"trade"})
    with pytest.raises(ConfigError) as caught:
        destinations(["hok"], lambda: loaded(tmp_path, SINKS))
    assert caught.value.hint == "did you mean hook?"

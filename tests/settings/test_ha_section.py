"""The [ha] section is checked whole, and no message quotes what may be secret."""

from pathlib import Path

import pytest

from tests.config_playground import loaded, refusal

URL = 'url = "tls://nats-1:4222,nats-2:4222/desk"\n'


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("", "[ha] 'url' is missing"),
        ('url = "redis://127.0.0.1:6379"', "must begin with tls://"),
        ('url = "nats://nats-1:4222/hunter2"', "write tls://"),
        ('url = "tls://u:hunter2@nats-1:4222"', "no name or password"),
        (URL + 'tll = "20s"', "'tll' is not a setting"),
        (URL + 'ttl = "20"', "must be a time like 15s"),
        (URL + 'ttl = "1s"', "must be from 3s to 600s"),
        (URL + 'stream = "a b"', "letters, digits, hyphens and underscores only"),
        (URL + 'bucket = "a.b"', "letters, digits, hyphens and underscores only"),
        (URL + "replicas = 2", "must be 1, 3 or 5"),
        (URL + "replicas = true", "must be 1, 3 or 5"),
        (URL + 'replicas = "3"', "must be 1, 3 or 5"),
        (URL + 'credentials_file = "hunter2"', "must be a path that begins with /"),
        (URL + 'secret = "hunter2"', "'secret' is not a setting"),
        (URL + 'buffer.max_size = "1GiB"', "'buffer' is not a setting"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, section: str, said: str) -> None:
    problem = refusal(tmp_path, f"[ha]\n{section}\n")
    assert said in problem.message
    assert "hunter2" not in f"{problem.message} {problem.hint}"


def test_a_misspelt_setting_is_answered_with_the_right_one(tmp_path: Path) -> None:
    assert "ttl" in str(refusal(tmp_path, f'[ha]\n{URL}tll = "20s"\n').hint)


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"[ha]\n{URL}").ha
    assert found is not None
    assert (found.stream, found.bucket, found.ttl) == ("PRIVSTREAM", "privstream_leases", 20.0)
    assert (found.replicas, found.section) == (3, "[ha]")
    assert found.where == "tls://nats-1:4222,nats-2:4222"


def test_without_the_section_there_is_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").ha is None

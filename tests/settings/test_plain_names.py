"""What may be a secret is not quoted back."""

from pathlib import Path

import pytest

from privstream.settings.plain_names import may_be_secret, quoted
from tests.config_playground import CANARY, refusal

WORDS = ("kraken", "api_key", "enviroment", "KRAKEN_API_KEY_2", "desk-2026-main", "rest_url")
SECRETS = (
    CANARY,
    "c3VwZXItc2VjcmV0LWtleQ==",
    "ABCD1234-EFGH5678EFGH56-IJKL9012",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "a" * 64,
)


@pytest.mark.parametrize("word", WORDS)
def test_words_that_people_make_up_are_quoted(word: str) -> None:
    assert quoted(word) == repr(word)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_key_is_not(secret: str) -> None:
    assert may_be_secret(secret)
    assert secret not in quoted(secret)


@pytest.mark.parametrize("secret", SECRETS[1:])
@pytest.mark.parametrize(
    "text",
    [
        '[accounts.kraken]\napi_key = "k"\n"{}" = "s"\n',
        '[accounts."{}"]\napi_key = "k"\n',
        '["{}"]\nx = 1\n',
        '[accounts.kraken]\nexchange = "{}"\n',
        '[accounts.kraken."{}"]\nx = 1\n',
        '[exchanges."{}"]\nrest_url = "https://x"\n',
    ],
)
def test_a_secret_written_as_a_key_or_a_section_of_the_file_is_not_quoted_back(
    text: str, secret: str, tmp_path: Path
) -> None:
    problem = refusal(tmp_path, text.format(secret))
    assert secret not in f"{problem.message} {problem.hint}"

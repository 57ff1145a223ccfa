"""What a frame that is no JSON is said to be."""

import pytest

from privstream.model.exact import Malformed, decode


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"price":NaN}', "NaN is no JSON number"),
        ('{"price":-Infinity}', "-Infinity is no JSON number"),
        ('{"price":' + "1" * 5000 + ',"a":"\\ud800"}', "a number of more digits than can be read"),
        ('{"price":1', "not JSON: Expecting ',' delimiter at character 10"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, says: str) -> None:
    with pytest.raises(Malformed, match="^" + says.replace("'", ".") + "$"):
        decode(text)

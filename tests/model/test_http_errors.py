"""What HTTP answers without a result are turned into."""

import pytest

from privstream.model.errors import RateLimited, Unavailable
from privstream.model.http_errors import check, excerpt, retry_after
from privstream.model.rest import HttpResponse


def response(status: int, body: bytes, **headers: str) -> HttpResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status=status, headers=named, body=body)


@pytest.mark.parametrize("body", [b"{}", b' {"error":[]}', b"[1]", b'"x"', b"null", b"-1"])
def test_json_passes_whatever_it_is_labelled(body: bytes) -> None:
    check(response(200, body, content_type="text/plain"), "Kraken")


def test_a_page_in_place_of_json_is_an_outage_that_is_quoted_harmlessly() -> None:
    page = b"<html>\x1b[2J\xc2\x9b\xe2\x80\xae<title>Just a\nmoment</title>" + b"x" * 5000
    with pytest.raises(Unavailable) as caught:
        check(response(200, page, content_type="text/html"), "Kraken")
    assert "HTTP 200" in caught.value.message
    assert caught.value.message == "Kraken answered HTTP 200: Just a moment"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<html><head><title>502 Bad Gateway</title></head><h1>502</h1>", "502 Bad Gateway"),
        ("<!DOCTYPE html>" + " " * 9000 + "<TITLE lang=en>A &amp; B</TITLE>", "A & B"),
        ("<script>" + "x" * 3000 + "</script><title>\n Just a\n moment </title>", "Just a moment"),
        ("<html><title></title><body>Blocked <b>by</b> IT", "Blocked by IT"),
        ("<style>p {}</style><p>Sorry\x1b[2J&#27;[1m", "Sorry[2J[1m"),
        ("<html", ""),
        ("<", ""),
    ],
)
def test_a_page_is_reduced_to_its_title(page: str, said: str) -> None:
    assert excerpt(page) == said
    assert excerpt(page.encode()) == said


def test_a_page_without_end_takes_no_time() -> None:
    for junk in ("<script>", "<title>", "<title", "<"):
        assert len(excerpt(junk * 100_000)) <= 200


@pytest.mark.parametrize("status", [500, 502, 503, 520])
def test_a_server_error_is_an_outage_also_with_json(status: int) -> None:
    with pytest.raises(Unavailable) as caught:
        check(response(status, b'{"error":"busy"}'), "Kraken")
    assert caught.value.floor == 5.0
    assert str(status) in caught.value.message


@pytest.mark.parametrize("body", [b"", b"Service busy"])
def test_text_that_is_no_json_is_an_outage(body: bytes) -> None:
    with pytest.raises(Unavailable):
        check(response(200, body), "Kraken")


def test_too_many_requests_is_a_rate_limit() -> None:
    with pytest.raises(RateLimited) as caught:
        check(response(429, b"<html>", retry_after="42"), "Kraken")
    assert caught.value.floor == 42.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 15.0),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "999999"}, 600.0),
        ({"retry-after": "soon"}, 15.0),
        ({"retry-after": "-3"}, 15.0),
        ({"retry-after": "9" * 5000}, 15.0),
        (
            {
                "retry-after": "Fri, 20 Nov 2026 11:01:30 GMT",
                "date": "Fri, 20 Nov 2026 11:00:00 GMT",
            },
            90.0,
        ),
        (
            {
                "retry-after": "Fri, 20 Nov 2026 10:00:00 GMT",
                "date": "Fri, 20 Nov 2026 11:00:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Fri, 20 Nov 2026 11:01:30 GMT"}, 15.0),
        ({"retry-after": "Fri, 99 Nov 2026 11:01:30 GMT", "date": "x"}, 15.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_bounds(
    headers: dict[str, str], seconds: float
) -> None:
    assert retry_after(headers) == seconds


def test_an_excerpt_is_one_short_printable_line() -> None:
    assert excerpt("a\r\n b\x00\x1b]8;;x\u2028c") == "a b]8;;x c"
    assert excerpt(b"\xff" * 10_000) == "\ufffd" * 200

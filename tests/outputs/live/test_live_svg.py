"""The picture in README is what the view draws today."""

from tests.outputs.live.live_svg import FILE, lines, svg, words_of


def test_the_picture_shows_what_the_view_draws() -> None:
    assert words_of(FILE.read_text()) == words_of(svg()), "python -m tests.outputs.live.live_svg"


def test_what_is_drawn_is_in_the_picture() -> None:
    words = words_of(FILE.read_text())
    for line in lines():
        assert "".join(line.split()) in words


def test_readme_shows_it() -> None:
    root = FILE.parents[3]
    assert f"({FILE.relative_to(root)})" in (root / "README.md").read_text()

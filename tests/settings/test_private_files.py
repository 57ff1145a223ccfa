"""Files and folders that must be nobody else's."""

import os
import stat
from pathlib import Path

import pytest

from privstream.model.errors import ConfigError
from privstream.settings.private_files import (
    OPEN_TO_OTHERS,
    WRITABLE_BY_OTHERS,
    base_folder,
    cache_dir,
    home,
    read_private,
    state_dir,
)

SOMEBODY = 4242


def written(folder: Path, content: bytes = b"text", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def text_of(path: Path, limit: int = 100, forbidden: int = OPEN_TO_OTHERS) -> str:
    return read_private(path, "the file", limit=limit, forbidden=forbidden).text.reveal()


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file or folder another user's: as root really, else by being another user."""
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    assert text_of(written(tmp_path, mode=mode)) == "text"


def test_the_content_tells_its_mode_and_hides_its_text(tmp_path: Path) -> None:
    content = read_private(written(tmp_path), "the file", limit=100, forbidden=0)
    assert stat.S_IMODE(content.mode) == 0o600
    assert "text='" not in repr(content)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_can_open_is_refused_with_the_mend(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, mode=mode)
    with pytest.raises(ConfigError, match=f"by others \\(mode {mode:04o}\\)") as caught:
        text_of(path)
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_file_that_others_may_read_is_read_where_that_is_allowed(tmp_path: Path) -> None:
    assert text_of(written(tmp_path, mode=0o644), forbidden=WRITABLE_BY_OTHERS) == "text"
    with pytest.raises(ConfigError, match="can be written by others"):
        text_of(written(tmp_path, mode=0o664), forbidden=WRITABLE_BY_OTHERS)


def test_the_mend_quotes_a_path_for_the_shell(tmp_path: Path) -> None:
    folder = tmp_path / "my files"
    folder.mkdir()
    with pytest.raises(ConfigError) as caught:
        text_of(written(folder, mode=0o644))
    assert caught.value.hint == f"chmod 600 '{folder}/secret'"


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    give_away(path, monkeypatch)
    with pytest.raises(ConfigError, match="belongs to another user"):
        text_of(path)


def test_a_file_in_a_folder_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match="everybody can write to") as caught:
        text_of(path)
    assert caught.value.hint == f"chmod o-w {tmp_path}"


def test_a_sticky_folder_protects_its_files(tmp_path: Path) -> None:
    path = written(tmp_path)
    tmp_path.chmod(0o1777)
    assert text_of(path) == "text"


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(written(tmp_path))
    with pytest.raises(ConfigError, match="is a symbolic link"):
        text_of(link)


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    with pytest.raises(ConfigError, match="is not a regular file"):
        text_of(fifo)


@pytest.mark.parametrize("path", ["/dev/null", "/"])
def test_a_device_or_a_folder_is_no_regular_file(path: str) -> None:
    with pytest.raises(ConfigError, match="is not a regular file"):
        text_of(Path(path))


def test_a_file_up_to_the_limit_is_read_and_no_larger_one(tmp_path: Path) -> None:
    assert text_of(written(tmp_path, b"x" * 100)) == "x" * 100
    with pytest.raises(ConfigError, match="larger than 100 bytes"):
        text_of(written(tmp_path, b"x" * 101))


def test_a_file_that_is_no_text_is_refused_without_its_bytes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not UTF-8 text") as caught:
        text_of(written(tmp_path, b"canary\xff"))
    assert caught.value.__context__ is None


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert text_of(written(tmp_path, b"\xef\xbb\xbftext")) == "text"


def test_a_missing_file_is_told_from_one_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        text_of(tmp_path / "missing")
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        text_of(written(tmp_path) / "within")


# --- folders ---------------------------------------------------------------------------


def test_the_folders_are_where_xdg_says(tmp_path: Path) -> None:
    environ = {
        "HOME": "/nowhere",
        "XDG_STATE_HOME": f"{tmp_path}/state",
        "XDG_CACHE_HOME": f"{tmp_path}/cache",
    }
    assert state_dir(environ) == tmp_path / "state/privstream"
    assert cache_dir(environ) == tmp_path / "cache/privstream"


@pytest.mark.parametrize("ignored", ["", "relative/folder"])
def test_without_an_absolute_xdg_folder_the_default_is_taken(tmp_path: Path, ignored: str) -> None:
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": ignored, "XDG_CACHE_HOME": ignored}
    assert state_dir(environ) == tmp_path / ".local/state/privstream"
    assert cache_dir(environ) == tmp_path / ".cache/privstream"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folders_that_we_make_are_ours_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        made = state_dir({"HOME": str(tmp_path)})
    finally:
        os.umask(before)
    for folder in (made, made.parent, made.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_stands_is_taken_as_it_is(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    assert state_dir(environ) == state_dir(environ)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o720])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    environ = {"HOME": str(tmp_path)}
    state_dir(environ).chmod(mode)
    with pytest.raises(ConfigError, match="can be written by others") as caught:
        state_dir(environ)
    assert str(caught.value.hint).startswith("chmod 700 ")


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HOME": str(tmp_path)}
    give_away(state_dir(environ), monkeypatch)
    with pytest.raises(ConfigError, match="belongs to another user"):
        state_dir(environ)


def test_a_folder_that_everybody_may_replace_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError, match="everybody can write to"):
        state_dir({"XDG_STATE_HOME": str(tmp_path), "HOME": "/nowhere"})


def test_a_planted_link_is_not_taken_for_our_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "privstream").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is not a folder"):
        cache_dir({"XDG_CACHE_HOME": str(tmp_path), "HOME": "/nowhere"})


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the state folder .* cannot be made: Not a directory"):
        state_dir({"XDG_STATE_HOME": f"{written(tmp_path)}/within", "HOME": "/nowhere"})


def test_without_home_the_system_knows_the_folder() -> None:
    assert home({}) == home({"HOME": "relative"})
    assert home({}).is_absolute()


def test_a_user_without_a_home_is_told_to_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 3_999_999_999)
    with pytest.raises(ConfigError, match="no home folder"):
        base_folder({}, "XDG_STATE_HOME", ".local/state")

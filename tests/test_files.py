import errno
import os

import pytest

from cs_caption.files import whole_file, whole_folder


def test_a_file_is_written_whole(tmp_path):
    with whole_file(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("all of it")
    assert (tmp_path / "new" / "a.txt").read_text() == "all of it"
    assert os.listdir(tmp_path / "new") == ["a.txt"]


def test_a_failed_write_leaves_the_old_file_and_no_trace(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "d") as temporary:
        (temporary / "x").write_text("half")
        raise RuntimeError
    assert os.listdir(tmp_path) == []
    with whole_folder(tmp_path / "d") as temporary:
        (temporary / "x").write_text("x")
    assert os.listdir(tmp_path) == ["d"]


def test_a_folder_is_never_written_over(tmp_path):
    (tmp_path / "d").mkdir()
    with pytest.raises(FileExistsError, match="another name"), whole_folder(tmp_path / "d"):
        pass


@pytest.mark.parametrize("writer", [whole_file, whole_folder])
def test_a_full_disk_is_named_with_its_remedy(tmp_path, writer):
    full = pytest.raises(OSError, match=r"the disk is full .* was not written")
    with full as caught, writer(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == []


def test_other_errors_pass_unchanged(tmp_path):
    (tmp_path / "plain").write_text("a file, not a folder")
    with pytest.raises(OSError, match="plain"), whole_file(tmp_path / "plain" / "a.txt"):
        pass

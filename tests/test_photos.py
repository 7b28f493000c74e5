"""Picture files that behave like one array."""

import threading

import numpy as np
import pytest
from exports import save

from cs_caption.data import CaptionedImages, Scenes
from cs_caption.data.photos import PictureFiles, in_threads


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Pictures in files and the same in an array."""
    folder, images = tmp_path_factory.mktemp("files"), Scenes("train", n=7).images
    return PictureFiles([save(folder / f"{i}.png", one) for i, one in enumerate(images)]), images


@pytest.mark.parametrize(
    "chosen",
    [
        slice(None),
        slice(1, 4),
        slice(None, None, -2),
        slice(5, 100),
        slice(3, 3),
        [2],
        [6, 0, 0, -1],
        np.array([4, 1]),
        np.array([[4, 1], [0, 2], [3, 3]]),
        np.array([True, False, False, True, False, False, True]),
        np.array([], dtype=int),
        3,
        -1,
        np.int64(2),
    ],
    ids=str,
)
def test_every_choice_is_that_of_an_array(both, chosen):
    files, images = both
    assert (files[chosen] == images[chosen]).all()
    assert files[chosen].shape == images[chosen].shape
    assert files[chosen].dtype == np.uint8


def test_it_has_the_shape_of_an_array_and_says_what_it_would_take(both):
    files, images = both
    for name in ("shape", "dtype", "ndim", "nbytes"):
        assert getattr(files, name) == getattr(images, name)
    assert len(files) == 7
    assert (np.asarray(files) == images).all()
    assert np.array(files, dtype=np.float32).dtype == np.float32
    assert all((a == b).all() for a, b in zip(files, images, strict=True))
    assert repr(files) == "PictureFiles(7 files, size=64)"


@pytest.mark.parametrize("index", [7, -8, [0, 7]])
def test_a_picture_that_is_not_there_is_an_index_error(both, index):
    with pytest.raises(IndexError):
        both[0][index]


def test_nothing_is_read_before_it_is_asked_for(tmp_path):
    files = PictureFiles(
        [tmp_path / "none.png", save(tmp_path / "a.png", np.ones((9, 9, 3), "u1"))]
    )
    assert files.shape == (2, 64, 64, 3)
    assert files[1].max() == 1
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        files[:]


def test_captioned_images_may_lie_in_files(both):
    files, images = both
    data = CaptionedImages(files, [["a cat"]] * 7)
    assert data.images is files
    assert (data[-1].image == images[6]).all()


def test_work_in_threads_keeps_its_order_and_its_errors(monkeypatch):
    monkeypatch.setattr("cs_caption.data.photos._cores", lambda: 4)
    seen = set()

    def work(i):
        seen.add(threading.get_ident())
        if i == 50:
            raise ValueError("fifty")
        return i * i

    assert list(in_threads(work, range(50))) == [i * i for i in range(50)]
    assert threading.main_thread().ident not in seen
    with pytest.raises(ValueError, match="fifty"):
        list(in_threads(work, range(60)))


def test_one_core_works_without_threads(monkeypatch):
    monkeypatch.setattr("cs_caption.data.photos._cores", lambda: 1)
    here = list(in_threads(lambda i: threading.get_ident(), range(3)))
    assert here == [threading.get_ident()] * 3

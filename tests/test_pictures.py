"""Reading any picture file, and refusing in words what is none."""

import os
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from cs_caption.data import Scenes
from cs_caption.data.pictures import read_picture


@pytest.fixture(scope="module")
def scene():
    return Scenes("test", n=1)[0].image


def _saved(folder, picture, name, **options):
    path = folder / name
    picture.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.ppm"])
def test_a_picture_of_the_right_size_is_read_bit_for_bit(scene, tmp_path, name):
    path = _saved(tmp_path, Image.fromarray(scene), name)
    read = read_picture(path)
    assert read.dtype == np.uint8
    assert (read == scene).all()


def test_lossless_webp_is_read_bit_for_bit(scene, tmp_path):
    path = _saved(tmp_path, Image.fromarray(scene), "a.webp", lossless=True)
    assert (read_picture(str(path)) == scene).all()


def test_jpeg_is_read_nearly(scene, tmp_path):
    path = _saved(tmp_path, Image.fromarray(scene), "a.jpg", quality=95)
    assert np.abs(read_picture(path).astype(int) - scene).mean() < 4


def test_a_name_without_ending_is_no_hindrance(scene, tmp_path):
    path = _saved(tmp_path, Image.fromarray(scene), "picture", format="PNG")
    assert (read_picture(path) == scene).all()


def test_an_enlarged_scene_comes_back_bit_for_bit(scene, tmp_path):
    large = Image.fromarray(scene.repeat(5, axis=0).repeat(5, axis=1))
    assert (read_picture(_saved(tmp_path, large, "a.png")) == scene).all()


def test_the_largest_middle_square_is_kept(tmp_path):
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = (200, 100, 50)
    assert (
        read_picture(_saved(tmp_path, Image.fromarray(wide), "a.png"), 5) == (200, 100, 50)
    ).all()
    tall = wide.transpose(1, 0, 2)
    assert (
        read_picture(_saved(tmp_path, Image.fromarray(tall), "b.png"), 5) == (200, 100, 50)
    ).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 1), (65, 64)])
def test_any_size_and_shape_becomes_a_square(tmp_path, size):
    path = _saved(tmp_path, Image.new("RGB", size, (9, 8, 7)), "a.png")
    assert (read_picture(path) == np.full((64, 64, 3), (9, 8, 7))).all()


def test_transparent_pixels_are_white(tmp_path):
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 32, 64))
    read = read_picture(_saved(tmp_path, clear, "a.png"))
    assert (read[:, :32] == (0, 0, 255)).all()
    assert (read[:, 32:] == 255).all()


def test_half_transparent_black_is_grey(tmp_path):
    half = Image.new("LA", (64, 64), (0, 128))
    assert (np.abs(read_picture(_saved(tmp_path, half, "a.png")).astype(int) - 127) <= 1).all()


def test_a_palette_with_a_clear_colour_is_read(tmp_path):
    palette = Image.new("P", (64, 64), 1)
    palette.putpalette([0, 0, 0, 0, 160, 0])
    palette.paste(0, (0, 0, 32, 64))
    read = read_picture(_saved(tmp_path, palette, "a.png", transparency=0))
    assert (read[:, :32] == 255).all()
    assert (read[:, 32:] == (0, 160, 0)).all()


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "lime")]
    path = _saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert (read_picture(path) == (255, 0, 0)).all()


@pytest.mark.parametrize(("mode", "value"), [("L", 90), ("1", 255), ("CMYK", (0, 0, 0, 165))])
def test_other_modes_are_turned_into_rgb(tmp_path, mode, value):
    path = _saved(tmp_path, Image.new(mode, (64, 64), value), "a.tiff")
    assert (read_picture(path) == (90 if mode != "1" else 255)).all()


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
def test_sixteen_bit_greys_keep_their_upper_bits(tmp_path, name):
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    read = read_picture(_saved(tmp_path, Image.fromarray(ramp), name))
    assert (read == (ramp >> 8)[:, :, None]).all()


def test_sixteen_bit_colours_are_read(tmp_path):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\0" + struct.pack(">HHH", 0x1000, 0x8000, 0xF000) * 64) * 64
    header = struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    assert (read_picture(tmp_path / "a.png") == (0x10, 0x80, 0xF0)).all()


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photo_is_turned_as_the_camera_was_held(scene, tmp_path, turn):
    kept = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[turn]  # Pillow's inverse operations
    held = Image.fromarray(scene)
    held = held if kept is None else held.transpose(Image.Transpose(kept))
    exif = Image.Exif()
    exif[0x0112] = turn
    path = _saved(tmp_path, held, "a.png", exif=exif)
    assert (read_picture(path) == scene).all()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.png"):
        read_picture(tmp_path / "none.png")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is a folder"):
        read_picture(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(ValueError, match="is empty"):
        read_picture(tmp_path / "a.png")


def test_a_pipe_is_refused_without_waiting(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes in files here")
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ValueError, match="no ordinary file"):
        read_picture(tmp_path / "a.png")


def test_text_that_is_called_a_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("once upon a time\n" * 50)
    with pytest.raises(ValueError, match=r"a\.png: this is no picture"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.gif", "a.webp", "a.bmp"])
def test_a_truncated_picture_is_refused_by_name(tmp_path, name):
    noise = np.random.RandomState(0).randint(0, 256, (64, 64, 3), dtype=np.uint8)
    path = _saved(tmp_path, Image.fromarray(noise), name)
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ValueError, match=r"a\.\w+: this .*(truncated|no picture)"):
            read_picture(path)


def test_every_damaged_byte_gives_a_picture_or_a_value_error(scene, tmp_path):
    path = _saved(tmp_path, Image.fromarray(scene), "a.png")
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        with suppress(ValueError):
            assert read_picture(path).shape == (64, 64, 3)


def test_a_decompression_bomb_is_refused(tmp_path):
    path = _saved(tmp_path, Image.new("1", (12000, 12000)), "a.png")
    with pytest.raises(ValueError, match="too large to be decoded safely"):
        read_picture(path)


def test_pictures_of_floats_are_refused(tmp_path):
    path = _saved(tmp_path, Image.new("F", (8, 8), 0.5), "a.tiff")
    with pytest.raises(ValueError, match="floats"):
        read_picture(path)


@pytest.mark.parametrize("size", [0, -3])
def test_a_size_below_one_is_refused(size):
    with pytest.raises(ValueError, match=f"size is {size}"):
        read_picture("any.png", size)

"""Any picture file as the square of bytes that the models take."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SIZE = 64
LARGEST = 1 << 16  # pixels along a side of what is returned


def read_picture(path: str | Path, size: int = SIZE) -> np.ndarray:
    """Read a picture file of any kind that Pillow knows.

    It is turned as its EXIF orientation says, laid on white where it is transparent, cut to the
    largest square in its middle, and resized: each new pixel is the mean of those it replaces, or
    bicubic when enlarging. A picture of `size` x `size` is returned bit for bit. Of an animation
    the first frame is read. 16-bit greys keep their upper eight bits.

    Shapes: uint8 (size, size, 3), RGB.
    Raises: FileNotFoundError; ValueError, naming the file, where it is a folder, empty, no
    picture, truncated, or so large that it may be a decompression bomb; OSError as `open`.
    """
    if not 1 <= size <= LARGEST:
        raise ValueError(f"size is {size}: give the pixels along a side, 1 to {LARGEST}")
    path = Path(path)
    _check_file(path)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file) as picture:
                return _square(_on_white(_upright(picture)), size)
        except Exception as error:  # damaged files make Pillow raise nearly anything
            raise ValueError(f"{path}: {_reason(error)}") from error


def _check_file(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}: check the name and the folder")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the pictures in it, one by one")
    if not path.is_file():
        raise ValueError(f"{path} is no ordinary file, so no picture can be read from it")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes): was it copied or downloaded whole?")


def _upright(picture: Image.Image) -> Image.Image:
    """Decode the first frame and turn it as the camera was held."""
    picture.load()
    return ImageOps.exif_transpose(picture)


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return _grey16(picture)
    if picture.mode == "F":
        raise ValueError("its pixels are floats of unknown range: save it as PNG or JPEG")
    if "transparency" not in picture.info and not picture.mode.endswith(("A", "a")):
        return picture.convert("RGB")
    clear = picture.convert("RGBA")
    white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, clear).convert("RGB")


def _grey16(picture: Image.Image) -> Image.Image:
    """Pillow itself clips 16-bit greys at 255, which makes nearly all of them white."""
    values = np.asarray(picture).astype(np.int64)
    upper = np.clip(values, 0, 65535) >> 8
    return Image.fromarray(upper.astype(np.uint8)).convert("RGB")


def _square(picture: Image.Image, size: int) -> np.ndarray:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    method = Image.Resampling.BOX if side >= size else Image.Resampling.BICUBIC
    return np.array(picture.resize((size, size), method, box=box))


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "this is no picture, or of a kind that Pillow cannot read; PNG and JPEG always work"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"this picture is too large to be decoded safely; make it smaller first ({error})"
    if isinstance(error, MemoryError):
        return "this picture does not fit into memory; make it smaller first"
    return f"this picture is truncated or damaged; copy or save it again ({error})"

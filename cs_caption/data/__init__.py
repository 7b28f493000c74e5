"""Pictures with captions, and the words in them."""

from cs_caption.data.captioned import CaptionedImages
from cs_caption.data.checker import check_captions
from cs_caption.data.opening import open_captions
from cs_caption.data.scenes import Scenes
from cs_caption.data.vocabulary import Vocabulary

__all__ = ["CaptionedImages", "Scenes", "Vocabulary", "check_captions", "open_captions"]

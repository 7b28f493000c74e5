"""Pictures with captions, and the words in them."""

from cs_caption.data.captioned import CaptionedImages
from cs_caption.data.scenes import Scenes
from cs_caption.data.vocabulary import Vocabulary

__all__ = ["CaptionedImages", "Scenes", "Vocabulary"]

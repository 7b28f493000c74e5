"""Captioning models in torch, batched: the production form of what notebooks 04 and 06 build."""

from cs_caption.models.captioner import Captioner
from cs_caption.models.config import CaptionerConfig

__all__ = ["Captioner", "CaptionerConfig"]

"""Models in torch, batched: the production form of what notebooks 04, 06 and 07 build."""

from cs_caption.models.captioner import Captioner
from cs_caption.models.config import CaptionerConfig
from cs_caption.models.ranking import Ranker, RankerConfig

__all__ = ["Captioner", "CaptionerConfig", "Ranker", "RankerConfig"]

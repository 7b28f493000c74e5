"""The shape of a captioner, as plain values that a checkpoint keeps."""

from dataclasses import asdict, dataclass

from cs_caption.models.encoder import SHRINK

SPECIALS = 4  # <NULL>, <START>, <END>, <UNK> come first in every vocabulary
CELLS = ("lstm", "rnn", "gru")
INJECTIONS = ("init", "pre", "par", "merge")
ENCODERS = {"convnet": SHRINK, "vgg16": 32, "resnet18": 32, "resnet50": 32}  # pixels a cell
FEATURES = ("grid", "pooled")
LOOKING = ("soft", "hard")
WIDTHS = {"vgg16": (512, 4096), "resnet18": (512, 512), "resnet50": (2048, 2048)}  # of these two
SIZES = ("word_dim", "hidden", "attention_dim", "image_size")
CHOICES = {
    "cell": CELLS,
    "inject": INJECTIONS,
    "encoder": ENCODERS,
    "features": FEATURES,
    "looking": LOOKING,
}


@dataclass(frozen=True)
class CaptionerConfig:
    """The shape of a Captioner.

    `cell` is what carries the sentence: "lstm", "rnn" (tanh) or "gru". `inject` says where the
    picture enters: "init", the first state; "pre", a first word; "par", beside every word; "merge",
    beside the state in the output layer, so that the recurrent network never sees it. With
    `attention` the picture is looked at anew for each word, and is the first state as well.
    `image=False` is a language model that never sees it.

    `looking` is "soft", a blend of all cells, or "hard", one cell for each word: in training it is
    drawn, but that each caption is read softly with probability `semi_sampling`; else it is the
    strongest one. `gated` models weigh what they see by a number from 0 to 1 for each word.

    `encoder` is the small "convnet" with `channels`, or a torchvision backbone: "vgg16",
    "resnet18", "resnet50". `features` are its "grid", or "pooled" to one vector. A `frozen` encoder
    stays in eval mode and gets no gradient, whatever the rest does.

    Raises: ValueError, naming the field, for a value that no model can have.
    Source: the names of the injections are Tanti et al.'s, 2018 (arXiv:1703.09137), section 3.
    """

    vocab_size: int
    image_size: int = 64
    channels: tuple[int, int, int] = (32, 64, 96)
    word_dim: int = 64
    hidden: int = 128
    attention_dim: int = 32
    attention: bool = True
    image: bool = True
    dropout: float = 0.1
    cell: str = "lstm"
    inject: str = "init"
    encoder: str = "convnet"
    features: str = "grid"
    frozen: bool = False
    looking: str = "soft"
    semi_sampling: float = 0.5
    gated: bool = False

    def __post_init__(self):
        object.__setattr__(self, "channels", tuple(self.channels))
        if len(self.channels) != 3:
            raise ValueError(f"channels is {self.channels}: expected three numbers")
        for name in SIZES:
            check_whole(name, getattr(self, name), 1)
        check_whole("vocab_size", self.vocab_size, SPECIALS + 1)
        for number in self.channels:
            check_whole("channels", number, 1)
        for name, known in CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise ValueError(f"{name} is {value!r}: expected one of {', '.join(known)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout is {self.dropout}: expected at least 0 and less than 1")
        if not 0.0 <= self.semi_sampling <= 1.0:
            raise ValueError(f"semi_sampling is {self.semi_sampling}: expected a share, 0 to 1")
        self._check_together()

    def _check_together(self) -> None:
        multiple = ENCODERS[self.encoder]
        if self.image_size % multiple:
            raise ValueError(f"image_size is {self.image_size}: expected a multiple of {multiple}")
        if self.attends and self.inject != "init":
            raise ValueError(
                f"inject is {self.inject!r} with attention, which has the picture at each word "
                'already: expected inject="init" or attention=False'
            )
        for name, plain in (("looking", "soft"), ("gated", False)):
            value = getattr(self, name)
            if value != plain and not self.attends:
                raise ValueError(
                    f"{name} is {value!r} in a model without attention: leave {name} out, or "
                    "expected attention=True and image=True"
                )

    @property
    def attends(self) -> bool:
        """Whether there is attention: a picture, and more than one glance at it."""
        return self.image and self.attention

    @property
    def width(self) -> int:
        """C, the numbers in each cell of the features."""
        if self.encoder == "convnet":
            return self.channels[-1]
        return WIDTHS[self.encoder][FEATURES.index(self.features)]

    def to_json(self) -> dict:
        return asdict(self) | {"channels": list(self.channels)}


def check_whole(name: str, value: int, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} is {value!r}: expected a whole number of {least} or more")

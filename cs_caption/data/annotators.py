"""Five of the twelve people look at each picture and say what they see."""

from collections.abc import Sequence

from cs_caption.data.draws import Draw
from cs_caption.data.people import POOL, Annotator
from cs_caption.data.records import Background, Relation, SceneObject
from cs_caption.data.rich_captions import relation_names, rich_caption
from cs_caption.data.simple_captions import simple_caption
from cs_caption.data.wording import tidy, with_slips

__all__ = ["CAPTIONS", "POOL", "Annotator", "caption_scene"]

CAPTIONS = 5  # captions a picture


def caption_scene(
    level: str,
    objects: Sequence[SceneObject],
    relations: Sequence[Relation],
    background: Background,
    draw: Draw,
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Five different annotators' indices, and what each of them says.

    What they say is true; on the rich level people leave things out and mistype one word in a
    hundred. A caption is lower case words joined by single blanks.
    """
    people = tuple(draw.some(range(len(POOL)), CAPTIONS))
    if level == "simple":
        said = [simple_caption(POOL[who], objects, relations, background, draw) for who in people]
        return people, tuple(map(tidy, said))
    names = relation_names(objects, relations)
    said = [rich_caption(POOL[who], objects, names, background, draw) for who in people]
    return people, tuple(with_slips(tidy(caption), draw) for caption in said)

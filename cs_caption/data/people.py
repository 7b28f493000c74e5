"""The twelve people who describe pictures, and their habits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Annotator:
    """One person's habits; whole numbers are percent of the times that they have a choice.

    Both levels: `order` is the side, or the size, that they begin with; `relation` is how they
    tell where two things are: "across" (left and right first), "upright" (above and below first),
    "near", "sides" ("... on the left and ... on the right"), "contact" (touching, behind) or
    "none"; `counts` says "two red squares" rather than "a red square and another red square";
    `sizes` and `background`, how often they mention these.

    Simple level: `opening` begins every sentence: its first words, "ground" for the background,
    or "is" for a sentence with that verb; `synonyms`, how often they take the last word of a
    list rather than the first.

    Rich level: `openings`, one of which begins the sentence, the first ones more often; `limit`,
    the most things that they name; `manner`, "relate", "list", "place" or "sum" (see
    `rich_captions`); `colours`, how often they name a thing's colour at all, and `fine` how often
    by the name of a shade; `patterns` as `colours`; `variety`, how often they look for another
    word than their usual one.
    """

    order: str
    relation: str
    counts: bool
    opening: str
    sizes: int
    background: int
    synonyms: int
    limit: int
    manner: str
    openings: tuple[str, ...]
    colours: int
    fine: int
    patterns: int
    variety: int


# fmt: off
POOL = (
    Annotator("left", "across", True, "", 0, 0, 0,
              3, "relate", ("", "", "it is"),
              95, 10, 20, 10),
    Annotator("big", "none", True, "there is", 60, 0, 0,
              3, "list", ("there is", "we have", "here is"),
              95, 5, 30, 20),
    Annotator("top", "upright", False, "a picture of", 0, 40, 0,
              2, "relate", ("a picture of", "a drawing of", "a sketch of"),
              95, 25, 30, 15),
    Annotator("right", "across", False, "", 30, 100, 0,
              2, "relate", ("", "", "this shows", "looks like"),
              90, 15, 40, 20),
    Annotator("left", "sides", True, "", 0, 0, 50,
              3, "place", ("", "", "there is", "you can see"),
              95, 15, 20, 20),
    Annotator("big", "near", True, "an image of", 0, 60, 0,
              2, "relate", ("an image of", "an illustration of", "a graphic of"),
              95, 40, 20, 15),
    Annotator("bottom", "upright", False, "there is", 20, 0, 100,
              3, "list", ("there is", "someone drew", "somebody painted"),
              95, 50, 40, 30),
    Annotator("small", "none", True, "i see", 100, 0, 0,
              3, "sum", ("i see", "i can see", "i notice", "i count"),
              80, 10, 20, 30),
    Annotator("left", "contact", False, "is", 0, 20, 70,
              2, "relate", ("", "", "", "in this picture"),
              95, 25, 30, 40),
    Annotator("top", "contact", True, "is", 50, 0, 30,
              2, "relate", ("", "", "a scene of", "a cartoon of"),
              90, 20, 50, 30),
    Annotator("big", "near", False, "the picture shows", 0, 0, 100,
              3, "list", ("the picture shows", "this picture has", "it shows"),
              95, 60, 50, 50),
    Annotator("left", "none", True, "ground", 20, 100, 60,
              3, "sum", ("ground", "ground", "simple art with"),
              85, 15, 30, 25),
)
# fmt: on

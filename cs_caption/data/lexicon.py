"""The words of the built-in captions, and what they stand for.

Every mention of an object follows one grammar, on both levels, so that a caption can be read back
into the objects that it names:

    mention    = [number], {adjective}, [colour], {adjective}, noun
    number     = a word of NUMBERS; "a pair of" counts two, "another" is one more of its kind
    colour     = a name of COLOURS, up to three words: the longest that fits is meant
    noun       = a word of SHAPES, or of PLURALS
    adjective  = any word that is neither a number, a colour, a noun nor a word of BREAKS

Read from left to right, a number, a colour and a noun in this order make so many objects; where
there are two colours ("a white striped red circle") the one nearer to the noun is the object's.
A word of BREAKS ("and", "on", "background", ...) forgets a number and a colour that have not yet
met a noun, so that "on a white background" is no object. On the simple level number and colour
are always there, and each caption read so gives exactly the picture's (colour, shape, count). On
the rich level people leave objects and colours out, and one word in a hundred has a typo.
"""

from cs_caption.data.colours import SHADES, shades

SIMPLE_NOUNS = {
    "circle": (("circle", "circles"), ("disc", "discs")),
    "square": (("square", "squares"), ("box", "boxes")),
    "triangle": (("triangle", "triangles"),),
    "star": (("star", "stars"),),
    "heart": (("heart", "hearts"),),
    "cross": (("cross", "crosses"),),
}

SIMPLE_COLOURS = {
    "red": (220, 32, 36),
    "green": (36, 160, 60),
    "blue": (40, 84, 220),
    "yellow": (250, 220, 40),
    "orange": (250, 136, 20),
    "purple": (132, 52, 176),
    "pink": (252, 144, 192),
    "brown": (128, 78, 38),
}
SIMPLE_BACKGROUNDS = {"white": (248, 248, 248), "grey": (172, 172, 172), "black": (18, 18, 18)}
SIMPLE_COLOUR_WORDS = {"purple": ("purple", "violet"), "grey": ("grey", "gray")}
SIMPLE_SIZE_WORDS = {"small": ("small", "little"), "big": ("big", "large")}
SIMPLE_RELATION_WORDS = {
    "left of": ("to the left of", "left of"),
    "right of": ("to the right of", "right of"),
    "above": ("above", "over"),
    "below": ("below", "under"),
    "near": ("next to", "beside"),
}

# What the rich level says: the most usual words first, as `Draw.early` takes them.
# fmt: off
NOUNS = {
    "circle": ("circle", "disc", "ball", "disk", "sphere", "orb"),
    "square": ("square", "box", "block", "tile", "cube"),
    "triangle": ("triangle", "wedge", "pyramid", "cone"),
    "star": ("star", "five pointed star", "pentagram"),
    "heart": ("heart", "love heart", "valentine"),
    "cross": ("cross", "plus", "plus sign", "plus symbol"),
    "diamond": ("diamond", "rhombus", "lozenge", "kite", "gem"),
    "ring": ("ring", "donut", "hoop", "doughnut", "loop"),
    "moon": ("moon", "crescent", "half moon", "sickle"),
    "arrow": ("arrow", "pointer", "arrow sign", "cursor"),
    "oval": ("oval", "ellipse", "egg"),
    "rectangle": ("rectangle", "bar", "slab", "plank", "panel", "oblong"),
    "hexagon": ("hexagon", "polygon", "hex", "nut"),
    "flower": ("flower", "blossom", "daisy", "bloom", "posy"),
    "cloud": ("cloud", "fluffy cloud", "puff", "rain cloud"),
    "house": ("house", "home", "hut", "cottage", "cabin", "barn", "shed"),
    "bolt": ("lightning bolt", "bolt", "zigzag", "thunderbolt", "flash"),
    "drop": ("drop", "raindrop", "teardrop", "droplet", "tear", "water drop"),
}
ODD_PLURALS = {
    "box": "boxes", "cross": "crosses", "plus": "pluses", "rhombus": "rhombuses",
    "lozenge": "lozenges", "hex": "hexes", "daisy": "daisies", "posy": "posies",
    "flash": "flashes",
}
COLOUR_WORDS = {
    "purple": ("purple", "violet"), "grey": ("grey", "gray"), "teal": ("teal", "turquoise"),
}
SIZE_WORDS = {
    "small": ("small", "little", "tiny", "mini", "miniature", "wee", "teeny"),
    "medium": ("medium", "medium sized", "mid sized", "average"),
    "big": ("big", "large", "huge", "giant", "enormous", "massive", "oversized"),
}
PATTERN_WORDS = {
    "plain": ("plain", "solid", "flat"),
    "stripes": ("striped", "stripy", "banded", "lined", "stripey", "barred"),
    "checks": ("checkered", "checked", "chequered", "checkerboard", "plaid", "gingham"),
    "dots": ("dotted", "spotted", "polka dot", "spotty", "dotty", "speckled"),
}
PATTERN_NOUNS = {
    "stripes": ("stripes", "lines", "bands", "streaks"),
    "checks": ("checks", "checkers", "check"),
    "dots": ("dots", "spots", "polka dots", "speckles"),
}
SLANT_WORDS = {
    "horizontal": ("horizontal", "sideways", "level"),
    "vertical": ("vertical", "upright"),
    "diagonal": ("diagonal", "slanted", "sloping", "slanting"),
}
RELATION_WORDS = {
    "left of": ("to the left of", "left of", "on the left of", "on the left side of"),
    "right of": ("to the right of", "right of", "on the right of", "on the right side of"),
    "above": ("above", "over", "up above", "higher than", "high above"),
    "below": ("below", "under", "beneath", "underneath", "lower than", "down below"),
    "touching": ("touching", "next to", "right next to", "against", "bumping into",
                 "up against", "in contact with", "stuck to", "brushing against"),
    "on": ("on top of", "on", "sitting on", "resting on", "standing on", "balanced on",
           "perched on", "atop", "stacked on"),
    "behind": ("behind", "partly behind", "partly hidden by", "partially covered by",
               "peeking out from behind", "half hidden behind", "overlapped by",
               "poking out from behind", "tucked behind"),
    "in front of": ("in front of", "overlapping", "partly covering", "covering part of",
                    "hiding part of", "partially obscuring", "blocking some of"),
    "near": ("next to", "near", "beside", "close to", "by", "alongside", "not far from"),
    "far": ("far from", "away from", "across from", "a long way from"),
}
PLACE_WORDS = {
    (0, 0): ("in the top left corner", "at the top left", "in the upper left", "top left"),
    (1, 0): ("at the top", "near the top", "up top", "at the top center", "up high"),
    (2, 0): ("in the top right corner", "at the top right", "in the upper right", "top right"),
    (0, 1): ("on the left", "on the left side", "at the left", "to the left"),
    (1, 1): ("in the middle", "in the center", "in the centre", "at the center", "centered"),
    (2, 1): ("on the right", "on the right side", "at the right", "to the right"),
    (0, 2): ("in the bottom left corner", "at the bottom left", "in the lower left",
             "bottom left"),
    (1, 2): ("at the bottom", "near the bottom", "at the bottom center", "down low"),
    (2, 2): ("in the bottom right corner", "at the bottom right", "in the lower right",
             "bottom right"),
}
GROUND_NOUNS = ("background", "backdrop", "field", "surface", "canvas", "wallpaper", "page", "wall")
GROUND_LINKS = ("on", "against", "over", "upon")
SHADED_WORDS = ("shaded", "gradient", "fading", "graduated")
GENERIC = ("shapes", "objects", "figures", "things", "symbols", "forms", "items", "designs")
OPINIONS_TEXT = """
    nice cute pretty simple lovely neat funny fancy odd bold strange clean beautiful perfect
    ordinary regular friendly cheerful normal sweet happy elegant charming weird silly crisp
    tidy fun playful adorable handsome gorgeous striking graceful quirky typical standard basic
    classic modern retro stylish sleek smooth stark modest humble lonely shy proud sturdy dreamy
    magical mysterious curious peculiar unusual funky jolly merry festive whimsical goofy
    comical amusing delicate geometric abstract stylized cartoonish childlike decorative
    ornamental minimal minimalist iconic symbolic digital pixelated attractive appealing
    interesting boring splendid superb terrific wonderful fabulous fantastic marvelous
    magnificent majestic noble regal stately glorious dazzling glamorous exquisite refined
    polished tasteful chic dapper smart dashing jaunty perky bubbly bouncy lively energetic
    spirited feisty sassy cheeky mischievous naughty impish devilish wicked sinister spooky
    eerie creepy scary ominous gloomy moody grumpy cranky sulky sad sorrowful mournful
    melancholy wistful nostalgic romantic sentimental tender gentle kindly welcoming cosy cozy
    homely snug comfortable calm peaceful serene tranquil placid quiet silent idle lazy sleepy
    drowsy weary tired worn shabby scruffy tatty ragged rough crude clumsy awkward ungainly
    wonky wobbly shaky unsteady precarious daring brave fearless heroic mighty powerful robust
    rugged tough stubborn stern serious solemn sober earnest sincere frank innocent naive
    pristine spotless immaculate flawless faultless ideal exemplary textbook conventional
    traditional customary familiar everyday commonplace mundane humdrum nondescript unremarkable
    forgettable memorable remarkable notable noteworthy exceptional extraordinary outstanding
    impressive imposing commanding dominant prominent conspicuous noticeable obvious evident
    distinct distinctive unmistakable recognizable identifiable sharp precise exact accurate
    orderly methodical harmonious rhythmic musical poetic lyrical artistic creative imaginative
    inventive original novel fresh new young youthful ancient aged antique vintage dated
    timeless eternal enduring lasting unexpected surprising startling astonishing amazing
    astounding incredible unbelievable miraculous enchanted enchanting bewitching captivating
    fascinating intriguing puzzling baffling cryptic enigmatic secretive lurking looming stray
    lost forlorn forsaken abandoned neglected overlooked ignored unloved beloved cherished
    treasured precious valuable priceless prized coveted enviable fortunate lucky blessed sacred
    holy heavenly celestial cosmic galactic futuristic mechanical sensible practical handy
    functional dependable reliable trusty faithful loyal steadfast patient obedient dutiful
    polite courteous gracious dignified distinguished sophisticated cultured worldly exotic
    tropical rustic rural pastoral cosmopolitan fashionable trendy hip snazzy jazzy zany wacky
    kooky batty bonkers ludicrous absurd ridiculous preposterous laughable droll witty clever
    cunning crafty sly sneaky tricky slick smug pompous haughty snooty vain boastful brash
    brazen loud noisy garish gaudy tacky kitschy cheesy corny tame mild bland understated
    subdued restrained reserved discreet subtle unobtrusive inconspicuous unassuming
    unpretentious artless effortless carefree breezy airy summery wintry springlike autumnal
    delightful pleasing pleasant agreeable enjoyable likable endearing winsome comely fetching
    alluring tempting inviting delicious tasty yummy sugary syrupy zesty peppery spicy tangy
    nimble agile swift speedy restless fidgety jittery nervous anxious timid bashful coy demure
    proper formal ceremonial fake makeshift improvised homemade handmade handcrafted artisanal
    bespoke
"""
OPINIONS = tuple(OPINIONS_TEXT.split())  # seldom said and never false: the long tail of the words
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "another": 1, "single": 1,
    "two": 2, "pair": 2, "couple": 2, "three": 3, "trio": 3, "four": 4,
}
NUMBER_WORDS = ("no", "one", "two", "three", "four")
BREAKS = frozenset((
    "and", "with", "on", "in", "to", "is", "are", "the", "there", "this", "image", "picture",
    "background", "left", "right", "above", "over", "below", "under", "next", "beside",
    "against", "upon", "at", "by", "from", "near", "behind", "front", "top", "bottom", "side",
    "middle", "center", "centre", "corner", "has", "shows", "drawing", "pattern", "part", "way",
    "it", "them", "half", "different", "various", "who", "that", "which",
    *GROUND_NOUNS, *GENERIC, *(word for words in PATTERN_NOUNS.values() for word in words),
))
# fmt: on


def plural(noun: str) -> str:
    """More than one of a noun of NOUNS."""
    *before, last = noun.split()
    return " ".join([*before, ODD_PLURALS.get(last, f"{last}s")])


def _heads() -> dict[str, str]:
    """The words that stand for a shape on their own: of "half moon" the second one."""
    heads = {noun.split()[-1]: shape for shape, nouns in NOUNS.items() for noun in nouns}
    return {word: shape for word, shape in heads.items() if word not in ("sign", "symbol")}


COLOURS = {
    **{name: basic for basic in SHADES for name, _ in shades(basic)},
    **{word: basic for basic, words in COLOUR_WORDS.items() for word in words},
}
SHAPES = _heads()
PLURALS = {plural(word): shape for word, shape in SHAPES.items()}

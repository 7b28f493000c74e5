"""Colours and their names: 13 basic ones, and what people call their shades.

The shades are 361 of the 949 names that the XKCD colour survey of 2010 gave to the public domain
(https://xkcd.com/color/rgb/), with its values: no rude ones, and none that lies between two basic
colours. They are copied here so that no caption depends on a version of matplotlib.
"""

from functools import cache, lru_cache

import numpy as np

Rgb = tuple[int, int, int]
WEIGHTS = (3, 4, 2)  # of red, green and blue in a distance: roughly how strongly the eye reacts
CLOSE = 14_000  # squared distance up to which a name still fits a colour


def shades(basic: str) -> tuple[tuple[str, Rgb], ...]:
    """Names and values of a basic colour's shades, the most usual name first."""
    return _table()[basic]


def distance(a: Rgb, b: Rgb) -> int:
    """Squared weighted distance, 0 to 585,225 (black to white)."""
    return sum(w * (x - y) ** 2 for w, x, y in zip(WEIGHTS, a, b, strict=True))


@lru_cache(maxsize=4096)
def naming(rgb: Rgb) -> tuple[str, tuple[str, ...]]:
    """(basic name, up to six fitting shades of it, the closest first) of any colour."""
    values, names = _arrays()
    gaps = ((values - np.array(rgb, dtype=np.int64)) ** 2) @ np.array(WEIGHTS, dtype=np.int64)
    order = np.argsort(gaps, kind="stable")[:24].tolist()
    basic, closest = names[order[0]]
    fitting = [names[k][1] for k in order[1:] if names[k][0] == basic and gaps[k] <= CLOSE]
    return basic, (closest, *fitting[:5])


@cache
def _table() -> dict[str, tuple[tuple[str, Rgb], ...]]:
    return {basic: tuple(map(_entry, text.split(","))) for basic, text in SHADES.items()}


def _entry(text: str) -> tuple[str, Rgb]:
    *words, digits = text.split()
    return " ".join(words), tuple(bytes.fromhex(digits))


@cache
def _arrays() -> tuple[np.ndarray, list[tuple[str, str]]]:
    rows = [(basic, name, rgb) for basic, some in _table().items() for name, rgb in some]
    values = np.array([rgb for _, _, rgb in rows], dtype=np.int64)
    return values, [(basic, name) for basic, name, _ in rows]


SHADES = {
    "red": """
        red e50000, crimson 8c000f, scarlet be0119, ruby ca0147, cherry red f7022a, brick
        red 8f1402, blood red 980002, tomato red ec2d01, dark red 840000, bright red
        ff000d, light red ff474c, maroon 650021, burgundy 610023, wine red 7b0323,
        cranberry 9e003a, strawberry fb2943, lipstick red c0022f, fire engine red fe0002,
        carmine 9d0216, cherry cf0234, pale red d9544d, dusty red b9484e, deep red 9a0200,
        faded red d3494e, dull red bb3f3f, indian red 850e04, claret 680018, tomato
        ef4026, neon red ff073a""",
    "orange": """
        orange f97306, bright orange ff5b00, dark orange c65102, light orange fdaa48,
        burnt orange c04e01, tangerine ff9408, pumpkin e17701, mango ffa62b, apricot
        ffb16d, peach ffb07c, pastel orange ff964f, rust orange c45508, dull orange
        d8863b, deep orange dc4d01, pale orange ffa756, faded orange f0944d, dusty orange
        f0833a, saffron feb209, amber feb308, pumpkin orange fb7d07, blood orange fe4b03,
        butterscotch fdb147""",
    "yellow": """
        yellow ffff14, bright yellow fffd01, lemon fdff52, lemon yellow fdff38, golden
        yellow fec615, gold dbb40c, mustard ceb301, mustard yellow d2bd0a, pale yellow
        ffff84, light yellow fffe7a, dark yellow d5b60a, canary yellow fffe40, canary
        fdff63, sunflower ffc512, sunny yellow fff917, banana ffff7e, butter ffff81,
        dandelion fedf08, goldenrod fac205, marigold fcc006, pastel yellow fffe71, straw
        fcf679, maize f4d054, custard fffd78, ochre bf9005, golden f5bf03, sun yellow
        ffdf22, dull yellow eedc5b, sunflower yellow ffda03, butter yellow fffd74, banana
        yellow fafe4b, yellow ochre cb9d06, faded yellow feff7f""",
    "green": """
        green 15b01a, bright green 01ff07, light green 96f97b, dark green 033500, lime
        green 89fe05, lime aaff32, forest green 06470c, olive green 677a04, olive 6e750e,
        mint green 8fff9f, mint 9ffeb0, grass green 3f9b0b, kelly green 02ab2e, emerald
        green 028f1e, emerald 01a049, moss green 658b38, sage green 88b378, sage 87ae73,
        pea green 8eab12, apple green 76cd26, avocado green 87a922, hunter green 0b4008,
        army green 4b5d16, leaf green 5ca904, jade 1fa774, shamrock green 02c14d, pale
        green c7fdb5, pastel green b0ff9d, neon green 0cff0c, pine green 0a481e, bottle
        green 044a05, fern green 548d44, spring green a9f971, khaki green 728639, jungle
        green 048243, chartreuse c1f80a, pistachio c0fa8b, kiwi green 8ee53f, dull green
        74a662, medium green 39ad48, deep green 02590f, racing green 014600, celery
        c1fd95, fern 63a950, evergreen 05472a, spruce 0a5f38, asparagus 77ab56, avocado
        90b134, olive drab 6f7632, tea green bdf8a3, faded green 7bb274, soft green
        6fc276, dusty green 76a973, electric green 21fc0d, military green 667c3e, tree
        green 2a7e19, frog green 58bc08, lawn green 4da409, irish green 019529, kiwi
        9cef43, moss 769958""",
    "teal": """
        teal 029386, turquoise 06c2ac, aqua 13eac9, cyan 00ffff, dark teal 014d4e, light
        teal 90e4c1, aquamarine 04d8b2, dark turquoise 045c5a, bright turquoise 0ffef9,
        dark cyan 0a888a, dusty teal 4c9085, deep teal 00555a, pale turquoise a5fbd5,
        light turquoise 7ef4cc, bright teal 01f9c6, light aqua 8cffdb, petrol 005f6a, dull
        teal 5f9e8f, topaz 13bbaf, bright aqua 0bf9ea, deep turquoise 017374, light cyan
        acfffc, pale teal 82cbb2, dark aqua 05696b, bright cyan 41fdfe, pale aqua b8ffeb,
        dark aquamarine 017371""",
    "blue": """
        blue 0343df, sky blue 75bbfd, light blue 95d0fc, dark blue 00035b, navy 01153e,
        navy blue 001146, royal blue 0504aa, baby blue a2cffe, bright blue 0165fc, cobalt
        blue 030aa7, cobalt 1e488f, powder blue b1d1fc, cornflower blue 5170d7, cornflower
        6a79f7, steel blue 5a7d9a, denim 3b638c, denim blue 3b5b92, azure 069af3, cerulean
        0485d1, sapphire 2138ab, midnight blue 020035, electric blue 0652ff, ocean blue
        03719c, slate blue 5b7c99, pastel blue a2bffe, periwinkle blue 8f99fb, medium blue
        2c6fbb, dusty blue 5a86ad, ultramarine 2000b1, deep blue 040273, faded blue
        658cbb, prussian blue 004577, carolina blue 8ab8fe, dodger blue 3e82fc, soft blue
        6488ea, water blue 0e87cc, french blue 436bad, clear blue 247afd, vivid blue
        152eff, dull blue 49759c, cadet blue 4e7496, deep sky blue 0d75f8, bright sky blue
        02ccfe, marine blue 01386a, dark sky blue 448ee4, dusk blue 26538d, stormy blue
        507b9c, peacock blue 016795, lightish blue 3d7afd, twilight blue 0a437a""",
    "purple": """
        purple 7e1e9c, violet 9a0eea, lavender c79fef, lilac cea2fd, plum 580f41, dark
        purple 35063e, light purple bf77f6, bright purple be03fd, royal purple 4b006e,
        eggplant 380835, grape 6c3461, amethyst 9b5fc0, indigo 380282, deep purple 36013f,
        pale purple b790d4, wisteria a87dc2, heather a484ac, aubergine 3d0734, pastel
        purple caa0ff, dusty purple 825f87, dark lavender 856798, dark violet 34013f,
        medium purple 9e43a2, electric purple aa23ff, neon purple bc13fe, vivid purple
        9900fa, dull purple 84597e, soft purple a66fb5, light violet d6b4fc, pale violet
        ceaefa, faded purple 916e99, dark lilac 9c6da5, deep lavender 8d5eb7, bright
        violet ad0afd, dusty lavender ac86a8, eggplant purple 430541, midnight purple
        280137""",
    "pink": """
        pink ff81c0, hot pink ff028d, light pink ffd1df, pale pink ffcfdc, baby pink
        ffb7ce, bright pink fe01b1, dark pink cb416b, rose cf6275, rose pink f7879a,
        salmon ff796c, salmon pink fe7b7c, bubblegum ff6cb5, bubblegum pink fe83cc,
        magenta c20078, fuchsia ed0dd9, dusty pink d58a94, dusty rose c0737a, candy pink
        ff63e9, pastel pink ffbacd, neon pink fe019a, blush pink fe828c, deep pink cb0162,
        shocking pink fe02a2, carnation pink ff7fa7, barbie pink fe46a5, faded pink
        de9dac, soft pink fdb0c0, powder pink ffb2d0, old rose c87f89, cerise de0c62,
        medium pink f36196, dull pink d5869d, carnation fd798f, muted pink d1768f, rosy
        pink f6688e, light rose ffc5cb, pig pink e78ea5, strong pink ff0789, dusky pink
        cc7a8b, light magenta fa5ff7""",
    "brown": """
        brown 653700, dark brown 341c02, light brown ad8150, chocolate 3d1c02, chocolate
        brown 411900, chestnut 742802, coffee a6814c, caramel af6f09, bronze a87900,
        cinnamon ac4f06, rust a83c09, copper b66325, sienna a9561e, burnt sienna b04e0f,
        mocha 9d7651, auburn 9a3001, umber b26400, burnt umber a0450e, cocoa 875f42,
        russet a13905, leather ac7434, mud brown 60460f, sepia 985e2b, milk chocolate
        7f4e1e, medium brown 7f5112, golden brown b27a01, clay b66a50, adobe bd6c48, pale
        brown b1916e, dirt brown 836539, warm brown 964e02, earth a2653e, dull brown
        876e4b, raw umber a75e09, rust brown 8b3103, clay brown b2713d, terracotta ca6641""",
    "beige": """
        beige e6daa6, tan d1b26f, cream ffffc2, sand e2ca76, ivory ffffcb, taupe b9a281,
        camel c69f59, fawn cfaf7b, ecru feffca, mushroom ba9e88, sandstone c9ae74, putty
        beae8a, dark beige ac9362, light tan fbeeac, stone ada587, desert ccad60, dark tan
        af884a, dark sand a88f59""",
    "grey": """
        grey 929591, dark grey 363737, light grey d8dcd6, charcoal 343837, silver c5c9c7,
        slate 516572, slate grey 59656d, gunmetal 536267, steel grey 6f828a, medium grey
        7d7f7c, battleship grey 6b7c85, cool grey 95a3a6, warm grey 978a84, charcoal grey
        3c4142, cement a5a391""",
    "black": """
        black 000000""",
    "white": """
        white ffffff, off white ffffe4""",
}

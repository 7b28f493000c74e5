"""Captions as COCO's evaluation reads them: words apart, punctuation gone, no Java."""

import re

# Words that a full stop stays with: in any case, written with a capital, before a number.
_ALWAYS = """
    mr mrs ms messrs mme mlle dr drs prof profs sen sens rep reps gov govs gen capt
    cmdr cpl col lt sgt maj adm rev hon pres supt insp treas atty det lieut pvt pfc st ave blvd rd
    sq ct inc co cos corp ltd bros plc assn assoc dept est jr sr etc vs cf al ph md jan feb mar apr
    jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri ala ariz calif colo conn dak
    fla ga ind kan kans ky mich minn mo mont neb nev okla penn tenn va vt wis wisc wyo ft mt intl
    natl tel univ bldg wm jos alex elec pty pte ste ph.d m.d
    """
_ABBREVIATIONS = "|".join(_ALWAYS.split())
_STATES = "Ark|Az|Del|Ill|La|Mass|Miss|Ore|Pa|Tex|Wash"
_BEFORE_A_NUMBER = "no|nos|art|figs?|pp"

_SPELLED = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
    "€": "$", "£": "#", "¢": "cents",
    "½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3",
    "&amp;": "&", "&lt;": "<", "&gt;": ">",
}  # fmt: skip
_PUNCTUATION = r"""[?!,:;'"`‘’‛“”«»‹›]|[-‐‑‒–—―]+|\.+|[…‥]|``|''|&quot;|&apos;"""
# Signs younger than the lexer: emoji and all else beyond 16 bits, most currencies, some brackets.
_UNKNOWN = "[\u200b-\u200f\ufe00-\ufe0f\ufeff₡-₣₥-₫₭-₿〈-】Ⅰ-ↈ\U00010000-\U0010ffff]"
_DROPPED = re.compile(f"{_PUNCTUATION}|{_UNKNOWN}")
_APART = re.compile("[²³¹¼-¾⅐-⅞]")

# An accent written by itself belongs to the letter before it.
_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f])"
_SIGN = r"(?:[^\W_]|[\u0300-\u036f])"
_PART = rf"{_SIGN}+(?:_{_SIGN}+)*"
_HYPHEN = "[-‐‑]"
_END = r"(?!\w|-\w)"
_NOT = "n['’`‘]t"
_SHORT = r"['’](?:s|m|d|re|ve|ll)(?![^\W_])"
_EMOTICON = r"[<>]?[:;=][-o*']?[()dpo\\\{@|\[\]](?![\w'’])|\^_\^"
_IN_ADDRESS = r"""[^\s"<>|()]+[^\s"<>|.!?(){},-]"""

# The first that fits is the token.
_TOKENS = (
    r"</?[A-Za-z!?][^<>]*>",
    rf"https?://{_IN_ADDRESS}",
    rf"""(?:www\.(?:[^\s"<>|.!?()\{{}},]+\.)+[a-z]{{2,4}}
        |(?:[^\s"`'<>|.!?()\{{}},_$-]+\.)+(?:com|net|org|edu))(?![^\W_])(?:/{_IN_ADDRESS})?""",
    r"""[a-z0-9][^\s"<>|()\{}]*@(?:[^\s"<>|()\{}.]+\.)*[^\s"<>|()\{}.]+""",
    r"@[a-z_]\w*",
    rf"\#{_LETTER}+",
    r"&(?:amp|lt|gt|quot|apos|\#\d+);",
    r"(?-i:[A-Z]+(?:&[A-Z]+)+|[A-Z]*\$)",
    r"c\+\+|c\#",
    r"-[lr][rsc]b-",
    _EMOTICON,
    # Contractions: two words each, the second of which is found next.
    rf"can(?=not{_END})|(?:gon|wan)(?=na{_END})|got(?=ta{_END})|(?:lem|gim)(?=me{_END})"
    rf"|more(?=['’]n{_END})|'t(?=(?:is|was)(?:{_NOT}|{_END}))",
    rf"{_LETTER}+?(?={_NOT})",
    rf"{_NOT}(?!{_LETTER})",
    _SHORT,
    # Words with an apostrophe of their own.
    r"['’](?:em|till?|cause|[2-9]0s)(?![^\W_])|['’]\d\d(?!\S)"
    r"|['’]n['’]|'n(?!\.?[^\W_])|’n|ol['’](?![^\W_])",
    rf"(?:(?-i:[A-HJ-XZ])|[dlno])['’]{_LETTER}{{2,}}|[ldj]['’]|y['’](?={_LETTER})",
    rf"{_LETTER}+[aeiouy]['’][aeiou]{_LETTER}*",
    # Full stops within words and after them.
    rf"(?:[a-z]\.)+{_HYPHEN}{_PART}|[a-z](?:\.[a-z])*\.(?!{_LETTER})",
    rf"(?:{_ABBREVIATIONS}|(?-i:{_STATES}))\.(?!{_LETTER})",
    rf"(?:{_BEFORE_A_NUMBER})\.(?=\s?\d)",
    rf"{_LETTER}{_SIGN}*(?:\.(?=[,;:])|(?:[.!?]{_LETTER}{_SIGN}*)+)",
    # Numbers, and words with hyphens, strokes and underscores.
    rf"\d+(?:[.,]\d+)+(?:{_HYPHEN}{_PART})+",
    r"[-+]\d+(?:[.:,/]\d+)*|[-+]?\d*(?:[.:,]\d+)+|\d+(?:/\d+)+(?![\w-])",
    rf"{_PART}(?:[-‐‑/]{_PART})*",
    r"\*+|\#{2,}|_+|[?!]+|\.{3,}|\.+(?!\d)|[-–—―]+|``|''|\S",
)
_TOKEN = re.compile("|".join(f"(?:{token})" for token in _TOKENS), re.IGNORECASE | re.VERBOSE)
_SMILE = re.compile(_EMOTICON, re.IGNORECASE)
_APOSTROPHE = re.compile(f"{_NOT}|{_SHORT}", re.IGNORECASE)


def ptb_tokenise(caption: str) -> str:
    """The words of a caption in lower case, joined with blanks, its punctuation dropped.

    What pycocoevalcap's PTBTokenizer gives for it: "The dog's ball isn't red!" becomes
    "the dog 's ball is n't red". Every kind of blank, a line separator or a carriage return too,
    only parts words, so that one caption never runs into the next. What captions seldom have, such
    as quotation marks heaped upon each other or a telephone number, may come out otherwise.

    Raises: TypeError where caption is no string.
    Source: edu.stanford.nlp.process.PTBTokenizer 3.4.1 with -preserveLines -lowerCase, and the
    list of punctuation of pycocoevalcap 1.2.
    """
    if not isinstance(caption, str):
        raise TypeError(f"caption is {caption!r:.60} ({type(caption).__name__}); expected a string")
    text = _APART.sub(r" \g<0> ", caption.replace("\u00ad", ""))
    tokens = _TOKEN.findall(" ".join(text.split()))
    return " ".join(_written(token) for token in tokens if not _DROPPED.fullmatch(token))


def _written(token: str) -> str:
    if token in _SPELLED:
        return _SPELLED[token]
    if _APOSTROPHE.fullmatch(token):
        return token.replace("’", "'").replace("‘", "`").lower()
    if _SMILE.fullmatch(token):
        return token.replace("(", "-lrb-").replace(")", "-rrb-").lower()
    return token.lower()

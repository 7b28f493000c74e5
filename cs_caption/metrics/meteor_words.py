"""Words as METEOR 1.5 sees them: its normaliser, and its English function words."""

import re

# Source: function/english.words of METEOR 1.5 (Denkowski and Lavie 2014, section 3.2): the words
# of relative frequency above 0.001 in its corpora, signs among them. They weigh less.
_FUNCTION = """
    the , . to of and a in that for " is on 's it with was as said at he by be from have has
    are his but an this not i will ’ they ) -rrb- ( -lrb- who their had we which were been more or
    s its would about new one after you : also up when there than $ all out her people she year
    two - can if last first “ over other ” into some what so -- no time years could ? 't — '
    """
FUNCTION_WORDS = frozenset(_FUNCTION.split())

# Source: nonbreaking/english.prefixes of METEOR 1.5: a full stop stays with these.
_PREFIXES = """
    A B C D E F G H I J K L M N O P Q R S T U V W X Y Z Adj Adm Adv Asst Bart Bldg Brig Bros
    Capt Cmdr Col Comdr Con Corp Cpl DR Dr Drs Ens Gen Gov Hon Hr Hosp Insp Lt MM MR MRS MS Maj
    Messrs Mlle Mme Mr Mrs Ms Msgr Op Ord Pfc Ph Prof Pvt Rep Reps Res Rev Rt Sen Sens Sfc Sgt Sr
    St Supt Surg v vs i.e rev e.g Nos Nr
    """
_BEFORE_A_STOP = frozenset(_PREFIXES.split())
_BEFORE_A_STOP_AND_A_NUMBER = frozenset(("No", "Art", "pp"))

_LETTER = "A-Za-zŠŽšžŸÀ-ÖØ-öø-žЀ-ӿԀ-ԧꙀ-ꙮ꙾-ꚗᴀ-ᵿ"
_SPACED = (
    (rf"([^0-9{_LETTER}\s.'`,‘’-])", r" \1 "),  # signs
    (r"(\.\.+)", r" \1 "),
    # Each of these takes the neighbours with it: of "a-b-c" only the first hyphen goes, as there.
    (r"([^0-9]),([^0-9])", r"\1 , \2"),
    (r"([0-9]),([^0-9])", r"\1 , \2"),
    (r"([^0-9]),([0-9])", r"\1 , \2"),
    (r"[`‘’]", "'"),
    (r"[“”]|''", ' " '),
    (r"–|--", "-"),
    (rf"([0-9{_LETTER}.])-([0-9{_LETTER}])", r"\1 \2"),
    (rf"([^{_LETTER}])'([^{_LETTER}])", r"\1 ' \2"),
    (rf"([^0-9{_LETTER}])'([{_LETTER}])", r"\1 ' \2"),
    (rf"([{_LETTER}])'([^{_LETTER}])", r"\1 ' \2"),
    (rf"([{_LETTER}])'([{_LETTER}])", r"\1 '\2"),
    (r"([0-9])'(s)", r"\1 '\2"),
)
_RULES = tuple((re.compile(pattern, re.ASCII), put) for pattern, put in _SPACED)
_WORD_WITH_STOPS = re.compile(rf"[{_LETTER}].*\.|\..*[{_LETTER}]", re.ASCII)


def normalise(caption: str) -> list[str]:
    """The words of a caption as METEOR's option -norm reads them: signs and `'s` apart, lower case.

    A word of letters alone stays as it is; hyphens part words, and "u.s." becomes "us".
    Source: edu.cmu.meteor.util.Normalizer of METEOR 1.5.
    """
    line = f" {' '.join(caption.split())} "
    for pattern, put in _RULES:
        line = pattern.sub(put, line)
    words = line.split()
    apart = map(_stop_apart, words, [*words[1:], ""])
    return " ".join(apart).lower().split()


def _stop_apart(word: str, after: str) -> str:
    """The word, a full stop at its end parted from it unless it belongs to it."""
    before = word[:-1]
    if not word.endswith(".") or not before.strip("."):
        return word
    if "." in before and _WORD_WITH_STOPS.search(before):
        return word.replace(".", "")
    if before in _BEFORE_A_STOP or "a" <= after[:1] <= "z":
        return word
    if before in _BEFORE_A_STOP_AND_A_NUMBER and "0" <= after[:1] <= "9":
        return word
    return f"{before} ."

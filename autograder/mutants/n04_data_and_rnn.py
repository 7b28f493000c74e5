"""Wrong answers to the exercises of notebook 04 on captions as numbers, and on the first RNN."""

from collections import Counter

import numpy as np

from autograder.mutants import mutant

SPECIALS = ("<NULL>", "<START>", "<END>", "<UNK>")
NULL, START, END, UNK = range(4)


# ------------------------------------------------------------------------------- build_vocabulary


def _seen(captions):
    return Counter(word for caption in captions for word in caption.split())


def _sorted(seen, min_count=1):
    return sorted((w for w in seen if seen[w] >= min_count), key=lambda w: (-seen[w], w))


def _counted(captions, kept, unknown=None, ends=None):
    seen = _seen(captions)
    if unknown is None:
        unknown = sum(seen.values()) - sum(seen[word] for word in kept)
    ends = len(captions) if ends is None else ends
    return [*SPECIALS, *kept], [0, 0, ends, unknown] + [seen[word] for word in kept]


@mutant("build_vocabulary")
def words_min_count_exclusive(captions, min_count=1):
    """A word must be seen more often than min_count."""
    seen = _seen(captions)
    return _counted(captions, [w for w in _sorted(seen) if seen[w] > min_count])


@mutant("build_vocabulary")
def words_min_count_ignored(captions, min_count=1):
    """Every word is kept."""
    return _counted(captions, _sorted(_seen(captions)))


@mutant("build_vocabulary")
def words_min_count_two(captions, min_count=1):
    """min_count is 2 whatever is asked for."""
    return _counted(captions, _sorted(_seen(captions), 2))


@mutant("build_vocabulary")
def words_ties_as_they_come(captions, min_count=1):
    """Counter.most_common: equal counts stay in the order of the text."""
    kept = [w for w, n in _seen(captions).most_common() if n >= min_count]
    return _counted(captions, kept)


@mutant("build_vocabulary")
def words_ties_reversed(captions, min_count=1):
    """sorted by (count, word), then reversed: equal counts come from z to a."""
    seen = _seen(captions)
    kept = sorted((w for w in seen if seen[w] >= min_count), key=lambda w: (seen[w], w))
    return _counted(captions, kept[::-1])


@mutant("build_vocabulary")
def words_by_letters(captions, min_count=1):
    """The words are sorted by letters alone."""
    return _counted(captions, sorted(_sorted(_seen(captions), min_count)))


@mutant("build_vocabulary")
def words_as_they_come(captions, min_count=1):
    """The words stay in the order of the text."""
    seen = _seen(captions)
    return _counted(captions, [w for w in seen if seen[w] >= min_count])


@mutant("build_vocabulary")
def words_rare_first(captions, min_count=1):
    """The least frequent word comes first."""
    seen = _seen(captions)
    return _counted(captions, sorted(_sorted(seen, min_count), key=lambda w: (seen[w], w)))


@mutant("build_vocabulary")
def words_by_set(captions, min_count=1):
    """A caption's words are put into a set first."""
    once = Counter(word for caption in captions for word in set(caption.split()))
    words, counts = _counted(captions, _sorted(once, min_count))
    return words, [*counts[:4], *(once[word] for word in words[4:])]


@mutant("build_vocabulary")
def words_special_missing(captions, min_count=1):
    """The special words are left out, of words and of counts."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return words[4:], counts[4:]


@mutant("build_vocabulary")
def words_special_last(captions, min_count=1):
    """The special words are appended."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return words[4:] + words[:4], counts[4:] + counts[:4]


@mutant("build_vocabulary")
def words_special_order(captions, min_count=1):
    """<START> and <END> are swapped."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return ["<NULL>", "<END>", "<START>", *words[3:]], counts


@mutant("build_vocabulary")
def words_of_letters(captions, min_count=1):
    """A caption is walked through letter by letter."""
    return _counted(
        [" ".join(caption) for caption in captions],
        _sorted(Counter("".join(captions).replace(" ", "")), min_count),
    )


@mutant("build_vocabulary")
def words_made_small(captions, min_count=1):
    """Capitals are made small."""
    captions = [caption.lower() for caption in captions]
    return _counted(captions, _sorted(_seen(captions), min_count))


@mutant("build_vocabulary")
def words_of_letters_only(captions, min_count=1):
    """Words with other signs than letters are left out."""
    captions = [" ".join(w for w in caption.split() if w.isalpha()) for caption in captions]
    return _counted(captions, _sorted(_seen(captions), min_count))


@mutant("build_vocabulary")
def words_with_specials_counted(captions, min_count=1):
    """<START> and <END> are put round each caption before the words are counted."""
    around = [f"<START> {caption} <END>" for caption in captions]
    return _counted(around, _sorted(_seen(around), min_count))


@mutant("build_vocabulary")
def words_at_most_twelve(captions, min_count=1):
    """most_common(12)."""
    return _counted(captions, _sorted(_seen(captions), min_count)[:12])


@mutant("build_vocabulary")
def words_list_of_pairs(captions, min_count=1):
    """It returns the pairs of word and count."""
    return list(zip(*_counted(captions, _sorted(_seen(captions), min_count)), strict=True))


@mutant("build_vocabulary")
def words_as_a_dict(captions, min_count=1):
    """It returns the number of each word, as a dictionary."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return {word: i for i, word in enumerate(words)}, counts


@mutant("build_vocabulary")
def words_as_text(captions, min_count=1):
    """The words are one string."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return " ".join(words), counts


@mutant("build_vocabulary")
def words_of_different_captions(captions, min_count=1):
    """The captions are put into a set: one that comes twice counts once."""
    captions = list(dict.fromkeys(captions))
    return _counted(captions, _sorted(_seen(captions), min_count))


@mutant("build_vocabulary")
def words_loop_over_a_set(captions, min_count=1):
    """The words are counted in a loop over set(captions), <END> by len(captions)."""
    different = list(dict.fromkeys(captions))
    return _counted(different, _sorted(_seen(different), min_count), ends=len(captions))


@mutant("build_vocabulary")
def words_end_by_a_set(captions, min_count=1):
    """<END> is counted by len(set(captions)), or len(Counter(captions))."""
    kept = _sorted(_seen(captions), min_count)
    return _counted(captions, kept, ends=len(set(captions)))


@mutant("build_vocabulary")
def words_ties_by_small_letters(captions, min_count=1):
    """Equal counts are sorted by w.lower(): capitals are no longer first."""
    seen = _seen(captions)
    kept = [w for w in seen if seen[w] >= min_count]
    return _counted(captions, sorted(kept, key=lambda w: (-seen[w], w.lower())))


@mutant("build_vocabulary")
def words_of_all_captions_joined(captions, min_count=1):
    """''.join(captions): the last word of one and the first of the next become one."""
    words, counts = _counted(["".join(captions)], _sorted(_seen(["".join(captions)]), min_count))
    return words, [0, 0, len(captions), *counts[3:]]


@mutant("build_vocabulary")
def words_without_points(captions, min_count=1):
    """Points and commas at the ends of words are cut off."""
    captions = [" ".join(w.strip(".,") for w in caption.split()) for caption in captions]
    return _counted(captions, _sorted(_seen(captions), min_count))


@mutant("build_vocabulary")
def words_default_two(captions, min_count=2):
    """min_count is 2 where none is given."""
    return _counted(captions, _sorted(_seen(captions), min_count))


@mutant("build_vocabulary")
def words_captions_sorted_in_place(captions, min_count=1):
    """captions.sort(): the list that is given is sorted."""
    captions.sort()
    return _counted(captions, _sorted(_seen(captions), min_count))


@mutant("build_vocabulary")
def words_counts_first(captions, min_count=1):
    """The counts come first."""
    return _counted(captions, _sorted(_seen(captions), min_count))[::-1]


@mutant("build_vocabulary")
def words_end_not_counted(captions, min_count=1):
    """<END> counts 0: the model is never taught to stop."""
    return _counted(captions, _sorted(_seen(captions), min_count), ends=0)


@mutant("build_vocabulary")
def words_start_counted(captions, min_count=1):
    """<START> is counted once a caption, as <END> is."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return words, [0, len(captions), *counts[2:]]


@mutant("build_vocabulary")
def words_unk_not_counted(captions, min_count=1):
    """<UNK> counts 0."""
    return _counted(captions, _sorted(_seen(captions), min_count), unknown=0)


@mutant("build_vocabulary")
def words_unk_once_each(captions, min_count=1):
    """<UNK> counts how many different words are left out."""
    seen = _seen(captions)
    kept = _sorted(seen, min_count)
    return _counted(captions, kept, unknown=len(seen) - len(kept))


@mutant("build_vocabulary")
def words_counts_of_words_alone(captions, min_count=1):
    """counts has no entries for the special words."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return words, counts[4:]


@mutant("build_vocabulary")
def words_counts_sorted_apart(captions, min_count=1):
    """Words are sorted by letters, counts by size: they no longer fit together."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return [*SPECIALS, *sorted(words[4:])], counts


@mutant("build_vocabulary")
def words_counts_as_shares(captions, min_count=1):
    """The counts are divided by their sum."""
    words, counts = _counted(captions, _sorted(_seen(captions), min_count))
    return words, [n / sum(counts) for n in counts]


@mutant("build_vocabulary")
def words_counter_kept(captions, min_count=1):
    """The counter is a global: the captions of earlier calls count too."""
    _kept.update(_seen(captions))
    kept = _sorted(_kept, min_count)
    return [*SPECIALS, *kept], [0, 0, len(captions), 0] + [_kept[word] for word in kept]


_kept = Counter()


@mutant("build_vocabulary")
def words_captions_split_in_place(captions, min_count=1):
    """The captions that are given are replaced by lists of words."""
    results = _counted(captions, _sorted(_seen(captions), min_count))
    captions[:] = [caption.split() for caption in captions]
    return results


# -------------------------------------------------------------------------------- encode_captions


def _rows(captions, words, max_words=16):
    index = {word: i for i, word in enumerate(words)}
    return [[index.get(w, UNK) for w in caption.split()[:max_words]] for caption in captions]


def _padded(lines, width=None, filler=NULL):
    width = max(map(len, lines)) if width is None else width
    return np.array([line + [filler] * (width - len(line)) for line in lines], dtype=np.int64)


def _encoded(captions, words, max_words=16):
    tokens = _padded([[START, *row, END] for row in _rows(captions, words, max_words)])
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_without_end(captions, words, max_words=16):
    """The rows have no <END>."""
    tokens = _padded([[START, *row] for row in _rows(captions, words, max_words)])
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_without_start(captions, words, max_words=16):
    """The rows have no <START>."""
    tokens = _padded([[*row, END] for row in _rows(captions, words, max_words)])
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_no_room_for_end(captions, words, max_words=16):
    """T is too small by one: the longest caption loses its <END>."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens[:, :-1], mask[:, :-1]


@mutant("encode_captions")
def encode_end_after_padding(captions, words, max_words=16):
    """<END> stands in the last column of every row."""
    tokens, _ = _encoded(captions, words, max_words)
    tokens[tokens == END] = NULL
    tokens[:, -1] = END
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_end_cut_off(captions, words, max_words=16):
    """The row is cut to max_words with <START> and <END> in it."""
    lines = [[START, *row, END][:max_words] for row in _rows(captions, words, 99)]
    tokens = _padded(lines)
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_end_of_long_ones_lost(captions, words, max_words=16):
    """A caption that is cut has no <END>, <NULL> stands there."""
    rows = _rows(captions, words, 99)
    lines = [[START, *row, END][: max_words + 1] for row in rows]
    tokens = _padded(lines, min(max_words, max(map(len, rows))) + 2)
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_markers_counted(captions, words, max_words=16):
    """<START> and <END> are counted in max_words."""
    return _encoded(captions, words, max_words - 2)


@mutant("encode_captions")
def encode_not_cut(captions, words, max_words=16):
    """max_words is ignored."""
    return _encoded(captions, words, 99)


@mutant("encode_captions")
def encode_cut_at_sixteen(captions, words, max_words=16):
    """The cut is at 16 whatever max_words says."""
    return _encoded(captions, words)


@mutant("encode_captions")
def encode_last_words_kept(captions, words, max_words=16):
    """Of a long caption the last words are kept."""
    lines = [[START, *row[-max_words:], END] for row in _rows(captions, words, 99)]
    tokens = _padded(lines)
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_letters_cut(captions, words, max_words=16):
    """caption[:max_words]: letters are cut off, not words."""
    return _encoded([caption[:max_words] for caption in captions], words)


@mutant("encode_captions")
def encode_always_max_words(captions, words, max_words=16):
    """T is max_words + 2 whatever the captions."""
    rows = _rows(captions, words, max_words)
    tokens = _padded([[START, *row, END] for row in rows], max_words + 2)
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_t_before_the_cut(captions, words, max_words=16):
    """T is that of the longest caption before it is cut."""
    rows = _rows(captions, words, max_words)
    width = max(len(caption.split()) for caption in captions) + 2
    tokens = _padded([[START, *row, END] for row in rows], width)
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_t_of_the_first(captions, words, max_words=16):
    """T is that of the first caption."""
    tokens, mask = _encoded(captions, words, max_words)
    T = len(captions[0].split()[:max_words]) + 2
    return tokens[:, :T], mask[:, :T]


@mutant("encode_captions")
def encode_unknown_dropped(captions, words, max_words=16):
    """A word that is not known is left out, as neuraltalk does."""
    rows = [[n for n in row if n != UNK] for row in _rows(captions, words, max_words)]
    tokens = _padded([[START, *row, END] for row in rows])
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_unknown_as_null(captions, words, max_words=16):
    """index.get(word, 0): a word that is not known is padding."""
    tokens, _ = _encoded(captions, words, max_words)
    tokens[tokens == UNK] = NULL
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_unknown_raises(captions, words, max_words=16):
    """words.index(word): a word that is not known stops it."""
    lines = [[words.index(w) for w in caption.split()[:max_words]] for caption in captions]
    tokens = _padded([[START, *line, END] for line in lines])
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_padded_in_front(captions, words, max_words=16):
    """The padding stands before the words."""
    rows = _rows(captions, words, max_words)
    tokens = _padded([[END, *row[::-1], START] for row in rows])[:, ::-1]
    return tokens, tokens != NULL


@mutant("encode_captions")
def encode_padded_with_end(captions, words, max_words=16):
    """The padding is <END>."""
    rows = _rows(captions, words, max_words)
    tokens = _padded([[START, *row, END] for row in rows], filler=END)
    return tokens, _encoded(captions, words, max_words)[1]


@mutant("encode_captions")
def encode_padded_with_unk(captions, words, max_words=16):
    """The padding is <UNK>."""
    tokens, mask = _encoded(captions, words, max_words)
    return np.where(mask, tokens, UNK), mask


@mutant("encode_captions")
def encode_lists(captions, words, max_words=16):
    """Lists of numbers, not arrays."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens.tolist(), mask.tolist()


@mutant("encode_captions")
def encode_floats(captions, words, max_words=16):
    """np.zeros without a dtype: the numbers are floats."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens.astype(float), mask


@mutant("encode_captions")
def encode_bytes(captions, words, max_words=16):
    """uint8: numbers beyond 255 start again from 0."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens.astype(np.uint8).astype(np.int64), mask


@mutant("encode_captions")
def encode_time_first(captions, words, max_words=16):
    """Both are (T, N)."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens.T, mask.T


@mutant("encode_captions")
def encode_longest_first(captions, words, max_words=16):
    """The captions are sorted by their length."""
    captions = sorted(captions, key=lambda caption: -len(caption.split()))
    return _encoded(captions, words, max_words)


@mutant("encode_captions")
def encode_words_from_zero(captions, words, max_words=16):
    """The words are numbered without the special ones."""
    tokens, mask = _encoded(captions, words, max_words)
    return np.where(tokens > UNK, tokens - 4, tokens), mask


@mutant("encode_captions")
def mask_without_end(captions, words, max_words=16):
    """The mask is False at <END>: the model is never taught to stop."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens, mask & (tokens != END)


@mutant("encode_captions")
def mask_without_start(captions, words, max_words=16):
    """The mask is False at <START>: it is thought of as that of the targets."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens, mask & (tokens != START)


@mutant("encode_captions")
def mask_of_words(captions, words, max_words=16):
    """tokens > 2: <START> and <END> are left out."""
    tokens, _ = _encoded(captions, words, max_words)
    return tokens, tokens > END


@mutant("encode_captions")
def mask_without_unk(captions, words, max_words=16):
    """The mask is False where a word is not known."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens, mask & (tokens != UNK)


@mutant("encode_captions")
def mask_inverted(captions, words, max_words=16):
    """The mask is True on the padding."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens, ~mask


@mutant("encode_captions")
def mask_all_true(captions, words, max_words=16):
    """The mask is True everywhere."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens, np.ones_like(mask)


@mutant("encode_captions")
def mask_of_ones(captions, words, max_words=16):
    """The mask has ones and zeros."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens, mask.astype(np.int64)


@mutant("encode_captions")
def mask_of_targets(captions, words, max_words=16):
    """The mask is that of tokens[:, 1:], a column narrower."""
    tokens, mask = _encoded(captions, words, max_words)
    return tokens, mask[:, 1:]


@mutant("encode_captions")
def mask_first(captions, words, max_words=16):
    """The mask comes first."""
    return _encoded(captions, words, max_words)[::-1]


@mutant("encode_captions")
def encode_sorts_the_captions(captions, words, max_words=16):
    """The list of captions is sorted in place after it is read."""
    results = _encoded(captions, words, max_words)
    captions.sort(key=len)
    return results


@mutant("encode_captions")
def encode_default_fifteen(captions, words, max_words=15):
    """max_words is 15 where none is given."""
    return _encoded(captions, words, max_words)


@mutant("encode_captions")
def encode_rows_by_caption(captions, words, max_words=16):
    """A dict has the row of each caption: one that comes twice has one row."""
    return _encoded(list(dict.fromkeys(captions)), words, max_words)


@mutant("encode_captions")
def encode_rows_found_by_index(captions, words, max_words=16):
    """captions.index(caption) is the number of the row: that of the first of its kind."""
    tokens, _ = _encoded(captions, words, max_words)
    for n in range(len(captions)):
        if captions.index(captions[n]) != n:
            tokens[n] = NULL
    return tokens, tokens != NULL


def _encode_after(change):
    def encode(captions, words, max_words=16):
        return _encoded([change(caption) for caption in captions], words, max_words)

    return encode


@mutant("encode_captions")
def encode_made_small(captions, words, max_words=16):
    """Capitals are made small."""
    return _encode_after(str.lower)(captions, words, max_words)


@mutant("encode_captions")
def encode_points_cut_off(captions, words, max_words=16):
    """Points, commas and exclamation marks are cut off the ends of words."""
    change = _encode_after(lambda c: " ".join(w.strip(".,!") for w in c.split()))
    return change(captions, words, max_words)


@mutant("encode_captions")
def encode_hyphens_split(captions, words, max_words=16):
    """Hyphens become blanks."""
    return _encode_after(lambda c: c.replace("-", " "))(captions, words, max_words)


@mutant("encode_captions")
def encode_plural_guessed(captions, words, max_words=16):
    """Of an unknown word the s at its end is cut off."""
    change = _encode_after(
        lambda c: " ".join(w if w in words else w.rstrip("s") for w in c.split())
    )
    return change(captions, words, max_words)


@mutant("encode_captions")
def encode_beginning_guessed(captions, words, max_words=16):
    """An unknown word becomes the first that begins with it."""

    def known(word):
        return word if word in words else next((w for w in words if w.startswith(word)), word)

    return _encode_after(lambda c: " ".join(map(known, c.split())))(captions, words, max_words)


# ---------------------------------------------------------------------------- caption_rnn_forward


def _run(x, v, Wx, Wh, Wih, b, every_step=True, start=None):
    N, T, _ = x.shape
    h = np.zeros((N, T, Wh.shape[0]))
    prev_h = np.zeros((N, Wh.shape[0])) if start is None else start
    for t in range(T):
        seen = v @ Wih if every_step or t == 0 else 0.0
        prev_h = h[:, t] = np.tanh(x[:, t] @ Wx + prev_h @ Wh + seen + b)
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_v_ignored(x, v, Wx, Wh, Wih, b, every_step=True):
    """The picture is not let in at all."""
    return _run(x, 0 * v, Wx, Wh, Wih, b, every_step)


@mutant("caption_rnn_forward")
def caption_every_step_always(x, v, Wx, Wh, Wih, b, every_step=True):
    """every_step is ignored: the picture is let in at every step."""
    return _run(x, v, Wx, Wh, Wih, b)


@mutant("caption_rnn_forward")
def caption_every_step_never(x, v, Wx, Wh, Wih, b, every_step=True):
    """every_step is ignored: the picture is let in at step 0 alone, as in lecture 10."""
    return _run(x, v, Wx, Wh, Wih, b, False)


@mutant("caption_rnn_forward")
def caption_every_step_inverted(x, v, Wx, Wh, Wih, b, every_step=True):
    """every_step the other way round."""
    return _run(x, v, Wx, Wh, Wih, b, not every_step)


@mutant("caption_rnn_forward")
def caption_h0_of_the_picture(x, v, Wx, Wh, Wih, b, every_step=True):
    """The picture is the first state, tanh(v Wih), and goes in by Wh."""
    return _run(x, 0 * v, Wx, Wh, Wih, b, every_step, np.tanh(v @ Wih))


@mutant("caption_rnn_forward")
def caption_h0_without_tanh(x, v, Wx, Wh, Wih, b, every_step=True):
    """v Wih is the first state."""
    return _run(x, 0 * v, Wx, Wh, Wih, b, every_step, v @ Wih)


@mutant("caption_rnn_forward")
def caption_h0_as_well(x, v, Wx, Wh, Wih, b, every_step=True):
    """v Wih is the first state, and goes into the steps too."""
    return _run(x, v, Wx, Wh, Wih, b, every_step, v @ Wih)


@mutant("caption_rnn_forward")
def caption_step_of_its_own(x, v, Wx, Wh, Wih, b, every_step=True):
    """The picture has a step of its own, before the first word."""
    first = np.tanh(v @ Wih + b)
    h, cache = _run(x, 0 * v, Wx, Wh, Wih, b, every_step, first)
    return np.concatenate([first[:, None], h], axis=1), cache


@mutant("caption_rnn_forward")
def caption_v_after_the_tanh(x, v, Wx, Wh, Wih, b, every_step=True):
    """v Wih is added to the state, outside of the tanh."""
    N, T, _ = x.shape
    h, prev_h = np.zeros((N, T, Wh.shape[0])), np.zeros((N, Wh.shape[0]))
    for t in range(T):
        prev_h = np.tanh(x[:, t] @ Wx + prev_h @ Wh + b)
        if every_step or t == 0:
            prev_h = prev_h + v @ Wih
        h[:, t] = prev_h
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_relu(x, v, Wx, Wh, Wih, b, every_step=True):
    """max(0, .), as the lecture has it for h0, in the place of tanh."""
    N, T, _ = x.shape
    h, prev_h = np.zeros((N, T, Wh.shape[0])), np.zeros((N, Wh.shape[0]))
    for t in range(T):
        seen = v @ Wih if every_step or t == 0 else 0.0
        prev_h = h[:, t] = np.maximum(x[:, t] @ Wx + prev_h @ Wh + seen + b, 0)
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_bias_missing(x, v, Wx, Wh, Wih, b, every_step=True):
    """The bias is not added."""
    return _run(x, v, Wx, Wh, Wih, 0 * b, every_step)


@mutant("caption_rnn_forward")
def caption_bias_with_the_picture(x, v, Wx, Wh, Wih, b, every_step=True):
    """The bias belongs to v Wih: where that is not let in, it is not added either."""
    N, T, _ = x.shape
    h, prev_h = np.zeros((N, T, Wh.shape[0])), np.zeros((N, Wh.shape[0]))
    for t in range(T):
        seen = v @ Wih + b if every_step or t == 0 else 0.0
        prev_h = h[:, t] = np.tanh(x[:, t] @ Wx + prev_h @ Wh + seen)
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_wh_transposed(x, v, Wx, Wh, Wih, b, every_step=True):
    """The state is multiplied by Wh transposed."""
    return _run(x, v, Wx, Wh.T, Wih, b, every_step)


@mutant("caption_rnn_forward")
def caption_state_not_handed_on(x, v, Wx, Wh, Wih, b, every_step=True):
    """Each step starts from zeros."""
    N, T, _ = x.shape
    h = np.zeros((N, T, Wh.shape[0]))
    for t in range(T):
        seen = v @ Wih if every_step or t == 0 else 0.0
        h[:, t] = np.tanh(x[:, t] @ Wx + np.zeros((N, len(b))) @ Wh + seen + b)
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_first_word_always(x, v, Wx, Wh, Wih, b, every_step=True):
    """Every step reads the first word."""
    return _run(x[:, [0] * x.shape[1]], v, Wx, Wh, Wih, b, every_step)


@mutant("caption_rnn_forward")
def caption_last_step_missing(x, v, Wx, Wh, Wih, b, every_step=True):
    """The loop stops a step early."""
    h, cache = _run(x, v, Wx, Wh, Wih, b, every_step)
    h[:, -1] = 0
    return h, cache


@mutant("caption_rnn_forward")
def caption_last_state_only(x, v, Wx, Wh, Wih, b, every_step=True):
    """It returns the last state."""
    h, cache = _run(x, v, Wx, Wh, Wih, b, every_step)
    return h[:, -1], cache


@mutant("caption_rnn_forward")
def caption_time_first(x, v, Wx, Wh, Wih, b, every_step=True):
    """The states are stacked along the first axis."""
    h, cache = _run(x, v, Wx, Wh, Wih, b, every_step)
    return h.transpose(1, 0, 2), cache


@mutant("caption_rnn_forward")
def caption_one_picture_for_all(x, v, Wx, Wh, Wih, b, every_step=True):
    """v[0] is let in for the whole batch."""
    return _run(x, v[[0] * len(v)], Wx, Wh, Wih, b, every_step)


@mutant("caption_rnn_forward")
def caption_picture_at_the_end(x, v, Wx, Wh, Wih, b, every_step=True):
    """Where every_step is False the picture is let in at the last step."""
    N, T, _ = x.shape
    h, prev_h = np.zeros((N, T, Wh.shape[0])), np.zeros((N, Wh.shape[0]))
    for t in range(T):
        seen = v @ Wih if every_step or t == T - 1 else 0.0
        prev_h = h[:, t] = np.tanh(x[:, t] @ Wx + prev_h @ Wh + seen + b)
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_float32(x, v, Wx, Wh, Wih, b, every_step=True):
    """The states are float32."""
    h, cache = _run(x, v, Wx, Wh, Wih, b, every_step)
    return h.astype(np.float32), cache


@mutant("caption_rnn_forward")
def caption_without_cache(x, v, Wx, Wh, Wih, b, every_step=True):
    """It returns h alone."""
    return _run(x, v, Wx, Wh, Wih, b, every_step)[0]


@mutant("caption_rnn_forward")
def caption_tanh_by_exp(x, v, Wx, Wh, Wih, b, every_step=True):
    """tanh by its exponentials: they overflow."""
    N, T, _ = x.shape
    h, prev_h = np.zeros((N, T, Wh.shape[0])), np.zeros((N, Wh.shape[0]))
    for t in range(T):
        a = x[:, t] @ Wx + prev_h @ Wh + b + (v @ Wih if every_step or t == 0 else 0.0)
        prev_h = h[:, t] = (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_into_x(x, v, Wx, Wh, Wih, b, every_step=True):
    """Each word is set to zero once it is read."""
    h, cache = _run(x.copy(), v, Wx, Wh, Wih, b, every_step)
    x[...] = 0
    return h, cache


@mutant("caption_rnn_forward")
def caption_one_array(x, v, Wx, Wh, Wih, b, every_step=True):
    """The states of every call lie in one array, made outside of the function."""
    h, cache = _run(x, v, Wx, Wh, Wih, b, every_step)
    kept = _arrays.setdefault(h.shape, np.zeros_like(h))
    kept[...] = h
    return kept, (*cache[:5], kept, every_step)


_arrays = {}


@mutant("caption_rnn_forward")
def caption_rows_in_a_row(x, v, Wx, Wh, Wih, b, every_step=True):
    """Each caption starts from the last state of the one before."""
    rows, start = [], None
    for n in range(len(x)):
        rows.append(_run(x[n : n + 1], v[n : n + 1], Wx, Wh, Wih, b, every_step, start)[0])
        start = rows[-1][:, -1]
    h = np.concatenate(rows)
    return h, (x, v, Wx, Wh, Wih, h, every_step)


@mutant("caption_rnn_forward")
def caption_v_clipped(x, v, Wx, Wh, Wih, b, every_step=True):
    """What is large in the picture's numbers is clipped to 3."""
    return _run(x, np.clip(v, -3, 3), Wx, Wh, Wih, b, every_step)


@mutant("caption_rnn_forward")
def caption_small_inputs_dropped(x, v, Wx, Wh, Wih, b, every_step=True):
    """Inputs near 0 are taken for padding."""
    return _run(np.where(np.abs(x) < 1e-2, 0, x), v, Wx, Wh, Wih, b, every_step)


@mutant("caption_rnn_forward")
def caption_sum_handed_on(x, v, Wx, Wh, Wih, b, every_step=True):
    """The sum goes into the next step, not its tanh."""
    N, T, _ = x.shape
    h, prev = np.zeros((N, T, Wh.shape[0])), np.zeros((N, Wh.shape[0]))
    for t in range(T):
        prev = x[:, t] @ Wx + prev @ Wh + b + (v @ Wih if every_step or t == 0 else 0.0)
        h[:, t] = np.tanh(prev)
    return h, (x, v, Wx, Wh, Wih, h, every_step)


# --------------------------------------------------------------------------- caption_rnn_backward


def _back(
    dh,
    cache,
    *,
    slope=lambda h: 1 - h**2,
    back=lambda Wh: Wh.T,
    carry=1.0,
    hand_on=lambda back, arrived, own: back,
):
    x, v, Wx, Wh, Wih, h, every_step = cache
    dx, dv = np.zeros_like(x), np.zeros_like(v)
    dWx, dWh, dWih = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wih)
    db, dprev_h = np.zeros(Wh.shape[0]), np.zeros_like(h[:, 0])
    for t in reversed(range(x.shape[1])):
        da = (dh[:, t] + carry * dprev_h) * slope(h[:, t])
        dx[:, t], dprev_h = da @ Wx.T, hand_on(da @ back(Wh), dprev_h, dh[:, t])
        dWx, db = dWx + x[:, t].T @ da, db + da.sum(axis=0)
        if t > 0:
            dWh = dWh + h[:, t - 1].T @ da
        if every_step or t == 0:
            dv, dWih = dv + da @ Wih.T, dWih + v.T @ da
    return dx, dv, dWx, dWh, dWih, db


def _das(dh, cache):
    """The gradient of each step's sum (N, T, H)."""
    Wh, h = cache[3], cache[5]
    das, dprev_h = np.zeros_like(h), 0.0
    for t in reversed(range(h.shape[1])):
        das[:, t] = (dh[:, t] + dprev_h) * (1 - h[:, t] ** 2)
        dprev_h = das[:, t] @ Wh.T
    return das


def _way_back(function):
    return mutant("caption_rnn_backward", caption_rnn_forward=_run)(function)


@_way_back
def caption_back_dv_of_step_0(dh, cache):
    """`dv = ...`: dv is overwritten at each step, the first is left."""
    dx, _, *rest = _back(dh, cache)
    return dx, _das(dh, cache)[:, 0] @ cache[4].T, *rest


@_way_back
def caption_back_dv_of_the_last_step(dh, cache):
    """dv is set once, at the last step."""
    dx, _, *rest = _back(dh, cache)
    return dx, _das(dh, cache)[:, -1] @ cache[4].T, *rest


@_way_back
def caption_back_dv_at_every_step(dh, cache):
    """dv adds up over the steps, also where the picture is let in at step 0 alone."""
    dx, _, *rest = _back(dh, cache)
    return dx, _das(dh, cache).sum(axis=1) @ cache[4].T, *rest


@_way_back
def caption_back_dwih_at_every_step(dh, cache):
    """dWih adds up over the steps, also where the picture is let in at step 0 alone."""
    *rest, _, db = _back(dh, cache)
    return *rest, cache[1].T @ _das(dh, cache).sum(axis=1), db


@_way_back
def caption_back_picture_of_step_0(dh, cache):
    """dv and dWih are those of step 0, whatever every_step says."""
    first = (*cache[:6], False)
    dx, dv, dWx, dWh, dWih, db = _back(dh, first)
    return dx, dv, dWx, dWh, dWih, db


@_way_back
def caption_back_picture_before_the_loop(dh, cache):
    """With every_step=False dv and dWih are made of the last step: the loop runs backwards."""
    if cache[6]:
        return _back(dh, cache)
    dx, _, dWx, dWh, _, db = _back(dh, cache)
    da = _das(dh, cache)[:, -1]
    return dx, da @ cache[4].T, dWx, dWh, cache[1].T @ da, db


@_way_back
def caption_back_dwih_overwritten(dh, cache):
    """`dWih = ...` where `+=` belongs."""
    *rest, _, db = _back(dh, cache)
    return *rest, cache[1].T @ _das(dh, cache)[:, 0], db


@_way_back
def caption_back_dv_mean(dh, cache):
    """dv is the mean over the steps."""
    dx, dv, *rest = _back(dh, cache)
    return dx, dv / dh.shape[1], *rest


@_way_back
def caption_back_dv_of_the_batch(dh, cache):
    """dv is summed over the batch, and given to all."""
    dx, dv, *rest = _back(dh, cache)
    return dx, np.broadcast_to(dv.sum(axis=0), dv.shape).copy(), *rest


@_way_back
def caption_back_not_through_time(dh, cache):
    """Nothing is handed back from step to step."""
    return _back(dh, cache, carry=0.0)


@_way_back
def caption_back_without_slope(dh, cache):
    """The derivative of tanh is missing."""
    return _back(dh, cache, slope=lambda h: 1.0)


@_way_back
def caption_back_slope_without_square(dh, cache):
    """1 - h where 1 - h ** 2 belongs."""
    return _back(dh, cache, slope=lambda h: 1 - h)


@_way_back
def caption_back_tanh_twice(dh, cache):
    """1 - tanh(h) ** 2: the tanh is taken a second time."""
    return _back(dh, cache, slope=lambda h: 1 - np.tanh(h) ** 2)


@_way_back
def caption_back_wh_not_transposed(dh, cache):
    """da @ Wh: the transpose is missing."""
    return _back(dh, cache, back=lambda Wh: Wh)


@_way_back
def caption_back_late_states(dh, cache):
    """dWh is made of the states after the steps."""
    *rest, _, dWih, db = _back(dh, cache)
    dWh = np.einsum("nti,ntj->ij", cache[5], _das(dh, cache))
    return *rest, dWh, dWih, db


@_way_back
def caption_back_last_state_first(dh, cache):
    """h[:, t - 1] at t = 0 is the last state: dWh."""
    *rest, _, dWih, db = _back(dh, cache)
    before = np.roll(cache[5], 1, axis=1)
    return *rest, np.einsum("nti,ntj->ij", before, _das(dh, cache)), dWih, db


@_way_back
def caption_back_dwh_transposed(dh, cache):
    """dWh is transposed."""
    dx, dv, dWx, dWh, dWih, db = _back(dh, cache)
    return dx, dv, dWx, dWh.T, dWih, db


@_way_back
def caption_back_dwx_overwritten(dh, cache):
    """`dWx = ...` where `+=` belongs."""
    dx, dv, _, *rest = _back(dh, cache)
    return dx, dv, cache[0][:, 0].T @ _das(dh, cache)[:, 0], *rest


@_way_back
def caption_back_db_mean(dh, cache):
    """db is the mean over the batch."""
    *rest, db = _back(dh, cache)
    return *rest, db / len(dh)


@_way_back
def caption_back_db_a_row_each(dh, cache):
    """db keeps the batch axis."""
    *rest, _ = _back(dh, cache)
    return *rest, _das(dh, cache).sum(axis=1)


@_way_back
def caption_back_last_loss_only(dh, cache):
    """Only the last step's loss comes in."""
    last = np.zeros_like(dh)
    last[:, -1] = dh[:, -1]
    return _back(last, cache)


@_way_back
def caption_back_dh_reversed(dh, cache):
    """dh is read from its first step on while the steps go back."""
    return _back(dh[:, ::-1], cache)


@_way_back
def caption_back_first_step_missing(dh, cache):
    """range(T - 1, 0, -1): step 0 is left out."""
    x, v, Wx, _, Wih, h, every_step = cache
    das = _das(dh, cache)
    das[:, 0] = 0
    dv = das.sum(axis=1) @ Wih.T if every_step else 0 * v
    dWih = v.T @ das.sum(axis=1) if every_step else 0 * Wih
    dWx = np.einsum("nti,ntj->ij", x, das)
    dWh = np.einsum("nti,ntj->ij", h[:, :-1], das[:, 1:])
    return das @ Wx.T, dv, dWx, dWh, dWih, das.sum(axis=(0, 1))


@_way_back
def caption_back_without_picture(dh, cache):
    """dv and dWih are never set: they stay 0."""
    dx, dv, dWx, dWh, dWih, db = _back(dh, cache)
    return dx, 0 * dv, dWx, dWh, 0 * dWih, db


@_way_back
def caption_back_other_order(dh, cache):
    """dv comes last."""
    dx, dv, *rest = _back(dh, cache)
    return dx, *rest, dv


@_way_back
def caption_back_cut_at_zero_losses(dh, cache):
    """Where a step has no loss of its own nothing is handed back."""
    x, v, Wx, Wh, Wih, h, every_step = cache
    own = (dh != 0).any(axis=2)
    das, dprev_h = np.zeros_like(h), 0.0
    for t in reversed(range(x.shape[1])):
        das[:, t] = (dh[:, t] + dprev_h) * (1 - h[:, t] ** 2) * own[:, t, None]
        dprev_h = das[:, t] @ Wh.T
    shown = das if every_step else das[:, :1]
    dWh = np.einsum("nti,ntj->ij", h[:, :-1], das[:, 1:])
    dWx, dWih = np.einsum("nti,ntj->ij", x, das), v.T @ shown.sum(axis=1)
    return das @ Wx.T, shown.sum(axis=1) @ Wih.T, dWx, dWh, dWih, das.sum(axis=(0, 1))


@_way_back
def caption_back_into_dh(dh, cache):
    """What a step hands back is added into dh."""
    Wh, h = cache[3], cache[5]
    results = _back(dh, cache)
    for t in reversed(range(1, dh.shape[1])):
        dh[:, t - 1] += (dh[:, t] * (1 - h[:, t] ** 2)) @ Wh.T
    return results


@_way_back
def caption_back_into_the_cache(dh, cache):
    """The states in the cache are squashed in place."""
    results = _back(dh, cache)
    cache[5][...] = 1 - cache[5] ** 2
    return results


@_way_back
def caption_back_squares_the_cache(dh, cache):
    """The states in the cache are squared in place, before they serve as slopes."""
    results = _back(dh, (*cache[:5], cache[5].copy(), cache[6]))
    cache[5][...] **= 2
    return results


@_way_back
def caption_back_clipped(dh, cache):
    """What a step hands back is clipped to 2."""
    return _back(dh, cache, hand_on=lambda back, arrived, own: np.clip(back, -2, 2))


@_way_back
def caption_back_clipped_late(dh, cache):
    """What a step hands back is clipped to 5."""
    return _back(dh, cache, hand_on=lambda back, arrived, own: np.clip(back, -5, 5))


@_way_back
def caption_back_small_dropped(dh, cache):
    """What is smaller than 1e-4 is not handed back."""
    return _back(dh, cache, hand_on=lambda back, *_: np.where(np.abs(back) < 1e-4, 0, back))


@_way_back
def caption_back_adds_up(dh, cache):
    """`back = back + da @ Wh.T`: what has arrived goes on to the next step as well."""
    return _back(dh, cache, hand_on=lambda back, arrived, own: back + arrived)


@_way_back
def caption_back_hands_on_dh(dh, cache):
    """da @ Wh.T + dh[:, t]: dh goes round the step."""
    return _back(dh, cache, hand_on=lambda back, arrived, own: back + own)


@_way_back
def caption_back_db_of_all_units(dh, cache):
    """db + da.sum(): one number for all units."""
    *rest, db = _back(dh, cache)
    return *rest, np.full_like(db, db.sum())


_flag = {}


def _flagging(x, v, Wx, Wh, Wih, b, every_step=True):
    _flag["every_step"] = every_step
    return _run(x, v, Wx, Wh, Wih, b, every_step)


@mutant("caption_rnn_backward", caption_rnn_forward=_flagging)
def caption_back_flag_in_a_global(dh, cache):
    """every_step is not in the cache, but in a global: that of the last call."""
    return _back(dh, (*cache[:6], _flag["every_step"]))


def _one_buffer(x, v, Wx, Wh, Wih, b, every_step=True):
    """One array for the state, and a list that has it at each step."""
    h, prev, states = np.zeros((*x.shape[:2], len(b))), np.zeros((len(x), len(b))), []
    for t in range(x.shape[1]):
        seen = v @ Wih if every_step or t == 0 else 0.0
        prev[:] = np.tanh(x[:, t] @ Wx + prev @ Wh + seen + b)
        h[:, t] = prev
        states.append(prev)
    return h, (x, v, Wx, Wh, Wih, states, every_step)


@mutant("caption_rnn_backward", caption_rnn_forward=_one_buffer)
def caption_back_of_one_buffer(dh, cache):
    """All states in the cache are one array, which has the last."""
    return _back(dh, (*cache[:5], np.stack(cache[5], axis=1), cache[6]))


_last = {}


def _remembering(*args, **options):
    h, cache = _run(*args, **options)
    _last["cache"] = cache
    return h, cache


@mutant("caption_rnn_backward", caption_rnn_forward=_remembering)
def caption_back_of_the_last_call(dh, cache):
    """The cache is a global: that of the last call."""
    return _back(dh, _last["cache"])


@mutant("caption_rnn_backward", caption_rnn_forward=caption_h0_of_the_picture)
def caption_back_of_a_wrong_forward(dh, cache):
    """Forward has the picture as its first state; this is the way back from it."""
    return _back(dh, cache)

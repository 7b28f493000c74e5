# %% [markdown]
# # 05 · Beam search, and how to judge a sentence
#
# Your captioner of 04 looks at a picture and writes a sentence: at each step the likeliest word, or
# a drawn one. Two questions are open. Is there a better way to get a sentence out of such a
# network? And what is a better sentence, anyway? In Part A you *search* for the sentence that the
# network finds most probable, and you find out whether that is the one you want. In Part B you take
# apart the figures by which captions are judged everywhere, and judge the judges: your scenes are
# drawn, so that for once the truth is known.
#
# **Part A: searching** (8 points; with the reading under three hours)
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `sequence_log_prob` | says how probable a network finds a sentence | 2 | 15 |
# | `length_normalized_score` | makes short and long sentences comparable | 1 | 10 |
# | `beam_search` | finds the sentences that it finds most probable | 5 | 60 |
#
# **Part B: judging** (12 points, 3 more as a bonus, and 4 by hand; with the reading about three
# hours)
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `clipped_precision` | counts the words and phrases that a reference has too | 2 | 20 |
# | `brevity_penalty` | lowers the score of what is too short | 2 | 15 |
# | `bleu` | makes a score of the two | 2 | 20 |
# | `rouge_l` | scores by the longest common subsequence | 2 | 25 |
# | `cider_vectors` | weighs phrases by how much they say | 2 | 20 |
# | `cider_d` | scores by agreement with the consensus | 2 | 25 |
# | `meteor_score` | bonus: lets stems and synonyms count too | 3 | 40 |
# | a question | what a score says, and what it does not | 4 | 10 |
#
# Each exercise is one function in Python and NumPy. Put your code in place of `raise
# NotImplementedError`, run the cell, then run the check below it: it says how many points the
# function has earned and, where a case fails, what is probably wrong. Run it as often as you like.

# %%
import functools
import itertools
import math
import random
import time
from collections import Counter

import numpy as np

from cs_caption import check, studies
from cs_caption.budget import budget
from cs_caption.data import Scenes, lexicon
from cs_caption.measured import beside
from cs_caption.viz.beam_tree import show_beam_tree
from cs_caption.viz.panels import show_panels
from cs_caption.viz.pictures import show_pictures
from cs_caption.viz.pipeline import show_pipeline
from cs_caption.viz.scores import show_scores
from cs_caption.viz.studies import show_study

# %% tags=["demo"]
show_pipeline(here="decoder")

# %% [markdown]
# ## Part A: the likeliest sentence
#
# When the lecture lets its captioner speak, it writes beside the drawing: *sample!*, and *`<END>`
# token => finish*. And then:
#
# > Don't have to do greedy word-by-word sampling, can also search over longer phrases with beam
# > search
#
# **Greedy** is what you know from 02 and 04: take the likeliest word, read it, take the likeliest
# again. What is wrong with that? Here is a language of four words. (Two of them are the lecture's
# caption for the photograph of a straw hat.) A row says what may follow a word:
#
# | after | a | hat | red | straw | `<END>` |
# |:--|:-:|:-:|:-:|:-:|:-:|
# | `<START>` | 0.5 | | | 0.4 | 0.1 |
# | a | | 0.4 | 0.36 | 0.24 | |
# | red | | 1 | | | |
# | straw | | 0.9 | | | 0.1 |
# | hat | | | | | 1 |
#
# Greedy says *a*, since 0.5 is the most, then *hat*, then `<END>`: *a hat*, with the probability
# $0.5 \cdot 0.4 \cdot 1 = 0.20$. But *straw hat* has $0.4 \cdot 0.9 \cdot 1 = 0.36$. Whoever starts
# with *straw* pays a little at the first word and gets it back at the second, and greedy cannot
# know, since it never looks further than one word. **The likeliest words do not make the likeliest
# sentence.**

# %%
SPECIALS = ("<NULL>", "<START>", "<END>", "<UNK>")
NULL, START, END, UNK = range(4)

HAT_WORDS = [*SPECIALS, "a", "hat", "red", "straw"]
FOLLOWS = {
    "<START>": {"a": 0.5, "straw": 0.4, "<END>": 0.1},
    "a": {"hat": 0.4, "red": 0.36, "straw": 0.24},
    "red": {"hat": 1.0},
    "straw": {"hat": 0.9, "<END>": 0.1},
    "hat": {"<END>": 1.0},
}


def hat_step(tokens, state):
    """Each row reads its token: the log-probability of every next word, and the next state."""
    probs = np.zeros((len(tokens), len(HAT_WORDS)))  # (R, V)
    for row, token in zip(probs, tokens, strict=True):
        for word, chance in FOLLOWS.get(HAT_WORDS[token], {"<END>": 1.0}).items():
            row[HAT_WORDS.index(word)] = chance
    with np.errstate(divide="ignore"):  # the logarithm of 0 is minus infinity: impossible
        return np.log(probs), state


# %% [markdown]
# ## One step is all that a search may know
#
# `hat_step` is a table, your captioner is an LSTM, and notebook 06 builds one that looks at the
# picture again before each word. A search need not know which it is. All it gets is a function
#
# ```python
# log_probs, state = step(tokens, state)  # (R,), (R, ...) -> (R, V), (R, ...)
# ```
#
# Each of $R$ rows is a sentence that has been begun. It reads its last word and gets the
# log-probability of every next word, and a new state. The **state** is whatever the network
# remembers of a row: for an RNN $h$, for an LSTM $h$ and $c$, and with attention the picture too.
# Here it is always *one array whose first axis is the row*. What is in it is the network's own
# affair; a search only hands it on, and sees to it that each row keeps its own. (The state of the
# table is empty: everything hangs on the last word.)
#
# So much for one step. A sentence of $T$ words, `<END>` among them, has as its probability the
# product over the steps, and it gets small quickly. So everybody adds logarithms:
#
# $$\ln P(w_0 \ldots w_{T-1} \mid v) = \sum_{t=0}^{T-1} \ln P(w_t \mid v, w_0 \ldots w_{t-1})$$
#
# *By hand*: *straw hat* `<END>` has $\ln 0.4 + \ln 0.9 + \ln 1 = -0.92 - 0.11 - 0 = -1.02$, and
# $e^{-1.02} = 0.36$. The words that are read are `<START>` *straw hat*; those that are paid for are
# *straw hat* `<END>`. `<END>` is paid for like any word: to stop is a choice that the network
# makes. *a* alone, which has not ended, is the beginning of many sentences, and its 0.5 is what
# they have together.
#
# **Exercise** (2 points, about 15 minutes). Write `sequence_log_prob`.


# %% nbgrader={"grade_id": "sequence_log_prob", "solution": true}
# exercise: sequence_log_prob
def sequence_log_prob(step, state, tokens, start=1):
    """Say how probable a model finds a sentence: the log-probability of all its words together.

    step:   step(tokens, state) -> log_probs, state: each of R rows reads its token, tokens being an
            array (R,) of whole numbers, and gets the log-probability of every next word, (R, V),
            and its next state
    state:  array (1, ...), the model before it has read a word; do not change it
    tokens: list of T whole numbers, the words; <END> is the last where the sentence has ended
    start:  what is read before the first word
    Returns a float; 0.0 where T is 0
    """
    ### BEGIN SOLUTION
    total, last = 0.0, start
    for token in tokens:
        log_probs, state = step(np.array([last]), state)
        total += float(log_probs[0, token])
        last = token
    return total
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_sequence_log_prob", "points": 2}
check("sequence_log_prob", sequence_log_prob)

# %% [markdown]
# **Predict, then run.** The language of hats has seven sentences in all. Which comes second? And
# what do the seven probabilities add up to?

# %%
HAT_SENTENCES = ["", "straw", "straw hat", "a hat", "a straw", "a straw hat", "a red hat"]


def hat_numbers(sentence):
    """The numbers of a sentence's words, <END> last."""
    return [HAT_WORDS.index(word) for word in [*sentence.split(), "<END>"]]


def hat_log_prob(sentence):
    """What your function says of a sentence about hats."""
    return sequence_log_prob(hat_step, np.zeros((1, 0)), hat_numbers(sentence))


# %% tags=["demo"]
for sentence in sorted(HAT_SENTENCES, key=hat_log_prob, reverse=True):
    log_prob = hat_log_prob(sentence)
    print(f"{math.exp(log_prob):.3f}   log-probability {log_prob:6.2f}   {sentence or '(nothing)'}")
print(f"{sum(math.exp(hat_log_prob(sentence)) for sentence in HAT_SENTENCES):.3f}   together")

# %% [markdown]
# To 1: a network that gives each next word a probability, `<END>` included, gives every sentence
# one. (Leave `<END>` out of the sum, and the seven add up to more.)

# %% [markdown]
# ## Why not try them all?
#
# The lecture draws a sequence model as a **factor graph**: a node for each word, and for each term
# of the sum above a *factor*, joined to everything that the term depends on. As a table, a dot
# where a factor and a word are joined:
#
# | factor | $v$ | $w_0$ | $w_1$ | $w_2$ | $w_3$ |
# |:--|:-:|:-:|:-:|:-:|:-:|
# | $P(w_0 \mid v)$ | ● | ● | | | |
# | $P(w_1 \mid v, w_0)$ | ● | ● | ● | | |
# | $P(w_2 \mid v, w_0, w_1)$ | ● | ● | ● | ● | |
# | $P(w_3 \mid v, w_0, w_1, w_2)$ | ● | ● | ● | ● | ● |
#
# Compare a model in which each word depends on the one before it and on nothing else, like the
# table of hats, or the table $P(\text{next} \mid \text{previous})$ of 02. There a row has two dots,
# side by side, and the graph is a *chain*. In a chain the best sentence can be found for certain
# with little work. Of all beginnings that end in *hat* only the likeliest needs to be kept, because
# what follows depends on *hat* alone: $V$ beginnings at each step, $T V^2$ sums in all. (That is
# Viterbi's algorithm.)
#
# In an RNN every factor is joined to *all* the words before it. Two beginnings that end in the same
# word have different states, and different futures. None of them can be dropped without a risk. To
# be certain you would have to look at $V^T$ sentences: with the lecture's 10,001 words and ten
# words a sentence, that is $10^{40}$. So people drop beginnings *with* a risk, and that is beam
# search.
#
# Before that, there is one thing to settle: what makes a sentence the best.

# %% [markdown]
# ## Short sentences are cheap
#
# Each word costs something, since no logarithm of a probability is above 0. A sentence of five
# words pays five times, one of fifteen pays fifteen times. So by log-probability short sentences
# win: the shortest ones are not good, they have had less opportunity to be wrong. The usual answer
# is to divide by the number of words, or by a power of it:
#
# $$\text{score} = \frac{\ln P(w_0 \ldots w_{T-1} \mid v)}{T^{\,\alpha}}$$
#
# With $\alpha = 0$ nothing changes. With $\alpha = 1$ it is the mean log-probability of a word,
# `<END>` counted like the others. In between it is a compromise, found by trying. (Translation
# systems have used $\left((5 + T)/6\right)^\alpha$ in place of $T^\alpha$, with $\alpha$ of 0.6 to
# 0.7 [Wu et al. 2016].)
#
# *By hand*, with $\alpha = 1$: *a hat* `<END>` has $\ln 0.20 / 3 = -1.61 / 3 = -0.54$, and *a red
# hat* `<END>` has $\ln 0.18 / 4 = -1.71 / 4 = -0.43$. The longer one has overtaken the shorter one.
# Mind the sign: log-probabilities are negative, and a division brings them *nearer* to 0.
#
# **Exercise** (1 point, about 10 minutes). Write `length_normalized_score`.


# %% nbgrader={"grade_id": "length_normalized_score", "solution": true}
# exercise: length_normalized_score
def length_normalized_score(log_prob, length, alpha=1.0):
    """Make log-probabilities of sentences of different lengths comparable.

    log_prob: a float, or an array of them; -inf may be among them
    length:   words of each sentence, <END> counted: a whole number of at least 1, or an array
    alpha:    0 leaves log_prob as it is, 1 makes it the mean of a word
    Returns log_prob over length to the power of alpha, of the shape that the two make together
    """
    ### BEGIN SOLUTION
    return log_prob / length**alpha
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_length_normalized_score", "points": 1}
check("length_normalized_score", length_normalized_score)

# %% [markdown]
# **Predict, then run.** The seven sentences again. With $\alpha = 0$ the sentence without a word
# comes fifth. Where will it be with $\alpha = 1$?


# %%
def hat_ranking(alpha):
    """The seven sentences and their scores, the best first."""
    scores = {
        sentence: float(length_normalized_score(hat_log_prob(sentence), len(words), alpha))
        for sentence in HAT_SENTENCES
        for words in [hat_numbers(sentence)]
    }
    return sorted(scores.items(), key=lambda pair: -pair[1])


# %% tags=["demo"]
for alpha in (0.0, 0.5, 1.0):
    ranked = (f"{sentence or '(nothing)'} {score:.2f}" for sentence, score in hat_ranking(alpha))
    print(f"alpha {alpha}:", ", ".join(ranked))

# %% [markdown]
# Last. It is the extreme case of a cheap sentence: one word, `<END>`, and done. Whether a longer
# sentence *should* win is not for the formula to say. You will see below what $\alpha$ does to a
# captioner.

# %% [markdown]
# ## Beam search
#
# Greedy keeps one beginning. **Beam search** keeps the $K$ best ones; $K$ is called the width of
# the beam. At each step every beginning that is kept is extended by every word, and of all these
# ways on the $K$ best are kept, *wherever they come from*: all may come from the same beginning,
# and another may be left without offspring.
#
# *By hand*, hats with $K = 2$:
#
# | step | kept | cut |
# |:-:|:--|:--|
# | 1 | a 0.5, straw 0.4 | `<END>` 0.1 |
# | 2 | straw hat 0.36, a hat 0.20 | a red 0.18, a straw 0.12, straw `<END>` 0.04 |
# | 3 | straw hat `<END>` 0.36, a hat `<END>` 0.20 | |
#
# Two beginnings are enough here to find the best sentence. Four things need care.
#
# **A sentence that has ended is frozen.** It keeps its place and its score, is not extended any
# more, and competes with those that go on, until $K$ better ones have overtaken it. (With $K = 3$,
# `<END>` at once, 0.1, is kept at step 1. At step 2 there are *straw hat*, *a hat* and *a red*, all
# better, and it is gone.) The code of `neuraltalk2`, the lecture's captioner in its second form,
# writes down a beam that has said `<END>`, and then goes on extending it: it keeps a place in the
# beam and reads words past its end. Such a fault raises no error. It makes the beam narrower, and
# the sentences a little worse.
#
# **The state moves with its beginning.** After step 2 above the first row is *straw hat*, whose
# parent was the *second* row. Its state has to come from there: `state[rows]` takes rows of an
# array in any order, some of them twice. With the table of hats nobody would notice. With an LSTM a
# sentence would go on with another one's memory.
#
# **It may be that nothing ends.** After `max_len` words some beginnings have not said `<END>`, or
# none has. They come back as they are. A popular tutorial collects ended sentences in a list and
# then takes the best of the list, which stops with an error where the list is empty.
#
# **Ranks are by score.** With $\alpha$ other than 0, what is kept at each step is decided by
# `length_normalized_score`, with the lengths at that step: ended sentences have stopped growing,
# the others have not. What is *added up* is always the log-probability.
#
# **Exercise** (5 points, about 60 minutes). Write `beam_search`. A way to go about it: keep a list
# of (tokens, log_prob) pairs, and a state with a row for each of those that have not ended. At each
# step call `step` once, with all of these together; make the list of all candidates, each with the
# row it came from, and with the ended ones among them; sort; keep; move the state. Of one beginning
# more than `beam` ways on are never needed. (In Part A each picture is searched by itself. The
# package's own search does many pictures at once.)


# %% nbgrader={"grade_id": "beam_search", "solution": true}
# exercise: beam_search
def beam_search(step, state, beam, max_len, start=1, end=2, alpha=0.0):
    """Search for the sentences with the highest score by keeping the `beam` best beginnings.

    step:    as for sequence_log_prob, on any number of rows at once
    state:   array (1, ...); state[rows] takes rows of it, or repeats them; do not change it
    max_len: words of a sentence at most, <END> counted
    alpha:   beginnings and sentences are ranked by length_normalized_score(log_prob, length, alpha)
    A beginning that has said `end` is a sentence: it stays as it is, and competes with the others.
    A word of log-probability -inf is impossible.
    Returns a list of at most `beam` pairs (tokens, log_prob), best score first: tokens is a list of
    whole numbers without `start`, with `end` where it was reached; log_prob is a float. Where
    nothing has ended after max_len words, they come back as they are
    """
    ### BEGIN SOLUTION
    found = [([], 0.0)]
    for _ in range(max_len):
        live = [pair for pair in found if pair[0][-1:] != [end]]
        if not live:
            break
        last = np.array([tokens[-1] if tokens else start for tokens, _ in live])
        log_probs, state = step(last, state)
        ways = [(*pair, None) for pair in found if pair[0][-1:] == [end]]
        for row, (tokens, log_prob) in enumerate(live):
            for word in np.argsort(-log_probs[row])[:beam].tolist():
                ways.append(([*tokens, word], log_prob + float(log_probs[row, word]), row))
        ways = [way for way in ways if way[1] > -np.inf]
        ways.sort(key=lambda way: -length_normalized_score(way[1], len(way[0]), alpha))
        found = [(tokens, log_prob) for tokens, log_prob, _ in ways[:beam]]
        state = state[[row for tokens, _, row in ways[:beam] if tokens[-1] != end]]
    return found
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_beam_search", "points": 5}
check("beam_search", beam_search)

# %% [markdown]
# **Predict, then run.** Hats, with beams of width 1, 2 and 8, and at last with two words at most.
# How many sentences come back each time, and which of them have an end?

# %% tags=["demo"]
for beam, max_len in ((1, 5), (2, 5), (8, 5), (2, 2)):
    found = beam_search(hat_step, np.zeros((1, 0)), beam, max_len)
    print(f"width {beam}, at most {max_len} words")
    for tokens, log_prob in found:
        print(f"   {math.exp(log_prob):.3f}", *(HAT_WORDS[token] for token in tokens))

# %% [markdown]
# Width 1 is greedy. A beam of 8 has room for all seven sentences, and there are no more. With two
# words at most nothing has ended, and you get the two beginnings.
#
# The same search as a tree. Each beginning that your function kept is a line, and below it stands
# what was cut. The star leads to the best sentence. (Click on a line, or go there by the tab key
# and press enter, to open and close it.)

# %% tags=["demo"]
show_beam_tree(
    hat_step, np.zeros((1, 0)), HAT_WORDS, beam=2, max_len=5, search=beam_search
)  # your own search: what it keeps after 1, 2, 3 words

# %% [markdown]
# ## Is it the best? Ask all of them
#
# With three words and `<END>`, and at most five words a sentence, there are 364 sentences and
# beginnings: so few that you can try them all. Here is a language for that, an RNN with random
# weights, in which *every* word before has a say.


# %%
TINY_WORDS, TINY_LENGTH = (4, 5, 6), 5
TINY_BEAMS = (1, 2, 3, 5, 10, 364)


def tiny_language(seed, H=8):
    """A step of three words and <END>, an RNN with random weights, and its first state."""
    rng = np.random.default_rng(seed)
    embed, Wh, Wy = (rng.standard_normal(shape) for shape in ((7, H), (H, H), (H, 7)))

    def step(tokens, state):
        h = np.tanh(embed[tokens] + state @ Wh)  # (R, H)
        scores = h @ Wy / 2  # (R, V)
        scores[:, [NULL, START, UNK]] = -np.inf
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), h

    return step, np.zeros((1, H))


def tiny_sentences():
    """All there are: what ends after 0 to 4 words, and what has five and no end."""
    for length in range(TINY_LENGTH):
        for words in itertools.product(TINY_WORDS, repeat=length):
            yield [*words, END]
    yield from map(list, itertools.product(TINY_WORDS, repeat=TINY_LENGTH))


@functools.cache
def how_often_best(seed):
    """By the width: the share of tiny languages in which your search finds the best sentence."""
    hits, languages = Counter(), budget(100, fast=8)
    for number in range(languages):
        step, state = tiny_language([seed, number])
        best = max(sequence_log_prob(step, state, words) for words in tiny_sentences())
        for beam in TINY_BEAMS:
            ((_, log_prob), *_) = beam_search(step, state, beam, TINY_LENGTH)
            hits[beam] += abs(log_prob - best) < 1e-9  # higher than the best is wrong as well
    return {beam: hits[beam] / languages for beam in TINY_BEAMS}


# %% [markdown]
# **Predict, then run.** A hundred such languages. In how many does greedy find the best of the 364?
# A beam of 2? And which width is certain to find it?

# %% tags=["demo"]
print("all there are:", len(list(tiny_sentences())))
for beam, share in how_often_best(seed=0).items():
    print(f"width {beam:3}: the best is found in {share:.0%}")

# %% [markdown]
# Greedy misses it in more than half of them, a beam of 2 in about a quarter, and one of 10 hardly
# ever. At 364 nothing is cut: the beam *is* the exhaustive search, and your two functions agree on
# what the best sentence costs. (Less than 100% there means that a log-probability is wrong, too low
# or too high; look first at the row from which a beginning takes its state.) In a real language
# that width would be $10^{40}$; all that a practical one promises is the best of what it has looked
# at.

# %% [markdown]
# ## A captioner that is ready
#
# The package brings a captioner that was trained on 8,000 rich scenes: the ones with patterns, many
# colours, and twelve people who describe them. It is built like yours, but that it looks at the
# picture again before each word (notebook 06 is about that). `array_step` makes of it what you
# know: a step of arrays, for one picture.


# %%
PICTURES = budget(150, fast=10)  # held-out ones, for what is measured in Part A


@functools.cache
def speaker():
    """The captioner that comes with the package: .model and .vocabulary."""
    import torch

    from cs_caption.ready_made import ready_made

    torch.set_num_threads(1)  # so that sums are rounded alike on every machine
    return ready_made("rich")


@functools.cache
def pictures(seed=0):
    """Scenes that it has never seen."""
    return list(Scenes("test", n=PICTURES, level="rich", seed=seed))


def steps_for(scene):
    """The captioner in front of one picture: a step of arrays, and the first state."""
    from cs_caption.models.arrays import array_step

    return array_step(speaker().model, scene.image)


def numbers_of(caption):
    """The numbers of a caption's words, <END> last."""
    return speaker().vocabulary.encode(caption)[1:]


def words_of(tokens):
    """The sentence, without the special words."""
    return speaker().vocabulary.decode(tokens)


# %% [markdown]
# **Predict, then run.** A picture, what five people said of it, and what greedy and your search
# say. Whose sentence does the captioner find most probable? Whose is second?

# %% tags=["demo"]
scene = pictures()[0]
step, state = steps_for(scene)
lines = [("a person", numbers_of(caption)) for caption in scene.captions]
lines += [(f"width {beam}", beam_search(step, state, beam, 30)[0][0]) for beam in (1, 2, 5, 20)]
for who, tokens in lines:
    print(f"{who:9} {sequence_log_prob(step, state, tokens):8.2f}  {words_of(tokens)}")
show_pictures(
    scene.image[None], ["held out"], alt="A rich scene: " + "; ".join(scene.captions[:2]) + "."
)

# %% [markdown]
# As a rule, the wider the beam, the likelier is what it finds. And all of it is likelier, by far,
# than what people say. A person's sentence may even be impossible for the network, minus infinity,
# if one of its words is not in the vocabulary: a rare colour, or a typing error. People do not say
# the most probable thing [Holtzman et al. 2020]. Keep that in mind for what follows.
#
# And this is the tree of your search of width 4. Look at where beginnings are given up; at words
# that were cut though they are true; and at the lines that differ in one word and are kept side by
# side to the end.

# %% tags=["demo"]
show_beam_tree(step, state, speaker().vocabulary.words, beam=4, max_len=30, search=beam_search)

# %% [markdown]
# Your function searches one picture at a time. The package's `beam_search` is the same search for
# many pictures at once, with no Python loop over beams or pictures: what you wrote, and what you
# would use.
#
# **Predict, then run.** Do the two find the same? Not the first sentence alone is compared, but the
# whole list, word for word, each `<END>` and each log-probability with it: as it is, with
# $\alpha = 1$, and with six words at most, so that some have no end.


# %%
def words_for(shape):
    """The numbers of all the known words for a shape, plurals among them."""
    index = {word: number for number, word in enumerate(speaker().vocabulary.words)}
    nouns = lexicon.SHAPES | lexicon.PLURALS
    return tuple(index[noun] for noun, meant in nouns.items() if meant == shape and noun in index)


def n_best(seed, beam, alpha=0.0, groups=1, told=False, max_len=30):
    """The package's search on all `pictures(seed)`: of each a list of hypotheses, best first.

    told: whether a word for each shape that is there is required.
    """
    return searched(seed, beam, alpha, groups, told, max_len)


@functools.cache
def searched(seed, beam, alpha, groups, told, max_len):
    """As n_best says, and each search done once."""
    import torch

    from cs_caption.decoding import beam_search as batched_search

    model, scenes, found = speaker().model, pictures(seed), []
    for first in range(0, len(scenes), 50):
        some = scenes[first : first + 50]
        shapes = [sorted({thing.shape for thing in scene.objects}) for scene in some]
        required = [[words_for(shape) for shape in several] for several in shapes]
        with torch.inference_mode():
            found += batched_search(
                model.step,
                model.start(np.stack([scene.image for scene in some])),
                beam=beam,
                max_len=max_len,
                length_penalty=alpha,
                groups=groups,
                required=required if told else None,
            )
    return found


def same_list(mine, theirs):
    """Whether pairs of your search and hypotheses of the package's are the same, in order."""
    return len(mine) == len(theirs) and all(
        list(tokens) == list(one.tokens) and abs(log_prob - one.log_prob) < 1e-3
        for (tokens, log_prob), one in zip(mine, theirs, strict=True)
    )


# %% tags=["demo"]
few = pictures()[:10]
for max_len, alpha in ((30, 0.0), (30, 1.0), (6, 0.0)):
    began = time.perf_counter()
    mine = [beam_search(*steps_for(scene), 5, max_len, alpha=alpha) for scene in few]
    spent = time.perf_counter() - began
    same = sum(map(same_list, mine, n_best(0, 5, alpha, max_len=max_len)))
    print(f"at most {max_len} words, alpha {alpha:g}:", end=" ")
    print(f"the same list for {same} of {len(few)} pictures; yours took {spent:.1f} s")

# %% [markdown]
# ## Better by its own measure, and then?
#
# A wider beam finds sentences that are more probable. Are they *better*? Two judges can be asked.
# **CIDEr-D**, which Part B takes apart, says how well a sentence agrees with what five people said
# of the picture. And since the scenes are drawn, there is the truth: how many of the objects that
# are there a sentence names, and how many of those that it names are there. That is **object F1**,
# which you know from 04.


# %%
WIDTHS, ALPHAS = (1, 2, 3, 5, 10, 20), (0.0, 0.5, 1.0, 1.5)


def held_against_truth(captions, scenes):
    """The objects named against those that are there: .f1 .recall .hallucination"""
    from cs_caption.metrics import object_score, scene_objects

    return object_score(captions, [scene_objects(scene.objects) for scene in scenes])


def judged(captions, seed):
    """Agreement with five people, and with the truth."""
    from cs_caption.metrics import cider_d

    truth = held_against_truth(captions, pictures(seed))
    agreement = cider_d(captions, [list(scene.captions) for scene in pictures(seed)])
    return {
        "CIDEr-D": agreement.corpus,
        "object F1": truth.f1,
        "objects there, named": truth.recall,
        "objects named, not there": truth.hallucination,
        "no object named": float((truth.rows[:, 1] == 0).mean()),
    }


@functools.cache
def search_result(seed, beam, alpha=0.0, told=False):
    """What the best of the beam is like, on average over `pictures(seed)`."""
    best = [several[0] for several in n_best(seed, beam, alpha, told=told)]
    return {
        "log-probability": float(np.mean([one.log_prob for one in best])),
        "words": float(np.mean([len(one.tokens) - one.finished for one in best])),
        **judged([words_of(one.tokens) for one in best], seed),
    }


@functools.cache
def what_people_say(seed):
    """What the captions of all five people are like."""
    said = [(caption, scene) for scene in pictures(seed) for caption in scene.captions]
    truth = held_against_truth(*zip(*said, strict=True))
    return {
        "words": float(np.mean([len(caption.split()) for caption, _ in said])),
        "objects there, named": truth.recall,
        "objects named, not there": truth.hallucination,
        "no object named": float((truth.rows[:, 1] == 0).mean()),
    }


def number_said(caption):
    """The number in *there are three shapes*; None where a caption states none."""
    pairs = itertools.pairwise(caption.split())
    before = [word for word, noun in pairs if noun in lexicon.GENERIC]
    return lexicon.NUMBERS.get(before[0]) if before else None


def print_results(results):
    """What the panels below do not draw: what is named, and what is not."""
    for name, row in results.items():
        print(
            f"{name:<9} {row['words']:4.1f} words; objects there, named "
            f"{row['objects there, named']:.2f}; named, not there "
            f"{row['objects named, not there']:.2f}; no object named {row['no object named']:4.0%}"
        )


def highest(results, figure):
    """At which setting a figure is highest."""
    return f"{figure} is highest at {max(results, key=lambda at: results[at][figure]):g}"


def show_results(results, xlabel, alt, xscale="linear"):
    """A panel for each figure; the dashed line is what people's captions have."""
    panels = {
        name: {"best of the beam": (list(results), [each[name] for each in results.values()])}
        for name in ("log-probability", "words", "CIDEr-D", "object F1")
    }
    panels["words"]["people"] = (list(results), [what_people_say(0)["words"]] * len(results))
    return show_panels(
        panels, xlabel=xlabel, ylabel="", alt=alt, xscale=xscale, xticks=list(results), marker="o",
        sharey=False,
    )  # fmt: skip


# %% [markdown]
# **Predict, then run.** Beams of width 1, 2, 3, 5, 10 and 20. Four curves: the log-probability of
# the sentence found, its number of words, its CIDEr-D, its object F1. Which of them rise?

# %% tags=["demo"]
by_width = {beam: search_result(0, beam) for beam in WIDTHS}
print("objects in the first three pictures:", *(len(scene.objects) for scene in pictures()[:3]))
for beam in (1, 5, 20):
    print(f"width {beam}:")
    for several in n_best(0, beam)[:3]:
        print(f"   {several[0].log_prob:6.2f}  {words_of(several[0].tokens)}")
print_results({f"width {beam}": row for beam, row in by_width.items()})
print_results({"people": what_people_say(0)})
said = [number_said(words_of(several[0].tokens)) for several in n_best(0, 20)]
right = [said[i] == len(pictures()[i].objects) for i in range(len(said)) if said[i]]
print(f"width 20: {len(right)} sentences count the shapes, {right.count(False)} of them wrongly")
show_results(
    by_width,
    "width of the beam",
    xscale="log",
    alt="Four panels over the width of the beam. The log-probability rises all the way. The number "
    "of words falls with every widening, from people's mean, about 12, to about 7. "
    f"{highest(by_width, 'CIDEr-D')}, {highest(by_width, 'object F1')}. At width 5 both have "
    f"fallen, to {by_width[5]['CIDEr-D']:.2f} and {by_width[5]['object F1']:.2f} (greedy has "
    f"{by_width[1]['CIDEr-D']:.2f} and {by_width[1]['object F1']:.2f}), and they go on falling.",
)

# %% [markdown]
# One of them. The search does what it was asked to do: the sentences get more probable with every
# widening. They also get *shorter* with every widening, and most with the first. (Mind that each
# panel has a scale of its own.) With a width of 2 or 3 that is a gain by both judges: less is named
# that is wrong, and as much that is right. Then it turns. With 5 object F1 is below greedy's, and
# CIDEr-D has lost what 2 and 3 had gained. (For these pictures it is below greedy's as well; for
# others, such as those of seed 1, a little above.) At 10 and 20 both are far below.
#
# What has happened? *There are three shapes* fits so many pictures, and is so cheap, that a
# sentence with colours in it can hardly compete. It need not even be true: look how many objects
# the first picture has. At width 5 a fifth or a quarter of the sentences name no object at all, at
# width 20 nearly half, and of those that count instead more than a third count wrongly. *What is
# named* is wrong no more often than greedy's; it is that less is named. Greedy never sees such
# bargains ahead, and names at least half as much again of what is there as the widest beam.
#
# The narrow beam makes *search errors*, and they hide an error of the *model*, or of the question
# that it is asked. Of the people's captions only one in ten names no object. But those that name
# some do it in a thousand ways, and each way gets a small share of the probability; the vague
# sentence is worded alike for many pictures, and its share is in one piece. So it is often the
# likeliest sentence without being a usual one. In translation the most probable sentence of all is
# often the *empty* one [Stahlberg and Byrne 2019].
#
# Published captioners *gain* by a small beam, as the lecture's advice has it. The readme of
# `neuraltalk2` reports a CIDEr of 0.886 for greedy and of 0.922 for a beam of 2, and beams of 2 to
# 5 are what people use. Here 2 and 3 gain as well, but 5 is too wide already. One reason may be the
# captions: COCO's people were told to describe all the important parts in at least eight words
# [Chen et al. 2015], which leaves few short and vague sentences to learn. And even there it has an
# end; the same readme says that higher is not always better. If a better search makes the result
# worse, then what is searched for is not what is wanted.
#
# So ask for something else. Take the beam of 5, which is too wide as it is, and divide the
# log-probability by the length to the power of $\alpha$. **Predict, then run.** What will become of
# the number of words, and of object F1? Will it be better than a beam of 2 without any $\alpha$?

# %% tags=["demo"]
by_alpha = {alpha: search_result(0, 5, alpha) for alpha in ALPHAS}
for alpha in (0.0, 1.0):
    print(f"alpha {alpha:g}:")
    for several in n_best(0, 5, alpha)[:3]:
        print(f"   {several[0].log_prob:6.2f}  {words_of(several[0].tokens)}")
print_results({f"alpha {alpha:g}": row for alpha, row in by_alpha.items()})
for name, row in {"width 5, alpha 1": by_alpha[1], "width 2, alpha 0": by_width[2]}.items():
    print(f"{name}: CIDEr-D {row['CIDEr-D']:.2f}, object F1 {row['object F1']:.2f}")
show_results(
    by_alpha,
    "alpha",
    alt="Four panels over alpha from 0 to 1.5, at width 5. The log-probability falls. The number "
    "of words rises, at alpha 1 well beyond people's mean. "
    f"{highest(by_alpha, 'CIDEr-D')} and lowest at 1.5, {highest(by_alpha, 'object F1')}: there "
    f"it is {by_alpha[1]['object F1']:.2f}, at alpha 0 {by_alpha[0]['object F1']:.2f}, at 1.5 "
    f"{by_alpha[1.5]['object F1']:.2f}.",
)

# %% [markdown]
# The sentences get long, with $\alpha = 1$ several words longer than people's. They name more of
# what is there and, from 1 on, more that is not. By object F1 that makes good what the wide beam
# had lost: $\alpha = 1$ is above greedy again, and about where a beam of 2 was without any
# $\alpha$. By CIDEr-D it is not even there. Which $\alpha$ suits best, a judge must say from
# outside, since the log-probability itself would always choose 0. And by which judge? Object F1
# chooses a larger $\alpha$ than CIDEr-D, which compares with people's sentences. More of that in
# Part B.
#
# **Predict, then run.** One more question about width: can a wider beam find something *less*
# probable than a narrower one?


# %%
def wider_is_worse(seed, alpha=0.0):
    """The share of pictures for which some widening makes the best sentence less probable."""
    best = np.array([[several[0].log_prob for several in n_best(seed, beam)] for beam in WIDTHS])
    return float((np.diff(best, axis=0) < -1e-4).any(axis=0).mean())


# %% tags=["demo"]
print(f"from one of these widths to the next: for {wider_is_worse(0):.0%} of the pictures")

# %% [markdown]
# It can. A beginning that a narrow beam follows to a good end may be pushed out of a wider beam by
# others that look better for a while. There is no guarantee below the width that keeps everything.

# %% [markdown]
# ## A list is not a choice
#
# Beam search returns $K$ sentences, the **n-best list**. It looks like a choice: a user could pick
# one, or a second program could. In the tree above you saw what is in it.
#
# The address of the lecture's demonstration, `dbs.cloudcv.org`, names the answer of 2016: *diverse
# beam search* [Vijayakumar et al.]. The beam is cut into groups, each with some of the places. At
# each step the first group goes first, and in the later groups a word costs extra for each time
# that an earlier group has just said it. So they are pushed elsewhere.
#
# The other way to variety you know: **sampling**, word by word from the distribution. It needs no
# memory of what was said before, and takes what comes.
#
# **Predict, then run.** Six sentences each way. Which list would you rather choose from?


# %%
@functools.cache
def sampled(seed, n=6, **options):
    """n sampled sentences of each of `pictures(seed)`, as `n_best` has them."""
    import torch

    from cs_caption.decoding import sample

    model = speaker().model
    images = np.stack([scene.image for scene in pictures(seed)])
    with torch.inference_mode():
        state = model.start(images)
        draws = [sample(model.step, state, max_len=30, seed=k, **options) for k in range(n)]
    return list(zip(*draws, strict=True))


def six_ways(seed):
    """Six sentences a picture, found in four ways."""
    return {
        "a beam of 6": n_best(seed, 6),
        "3 groups of 2": n_best(seed, 6, groups=3),
        "6 groups of 1": n_best(seed, 6, groups=6),
        "sampled": sampled(seed),
    }


# %% tags=["demo"]
for way, found in six_ways(0).items():
    print(f"{way}:")
    for one in found[0]:
        print(f"   {one.log_prob:6.2f}  {words_of(one.tokens)}")

# %% [markdown]
# What is variety worth, if what is said is wrong? Three figures over all pictures: **variety**, the
# share of different ones among all pairs of neighbouring words in the six sentences; how well
# *each* sentence names what is there, object F1; and the share of objects there that at least *one*
# of the six names.


# %%
def variety(sentences):
    """Different pairs of neighbouring words over all of them."""
    pairs = [pair for sentence in sentences for pair in itertools.pairwise(sentence.split())]
    return len(set(pairs)) / max(1, len(pairs))


def named_by_some(sentences, scene):
    """Of the kinds of object in a scene, how many some sentence names; and how many there are."""
    from cs_caption.metrics import named_objects, scene_objects

    there = set(scene_objects(scene.objects))
    named = set().union(*(named_objects(sentence) for sentence in sentences))
    return len(there & named), len(there)


@functools.cache
def worth_of_six(seed):
    """Variety, object F1 of each, and the share of objects that one of the six names, by way."""
    worth = {}
    for way, found in six_ways(seed).items():
        said = [[words_of(one.tokens) for one in several] for several in found]
        pairs = list(zip(said, pictures(seed), strict=True))
        all_said = [(sentence, scene) for several, scene in pairs for sentence in several]
        some = np.sum([named_by_some(*pair) for pair in pairs], axis=0)
        worth[way] = {
            "variety": float(np.mean([variety(several) for several in said])),
            "object F1 of each": held_against_truth(*zip(*all_said, strict=True)).f1,
            "named by one of six": float(some[0] / some[1]),
        }
    return worth


# %% tags=["demo"]
for way, worth in worth_of_six(0).items():
    print(f"{way:14}", "   ".join(f"{name} {value:.2f}" for name, value in worth.items()))

# %% [markdown]
# The beam's six are relatives: they differ in a word or two, and what the first one misses the
# others mostly miss too. Groups make the list more various, and each sentence of it is as right as
# before. That is a bargain: together the six name more of what is there. Samples are the most
# various by far, and each by itself is much less right. Yet together they name about as much of
# what is there as the groups do: the last figure does not ask what else was said, and six wild
# guesses hit a lot. So it depends on who chooses. Where the first sentence is what counts, search.
# Where somebody can *choose* among six, give them six that differ, and where they cannot see what
# is wrong, rather those of the groups than samples.

# %% [markdown]
# ## Words that must be there
#
# Sometimes a word is known beforehand: a product in the picture, a name in the caption of a news
# photograph, a thing that a detector has found. A search can be made to use it. It keeps $K$
# beginnings that have said *none* of the required words, $K$ that have said one, and so on, so that
# those that pay for a rare word early are not pushed out by those that put it off. What comes back
# are sentences that say them all [Hokamp and Liu 2017]; where any of several words will do, such as
# *circle*, *disc* and *ball*, they go in as one entry [Anderson et al. 2017].
#
# Suppose that a detector sees which *shapes* are there, but no colour and no place. **Predict, then
# run.** With one word for each shape required, what happens to the figures of a beam of 5? And are
# they better than the best that you have seen without help, those of a beam of 2?

# %% tags=["demo"]
for told in (False, True):
    said = [words_of(several[0].tokens) for several in n_best(0, 5, told=told)]
    print("told the shapes:" if told else "as it likes:", *said[:3], *said[21:22], sep="\n    ")
print("width 2   width 5   width 5, told the shapes")
three = [search_result(0, 2), search_result(0, 5), search_result(0, 5, told=True)]
for name in three[0]:
    print("   ".join(f"{row[name]:7.2f}" for row in three), "  ", name)

# %% [markdown]
# All of them change at once. More objects are named, and of those that are named more are right,
# colours included, though nobody told it a colour. CIDEr-D is higher than at any width without
# help, by a third or more. And the log-probability falls far below what the beam had found by
# itself: by its own measure the model is worse off for every good word that it was made to say. It
# knew more than its likeliest sentence told.
#
# A required word need not stand in a sensible place. In the last of the sentences above a word has
# got in *somewhere*, so that it is there, and with the wrong article before it.
#
# So much for searching. You can find the sentence that the network likes best, and it need not be
# the sentence that you like best. To choose an $\alpha$, a width, a way to decode, or one of two
# captioners, you need a judge of sentences. There are several, they have famous names, and they can
# be taken apart.
# %% [markdown]
# ## Part B: what is a good sentence?
#
# *Part B.* You can search for the sentence that the model finds likeliest. Whether it is *good* is
# another matter, and the model cannot be asked. The lecture asks it, *How to Evaluate different
# captions?*, and shows what five people wrote about one photograph:
#
# > A woman in a green shirt is getting food ready with a child , while sitting on rocks .
# >
# > A mother and child having a picnic on a big rock with blue utensils .
# >
# > A woman serving food for a little boy outside on a large rock .
# >
# > A woman and a baby eating ( having a picnic ) .
# >
# > A mother and child picnic on some rocks .
#
# None of the five is wrong, and no two are alike. One sees a picnic, another does not; one says
# *baby*, another *little boy*. In 04 you counted objects, because for drawn scenes the truth is
# known. For photographs there is none, only what people wrote. So a caption, the **candidate**, is
# held against theirs, the **references**, and a **metric** says how near it comes. In this part you
# write the metrics whose names stand over the tables of captioning papers. And then, with scenes
# whose truth is known, you do what those papers could not: you measure the metrics.
#
# All of them see a caption as a string of words parted by blanks. *mat* and *mat.* are two words,
# *The* and *the* as well; to part the full stop and to write small letters is called
# **tokenising**, it is done before, once, and it matters, as you will see.

# %%
PICNIC = [
    "a woman in a green shirt is getting food ready with a child , while sitting on rocks .",
    "a mother and child having a picnic on a big rock with blue utensils .",
    "a woman serving food for a little boy outside on a large rock .",
    "a woman and a baby eating ( having a picnic ) .",
    "a mother and child picnic on some rocks .",
]


def in_turn(captions):
    """Each caption of one picture and the others, against which it is held."""
    return [(caption, captions[:i] + captions[i + 1 :]) for i, caption in enumerate(captions)]


# %% [markdown]
# ## Count, but not twice
#
# **BLEU** (bilingual evaluation understudy) [Papineni et al. 2002] was made for translation. *The
# closer a machine translation is to a professional human translation, the better it is.* Closeness
# is counted in **n-grams**, $n$ words in a row. The first idea is precision: of the n-grams that
# the candidate has, how many stand in a reference? The lecture shows why that is not enough:
#
# > Candidate: the the the the the the.
# >
# > Reference 1: The cat is on the mat.
# >
# > Reference 2: There is a cat on the mat.
#
# Every *the* stands in a reference, so the precision is perfect. What helps is to **clip**: count
# an n-gram in each reference by itself, take the largest of these counts, and let the candidate's
# own count at most that much.
#
# $$p_n = \frac{\sum_g \min\big(\mathrm{count}(g),\; \max_r \mathrm{count}_r(g)\big)}
# {\sum_g \mathrm{count}(g)}$$
#
# *By hand*: reference 1 has *the* twice, reference 2 once, so two count. *Modified Unigram
# Precision = 2/7*, says the slide. Papineni's candidate has seven *the*; the slide's text has six,
# and that makes 2/6. With a full stop as a word of its own, in the references too, it is 3/7, since
# the full stop counts. Small things, and each changes the figure.
#
# Both sums run over all candidates of a collection before anything is divided.
#
# **Exercise** (2 points, about 20 minutes). Write `clipped_precision`. It returns the two sums, so
# that whoever calls it can divide. Two `Counter`s can be joined in several ways: `a + b`, `a - b`,
# `a & b`, `a | b`; one of them keeps the smaller of two counts, another the larger.


# %% nbgrader={"grade_id": "clipped_precision", "solution": true}
# exercise: clipped_precision
def clipped_precision(candidates, references, n):
    """Count the n-grams of captions that stand in a reference, none more often than there.

    candidates: list of N captions, strings of words parted by blanks
    references: list of N lists of captions, at least one each
    An n-gram counts at most as often as it stands in that one of the caption's references where it
    stands most often.
    Returns (matched, guessed), whole numbers: how many count, and how many there are, both summed
    over the N captions
    """

    ### BEGIN SOLUTION
    def counts(caption):
        words = caption.split()
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    matched = guessed = 0
    for candidate, several in zip(candidates, references, strict=True):
        said, allowed = counts(candidate), Counter()
        for reference in several:
            allowed |= counts(reference)
        matched += (said & allowed).total()
        guessed += said.total()
    return matched, guessed
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_clipped_precision", "points": 2}
check("clipped_precision", clipped_precision)

# %% [markdown]
# **Predict, then run.** What comes out for the pairs of words, $n = 2$, and for the five people of
# the picnic, each held against the other four? Whose words have the largest share that somebody
# else says too, and whose the smallest?

# %% tags=["demo"]
mat = ["the cat is on the mat", "there is a cat on the mat"]
stopped = [f"{reference} ." for reference in mat]
shown = {
    "seven": ("the " * 7, mat),
    "six": ("the " * 6, mat),
    "six and a full stop": ("the " * 6 + ".", stopped),
    **{caption: (caption, others) for caption, others in in_turn(PICNIC)},
}
for name, (caption, references) in shown.items():
    counts = (clipped_precision([caption], [references], n) for n in (1, 2, 3, 4))
    print(" ".join(f"{matched:2}/{guessed:<2}" for matched, guessed in counts), "", name)

# %% [markdown]
# *the the* stands in no reference: pairs see an order that single words do not. The person who says
# most has the smallest share, 10 of 19, and the shortest caption the largest, 8 of 9. With $n = 4$
# three of five people have nothing in common with any of the others.

# %% [markdown]
# ## No reward for saying little
#
# Precision asks only of what was said. *a mother* alone has precision 2/2. The usual remedy is
# recall, how much of the reference was said; but there are several references, and nobody has to
# say all that any of them says. BLEU has a **brevity penalty** in its place, a factor for all the
# candidates together. With $c$ words in all candidates and $r$ in the references that are closest
# in length, each candidate's own,
#
# $$\mathrm{BP} = \begin{cases} 1 & c \ge r \\ e^{\,1 - r/c} & c < r \end{cases}$$
#
# *By hand*: the lecture's candidate *Quiznos worker wearing sign .*, which you meet again below,
# has five words, and its references 11, 10, 12 and 9. The closest is 9, and
# $e^{1 - 9/5} = 0.449$. Of two that are equally close the shorter one is taken: six words between
# references of five and seven pay nothing. And it is summed first: two candidates of four and six
# words, with references of five each, are ten against ten and pay nothing, whereas alone the first
# would pay $e^{1 - 5/4} = 0.78$.
#
# **Exercise** (2 points, about 15 minutes). Write `brevity_penalty`.


# %% nbgrader={"grade_id": "brevity_penalty", "solution": true}
# exercise: brevity_penalty
def brevity_penalty(candidates, references):
    """Say by what factor BLEU is lowered because captions are too short.

    candidates, references: as for clipped_precision
    c is the number of words of all candidates, r that of each one's closest reference; of two
    references that are equally close the shorter one.
    Returns a float: 1.0 where c is at least r, else e to the power of 1 - r / c; 0.0 where c is 0
    """
    ### BEGIN SOLUTION
    c = r = 0
    for candidate, several in zip(candidates, references, strict=True):
        length = len(candidate.split())
        lengths = [len(reference.split()) for reference in several]
        c += length
        r += min(lengths, key=lambda other: (abs(other - length), other))
    if c == 0:
        return 0.0
    return 1.0 if c >= r else math.exp(1 - r / c)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_brevity_penalty", "points": 2}
check("brevity_penalty", brevity_penalty)

# %% [markdown]
# **Predict, then run.** The second person's caption of the picnic is broken off after each word.
# Where is precision times brevity penalty the largest?

# %% tags=["demo"]
caption, others = in_turn(PICNIC)[1]
print("lengths of the references:", *sorted(len(other.split()) for other in others))
for k in range(1, 16):
    begun = " ".join(caption.split()[:k])
    matched, guessed = clipped_precision([begun], [others], 1)
    penalty = brevity_penalty([begun], [others])
    print(f"{matched:2}/{guessed:<2} x {penalty:.2f} = {matched / guessed * penalty:.2f}  {begun}")

# %% [markdown]
# A sentence that breaks off at *having a picnic on a* is perfect. Nothing in it is wrong, and nine
# words are enough, since one of the references has nine. Two words later there is a penalty again,
# because eleven are nearer to twelve: with several references the penalty is a fence with holes.

# %% [markdown]
# ## BLEU
#
# The precisions of all orders up to $N$ are joined by their **geometric mean**, times the penalty:
#
# $$\mathrm{BLEU} = \mathrm{BP} \cdot \exp\Big(\frac1N \sum_{n=1}^{N} \ln p_n\Big)$$
#
# $N$ is 4 where nothing else is said, and `max_n` in your function; BLEU-1 has $N = 1$.
#
# Single words say whether the right things are named, longer n-grams whether the sentence flows.
# The mean of logarithms is strict: an order without a match gives $\ln 0$, and all is 0. For a
# whole collection that hardly happens. For one sentence it happens to most. **Smoothing** gives
# such an order a little: where the first order comes without a match, as if half an n-gram had
# matched, with the second a quarter, and so on: $1 / (2^k \cdot \text{guessed})$.
#
# *By hand*: the lecture scores one caption.
#
# > 1\. Latino man holding sign on the sidewalk outside promoting Quiznos-Subs .
# >
# > 2\. A man is holding an advertisement for Quiznos Subs .
# >
# > 3\. A man is holding a Quiznos sign next to a street .
# >
# > 4\. A man is holding a Quiznos Sub sign .
# >
# > Candidate caption: ? Quiznos worker wearing sign .
# >
# > BLEU-4 = 0.106
#
# How? The `?` is a word that the system did not know, `<UNK>`, and it is dropped. Of five words
# *Quiznos*, *sign* and the full stop match, of four pairs *sign .*, of three triples and two
# quadruples none: smoothed, $\frac{1}{2 \cdot 3}$ and $\frac{1}{4 \cdot 2}$. So
#
# $$e^{1 - 9/5} \cdot \Big(\frac35 \cdot \frac14 \cdot \frac16 \cdot \frac18\Big)^{1/4}
# = 0.4493 \cdot 0.2364 = 0.1062$$
#
# The slide's figure, and the slide says nothing of the choices behind it.
#
# **Exercise** (2 points, about 20 minutes). Write `bleu`, by your two functions.


# %% nbgrader={"grade_id": "bleu", "solution": true}
# exercise: bleu
def bleu(candidates, references, max_n=4, smooth=False):
    """Score captions by BLEU: brevity penalty times the geometric mean of clipped precisions.

    candidates, references: as for clipped_precision
    max_n:  the orders are n = 1 .. max_n
    smooth: the k-th order without a match (k = 1, 2, ...) counts as precision 1 / (2**k guessed)
    Returns a float from 0 to 1; 0.0 where an order has no n-gram at all, or, without smooth, no
    match
    """
    ### BEGIN SOLUTION
    logs, zeros = [], 0
    for n in range(1, max_n + 1):
        matched, guessed = clipped_precision(candidates, references, n)
        if guessed == 0 or (matched == 0 and not smooth):
            return 0.0
        zeros += matched == 0
        logs.append(math.log(matched / guessed if matched else 1 / (2**zeros * guessed)))
    return brevity_penalty(candidates, references) * math.exp(sum(logs) / max_n)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_bleu", "points": 2}
check("bleu", bleu)

# %% [markdown]
# **Predict, then run.** One sentence, the same references. How far apart are its BLEUs, when the
# `?` is kept; when small letters are written and the punctuation is taken out, as COCO's tokeniser
# does; when nothing is smoothed; when there is but one reference? The last line is the package's
# `bleu`, which does to the last digit what COCO's evaluation does: it adds $10^{-15}$ to the
# matches, lest it divide by zero.

# %%
QUIZNOS = [
    "Latino man holding sign on the sidewalk outside promoting Quiznos-Subs .",
    "A man is holding an advertisement for Quiznos Subs .",
    "A man is holding a Quiznos sign next to a street .",
    "A man is holding a Quiznos Sub sign .",
]
SAID = "? Quiznos worker wearing sign ."


def bare(caption):
    """Small letters, and no punctuation."""
    return " ".join(word for word in caption.lower().split() if word not in ".?,()")


def five_bleus():
    """One sentence, several BLEUs, each by the choices that its name tells."""
    dropped = SAID.removeprefix("? ")
    plain = [bare(reference) for reference in QUIZNOS]
    return {
        "the ? dropped, the full stop kept, smoothed": bleu([dropped], [QUIZNOS], smooth=True),
        "the ? kept": bleu([SAID], [QUIZNOS], smooth=True),
        "no punctuation, small letters": bleu([bare(SAID)], [plain], smooth=True),
        "the third reference alone": bleu([dropped], [QUIZNOS[2:3]], smooth=True),
        "not smoothed": bleu([dropped], [QUIZNOS]),
    }


# %% tags=["demo"]
from cs_caption import metrics

for choices, score in five_bleus().items():
    print(f"{score:8.6f}  {choices}")
score = metrics.bleu([SAID.removeprefix("? ")], [QUIZNOS]).corpus
print(f"{score:8.1e}  as COCO's evaluation does")

# %% [markdown]
# One sentence, five BLEUs, the largest three times the smallest that is not 0. All are right, each
# by its own choices. So never compare a BLEU with one that was computed elsewhere, unless you know
# both recipes; and never score a single sentence by it when a collection is at hand.

# %% [markdown]
# ## All in another order
#
# *Many large variations of a generated sentence can score identically*, says the lecture
# [Callison-Burch et al. 2006]. The trick: cut a caption wherever a pair of words stands in no
# reference. Inside the pieces nothing changes; so put the pieces in any order, and no match is
# lost. With $b$ pieces there are $b!$ orders.


# %%
def pieces(caption, references):
    """Cut a caption wherever two neighbours are neighbours in no reference."""
    known = {pair for other in references for pair in itertools.pairwise(other.split())}
    cut = [[]]
    for word in caption.split():
        if cut[-1] and (cut[-1][-1], word) not in known:
            cut.append([])
        cut[-1].append(word)
    return [" ".join(piece) for piece in cut]


def shuffled_pieces(caption, references):
    """Every order of the pieces, and by how much each one's BLEU exceeds the caption's."""
    before = bleu([caption], [references])
    orders = map(" ".join, itertools.permutations(pieces(caption, references)))
    return {order: bleu([order], [references]) - before for order in orders}


# %% [markdown]
# **Predict, then run.** Five pieces, 120 orders. How many have the caption's own BLEU, how many
# less, and how many *more*?

# %% tags=["demo"]
longer = "a woman serving food on a big rock is having a picnic with blue utensils ."
print(" | ".join(pieces(longer, PICNIC)), f" BLEU {bleu([longer], [PICNIC]):.3f}")
gains = shuffled_pieces(longer, PICNIC)
alike = [order for order, gain in gains.items() if abs(gain) < 1e-9]
higher = [order for order, gain in gains.items() if gain > 1e-9]
lower = len(gains) - len(alike) - len(higher)
print(f"{len(gains)} orders: {len(alike)} score alike, {lower} lower, {len(higher)} higher")
for name, orders in (("as good", alike[25::25]), ("better", higher[::14])):
    for order in orders:
        print(f"{name:>8}: {order}")

# %% [markdown]
# None lower, and a third of them higher, where two pieces met by chance and made a pair that a
# reference has. Some of those are sentences, most are not. *Higher BLEU score is not necessarily
# indicative of higher human-judged quality.*

# %% [markdown]
# ## ROUGE-L: in this order, gaps allowed
#
# N-grams see order only among neighbours. **ROUGE-L** [Lin 2004] looks for the **longest common
# subsequence**: the most words that two captions have in the same order, whatever stands between.
# It is found by a table. Let $L_{ij}$ be the most that the first $i$ words of one and the first $j$
# words of the other have in common:
#
# $$L_{ij} = \begin{cases} L_{i-1,j-1} + 1 & \text{the } i\text{-th word is the } j\text{-th} \\
# \max(L_{i-1,j},\, L_{i,j-1}) & \text{else} \end{cases}$$
#
# with zeros at the edges. Then precision $P = L / \text{candidate's length}$ and recall
# $R = L / \text{reference's length}$, joined by a weighted harmonic mean in which recall counts
# $\beta^2 = 1.44$ times as much.
#
# *By hand*: *Quiznos worker wearing sign .* and the third reference have *Quiznos sign .* in
# common, three words, and so has the fourth. $P = 3/5$, and the largest recall is the fourth's,
# $R = 3/9$. That makes $2.44 \cdot 0.6 \cdot 0.333 / (0.333 + 1.44 \cdot 0.6) = 0.408$.
#
# With several references, the code that everybody uses takes the largest $P$ and the largest $R$
# **each on its own**. You do the same, so that your figures can be compared, and look at what it
# does afterwards.
#
# **Exercise** (2 points, about 25 minutes). Write `rouge_l`.


# %% nbgrader={"grade_id": "rouge_l", "solution": true}
# exercise: rouge_l
def rouge_l(candidate, references, beta=1.2):
    """Score a caption by its longest common subsequence with each reference.

    candidate:  string, words parted by blanks
    references: list of such strings, at least one
    L is the most words that both have in the same order, gaps allowed. P is the largest L over the
    candidate's length, R the largest L over the reference's length, each the largest on its own,
    even if they belong to different references.
    Returns a float, (1 + beta^2) P R / (R + beta^2 P); 0.0 where no word is common
    """
    ### BEGIN SOLUTION
    said, precision, recall = candidate.split(), 0.0, 0.0
    for reference in references:
        words = reference.split()
        table = np.zeros((len(said) + 1, len(words) + 1), dtype=int)
        for i, one in enumerate(said):
            for j, other in enumerate(words):
                table[i + 1, j + 1] = (
                    table[i, j] + 1 if one == other else max(table[i, j + 1], table[i + 1, j])
                )
        if table[-1, -1]:
            precision = max(precision, table[-1, -1] / len(said))
            recall = max(recall, table[-1, -1] / len(words))
    if precision == 0:
        return 0.0
    return float((1 + beta**2) * precision * recall / (recall + beta**2 * precision))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_rouge_l", "points": 2}
check("rouge_l", rouge_l)

# %% [markdown]
# **Predict, then run.** Of the orders above that have the caption's own BLEU, how many does ROUGE-L
# find worse than the caption, how many better? And a candidate of three words, held against a long
# reference that begins so, against one of a single word, and against both: what does it get?

# %% tags=["demo"]
own = rouge_l(longer, PICNIC)
found = [rouge_l(order, PICNIC) - own for order in alike]
print(f"of {len(alike)}: {sum(gain < -1e-9 for gain in found)} worse, ", end="")
print(f"{sum(gain > 1e-9 for gain in found)} better")
long, single = "a red ring above two small blue stars", "a"
for references in ([long], [single], [long, single]):
    print(f"{rouge_l('a red ring', references):.3f}  a red ring | {references}")

# %% [markdown]
# Most of them are found out. But with both references *a red ring* is perfect: all its words are in
# the long one, and all words of the short one are in it. No single reference says that it is.

# %% [markdown]
# ## CIDEr: what do most people say?
#
# BLEU and ROUGE-L came from translation and from summaries. **CIDEr** (consensus-based image
# description evaluation) [Vedantam et al. 2015] was made for pictures: *Does a caption describe an
# image as most people tend to describe it?* The lecture lists what such a measure should do:
#
# - *Encode how often n-grams in the candidate sentence are present in the reference sentences*
# - *n-grams not present in the reference sentences should not be in the candidate sentence*
# - *n-grams that commonly occur across all images in the dataset should be given lower weight*
#
# The third is new. *a* is in every caption and says nothing about this picture; *picnic* says a
# lot. The weight is **TF-IDF** (term frequency times inverse document frequency): how often the
# caption has the n-gram, times the logarithm of how rare it is,
#
# $$g_k = \mathrm{count}_k \cdot \ln \frac{\text{pictures}}{\text{pictures whose references have }
# k}$$
#
# *By hand*: the four captions of 04, from the seminar, as four pictures. *is* stands in three of
# them, *in*, *on* and *playing* in two, *guitar* in one: their weights are $\ln \frac43 = 0.29$,
# $\ln 2 = 0.69$ and $\ln 4 = 1.39$. A word that all had would weigh 0. One that none has weighs as
# much as a word of one picture: nothing is infinitely rare.
#
# A vector for each order, $n = 1$ to 4, has one such number for each n-gram. Almost all of them are
# 0, so a dict holds the others.
#
# **Exercise** (2 points, about 20 minutes). Write `cider_vectors`.


# %% nbgrader={"grade_id": "cider_vectors", "solution": true}
# exercise: cider_vectors
def cider_vectors(caption, df, pictures):
    """Weigh the n-grams of a caption by how much they say: CIDEr's vectors.

    caption:  string, words parted by blanks
    df:       dict from an n-gram, its words joined by single blanks, to the number of pictures in
              whose references it occurs; what is not in it counts as 1
    pictures: how many pictures df was counted on
    Returns a list of four dicts, for n = 1 .. 4, each from an n-gram of the caption (as in df) to
    its weight: how often the caption has it, times log(pictures / df)
    """
    ### BEGIN SOLUTION
    words = caption.split()
    vectors = []
    for n in range(1, 5):
        counts = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
        vectors.append(
            {gram: count * math.log(pictures / df.get(gram, 1)) for gram, count in counts.items()}
        )
    return vectors
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_cider_vectors", "points": 2}
check("cider_vectors", cider_vectors)


# %%
def count_pictures(references):
    """In the references of how many pictures each n-gram occurs: CIDEr's df."""
    df = Counter()
    for several in references:
        vectors = [vector for caption in several for vector in cider_vectors(caption, {}, 2)]
        df.update(set().union(*vectors))  # once a picture, however often it is said
    return df


SEMINAR = [
    "man in black shirt is playing guitar .",
    "construction worker in orange safety vest is working on road .",
    "two young girls are playing with lego toy .",
    "boy is doing backflip on wakeboard .",
]
MAT = ["the cat is on the mat .", "there is a cat on the mat ."]


def lectures():
    """The references of seven pictures: all those whose captions the two lectures show here."""
    quiznos = [reference.lower() for reference in QUIZNOS]
    return [PICNIC, quiznos, MAT, *([caption] for caption in SEMINAR)]


def consensus(captions, df, pictures):
    """What the captions of one picture have in common: the mean weight of each n-gram in them."""
    total = Counter()
    for caption in captions:
        for vector in cider_vectors(caption, df, pictures):
            for gram, weight in vector.items():
                total[gram] += weight / len(captions)
    return total


# %% [markdown]
# **Predict, then run.** The picnic, with the document frequency counted on seven pictures, all that
# the two lectures show captions of. Which n-grams weigh most in what the five people say? Which
# weigh nothing?

# %% tags=["demo"]
df, N = count_pictures(lectures()), len(lectures())
weights = consensus(PICNIC, df, N)
for n in (1, 2, 3):
    ranked = [
        f"{gram} ({weight:.2f})" for gram, weight in weights.most_common() if len(gram.split()) == n
    ]
    print(f"n = {n}:", ", ".join(ranked[:8]))
print("weigh nothing:", [gram for gram in count_pictures([PICNIC]) if weights[gram] == 0])

# %% [markdown]
# *woman*, *child*, *picnic*: what three of the five say, and nobody says of the other pictures.
# Only the full stop weighs nothing, since all seven have it. But *and* weighs as much as *picnic*,
# and *a*, which comes up to three times a caption, is first of all: seven pictures are too few to
# show how common these two are. Document frequencies want many pictures.

# %% [markdown]
# ## CIDEr-D: the cosine, and two locks
#
# Captions are compared by the angle between their vectors, the cosine of 02's word vectors. In
# plain CIDEr that is all, and it can be fooled: a cosine does not see how *long* a vector is, so
# whoever says everything three times loses nothing. **CIDEr-D** puts two locks on it. It clips, as
# BLEU does, and it lowers what has another length than the reference. With $g$ the candidate's and
# $h$ the reference's vector of one order,
#
# $$s_n = \frac{\sum_k \min(g_k, h_k)\, h_k}{|g|\,|h|} \cdot e^{-d^2 / 2\sigma^2}$$
#
# with $d$ the difference in words and $\sigma = 6$; and the score is 10 times the mean over the
# four orders and over all references. (Some papers print a hundred times that: what is 0.88 here is
# 88 there.)
#
# *By hand*: *playing guitar*, the reference *man playing guitar*, with the four pictures above.
# $g$ is 0.69 and 1.39, $h$ is 1.39 for *man*, 0.69, 1.39. The sum is $0.48 + 1.92 = 2.40$, the
# lengths are 1.55 and 2.08, so the cosine is 0.745. Of the pairs one is in common, *playing
# guitar*, and the reference has another that is as rare: $1/\sqrt2 = 0.707$. There are no common
# triples or quadruples. $d = 1$ costs $e^{-1/72} = 0.986$. In all
# $10 \cdot 0.986 \cdot (0.745 + 0.707 + 0 + 0) / 4 = 3.58$.
#
# What COCO's evaluation prints as *CIDEr* is CIDEr-D, and so is what papers print under that name.
#
# **Exercise** (2 points, about 25 minutes). Write `cider_d`.


# %% nbgrader={"grade_id": "cider_d", "solution": true}
# exercise: cider_d
def cider_d(candidate, references, df, pictures, sigma=6.0):
    """Score a caption by how well it agrees with the consensus of its references: CIDEr-D.

    candidate:    string, words parted by blanks
    references:   list of such strings, at least one
    df, pictures: as for cider_vectors
    With g the candidate's and h a reference's vector of one order n, their similarity is the sum
    over the candidate's n-grams of min(g, h) h, over the product of the lengths |g| |h| of the
    vectors; 0 where one of them is 0. It is multiplied by e to the power of -d^2 / (2 sigma^2),
    where d is the difference between the two captions' numbers of words.
    Returns a float, 10 times the mean over the four orders and all references
    """
    ### BEGIN SOLUTION
    total = 0.0
    vectors = cider_vectors(candidate, df, pictures)
    for reference in references:
        d = len(candidate.split()) - len(reference.split())
        for g, h in zip(vectors, cider_vectors(reference, df, pictures), strict=True):
            dot = sum(min(g[gram], h[gram]) * h[gram] for gram in g if gram in h)
            lengths = math.hypot(*g.values()) * math.hypot(*h.values())
            if lengths > 0:
                total += dot / lengths * math.exp(-(d**2) / (2 * sigma**2))
    return 10 * total / (4 * len(references))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_cider_d", "points": 2}
check("cider_d", cider_d)


# %%
def against_the_same(caption, captions, df, pictures):
    """CIDEr-D of a caption, held against all captions but one, each left out in turn: the mean."""
    scores = [cider_d(caption, others, df, pictures) for _, others in in_turn(captions)]
    return float(np.mean(scores))


# %% [markdown]
# **Predict, then run.** Each of the five people against the other four. Who describes the picnic
# *as most people tend to describe it*? And a sentence that was put together from what most of them
# say, held against the same: where does it rank?

# %% tags=["demo"]
table = [(cider_d(caption, others, df, N), caption) for caption, others in in_turn(PICNIC)]
common = "a woman and a child having a picnic on some rocks ."
table.append((against_the_same(common, PICNIC, df, N), f"{common}  <- nobody wrote this"))
for score, caption in sorted(table, reverse=True):
    print(f"{score:5.2f}  {caption}")

# %% [markdown]
# The one with the most to tell comes last, and the sentence that nobody wrote comes first, far
# ahead of all people. That is no accident of this picture. A metric that asks for the consensus is
# served best by the one who has no words of their own. Keep it in mind for the end.
#
# **Predict, then run.** Somebody says it three times. How far does the score go down in plain
# CIDEr, which the package has as `cider`, and in your CIDEr-D? And what does CIDEr-D say of *one*
# picture, if the document frequency is counted on that picture alone?

# %% tags=["demo"]
stored = metrics.DocumentFrequency(N, dict(df))
for times in (1, 2, 3):
    said = " ".join([common] * times)
    plain = metrics.cider([said], [PICNIC], df=stored).corpus
    print(f"said {times} x: CIDEr {plain:.2f}, CIDEr-D {cider_d(said, PICNIC, df, N):.2f}")
alone = count_pictures([PICNIC])
print(f"df of one picture: CIDEr-D {cider_d(common, PICNIC, alone, 1):.2f}")

# %% [markdown]
# Plain CIDEr hardly notices. And with one picture everything is in *all* pictures, so that nothing
# weighs anything: a single picture needs a **stored** document frequency, counted elsewhere, and
# two figures can be compared only if they were counted on the same.

# %% [markdown]
# ## Your functions on many captions
#
# Now the scenes of the package's harder level, `rich`: up to four objects with patterns and
# shadings, and twelve people with habits of their own. They are held-out scenes, and five people
# wrote about each.

# %%
HELD_OUT = budget(500, fast=40)


@functools.cache
def held_out(seed):
    """Rich scenes from which nobody learned, a list."""
    return list(Scenes("test", n=HELD_OUT, level="rich", seed=seed))


def first_and_others(seed):
    """One person's caption of each scene, and those of the other four."""
    captions = [list(scene.captions) for scene in held_out(seed)]
    return [several[0] for several in captions], [several[1:] for several in captions]


@functools.cache
def df_of(seed):
    """The document frequency of what the four others wrote of all the scenes."""
    return count_pictures(first_and_others(seed)[1])


def scores_of(captions, references, df, pictures):
    """Four metrics of captions, by your functions."""
    pairs = list(zip(captions, references, strict=True))
    return {
        "BLEU-1": bleu(captions, references, max_n=1),
        "BLEU-4": bleu(captions, references),
        "ROUGE-L": float(np.mean([rouge_l(*pair) for pair in pairs])),
        "CIDEr-D": float(np.mean([cider_d(*pair, df, pictures) for pair in pairs])),
    }


def packaged(captions, references):
    """The same four, by the package's functions."""
    from cs_caption import metrics

    orders = metrics.bleu(captions, references).by_order
    return {
        "BLEU-1": orders[0].corpus,
        "BLEU-4": orders[3].corpus,
        "ROUGE-L": metrics.rouge_l(captions, references).corpus,
        "CIDEr-D": metrics.cider_d(captions, references).corpus,
    }


# %% [markdown]
# **Predict, then run.** One person against four others, by your functions and by the package's,
# which count all captions at once in large arrays. Do they agree? (On 5,000 photographs of COCO one
# person against four others reaches a CIDEr-D of 0.88 and a BLEU-4 of 0.20.)

# %% tags=["demo"]
captions, references = first_and_others(0)
timed = {}
for name, find in (
    ("yours", lambda: scores_of(captions, references, count_pictures(references), len(captions))),
    ("the package's", lambda: packaged(captions, references)),
):
    began = time.perf_counter()
    timed[name] = find()
    shown = "  ".join(f"{metric} {value:.6f}" for metric, value in timed[name].items())
    print(f"{name:>13}: {shown}  ({time.perf_counter() - began:.2f} s)")
off = max(abs(timed["yours"][metric] - value) for metric, value in timed["the package's"].items())
print(f"largest difference {off:.0e}")

# %% [markdown]
# They are twins. The package's are held to COCO's own code by its tests, to nine digits; so are
# yours, then, and without Java.
#
# And people agree with each other no better than this. Remember the figures.

# %% [markdown]
# ## METEOR: nearly the same word
#
# All metrics so far know a word or do not. *rock* and *rocks* are as foreign to them as *rock* and
# *bicycle*. **METEOR** [Banerjee and Lavie 2005] pairs the words of candidate and reference in
# stages, and the lecture lists them: *exact token matching*, *stemmed tokens*, *WordNet synonyms*,
# *paraphrases*. It gives two examples:
#
# > SYSTEM Jim went home, REFERENCE Joe goes home
# >
# > SYSTEM Jim walks home, REFERENCE Joe goes home
#
# What matches? *home*, exactly. Stemming takes endings off: *walks* becomes *walk*, *goes* becomes
# *goe*, and *went* stays *went*. It is a matter of letters, and pairs neither verb. In a table of
# synonyms *went* and *goes* may stand together, as forms of one verb. *walks* and *goes* do not,
# in WordNet: to walk is one way of going.
#
# With $m$ pairs, $P$ is $m$ over the candidate's length, $R$ over the reference's, and the two are
# joined with recall nine times as heavy, $F = 10 P R / (R + 9 P)$. Order comes in by **chunks**:
# pairs that are neighbours on both sides, in the same order, are one chunk. The more chunks, the
# more the order differs:
#
# $$\mathrm{METEOR} = F \cdot \Big(1 - \frac12 \Big(\frac{\text{chunks}}{m}\Big)^3\Big)$$
#
# *By hand*: with *home* alone $m = 1$, $P = R = F = \frac13$, one chunk: $\frac13 \cdot \frac12 =
# \frac16$. With the synonyms *went* and *goes* $m = 2$ and still one chunk, *went home*:
# $\frac23 \big(1 - \frac1{16}\big) = \frac58$.
#
# **Bonus exercise** (3 points, about 40 minutes). Write `meteor_score`.


# %% nbgrader={"grade_id": "meteor_score", "solution": true}
# exercise: meteor_score
def meteor_score(candidate, reference, stems, synonyms):
    """Score a caption by the words that it shares with a reference, or nearly shares: METEOR.

    candidate, reference: strings, words parted by blanks
    stems:    dict from a word to its stem; a word that is not in it is its own stem
    synonyms: list of lists of words that mean the same
    Words are paired in three stages: equal words, then equal stems, then words that stand in one
    list of synonyms. In each stage every word of the candidate that has no partner yet, from left
    to right, takes the first word of the reference that fits and has none.
    With m pairs, P is m over the candidate's length, R m over the reference's, F is
    10 P R / (R + 9 P). Pairs that are neighbours, in the same order, on both sides form a chunk.
    Returns a float, F (1 - 0.5 (chunks / m)^3); 0.0 where m is 0
    """
    ### BEGIN SOLUTION
    said, words = candidate.split(), reference.split()
    partner, taken = {}, set()
    stages = (
        lambda a, b: a == b,
        lambda a, b: stems.get(a, a) == stems.get(b, b),
        lambda a, b: any(a in group and b in group for group in synonyms),
    )
    for fits in stages:
        for i, a in enumerate(said):
            free = (j for j, b in enumerate(words) if j not in taken and fits(a, b))
            if i not in partner and (j := next(free, None)) is not None:
                partner[i] = j
                taken.add(j)
    m = len(partner)
    if m == 0:
        return 0.0
    chunks = sum(partner.get(i - 1, -2) != j - 1 for i, j in partner.items())
    P, R = m / len(said), m / len(words)
    return 10 * P * R / (R + 9 * P) * (1 - 0.5 * (chunks / m) ** 3)
    ### END SOLUTION


# %% tags=["ext"] nbgrader={"grade_id": "test_meteor_score", "points": 3}
check("meteor_score", meteor_score)

# %% [markdown]
# **Predict, then run.** The lecture's two, with each stage added to those before. Which stage
# changes which score? (The cell needs your `meteor_score`; nothing further down does.)

# %% tags=["demo"]
import snowballstemmer

words = ["Jim", "Joe", "went", "walks", "goes", "home"]
stems = dict(zip(words, snowballstemmer.stemmer("english").stemWords(words), strict=True))
print("stems:", ", ".join(f"{word} -> {stem}" for word, stem in stems.items() if word != stem))
for caption in ("Jim went home", "Jim walks home"):
    for stage, given in {
        "exact": ({}, []),
        "+ stems": (stems, []),
        "+ synonyms": (stems, [["went", "goes"]]),
    }.items():
        print(f"{meteor_score(caption, 'Joe goes home', *given):.4f}  {caption}, {stage}")

# %% [markdown]
# Stems change nothing, and synonyms one of the two. *Jim* and *Joe* stay two people, as they
# should. COCO prints version 1.5 of METEOR, with other weights, WordNet, a table of paraphrases,
# and Java under it all. The package's `meteor` has that version's weights and its first two stages,
# and is called **METEOR-ES** wherever it is printed, for exact and stem.

# %% [markdown]
# ## The leaderboard
#
# COCO had a server to which systems were sent. The lecture shows how it stood in December 2016:


# %%
LEADERBOARD = """
Watson Multimodal          1.123 0.268 0.559 0.773 0.609 0.461 0.344
MSM@MSRA                   1.049 0.266 0.552 0.751 0.588 0.449 0.343
G-RMI(PG-SPIDER-TAG)       1.042 0.255 0.551 0.751 0.591 0.445 0.331
MetaMind/VT_GT             1.042 0.264 0.55  0.748 0.584 0.444 0.336
ATT-IMG (MSM@MSRA)         1.023 0.262 0.551 0.752 0.59  0.449 0.34
G-RMI (PG-BCMR)            1.013 0.257 0.55  0.754 0.591 0.445 0.332
DONOT_FAIL AGAIN           1.01  0.262 0.542 0.734 0.564 0.425 0.32
DLTC@MSR                   1.003 0.257 0.543 0.74  0.575 0.436 0.331
Postech_CV                 0.987 0.255 0.539 0.743 0.575 0.431 0.321
feng                       0.986 0.255 0.54  0.743 0.578 0.434 0.323
Human                      0.854 0.252 0.484 0.663 0.469 0.321 0.217
"""
METRICS = ("CIDEr-D", "METEOR", "ROUGE-L", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4")


def leaderboard():
    """The lecture's table: system -> metric -> figure."""
    rows = [line.rsplit(maxsplit=len(METRICS)) for line in LEADERBOARD.strip().splitlines()]
    return {name: dict(zip(METRICS, map(float, values), strict=True)) for name, *values in rows}


# %% [markdown]
# **Predict, then run.** The ten best by CIDEr-D, and the people. Which metric is kindest to the
# people: in which one do they come nearest to the best system?

# %% tags=["demo"]
board = leaderboard()
near = {m: board["Human"][m] / max(row[m] for row in board.values()) for m in METRICS}
for metric, share in sorted(near.items(), key=lambda pair: -pair[1]):
    print(f"{metric:8} people reach {share:.0%} of the best system")
show_scores(
    board,
    caption="Ten systems of 2016 and people, by seven metrics",
    alt="In each of seven metrics the people's mark lies left of all ten systems' dots: by a hair "
    "in METEOR, far off in CIDEr-D and the more so in BLEU the longer its n-grams are.",
    mark=("Human",),
)

# %% [markdown]
# *According to CIDEr, humans are in 38th place!!*, the slide says, with a screaming face. Have a
# look at the captions of those systems, some of which you saw in 04, and ask whether thirty-seven
# of them describe pictures better than people do. It must be the ruler. METEOR, which forgives
# other forms of a word and weighs recall, puts people nearest; BLEU-4, which wants four words in a
# row just as another person wrote them, farthest. (The server has other photographs and held each
# caption against five references, so its people reach 0.854 and 0.217 where you read 0.88 and 0.20
# above.)
#
# With photographs the matter has to rest there. With yours it has not.

# %% [markdown]
# ## What do the metrics notice?
#
# Take true captions, and change them so that you *know* what became of the truth:
#
# - **another word** for each shape, one that means the same. As true as before
# - **exchanged**: two shapes change places, and colours and places stay: *a red ring above a blue
#   star* becomes *a red star above a blue ring*. Now it is wrong
# - **broken off**: the last third is missing. True, as far as it goes
# - **shuffled**: all words in a random order. Nonsense
# - **said twice**: nothing new
#
# All changes are made to the same captions, those that name shapes of two kinds, each by one word;
# plurals and names of several words stay as they are. An article may come out wrong, *an cloud*:
# that costs the metrics a word here and there, and is no untruth.


# %%
LONG_NAMES = " ".join(name for names in lexicon.NOUNS.values() for name in names if " " in name)


def shapes_in(words):
    """The places of the words that name a shape by themselves: no *bolt* of *lightning bolt*."""
    parts, around = set(LONG_NAMES.split()), ["", *words, ""]
    return [
        place
        for place, word in enumerate(words)
        if word in lexicon.SHAPES and not parts & {around[place], around[place + 2]}
    ]


def other_words(caption, draw):
    """Another word for each shape that has one: as true as before."""
    words = caption.split()
    for place in shapes_in(words):
        same = [w for w, s in lexicon.SHAPES.items() if s == lexicon.SHAPES[words[place]]]
        words[place] = draw.choice([word for word in same if word != words[place]] or same)
    return " ".join(words)


def exchanged(caption, draw=None):
    """The first shape and the first one of another kind change places; None without two kinds."""
    words = caption.split()
    first, *rest = shapes_in(words) or [None]
    other = [k for k in rest if lexicon.SHAPES[words[k]] != lexicon.SHAPES[words[first]]]
    if not other:
        return None
    words[first], words[other[0]] = words[other[0]], words[first]
    return " ".join(words)


def broken_off(caption, draw):
    words = caption.split()
    return " ".join(words[: -(len(words) // 3)])


def shuffled(caption, draw):
    words = caption.split()
    return " ".join(draw.sample(words, len(words)))


CHANGES = {
    "as it was": lambda caption, draw: caption,
    "another word": other_words,
    "exchanged": exchanged,
    "broken off": broken_off,
    "shuffled": shuffled,
    "said twice": lambda caption, draw: f"{caption} {caption}",
}


@functools.cache
def reactions(seed):
    """change -> metric -> score, on the captions that name shapes of two kinds."""
    from cs_caption.metrics import meteor, object_score, scene_objects

    captions, references = first_and_others(seed)
    rows = [i for i, caption in enumerate(captions) if exchanged(caption)]
    others = [references[i] for i in rows]
    truth = [scene_objects(held_out(seed)[i].objects) for i in rows]
    found = {}
    for name, change in CHANGES.items():
        draw = random.Random(seed)
        said = [change(captions[i], draw) for i in rows]
        found[name] = {
            "object F1": object_score(said, truth).f1,
            **scores_of(said, others, df_of(seed), HELD_OUT),
            "METEOR-ES": meteor(said, others).corpus,
        }
    return found


def shares_left(found):
    """Each score as a share of what the caption had as it was."""
    before = found["as it was"]
    return {
        name: {metric: score / before[metric] for metric, score in row.items()}
        for name, row in found.items()
    }


# %% [markdown]
# **Predict, then run.** Of what a caption gets as it was, how much is left after each change? First
# by the truth, object F1; then by each metric. Which would you want to lose most, *another word* or
# *exchanged*?

# %% tags=["demo"]
apart = [caption for caption in first_and_others(0)[0] if exchanged(caption)]
print(f"{len(apart)} of {HELD_OUT} captions take part. The first:")
for name, change in CHANGES.items():
    print(f"{name:>12}: {change(apart[0], random.Random(0))}")
for order in ("blue star red ring", "star blue ring red"):
    score = metrics.meteor([order], [["red ring blue star"]]).corpus
    print(f"METEOR-ES {score:.2f}: {order} | red ring blue star")
show_scores(
    shares_left(reactions(0)),
    caption="What is left of a true caption's score, after each change",
    alt="Object F1 keeps all with another word, a quarter or less when shapes are exchanged, and "
    "next to nothing when words are shuffled. BLEU-4, ROUGE-L, METEOR-ES and CIDEr-D lose more "
    "with another word than with the exchange. BLEU-1 notices neither the exchange nor the "
    "shuffling. BLEU-4 and ROUGE-L lose most when shuffled, BLEU-1 and CIDEr-D when said twice.",
    digits=2,
    one_scale=True,
)

# %% [markdown]
# The truth falls where it should: not at all with *another word*, by three quarters or more with
# the shapes *exchanged*. BLEU-4, ROUGE-L, METEOR-ES and CIDEr-D have it the other way round: each
# takes more from the one who names **the same thing in another word** than from the one who says
# what is not there, in the usual words. BLEU-1 does not even see that anything was exchanged, or
# that the words come in no order at all.
#
# What costs most depends on what a metric counts. For BLEU-4 and ROUGE-L, which look at the order,
# it is the shuffling. For BLEU-1 and CIDEr-D it is to say everything twice: both clip, and CIDEr-D
# minds the length as well. That the truth falls there too is its way of counting: who says *a ring*
# twice names two. METEOR-ES loses most with another word, and little by shuffling, in spite of its
# chunks. Version 1.5 takes off $0.6\,(\text{chunks}/m)^{0.2}$. That is 0.52 for pieces of two words
# and 0.60 for single ones, as in the two lines above the figure; so a true caption, which meets a
# reference in pieces, pays nearly as much as a shuffled one.
#
# None of this is a bug. A metric of n-grams asks *is this what people would have written?*, and
# that is all it asks.

# %% [markdown]
# ## The human paradox
#
# Your people are always right: an annotator of the scenes says nothing that is not there (but for a
# typo). Your captioner is not. Both are held against the same four references: what four *others*
# wrote.


# %%
@functools.cache
def spoken(seed, beam):
    """What the ready-made captioner says about the held-out scenes; beam 1 is greedy."""
    from cs_caption.evaluation import decode

    images = np.stack([scene.image for scene in held_out(seed)])
    return [best.text for best, *_ in decode(speaker(), images, beam=beam)]


def measured_by_all(captions, seed):
    """Captions of the held-out scenes by your metrics, the package's METEOR, and the truth."""
    from cs_caption.metrics import meteor, object_score, scene_objects

    _, references = first_and_others(seed)
    truth = object_score(captions, [scene_objects(scene.objects) for scene in held_out(seed)])
    return {
        **scores_of(captions, references, df_of(seed), HELD_OUT),
        "METEOR-ES": meteor(captions, references).corpus,
        "object F1": truth.f1,
        "named, not there": truth.hallucination,
    }


@functools.cache
def table_of_speakers(seed):
    """speaker -> measure -> figure: a person, the model, the model in front of other pictures."""
    greedy, beam = spoken(seed, 1), spoken(seed, 5)
    speakers = {
        "a person": first_and_others(seed)[0],
        "model, greedy": greedy,
        "model, beam 5": beam,
        "model, wrong pictures": beam[1:] + beam[:1],
    }
    return {name: measured_by_all(captions, seed) for name, captions in speakers.items()}


# %% [markdown]
# **Predict, then run.** A person, who is right, and the model, which is not always. Who wins in
# which column?

# %% tags=["demo"]
show_scores(
    table_of_speakers(0),
    caption="A person and the model, held against the same four other people",
    better={"named, not there": "lower"},
    alt="By the truth the person is far ahead: object F1 nearly twice the model's, and next to "
    "nothing named that is not there. By the metrics person and model lie close together: the "
    "greedy model is ahead by BLEU-1 and level by BLEU-4 and ROUGE-L, the person is ahead by "
    "METEOR-ES and CIDEr-D. Beam 5 is behind both by most metrics. The model of wrong pictures is "
    "last everywhere.",
    mark=("a person",),
)

# %% [markdown]
# The truth tells the two apart at a glance: the person names next to nothing that is not there; of
# what the greedy model names, about *half* is not. And the metrics? By BLEU-1 the half-wrong model
# is *ahead* of the person who is always right. By BLEU-4 and ROUGE-L the two are level. CIDEr-D and
# METEOR-ES still have the person first here, CIDEr-D by a tenth or so. On COCO's server the systems
# of 2016 had passed people by these two as well.
#
# How can that be? A person says what *they* see, in words of their own, in an order of their own,
# and rarely meets four others in all of that. The model has learned from many people together what
# is said most often. What it loses by its errors, it wins back by the usual words. You have seen
# both halves of this in CIDEr-D itself: with the picnic, where the best sentence was nobody's; and
# with the changes, where true captions in other words lost more than false ones in the usual words.
# So to come before people in such a table a captioner need not be better than they are. That is the
# secret of the 38th place.
#
# It has to write as people do, though. With beam 5 the same model names less that is not there, and
# falls behind by most metrics, behind the person and behind its greedy self: it says too little.
#
# The last row keeps you from the opposite error. With the wrong pictures the same sentences keep
# less than a fifth of their CIDEr-D, though two thirds of their BLEU-1. CIDEr-D does tell a caption
# that has to do with the picture from one that has not. What no metric here tells is by how much a
# true one is better than one that is half true.
#
# **Predict, then run.** The same over three seeds, with more speakers: models that were trained
# with each seed on half as many scenes as the ready-made one, *early* for a tenth of the time;
# *sampled* words of the same model; a caption taken from the most similar training picture; and
# what a person wrote of *another* picture. Which metrics give the order that the column *named but
# not there* gives? (*Yours* is the row that your machine measures now.)

# %% tags=["demo"]
show_study("paradox", studies.one("paradox", "annotator", seed=0))

# %% [markdown]
# At both ends they agree with the truth: people first, who lead a greedy model by a hair in BLEU-1
# and ROUGE-L, though of what it names more than half is not there; and last what was said of
# another picture. In between look at *sampled* and *early*. Of what the early model names nearly
# nine in ten are not there, of the sampled ones fewer, and the sampled captions have more than
# twice its object F1. CIDEr-D and METEOR-ES see that. BLEU-1, BLEU-4 and ROUGE-L have the early
# model first, with every seed: it has learned little yet but what is said most often. And beam 5,
# as before, names less that is not there than greedy, and stands behind it in all but BLEU-4, where
# the seeds disagree.

# %% [markdown]
# ## Do they tell true from false?
#
# One last question to the metrics. Of two captions of one model, does the one with the higher score
# name the objects better? Over many captions that is a **rank correlation**: 1 if the metric orders
# them as object F1 does, -1 if the other way round, 0 if it knows nothing of it.


# %%
def agreement(seed):
    """Rank correlation of your CIDEr-D and ROUGE-L with object F1, over the model's captions."""
    from cs_caption.metrics import object_score, scene_objects
    from cs_caption.metrics.objects import f1_from_rows
    from cs_caption.metrics.statistics import correlation

    captions, references = spoken(seed, 5), first_and_others(seed)[1]
    truth = object_score(captions, [scene_objects(scene.objects) for scene in held_out(seed)])
    f1, df, pairs = f1_from_rows(truth.rows), df_of(seed), zip(captions, references, strict=True)
    found = [(cider_d(*pair, df, HELD_OUT), rouge_l(*pair)) for pair in pairs]
    scores = dict(zip(("CIDEr-D", "ROUGE-L"), np.transpose(found), strict=True))
    return {name: correlation(score, f1, ranks=True) or 0.0 for name, score in scores.items()}


# %% [markdown]
# **Predict, then run.** What is the rank correlation of your CIDEr-D with the truth: nearer to 1 or
# to 0? Below it the same was asked of seven measures, the mere number of words among them, over
# three seeds: for all machines of the last study together, and for one, the greedy model; there
# also with the share of named objects that are not there, where -1 would be best. *People
# preferred* says on what part of the pictures the person's caption has the higher score of the two,
# and *where the model errs* the same of those pictures on which the model names what is not there.

# %% tags=["demo"]
for name, value in agreement(0).items():
    print(f"{name} and object F1, over the captions of one model: {value:.2f}")
show_study("agreement")

# %% [markdown]
# So a metric is not blind. Among the captions of *one* model all of them find those that name the
# objects well, by and large, CIDEr, CIDEr-D and METEOR-ES better than BLEU and ROUGE-L. Over all
# machines together, which differ more, each does better still. Length alone knows next to nothing.
# To follow the progress of a model on one data set, a metric serves.
#
# The person and the model are another matter. A coin would prefer the person on half of the
# pictures. BLEU-1 does no better, BLEU-4, ROUGE-L and plain CIDEr hardly do, CIDEr-D comes to a
# little over six in ten and METEOR-ES to two thirds. Even where the model says what is not there,
# BLEU and ROUGE-L prefer it on about four pictures in ten, and CIDEr-D and METEOR-ES on more than a
# quarter. Plain CIDEr agrees best with the truth about one model, and barely knows the person: that
# a metric ranks the captions of one speaker well does not mean that it ranks two who speak
# *differently*. And that is where people use it most: to compare.

# %% [markdown]
# ## How sure is a figure?
#
# Greedy has one CIDEr-D, beam search another. Would the difference be the same on other pictures?
# There are no others at hand; but you can draw from those that are there, with replacement, as many
# as there are, do it a thousand times, and see how much the figure changes: the **bootstrap**
# [Efron 1979]. For two systems the draw is the same for both, **paired**: a hard picture is hard
# for both, and drops out of the difference.
#
# **Predict, then run.** The person and the greedy model of the table above: in which metrics is it
# settled who is ahead?

# %% tags=["demo"]
JUDGES = ("bleu_1", "bleu_4", "meteor", "rouge_l", "cider_d")
seed = 0
people, others = first_and_others(seed)
metrics.compare(people, spoken(seed, 1), others, metrics=JUDGES, names=("a person", "greedy"))

# %% [markdown]
# **Predict, then run.** And is beam 5 better than greedy?

# %% tags=["demo"]
beam, greedy = spoken(seed, 5), spoken(seed, 1)
metrics.compare(beam, greedy, others, metrics=JUDGES, names=("beam 5", "greedy"))

# %% [markdown]
# An interval that holds 0 says that these pictures do not suffice to tell the two apart. One that
# does not hold it says that the difference should be there on other pictures as well, *of this kind
# and by this metric*. In one case of twenty such an interval misses.
#
# BLEU-1, BLEU-4 and ROUGE-L cannot decide between a person and a model that invents half of what it
# names. CIDEr-D is at the edge, and leaves it open on these five hundred pictures. Only METEOR-ES
# is sure of the person: it weighs recall, and who names more of what is there has more words in
# common. That beam search does not make a better caption you know from Part A; here all but BLEU-4
# are sure of it.
#
# Now set `seed = 1` and run both cells again, for five hundred other pictures. METEOR-ES stands by
# its verdicts. CIDEr-D is now sure of the person, and of the beam it knows no more; and BLEU-4 is
# sure that beam 5 is *better* than greedy. So publish the interval with the figure, say which
# metric it was, and do not call a difference real because one of five metrics does.

# %% [markdown]
# ## The question of this notebook
#
# **Question** (4 points, graded by hand; at most 60 words). A company reports that its captioner
# has a higher CIDEr-D than people on the same photographs, and so describes pictures better than
# they do. Why does that not follow? (Give two results of this notebook that show it.) And what
# would you measure instead?

# %% [markdown] nbgrader={"grade_id": "better_than_people", "points": 4, "solution": true}
# ### BEGIN SOLUTION
# CIDEr-D rewards agreement with what most people write, not truth. At the picnic a stitched
# consensus sentence outranked all five people. In the scenes true synonyms lost more than false
# exchanges. Instead: count objects rightly and wrongly named against the truth, or let people
# judge, unaware who wrote which.
#
# *Rubric, a point each:* CIDEr-D measures agreement with the references (consensus, usual words),
# not truth; a result of this notebook that shows it for CIDEr-D; a second one; a better
# measurement: objects or facts against a known truth, or judgement by people who do not know who
# wrote what (another metric of n-grams is none). Results that count: the sentence that nobody
# wrote ranks before the five people; another word costs more than exchanged shapes; a model that
# invents half of what it names comes within about a tenth of the person who is always right; a row
# of the two studies that shows the same. That people lead by CIDEr-D here shows none of it.
# ### END SOLUTION

# %% [markdown]
# ## What came out
#
# The same measurements, from your functions and from a recorded run of ours over several seeds. The
# seed chooses the held-out scenes. A number outside the range has a cause that is worth finding.
# (What was found above is not measured again, so the time here is short.)


# %%
def search_numbers(seed):
    """The numbers of Part A: what a wider beam finds, and what it is worth."""
    numbers = {
        f"{name}, width {beam}": search_result(seed, beam)[name]
        for beam in (1, 2, 20)
        for name in ("log-probability", "words", "CIDEr-D", "object F1", "no object named")
    }
    shares = how_often_best(seed)
    return numbers | {
        "words, width 5 and alpha 1": search_result(seed, 5, 1.0)["words"],
        "object F1, width 5": search_result(seed, 5)["object F1"],
        "object F1, width 5, told the shapes": search_result(seed, 5, told=True)["object F1"],
        "tiny languages, greedy finds the best": shares[1],
        "tiny languages, width 3 finds the best": shares[3],
    }


def metric_numbers(seed):
    """The numbers of Part B: what the metrics notice, and whom they prefer."""
    left, speakers = shares_left(reactions(seed)), table_of_speakers(seed)
    return {
        **{
            f"{metric} left, {change}": share
            for change in ("another word", "exchanged")
            for metric, share in left[change].items()
        },
        "BLEU-1 left, shuffled": left["shuffled"]["BLEU-1"],
        **{
            f"{name}: {metric}": value
            for name, row in speakers.items()
            for metric, value in row.items()
        },
        **{f"{name} and object F1": value for name, value in agreement(seed).items()},
    }


def measurements(seed):
    """The numbers of this notebook for one seed."""
    return search_numbers(seed) | metric_numbers(seed)


# %% tags=["demo"]
beside("05_beam_and_metrics", measurements, seed=0)

# %% [markdown]
# You can search for a sentence, and you can say what a figure under it means, and what it does not.
# In 06 the captioner learns to *look* while it speaks, and its looking can be judged as well.

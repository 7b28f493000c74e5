# %% [markdown]
# # 06 · Attention: look where you speak
#
# Your captioner of 04 takes one glance at the picture, and then it speaks with its eyes closed. In
# this notebook it looks again before every word, and it decides where. That makes it better, and it
# lets you see what it was looking at as it said *square*. In Part A it looks everywhere at once,
# here more and there less: soft attention. In Part B it looks at one place at a time, which is
# drawn: hard attention. There the gradient no longer passes, and you need another way to learn.
#
# **Part A: looking softly** (12 points; with the reading under three hours)
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `attention_scores` | scores how well each region answers a query | 3 | 20 |
# | `soft_attention` | blends the regions by their scores | 3 | 20 |
# | `attention_lstm_step` | one word of an LSTM that looks before it speaks | 4 | 35 |
# | `doubly_stochastic_penalty` | charges for what no word looks at | 2 | 15 |
#
# **Part B: one place at a time** (8 points, 3 more as a bonus, and 4 by hand; with the reading
# under three hours)
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `hard_attention_sample` | draws one region, and says how probable the draw was | 3 | 25 |
# | `reinforce_loss` | teaches a model where to look, though looking is a draw | 3 | 35 |
# | `pointing_accuracy` | counts the nouns said while looking at what they name | 2 | 25 |
# | `noisy_or` | bonus: a word is there if at least one region shows it | 3 | 20 |
# | a question | what a map of attention proves, and what it does not | 4 | 10 |
#
# Each exercise is one function in torch. Put your code in place of `raise NotImplementedError`, run
# the cell, then run the check below it: it says how many points the function has earned and, where
# a case fails, what is probably wrong. Run it as often as you like.

# %%
import collections
import functools
import math
import tempfile
import time

import numpy as np
import torch
from torch import nn

from cs_caption import check, studies
from cs_caption.budget import budget
from cs_caption.data import CaptionedImages, Scenes, Vocabulary
from cs_caption.measured import beside
from cs_caption.viz.curves import show_curves
from cs_caption.viz.explorer import show_attention
from cs_caption.viz.looks import show_looks
from cs_caption.viz.matrix import Matrix, show_matrices
from cs_caption.viz.pictures import show_pictures
from cs_caption.viz.pipeline import show_pipeline
from cs_caption.viz.scores import show_scores
from cs_caption.viz.studies import show_study

torch.set_num_threads(1)  # tensors this small gain nothing by more; and one rounds alike everywhere

# %% tags=["demo"]
show_pipeline(here="recurrent network")

# %% [markdown]
# ## Part A: words without places
#
# Before it comes to attention, the lecture shows what another system of 2015 makes of four
# photographs. It is Microsoft's of the table in 04, *From Captions to Visual Concepts and Back*. It
# has a **word detector** for each of the thousand most frequent words, which says of every part of
# the picture how likely it is that the word belongs there; all that comes to at least 0.50 is
# listed. From the list a language model makes a sentence. Here are the lists, in the lecture's
# order, each with the system's sentence and one by a person.
#
# 1. men .59, group .66, woman .64, people .89, holding .60, playing .61, tennis .69, court .51,
#    standing .59, skis .58, street .52, man .77, skateboard .67
#
#    *a group of people standing next to each other*; a person: *people stand outside a large ad for
#    gap featuring a young boy*
#
# 2. person .55, street .53, holding .55, group .63, slope .51, standing .62, snow .91, skis .74,
#    player .54, people .85, men .57, skiing .51, skateboard .89, riding .75, tennis .74, trick .53,
#    skate .52, woman .52, man .86, down .61
#
#    *a group of people riding skis down a snow covered slope*; a person: *a guy on a skate board on
#    the side of a ramp*
#
# 3. umbrella .59, woman .52, fire .96, hydrant .96, street .79, old .50, bench .81, building .75,
#    standing .57, baseball .55, white .82, sitting .65, people .79, photo .53, black .84, kitchen
#    .54, man .72, water .56
#
#    *a black and white photo of a fire hydrant*; a person: *a courtyard full of poles pigeons and
#    garbage cans also has benches on either side of it ...*
#
# 4. horse .53, bear .71, elephant .99, elephants .95, brown .68, baby .62, walking .57, laying .61,
#    man .57, standing .79, field .65, water .83, large .71, dirt .65, river .58
#
#    *a baby elephant standing next to each other on a field*; a person: *elephants are playing
#    together in a shallow watering hole*
#
# Look at the second. *skateboard* .89 is on the list, and it is right; *snow* .91 is on it too, and
# the sentence follows the snow: *skis*. In the fourth both *elephant* and *elephants* are nearly
# certain, and what comes out is *a baby elephant standing next to each other*. A list has no
# places, no order and no count. Once a word is on it, nobody can ask **where** it was seen, or
# whether *riding* and *skateboard* were seen in the same place.
#
# The lecture's next slide:
#
# > Instead of learning word detectors over image regions, consider learning an **attention model**
# > instead

# %% [markdown]
# ## A picture is a set of places
#
# Up to now a convnet made one vector of a picture, and its last feature map was averaged over the
# places. Now the map stays as it is: $L$ regions, each with its vector $a_i$ of $C$ numbers. In
# *Show, Attend and Tell* [Xu et al. 2015], which the lecture follows, there are
# $14 \cdot 14 = 196$ regions of 512 numbers, from a VGG. Here there are $8 \cdot 8 = 64$ **cells**
# of 96 numbers, from the small convnet of 04 that has learned to name shapes and colours and no
# caption. It stays frozen, and what it sees is kept in a file, as in 04.

# %%
NULL, START, END, UNK = range(4)
PICTURES, HELD_OUT = budget(3000, fast=96), budget(500, fast=24)
shelf = tempfile.TemporaryDirectory()  # the file of features lives as long as this notebook


@functools.cache
def eyes():
    """The pretrained convnet, frozen, in a captioner of which nothing else is used."""
    from cs_caption.pipeline import new_captioner

    nothing = Vocabulary.build(["nothing is said"])
    return new_captioner(nothing, 0, weights="scenes", frozen=True, attention=False).eval()


@functools.cache
def shown(split):
    """The scenes of a split, a list: pictures, captions, and what is truly there."""
    return list(Scenes(split, n=PICTURES if split == "train" else HELD_OUT))


@functools.cache
def grids(split):
    """What the convnet sees of a split, (N, L, C) = (N, 64, 96), in half precision."""
    from cs_caption.features import cache_features

    scenes = shown(split)
    data = CaptionedImages(
        np.stack([scene.image for scene in scenes]),
        [list(scene.captions) for scene in scenes],
        [scene.id for scene in scenes],
    )
    return cache_features(eyes(), data, f"{shelf.name}/{split}", report=None).images


# %% [markdown]
# A cell *lies over* 8 x 8 of the picture's 64 x 64 pixels, but it *sees* more: each of its numbers
# has passed through three convolutions and two poolings, and every one of them looks beyond the
# cell's edge.
#
# **Predict, then run.** One pixel in the middle of the picture changes. In how many of the 64 cells
# do the numbers change? And for a pixel in a corner?


# %%
@torch.no_grad()
def touched(row, column, n=32, seed=0):
    """Which cells of the grid (8, 8) a pixel can change, tried out on n pictures of noise."""
    noise = np.random.default_rng(seed).integers(0, 256, (n, 64, 64, 3), dtype=np.uint8)
    other = noise.copy()
    other[:, row, column] = 255 - other[:, row, column]
    change = (eyes().encode(noise) - eyes().encode(other)).abs()  # (n, L, C)
    return (change.amax(dim=(0, 2)) > 1e-4).view(8, 8).int().numpy()


# %% tags=["demo"]
places = {"pixel 32, 32": (32, 32), "pixel 0, 0": (0, 0)}
show_matrices(
    *(
        Matrix(f"{name}: cells that change", touched(*pixel), list("01234567"), list("01234567"))
        for name, pixel in places.items()
    ),
    alt="Two 8 x 8 grids. A pixel in the middle changes a block of cells around it; a pixel in the "
    "corner a smaller block in that corner. All other cells are 0.",
)

# %% [markdown]
# Sixteen cells, and four in the corner. Turned round: each cell sees 36 x 36 pixels, enough to tell
# what an object is, and not the whole picture. So a cell *beside* an object knows of it as well.
# Keep that in mind when you look at maps of attention.

# %% [markdown]
# ## Ask, and be answered
#
# Before each word the LSTM asks a question, the **query** $q$, and every region answers with a
# number that says how well it fits. Who asks is the state; what is asked for is not written by
# anybody, it is learned. What a region answers with is its **key**, a linear map of its vector:
# $k_i = W_a a_i + b_a$. The paper's way to compare the two is *additive*: both are brought to $A$
# numbers, added, squashed and weighed:
#
# $$\underbrace{e_i}_{\text{score}} = v^T \tanh\big(\underbrace{k_i}_{A} +
# \underbrace{W_q\, q + b_q}_{A}\big) + b_v$$
#
# *By hand*, with $A = 1$: three regions have the keys $-1$, $0$ and $2$, the query comes out as
# $W_q q + b_q = 1$, and $v = 4$, $b_v = 0$.
#
# | region | key | key + query | tanh | score |
# |:-:|--:|--:|--:|--:|
# | 1 | $-1$ | 0 | 0 | 0 |
# | 2 | 0 | 1 | 0.76 | 3.05 |
# | 3 | 2 | 3 | 1.00 | 3.98 |
#
# Another query changes the order of nothing here; but with $A = 64$ such numbers, and weights $v$
# of both signs, it does. The tanh is what makes it so. Without it, $v^T(k_i + W_q q + b_q)$ would
# be the key's part plus the query's part: the query would add the same number to each score, and
# could not prefer any region to another.
#
# In the function below the regions of $N$ pictures are scored at once, each picture's regions with
# that picture's own query. `model` is an `nn.ModuleDict`; `model["query"]` is $W_q q + b_q$, and
# `model["score"]` is $v^T(\cdot) + b_v$. As in 04, what you make should have the dtype of what you
# are given: the checks use float32 and float64.
#
# **Exercise** (3 points, about 20 minutes). Write `attention_scores`.


# %% nbgrader={"grade_id": "attention_scores", "solution": true}
# exercise: attention_scores
def attention_scores(model, query, keys):
    """Score how well each region of each picture answers a query: additive attention.

    model: nn.ModuleDict of query (nn.Linear Q -> A) and score (nn.Linear A -> 1); it may have
           other parts as well
    query: (N, Q) float tensor, what is asked of each picture
    keys:  (N, L, A) float tensor, what each of its L regions has to answer with
    The score of region i is score(tanh(keys[n, i] + query(query[n]))).
    Returns scores (N, L)
    """
    ### BEGIN SOLUTION
    asked = model["query"](query)[:, None]  # (N, 1, A)
    return model["score"](torch.tanh(keys + asked)).squeeze(2)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_attention_scores", "points": 3}
check("attention_scores", attention_scores)

# %% [markdown]
# **Predict, then run.** Eight regions with random keys, and a query whose length grows: 0, 1, 10,
# 100 and 1000. How different are the scores of the eight regions each time?


# %%
def spread_of_scores(length, seed=0, L=8, A=16):
    """The standard deviation of L regions' scores, for a query of that length."""
    torch.manual_seed(seed)
    model = nn.ModuleDict({"query": nn.Linear(A, A), "score": nn.Linear(A, 1)})
    query, keys = torch.randn(1, A), torch.randn(1, L, A)
    with torch.no_grad():
        return attention_scores(model, length * query / query.norm(), keys).std().item()


# %% tags=["demo"]
for length in (0, 1, 10, 100, 1000):
    print(f"query of length {length:4}: scores spread by {spread_of_scores(length):.3f}")

# %% [markdown]
# A query that is too loud drowns the keys: every tanh is at $\pm 1$ whatever the region holds, and
# all regions get the same score. No gradient comes through either. (It is the story of saturated
# units in 02 and 03 once more, and one reason why weights should begin small.)

# %% [markdown]
# ## The blend
#
# The lecture has one formula for soft attention:
#
# $$z_t = \sum_{i=1}^L \alpha_t[i] \cdot a_i$$
#
# and two words on it. It is **deterministic**: the $\alpha$'s *assign relative importance to give
# to location $i$ in blending the $a$'s together*. And it is **differentiable**: a gradient that
# reaches $z$ goes on to each $\alpha_t[i]$, to its score, to the query and the keys, and so it is
# *learned using standard backpropagation*. The weights are the softmax of the scores, over the
# regions of a picture:
#
# $$\alpha_t[i] = \frac{e^{e_i}}{\sum_{j} e^{e_j}}$$
#
# *By hand*, with the three scores from above, 0, 3.05 and 3.98: the exponentials are 1, 21.0 and
# 53.5, the sum is 75.6, and $\alpha$ is 0.01, 0.28, 0.71. If the regions' vectors are $(0, 0)$,
# $(1, 0)$ and $(0, 1)$, say *how red* and *how round*, then $z = (0.28, 0.71)$.
#
# Now a **mask**. In a batch not every picture has as many regions as the largest, and the places
# that are left over must not be looked at. If region 3 may not be looked at, $\alpha$ is
# $1/22.0 = 0.05$, $0.95$ and **exactly** 0, and $z = (0.95, 0)$. Three ways to get that wrong:
#
# - Set the score to 0. But $e^0 = 1$, which is as much as region 1 has got. No weight is a score of
#   $-\infty$.
# - Take the softmax over everything, and then set some weights to 0. The rest no longer sums to 1.
#   And if you divide by what is left: where the masked score is a thousand larger than the others,
#   what is left has underflowed to 0.
# - Take a very negative number in place of $-\infty$. It works until somebody's scores are of that
#   size.
#
# And a property: if the same number is added to all scores, nothing changes, since $e^{e_i + s} =
# e^{e_i} e^s$, and $e^s$ cancels. That holds on paper for any $s$. In a computer $e^{1000}$ is
# infinity; torch's softmax subtracts the largest score first, and so should yours. (The $b_v$ of
# the scores adds the same number to each, and has no effect at all.)
#
# **Exercise** (3 points, about 20 minutes). Write `soft_attention`.


# %% nbgrader={"grade_id": "soft_attention", "solution": true}
# exercise: soft_attention
def soft_attention(scores, a, mask=None):
    """Blend the regions of each picture: z = sum_i alpha_i a_i.

    scores: (N, L) float tensor
    a:      (N, L, C) float tensor, the regions' vectors
    mask:   (N, L) bool tensor, True where a region may be looked at, at least one in each row;
            None where all may
    alpha is the softmax of the scores over the regions that may be looked at; the others get a
    weight of exactly 0.
    Returns z (N, C), alpha (N, L)
    """
    ### BEGIN SOLUTION
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    alpha = scores.softmax(dim=1)
    z = (alpha[:, None] @ a).squeeze(1)
    return z, alpha
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_soft_attention", "points": 3}
check("soft_attention", soft_attention)

# %% [markdown]
# The example, from your two functions:

# %% tags=["demo"]
one = nn.ModuleDict({"query": nn.Linear(1, 1), "score": nn.Linear(1, 1)}).requires_grad_(False)
for name, weight in (("query", 1.0), ("score", 4.0)):
    one[name].weight.fill_(weight), one[name].bias.zero_()
scores = attention_scores(one, torch.ones(1, 1), torch.tensor([[[-1.0], [0.0], [2.0]]]))
a = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
for mask in (None, torch.tensor([[True, True, False]])):
    z, alpha = soft_attention(scores, a, mask)
    print("scores", *(f"{score:.2f}" for score in scores[0]), end="   ")
    print("alpha", *(f"{weight:.2f}" for weight in alpha[0]), end="   ")
    print("z", *(f"{number:.2f}" for number in z[0]))

# %% [markdown]
# **Predict, then run.** The three scores are multiplied by 0, by 0.3, by 1, 3 and 30. What does
# $\alpha$ become at the two ends?

# %% tags=["demo"]
sizes = (0, 0.3, 1, 3, 30)
rows = [soft_attention(scores * size, a)[1][0].numpy() for size in sizes]
show_matrices(
    Matrix(
        "weights, where the scores are multiplied by",
        np.stack(rows).round(2),
        [f"{size:g}" for size in sizes],
        ["region 1", "region 2", "region 3"],
    ),
    alt="With 0 all three weights are a third. With larger factors the weight moves to region 3, "
    "and with 30 it has all of it.",
)

# %% [markdown]
# With scores of 0 attention is the **mean**: the one glance of 04. With large scores it looks at
# one region and at nothing else. All between is open to it, and training decides.

# %% [markdown]
# ## A step that looks
#
# Now put it into the LSTM. One step of your captioner in 04 read a word, and nothing else. This one
# looks first:
#
# $$\begin{aligned}
# q &= [\,h_{t-1},\; x_t\,] & &\text{what to ask} \\
# \alpha_t &= \mathrm{softmax}(e(q, k_1), \ldots, e(q, k_L)) & &\text{where to look} \\
# \beta_t &= \sigma(w_\beta^T h_{t-1} + b_\beta) & &\text{how much to look at all} \\
# z_t &= \beta_t \sum_i \alpha_t[i]\, a_i & &\text{what is seen} \\
# h_t, c_t &= \mathrm{LSTM}\big([\,x_t,\; z_t\,];\; h_{t-1}, c_{t-1}\big) & &
# \end{aligned}$$
#
# and from $h_t$ and $z_t$ the next word is scored. Three things in it need a word.
#
# **What the query knows.** In the paper the query is the last state alone, $q = h_{t-1}$. That
# state has not read the word $x_t$ yet. Let the sentence so far be *a red*: as the step that reads
# *red* chooses where to look, the paper's query knows of *a* and not of *red*; and this is the step
# that has to say *square*. Ours is $[h_{t-1}, x_t]$, so that the query of this step can ask: where
# is something red? ([Lu et al. 2017] came to the same conclusion.) What $\alpha_t$ shows is then
# **where the model looked for the word that it says next**. Read maps of other people's models with
# care: often they belong to a word earlier or later than the one they are printed beside.
#
# **The gate.** $\beta_t$ is a single number between 0 and 1, made from the last state. Not every
# word needs the picture: after *on the left* comes *of*. The authors noticed that with the gate the
# weights lie more on objects. In the examples that the lecture shows of them, the first word is
# printed as *A(1.00)*, *A(0.99)* or *A(0.97)*: the authors' own script for such figures prints the
# gate beside each word. $\beta$ scales what is seen; $\alpha$ still sums to one.
#
# **What need not be done again.** Keys do not depend on the words. They are made once a picture,
# and are given to the step. A well-known tutorial makes them at every word, with a ResNet's
# $14 \cdot 14$ regions of 2,048 numbers and $A = 512$. Count the multiplications:
#
# | | multiplications |
# |:--|--:|
# | keys of a picture: $196 \cdot 2048 \cdot 512$ | 205,520,896 |
# | a word's LSTM: $4 \cdot 512 \cdot (512 + 2048 + 512)$ | 6,291,456 |
# | a word's query: $512 \cdot 512$ | 262,144 |
# | a word's scores and blend: $196 \cdot (512 + 2048)$ | 501,760 |
#
# Made anew at every word, the keys cost 29 times as much as all the rest of the table.
#
# *By hand* (all sizes 1, one region, so that $\alpha = 1$): $a = 2$, $h_{t-1} = 0.5$, and the gate
# has weight 0 and bias 0. Then $\beta = 0.5$ and $z = 0.5 \cdot 1 \cdot 2 = 1$, and the LSTM reads
# $[x_t, 1]$. With a gate that is forgotten it would read $[x_t, 2]$.
#
# **Exercise** (4 points, about 35 minutes). Write `attention_lstm_step`. Use your two functions;
# keys come as they are, and the step makes none.


# %% nbgrader={"grade_id": "attention_lstm_step", "solution": true}
# exercise: attention_lstm_step
def attention_lstm_step(model, word, prev_h, prev_c, a, keys, mask=None):
    """One step of an LSTM that looks at the picture anew for each word.

    model:  nn.ModuleDict of query (nn.Linear H + W -> A), score (nn.Linear A -> 1), gate
            (nn.Linear H -> 1) and cell (nn.LSTMCell W + C -> H); it may have other parts as well
    word:   (N, W) float tensor, the vectors of the words that are read
    prev_h, prev_c: (N, H) float tensors
    a:      (N, L, C) float tensor, the regions' vectors; keys: (N, L, A), what they answer with
    mask:   as in soft_attention
    The query is [prev_h, word], in this order; beta = sigmoid(gate(prev_h)) scales what is seen,
    z = beta * sum_i alpha_i a_i; the cell reads [word, z], in this order.
    Returns next_h (N, H), next_c (N, H), z (N, C), alpha (N, L)
    """
    ### BEGIN SOLUTION
    query = torch.cat([prev_h, word], dim=1)
    z, alpha = soft_attention(attention_scores(model, query, keys), a, mask)
    z = torch.sigmoid(model["gate"](prev_h)) * z
    next_h, next_c = model["cell"](torch.cat([word, z], dim=1), (prev_h, prev_c))
    return next_h, next_c, z, alpha
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_attention_lstm_step", "points": 4}
check("attention_lstm_step", attention_lstm_step)

# %% [markdown]
# **Predict, then run.** The 64 cells of a picture are shuffled, vectors and keys alike. What
# becomes of the weights, of $z$, and of the next state? And if so, how can such a model ever tell
# left from right?


# %%
@functools.cache
def vocabulary():
    """The words of the training captions, all of them, and how often each is to be predicted."""
    return Vocabulary.build([caption for scene in shown("train") for caption in scene.captions])


def new_model(seed, C=96, W=32, H=128, A=32):
    """An untrained captioner with attention, which guesses each word as often as it comes."""
    counts = torch.tensor(vocabulary().counts) + 1.0
    torch.manual_seed(seed)
    model = nn.ModuleDict(
        {
            "words": nn.Embedding(len(counts), W),
            "first": nn.Linear(C, 2 * H),  # the first state
            "key": nn.Linear(C, A),
            "query": nn.Linear(H + W, A),
            "score": nn.Linear(A, 1),
            "gate": nn.Linear(H, 1),
            "cell": nn.LSTMCell(W + C, H),
            "combine": nn.Linear(H + C, H),
            "output": nn.Linear(H, len(counts)),
        }
    )
    model["output"].bias.data.copy_((counts / counts.sum()).log())
    model["cell"].bias_hh.data[H : 2 * H] = 1.0  # the forget gate, as in 03: at first it remembers
    return model


def first_state(model, a):
    """h and c before <START> is read, (N, H) each, from the mean over the regions a (N, L, C)."""
    return model["first"](a.mean(dim=1)).tanh().chunk(2, dim=1)


@torch.no_grad()
def one_step(order, seed=0):
    """alpha, z and the next state of one step over a picture whose cells come in that order."""
    model = new_model(seed)
    a = torch.from_numpy(np.array(grids("val")[:1])).float()[:, order]  # (1, L, C)
    word = model["words"](torch.tensor([START]))
    next_h, _, z, alpha = attention_lstm_step(
        model, word, *first_state(model, a), a, model["key"](a)
    )
    return alpha, z, next_h


# %% tags=["demo"]
as_they_are, shuffled = torch.arange(64), torch.randperm(64)
alpha, z, next_h = one_step(as_they_are)
other_alpha, other_z, other_h = one_step(shuffled)
for name, change in {
    "alpha": other_alpha - alpha,
    "alpha, shuffled alike": other_alpha - alpha[:, shuffled],
    "z": other_z - z,
    "next state": other_h - next_h,
}.items():
    print(f"{name:22} differs by {change.abs().max():.6f}")

# %% [markdown]
# The weights move with their regions, and apart from rounding nothing else notices. To attention a
# picture is a *set*: it has no left and no right, unless the vectors themselves say where they come
# from. That is why this convnet adds to each cell's 96 numbers a vector that belongs to its place,
# one of 64. They are random here, and small; it is for the captioner to find out which is which.
# (04 took means and maxima over the cells, in which hardly anything of that is left.)

# %% [markdown]
# ## A captioner of your functions
#
# The ladder again: step, sequence, model, train, speak. A caption is read from `<START>` on, and
# each step has to say the word that comes next. It is scored from $[h_t, z_t]$ by two layers, so
# that what is seen has a short way to what is said. (The paper has such a *deep output* as well.)
# The first state comes from the mean over the cells: one glance, as in 04.
#
# `read_captions` is a loop over your step, with the keys made once a picture. The step is an
# argument, so that in Part B another can take its place.

# %%
Captioned = collections.namedtuple("Captioned", "features tokens mask")  # (N, L, C), (N, 5, T)


def encoded(captions):
    """Strings -> tokens and mask, tensors (N, T)."""
    tokens = torch.from_numpy(vocabulary().encode_batch(captions))
    return tokens, tokens != NULL


@functools.cache
def captioned(split):
    """All that training needs of a split; the features in half precision."""
    scenes = shown(split)
    tokens, mask = encoded([caption for scene in scenes for caption in scene.captions])
    shape = len(scenes), 5, tokens.shape[1]
    features = torch.from_numpy(np.array(grids(split)))
    return Captioned(features, tokens.view(shape), mask.view(shape))


def scores_of(model, h, z):
    """The scores of the next word, from the state and from what is seen."""
    return model["output"](torch.tanh(model["combine"](torch.cat([h, z], dim=-1))))


def read_captions(model, a, tokens, step=attention_lstm_step):
    """Read captions word by word, looking before each: what is scored, and where it looked.

    a:      (N, L, C), N pictures
    tokens: (K * N, T), K captions of each picture, which stand together
    step:   as attention_lstm_step; it may return more than four results
    Returns logits (K * N, T, V), alpha (K * N, T, L), and whatever more step returns, stacked
    """
    h, c = first_state(model, a)
    keys = model["key"](a)  # once a picture
    times = len(tokens) // len(a)
    a, keys, h, c = (part.repeat_interleave(times, dim=0) for part in (a, keys, h, c))
    steps = []
    for word in model["words"](tokens).unbind(dim=1):
        h, c, *found = step(model, word, h, c, a, keys)
        steps.append((h, *found))
    h, z, *looks = (torch.stack(part, dim=1) for part in zip(*steps, strict=True))
    return scores_of(model, h, z), *looks


def nats_of(logits, targets):
    """-log p of each target: logits (N, T, V), targets (N, T) -> (N, T)."""
    return -logits.log_softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]


def batch_loss(model, a, tokens, mask):
    """The mean nats a real word: tokens[:, :-1] are read, tokens[:, 1:] should be said."""
    logits, _ = read_captions(model, a, tokens[:, :-1])
    return nats_of(logits, tokens[:, 1:])[mask[:, 1:]].mean()


SPENT = []  # seconds, an entry a training
STEPS = budget(600, fast=6)


def fit(model, data, steps, seed=0, loss_of=batch_loss, pictures=32, captions=2, rate=6e-3):
    """Train in place, Adam at a rate that falls to nothing: the loss at each step."""
    began = time.perf_counter()
    torch.manual_seed(seed)
    solver, losses = torch.optim.Adam(model.parameters(), rate), []
    for step in range(steps):
        solver.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        rows = torch.randperm(len(data.features))[:pictures]
        which = torch.rand(len(rows), data.tokens.shape[1]).argsort(dim=1)[:, :captions]
        tokens, mask = (part[rows[:, None], which].flatten(0, 1) for part in data[1:])
        longest = int(mask.sum(dim=1).max())
        a = data.features[rows].float()
        loss = loss_of(model, a, tokens[:, :longest], mask[:, :longest])
        solver.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        solver.step()
        losses.append(loss.item())
    SPENT.append(time.perf_counter() - began)
    return losses


# %% [markdown]
# First the handful: sixteen pictures with one caption each, by heart. A model that cannot do that
# has a fault, and it is found in seconds.

# %% tags=["demo"]
few = Captioned(*(part[:16] for part in captioned("train")))
few = few._replace(tokens=few.tokens[:, :1], mask=few.mask[:, :1])
losses = fit(new_model(0), few, budget(120, fast=3), pictures=16, captions=1)
print(f"by heart: {losses[0]:.2f} nats a word at the first step, {losses[-1]:.3f} at the last")

# %% [markdown]
# Now in earnest: 600 steps of 32 pictures with two captions of each. (About half a minute,
# where nothing else runs. Most of it goes into the tanh of 64 cells, for every word of every
# caption.)
#
# And to speak: greedy, all pictures at once, and for each word the weights with which it was said.

# %%
Soft = collections.namedtuple("Soft", "model losses")
Said = collections.namedtuple("Said", "captions maps log_probs")  # an entry a picture, a row a word


@functools.cache
def captioner(seed):
    """The trained captioner with soft attention, and its losses."""
    model = new_model(seed)
    return Soft(model, fit(model, captioned("train"), STEPS, seed))


@torch.no_grad()
def speak(model, features, step=attention_lstm_step, max_len=20):
    """Greedy captions of pictures (N, L, C): strings, and for each word where and how surely.

    maps and log_probs have a last row for <END>, where it was said.
    """
    a = features.float()
    h, c = first_state(model, a)
    keys, word, said = model["key"](a), torch.full((len(a),), START), []
    for _ in range(max_len):
        h, c, z, alpha, *_ = step(model, model["words"](word), h, c, a, keys)
        log_probs = scores_of(model, h, z).log_softmax(dim=1)
        log_probs[:, [NULL, START, UNK]] = -torch.inf  # no part of any sentence
        sure, word = log_probs.max(dim=1)
        said.append((word, alpha, sure))
    tokens, maps, sure = (torch.stack(part, dim=1).numpy() for part in zip(*said, strict=True))
    ends = [[*row, END].index(END) for row in tokens.tolist()]
    return Said(
        [decoded(row[:end]) for row, end in zip(tokens, ends, strict=True)],
        [rows[: end + 1] for rows, end in zip(maps, ends, strict=True)],
        [row[: end + 1] for row, end in zip(sure, ends, strict=True)],
    )


def decoded(numbers):
    """Numbers of words -> a string."""
    return " ".join(vocabulary().words[number] for number in numbers)


@functools.cache
def spoken(seed):
    """What the trained captioner says of the held-out scenes."""
    return speak(captioner(seed).model, captioned("val").features)


def judged(captions):
    """Captions of the held-out scenes against the truth: .f1, .exact, .bins, as in 04."""
    from cs_caption.metrics import object_score, scene_objects

    return object_score(captions, [scene_objects(scene.objects) for scene in shown("val")])


# %% [markdown]
# **Predict, then run.** The captioner of 04 named the right objects with an F1 of about 0.88, from
# one glance. Is one that looks before each word better?

# %% tags=["demo"]
model, losses = captioner(0)
counts = np.array(vocabulary().counts)
share = counts[counts > 0] / counts.sum()
show_curves(
    {"soft attention": losses},
    {"frequencies alone": -float((share * np.log(share)).sum())},
    xlabel="step",
    ylabel="loss, nats a word",
    alt="The loss begins at what frequencies alone can reach, falls steeply at first and slowly "
    "afterwards.",
)

# %% tags=["demo"]
said = spoken(0)
score = judged(said.captions)
print(f"{SPENT[-1]:.0f} s of training; object F1 {score.f1:.3f}, exact set {score.exact:.1%}")
for scene, caption in zip(shown("val")[:5], said.captions, strict=False):
    print(f"   {caption:60} ({scene.captions[0]})")

# %% [markdown]
# It names more of what is there than the captioner of 04, which was shown more captions. (Which of
# two objects is on the *left* is another matter: compare with what the people say.) Now the part
# that no captioner of 04 could show you.

# %% [markdown]
# ## Where it looked
#
# A caption of a picture that the model has never seen. **Choose a word** (by mouse, or with the tab
# key and enter): the picture is bright where the model looked in order to say it, and the strongest
# cell is framed. **Predict first**: where does it look for *a*? For the colour? For the shape?


# %%
def a_good_example(seed):
    """The first held-out scene of two objects of which the caption names both, and no other."""
    bins = judged(spoken(seed).captions).bins
    fitting = (
        i for i, scene in enumerate(shown("val")) if len(scene.objects) == 2 and bins[i] == "all"
    )
    return next(fitting, 0)


# %% tags=["demo"]
i = a_good_example(0)
scene = shown("val")[i]
show_attention(
    scene.image,
    said.captions[i].split(),
    said.maps[i],
    objects=scene.objects,
    log_probs=said.log_probs[i],
    alt="A held-out scene of two objects, and your captioner's own words for it.",
)

# %% [markdown]
# At the shape's name nearly all of the weight lies on the object that is named, in a few cells. At
# its colour it lies there too, more loosely. At the little words it is mostly spread, and now and
# then it lies already where the next noun will come from. Nobody has told the model where things
# are. It has seen pictures and sentences, and a gradient has passed through $\alpha$.
#
# So a look can be narrow or wide. In 02 a perplexity of 3 was as good as a choice among three
# words; in the same way $e$ to the entropy of $\alpha_t$ is the **number of cells** that are looked
# at. 64 is a look that is as wide as the picture. And the gate says how much of what is seen is let
# in.


# %%
KINDS = {
    "shapes": "circle disc square box triangle star heart cross",
    "colours": "red green blue yellow orange purple violet pink brown",
    "sizes": "small little big large",
    "grounds": "white grey gray black",
    "sides": "left right above below",
    "little words": "a the of is to on and",
}


def gated_step(model, word, prev_h, prev_c, a, keys):
    """Your step, with its gate (N,) as a fifth result."""
    gate = torch.sigmoid(model["gate"](prev_h)).squeeze(1)
    return *attention_lstm_step(model, word, prev_h, prev_c, a, keys), gate


@functools.cache
def looks_by_kind(seed):
    """As the people's words are said: cells looked at, and the gate, means by kind of word."""
    model, data, found = captioner(seed).model, captioned("val"), []
    for features, tokens in zip(data.features.split(50), data.tokens.split(50), strict=True):
        tokens = tokens.flatten(0, 1)
        with torch.no_grad():
            _, alpha, gate = read_captions(model, features.float(), tokens[:, :-1], gated_step)
        entropy = -(alpha * alpha.clamp_min(1e-30).log()).sum(dim=2)
        found.append(torch.stack([tokens[:, 1:], entropy.exp(), gate], dim=2).flatten(0, 1))
    word, *numbers = torch.cat(found).T
    means = {}
    for kind, members in KINDS.items():
        of_kind = torch.isin(word.long(), encoded([members])[0][0, 1:-1])
        means[kind] = [float(number[of_kind].mean()) for number in numbers]
    return means


# %% [markdown]
# **Predict, then run.** Order the kinds of words by how many cells are looked at for them, over the
# five captions that people wrote of each held-out picture.

# %% tags=["demo"]
print("kind of word    cells   gate")
for kind, (cells, gate) in sorted(looks_by_kind(0).items(), key=lambda pair: pair[1]):
    print(f"{kind:14} {cells:6.1f} {gate:6.2f}")

# %% [markdown]
# Shapes are looked for in a handful of cells, colours and sizes in two to four times as many, and
# for the little words and the grounds the look is wider than half of the picture. It is widest for
# the sides: what *left* means lies between two objects, and in no cell. The gate is the blunter
# instrument, one number made before the word is known. All the same it is about half open for
# shapes and colours, and two thirds closed or more for the sides and the little words. (For the
# grounds it differs from one seed to the next: a ground is everywhere, and the first glance has
# seen it too.)
#
# ## Who asks must have read
#
# Back to the query. Yours knows the word just read; the paper's does not. **Predict, then run.**
# The same model, but with a query that is deaf to the word: those of its weights are 0 and stay 0.
# Both read held-out captions that people wrote, and have to say the next word each time. At the
# nouns, how often does the strongest cell lie on the object that is named? (Only pictures with two
# objects count. Part B has the exact rule; pointing at one of the objects at random gives a half.)


# %%
@functools.cache
def deaf_captioner(seed):
    """As captioner, but that the query hears the last state only: the paper's."""
    model = new_model(seed)
    weight = model["query"].weight  # (A, H + W)
    heard = torch.ones_like(weight)
    heard[:, model["gate"].in_features :] = 0
    weight.data.mul_(heard)
    weight.register_hook(lambda gradient: gradient * heard)
    return Soft(model, fit(model, captioned("train"), STEPS, seed))


@torch.no_grad()
def given_words(model):
    """Pointing at the nouns of each held-out scene's first caption, read from the page."""
    from cs_caption.metrics.pointing import pointing_score

    data, scenes = captioned("val"), shown("val")
    _, alpha = read_captions(model, data.features.float(), data.tokens[:, 0, :-1])
    captions = [scene.captions[0] for scene in scenes]
    return pointing_score(captions, list(alpha.numpy()), [scene.objects for scene in scenes])


# %% tags=["demo"]
for name, one in (("hears the word", captioner(0)), ("deaf to it", deaf_captioner(0))):
    given = given_words(one.model)
    score = judged(speak(one.model, captioned("val").features).captions)
    print(f"{name:15} right in {given.accuracy or 0:.0%} of {given.counted} nouns;", end=" ")
    print(f"its own captions have an object F1 of {score.f1:.3f}")
print(f"one of the objects, at random: {given.random_object or 0:.0%}")

# %% [markdown]
# On other people's words the deaf model is nearer to chance than to the other, and you can see why.
# *a red*, the page says, where the model would have begun with the blue one. Its query has not
# heard of it: it goes on looking at what it would have named itself. Only the LSTM, a moment later,
# reads *red* and has to say *square* without having looked there. Its own captions suffer less, as
# it knows beforehand what it is going to say, but they suffer too.

# %% [markdown]
# ## Look at everything once?
#
# Nothing says that a model must look at all of a picture. The paper wants it to: besides each
# *word's* weights, which sum to one over the regions, each *region's* weights should sum to one
# over the words. It adds to the loss
#
# $$\lambda \sum_{i=1}^{L} \Big(1 - \sum_{t=1}^{T} \alpha_t[i]\Big)^2$$
#
# and calls that **doubly stochastic** attention. The inner sum is over the words of a caption, the
# outer one over the regions; for a batch the mean of the captions' penalties is taken. The words
# are the real ones: what stands in the padding is not looked at, and not charged.
#
# *By hand*, two words and three regions:
#
# | | region 1 | region 2 | region 3 | |
# |:--|--:|--:|--:|:--|
# | first word | 0.7 | 0.2 | 0.1 | |
# | second word | 0.6 | 0.4 | 0 | |
# | together | 1.3 | 0.6 | 0.1 | |
# | $(1 - \cdot)^2$ | 0.09 | 0.16 | 0.81 | sum 1.06 |
#
# **Exercise** (2 points, about 15 minutes). Write `doubly_stochastic_penalty`. In the padding alpha
# may be anything, infinity and NaN included: they must not come into the sum, nor into a gradient.


# %% nbgrader={"grade_id": "doubly_stochastic_penalty", "solution": true}
# exercise: doubly_stochastic_penalty
def doubly_stochastic_penalty(alpha, real):
    """Charge for regions that a caption's words together do not look at once.

    alpha: (N, T, L) float tensor, the weights with which each word of N captions was said
    real:  (N, T) bool tensor, False in the padding at the end, where alpha may be anything
    A caption's penalty is the sum over the regions of (1 - sum over its words of alpha) squared.
    Returns the mean of the captions' penalties, a tensor without axes
    """
    ### BEGIN SOLUTION
    looked = alpha.masked_fill(~real[:, :, None], 0.0).sum(dim=1)  # (N, L)
    return ((1 - looked) ** 2).sum(dim=1).mean()
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_doubly_stochastic_penalty", "points": 2}
check("doubly_stochastic_penalty", doubly_stochastic_penalty)

# %% [markdown]
# **Predict, then run.** Ten words, 64 cells, and three ways of looking: ten times at the same cell;
# at ten different cells; at all cells alike, each time. Which has the lowest penalty?


# %%
def ways_of_looking(T=10, L=64):
    """Weights (1, T, L) for T words, three ways."""
    cells = torch.eye(L)
    return {
        "always the same cell": cells[:1].expand(1, T, L),
        "each word another cell": cells[None, :T],
        "all cells alike": torch.full((1, T, L), 1 / L),
    }


# %% tags=["demo"]
for way, alpha in ways_of_looking().items():
    real = torch.ones(alpha.shape[:2], dtype=torch.bool)
    print(f"{way:24} {doubly_stochastic_penalty(alpha, real).item():6.1f}")

# %% [markdown]
# The weights of ten words sum to ten, and 64 cells wish for one each: the wish cannot come true.
# What comes nearest to it is to look at **everything, at every word**, and see nothing in
# particular. Looking at ten different cells, exactly as one should who names ten things, costs
# more. The paper has 196 regions and captions of about ten words. So what does this penalty do to a
# captioner?
#
# That depends on $\lambda$, and on something that is easily overlooked. A well-known tutorial has
# $\lambda = 1$, as the paper's authors have, and takes the *mean* over the regions where the paper
# has a sum. That makes it weaker by a factor of $L$: 64 here, 196 there. Two programs say
# *doubly stochastic, 1.0*, and do quite different things.
#
# **Predict, then run.** Your trained captioner reads held-out captions. The words' loss pulls at
# what decides where to look (key, query and score), and so does the penalty. How many times as hard
# as the words does the penalty pull, in the paper's loss, where both are sums (over a caption's
# words, and over its regions), and in the tutorial's, where both are means?


# %%
def pull(model, loss):
    """The length of a loss's gradient at the weights that decide where to look."""
    weights = [p for part in ("key", "query", "score") for p in model[part].parameters()]
    gradients = torch.autograd.grad(loss, weights, retain_graph=True)
    return math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))


def pulls(seed):
    """How many times as hard as the words the penalty pulls, in two losses with lambda = 1."""
    model, data = captioner(seed).model, captioned("val")
    tokens, real = data.tokens[:64, 0], data.mask[:64, 0, 1:]
    logits, alpha = read_captions(model, data.features[:64].float(), tokens[:, :-1])
    nats, penalty = nats_of(logits, tokens[:, 1:])[real], doubly_stochastic_penalty(alpha, real)
    losses = {
        "sums, as in the paper": (nats.sum() / len(tokens), penalty),
        "means, as in the tutorial": (nats.mean(), penalty / alpha.shape[2]),
    }
    return {name: pull(model, two) / pull(model, one) for name, (one, two) in losses.items()}


# %% tags=["demo"]
for name, ratio in pulls(0).items():
    print(f"{name:26} {ratio:5.2f} times as hard as the words")


# %%
def attention_numbers(seed):
    """The numbers of Part A for one seed."""
    score, kinds = judged(spoken(seed).captions), looks_by_kind(seed)
    hears, deaf = (given_words(one(seed).model) for one in (captioner, deaf_captioner))
    return {
        "object F1, soft": score.f1,
        "exact set, soft": score.exact,
        **{f"cells looked at, {kind}": kinds[kind][0] for kind in KINDS},
        "pointing, given words": hears.accuracy or 0.0,
        "pointing, given words, deaf query": deaf.accuracy or 0.0,
    }


# %% [markdown]
# As sums, the penalty pulls several times as hard as the words do, and the words take what it
# leaves. As means, the two are about equal. In both cases it pulls towards looking everywhere. (The
# paper's captions and regions are others than yours; its authors found that the penalty helped.
# What it does to the package's captioner, three seeds each, stands in the study that Part B shows:
# very little, in either form.)
#
# A blend has a price that no penalty takes away: what is seen is a mixture, and a mixture of a red
# square and a blue circle is not unlike one of a blue square and a red circle. Part B looks at one
# cell and at no other.

# %% [markdown]
# ## Part B: one place at a time
#
# *Part B.* Your captioner mixes: its $z$ is a blend of 64 cells, a little of everything. People do
# not look like that. An eye rests on one place, then on another. The lecture calls it **hard
# attention**:
#
# > At time step $t$, the index into the feature vectors is sampled from the current location
# > distribution vector $\alpha_t$
#
# $$k \sim \alpha_t, \qquad z_t = a_k$$
#
# The weights are the same as in Part A. What changes is what they are *for*. In soft attention
# $\alpha_t[i]$ is how much of cell $i$ goes into the blend; in hard attention it is the
# **probability** that cell $i$, and no other, is looked at. The lecture shows both kinds on one
# photograph, eight words and a full stop, with a map for each: *A bird flying over a body of
# water.* The soft maps are clouds. Each hard map has one bright place and is black elsewhere: it
# shows what was drawn. (The maps of hard looks that you will see below show $\alpha$ instead, the
# probabilities, and those may be clouds as well. What is seen is one cell of them.)
#
# | | soft | hard |
# |:--|:--|:--|
# | $z_t$ | $\sum_i \alpha_t[i]\, a_i$ | $a_k$, with $k \sim \alpha_t$ |
# | the same twice | yes (*deterministic*) | no (*stochastic*) |
# | how it learns | backpropagation | *set up as reinforcement learning problem* |
#
# The last line is what this part is about. Then you measure whether attention, of either kind,
# looks at what it names, and ask what that proves.

# %% [markdown]
# ## A draw
#
# How do you draw a cell with given probabilities? Cut the line from 0 to 1 into pieces as long as
# the probabilities, throw a random number $u$ between 0 and 1, and take the piece on which it
# falls. The ends of the pieces are the running sums of $\alpha$.
#
# *By hand*: $\alpha = (0.5, 0.3, 0.2)$ has the running sums $0.5, 0.8, 1$. With $u = 0.65$ the
# first one is not greater than $u$, the second is: it is the second cell. With $u = 0.5$ it is the
# second as well, since $0.5$ is not greater than $0.5$. So the pieces are $[0, 0.5)$, $[0.5, 0.8)$
# and $[0.8, 1)$, and no point belongs to two.
#
# Two traps. A cell whose probability is 0 has a piece of length 0, and must never be drawn, at
# $u = 0$ neither. And with 64 rounded numbers the last running sum may come out as 0.9999999: a $u$
# above that falls behind the last piece.
#
# What is returned beside $z$ and $k$ is $\ln \alpha[k]$. You will need it soon: $u$ and $k$ have no
# gradient, but that has one.
#
# **Exercise** (3 points, about 25 minutes). Write `hard_attention_sample`.


# %% nbgrader={"grade_id": "hard_attention_sample", "solution": true}
# exercise: hard_attention_sample
def hard_attention_sample(alpha, a, u):
    """Look at one region of each picture, drawn with the probabilities alpha.

    alpha: (N, L) float tensor, each row sums to 1 up to rounding; some entries may be exactly 0
    a:     (N, L, C) float tensor, the regions' vectors
    u:     (N,) float tensor of random numbers, 0 <= u < 1
    The region is the first one at which the running sum of alpha is greater than u. Where rounding
    leaves the whole sum at u or below, it is the last region whose alpha is above 0.
    Returns z (N, C), the region's vector; k (N,) int64, the region; log_prob (N,), the logarithm
    of its probability, through which a gradient can flow to alpha
    """
    ### BEGIN SOLUTION
    passed = (alpha.cumsum(dim=1) <= u[:, None]).sum(dim=1)
    places = torch.arange(alpha.shape[1], device=alpha.device)
    last = places.expand_as(alpha).masked_fill(alpha <= 0, 0).amax(dim=1)
    k = torch.minimum(passed, last)
    rows = torch.arange(len(k), device=k.device)
    return a[rows, k], k, alpha[rows, k].log()
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_hard_attention_sample", "points": 3}
check("hard_attention_sample", hard_attention_sample)

# %% [markdown]
# **Predict, then run.** Your captioner reads what a person wrote of a held-out picture, and here is
# where it looks for the first noun: 64 weights. Now 5,000 draws from them by your function. How
# alike are the two pictures? How many of the 64 cells are drawn at least once?


# %%
@torch.no_grad()
def looks_for(model, rows, captions, step=attention_lstm_step):
    """A model reads captions of the held-out pictures `rows`: where it looks for each word, and
    what each costs; (M, T, L) and (M, T)."""
    tokens, _ = encoded(captions)
    a = captioned("val").features[rows].float()
    logits, alpha, *_ = read_captions(model, a, tokens[:, :-1], step)
    return alpha, nats_of(logits, tokens[:, 1:])


def first_noun(caption):
    """At which word the first noun of a caption stands."""
    from cs_caption.metrics.objects import mentions

    return mentions(caption)[0].word


def two_objects(n):
    """The first n held-out pictures with two objects, and what the first person says of each."""
    rows = [i for i, scene in enumerate(shown("val")) if len(scene.objects) == 2][:n]
    return rows, [shown("val")[i].captions[0] for i in rows]


def drawn_often(alpha, times, seed=0):
    """The share of the draws that falls on each cell of alpha (L,), by hard_attention_sample."""
    luck = torch.Generator().manual_seed(seed)
    rows = alpha.expand(times, -1)
    _, k, _ = hard_attention_sample(rows, rows[:, :, None], torch.rand(times, generator=luck))
    return torch.bincount(k, minlength=len(alpha)) / times


# %% tags=["demo"]
(row,), (caption,) = two_objects(1)
word = first_noun(caption)
alpha = looks_for(captioner(0).model, [row], [caption])[0][0, word]
shares = drawn_often(alpha, 5000)
print(f"{caption!r}, at the word {caption.split()[word]!r}:", end=" ")
print(f"{int((shares > 0).sum())} of {len(alpha)} cells drawn;", end=" ")
print(f"shares and weights differ by {(shares - alpha).abs().max():.3f} at most")
show_pictures(
    (torch.stack([alpha, shares]).view(2, 8, 8) / alpha.max()).clamp(max=1).numpy(),
    ["the weights", "how often each cell was drawn"],
    alt="Two grids of 8 x 8 cells that look the same: bright where the weights are large.",
)

# %% [markdown]
# The same picture, with a little grain. Remember that it takes five thousand draws to see it so
# well. A training step has *one* draw for each word.

# %% [markdown]
# ## No gradient goes through a draw
#
# Now let the model learn. Say that with the second cell the word would have been cheaper than with
# the first. The second should get more weight. But ask calculus: the scores change by a hair, the
# running sums move by a hair, and $u$ falls on the same piece as before. The same cell, the same
# $z$, the same loss. The derivative is 0, for almost every $u$; at the few others it does not
# exist. *Non-differentiable due to sampling*, says the lecture, and: *set up as reinforcement
# learning problem*.
#
# > Action = which area to attend to next
# >
# > Reward = log-likelihood of caption wrt to target sentence
#
# What does change smoothly is the **mean** over the draws. Let $p_k$ be the probability of cell $k$
# and $R_k$ the reward when it is looked at. Then
#
# $$J = \sum_k p_k R_k \qquad\text{and}\qquad
# \nabla J = \sum_k R_k \nabla p_k = \sum_k p_k\, \big(R_k \nabla \ln p_k\big).$$
#
# The last step is all there is to it: $\nabla p = p\, \nabla \ln p$. It is called the
# **score-function identity**. On the left stands a sum over all cells; on the right the mean of
# $R_k \nabla \ln p_k$ over *draws* of $k$. And of a mean one can take a sample: draw one $k$, and
# $R_k \nabla \ln p_k$ is right **on average**. This is REINFORCE [Williams 1992].
#
# *By hand*, on three cells. The probabilities are $p = (0.5, 0.3, 0.2)$, a softmax of scores $s$,
# and with the three cells in view the word costs 1, 2 and 4 nats: $R = (-1, -2, -4)$. Then
#
# $$J = 0.5 \cdot (-1) + 0.3 \cdot (-2) + 0.2 \cdot (-4) = -1.9.$$
#
# The exact gradient, by the softmax you know from 01, is $\partial J / \partial s_i = p_i (R_i -
# J)$: that is $(0.45, -0.03, -0.42)$. More weight for the first cell, less for the third.
#
# And the estimates: $\partial \ln p_k / \partial s_i$ is $1 - p_i$ at $i = k$, and $-p_i$ at the
# others.
#
# | drawn | with probability | $R_k$ | $\nabla \ln p_k$ | $R_k \nabla \ln p_k$ |
# |:-:|:-:|:-:|:-:|:-:|
# | 1 | 0.5 | -1 | (0.5, -0.3, -0.2) | (-0.50, 0.30, 0.20) |
# | 2 | 0.3 | -2 | (-0.5, 0.7, -0.2) | (1.00, -1.40, 0.40) |
# | 3 | 0.2 | -4 | (-0.5, -0.3, 0.8) | (2.00, 1.20, -3.20) |
# | on average | | | (0, 0, 0) | (0.45, -0.03, -0.42) |
#
# Take the average yourself, for one column at least: $0.5 \cdot (-0.5) + 0.3 \cdot 1 + 0.2 \cdot 2
# = 0.45$. It is exact. But look at the rows. None of them is near it. The first, which comes up
# every other time, points the *wrong way*: it takes weight from the best cell, because every reward
# is negative, and whatever was done is punished.

# %% [markdown]
# ## What should I have expected?
#
# So do not ask whether a reward is good, ask whether it is better than **expected**. Subtract a
# number $b$, the **baseline**, from every reward. On average nothing changes, because the column
# $\nabla \ln p_k$ averages to 0. (It must: probabilities sum to 1 whatever the scores.) With
# $b = J = -1.9$, the reward to expect:
#
# | drawn | with probability | $R_k - b$ | $(R_k - b) \nabla \ln p_k$ |
# |:-:|:-:|:-:|:-:|
# | 1 | 0.5 | 0.9 | (0.45, -0.27, -0.18) |
# | 2 | 0.3 | -0.1 | (0.05, -0.07, 0.02) |
# | 3 | 0.2 | -2.1 | (1.05, 0.63, -1.68) |
# | on average | | | (0.45, -0.03, -0.42) |
#
# The same average, and now the first row points the right way. How far do the rows stray from it?
# The mean squared distance, the **variance**, is $4.26 - 0.38 = 3.88$ in the first table (mean
# squared length of the rows, less squared length of the average) and $1.02 - 0.38 = 0.64$ in the
# second: six times less, for one subtraction.
#
# In training nobody knows $J$, and it rises as the model learns. What serves is a **moving
# average** of the rewards seen so far:
#
# $$b \leftarrow 0.9\, b + 0.1\, \bar R, \qquad \bar R \text{ the mean over the batch.}$$
#
# With $b = -20$ and a batch whose captions cost 10 nats on average it becomes $-19$. The batch
# itself is judged by the *old* baseline, which knows nothing of its draws.

# %% [markdown]
# ## The loss
#
# A caption has $T$ looks, and one reward: what all its words were worth, $R = -\sum_t \text{nats}_t
# = \ln p(\text{caption} \mid \text{looks})$. Three things are to be learned, and each is a term of
# a loss.
#
# $$\ell = \underbrace{\sum_t \text{nats}_t}_{\text{what to say}}
# \;-\; \underbrace{(R - b) \sum_t \ln \alpha_t[k_t]}_{\text{where to look}}
# \;-\; \underbrace{\lambda \sum_t H(\alpha_t)}_{\text{do not be sure too soon}}$$
#
# - The first is the loss of Part A, summed over the words. Its gradient teaches the words, *given*
#   what was looked at. Of where to look it knows nothing, since no gradient goes through a draw.
# - The second has no meaning as a number. It is there for its gradient, which is the estimate
#   above. For that, $R - b$ must be a **plain number**. If a gradient flowed through it, the words
#   would be trained to please the draws.
# - The third pays for uncertainty, $H = -\sum_i \alpha[i] \ln \alpha[i]$, the entropy. A model that
#   is sure of one cell never draws another, and never learns that it would have been better. Where
#   $\alpha[i]$ is exactly 0, $0 \ln 0$ counts as 0, but for a computer it is NaN, and so is its
#   gradient: take care that it is not even computed.
#
# Is $J$, the mean of $\ln p(\text{caption} \mid \text{looks})$, the right thing to make large? What
# you would want is the logarithm of the mean, $\ln p(\text{caption})$. With the three cells: the
# mean of the logarithms is $-1.9$, the logarithm of the mean is $\ln(0.5 e^{-1} + 0.3 e^{-2} + 0.2
# e^{-4}) = -1.48$. The first is never above the second (Jensen's inequality), and the paper trains
# it for that reason: it is a **lower bound**.
#
# *By hand*, all of it: one caption of two words that cost 1 and 2 nats, over two cells. At the
# first word $\alpha = (0.5, 0.5)$, at the second $(0.25, 0.75)$, and both times the first cell was
# drawn; $b = -4$ and $\lambda = 0.01$.
#
# - The words: $1 + 2 = 3$. So the reward is $-3$, one better than expected, $R - b = 1$.
# - The looks: $\ln 0.5 + \ln 0.25 = -0.693 - 1.386 = -2.079$, to be subtracted once.
# - The entropies: $0.693$ and $0.25 \cdot 1.386 + 0.75 \cdot 0.288 = 0.562$, together $1.255$, of
#   which a hundredth counts, $0.013$.
#
# So $\ell = 3 - 1 \cdot (-2.079) - 0.013 = 5.067$, and the next baseline is $0.9 \cdot (-4) + 0.1
# \cdot (-3) = -3.9$. And the gradient? A nat more in either word makes the loss larger by 1, since
# $R - b$ is a plain number. If it were not, that nat would come in a second time, multiplied by
# the looks: $1 - 2.079 = -1.079$. The words would be taught to be *dearer*.
#
# **Exercise** (3 points, about 35 minutes). Write `reinforce_loss`. `.detach()` gives the same
# numbers without their gradient.


# %% nbgrader={"grade_id": "reinforce_loss", "solution": true}
# exercise: reinforce_loss
def reinforce_loss(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01):
    """The loss whose gradient teaches a captioner where to look, though looking is a draw.

    nats:      (N, T) float tensor, -log p of each word, given what was looked at
    log_probs: (N, T) float tensor, the logarithm of the probability of each look that was drawn
    alpha:     (N, T, L) float tensor, the probabilities it was drawn from; none is below 0, some
               may be exactly 0
    real:      (N, T) bool tensor, False in the padding, where all of these may be any finite number
    baseline:  float, the reward to expect
    A caption's reward is R = -sum nats, a plain number through which no gradient flows. Its loss is
    sum nats - (R - baseline) * sum log_probs - entropy_weight * (sum of the entropies of alpha),
    each sum over its real words.
    Returns the mean of the captions' losses, a tensor without axes, and the next baseline, a float:
    decay * baseline + (1 - decay) * mean R
    """
    ### BEGIN SOLUTION
    certain = alpha.masked_fill(alpha == 0, 1.0)  # 0 log 0 is 0, and has no gradient
    entropy = -(alpha * certain.log()).sum(dim=2)
    nats, looked, unsure = (
        part.masked_fill(~real, 0.0).sum(dim=1) for part in (nats, log_probs, entropy)
    )
    reward = -nats.detach()
    loss = nats - (reward - baseline) * looked - entropy_weight * unsure
    return loss.mean(), decay * baseline + (1 - decay) * reward.mean().item()
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_reinforce_loss", "points": 3}
check("reinforce_loss", reinforce_loss)

# %% [markdown]
# **Predict, then run.** The worked caption: loss, next baseline, and what the loss sends back to
# the nats and to the logarithms of the looks. Which of the four would a forgotten `.detach()`
# change?


# %%
def worked_caption():
    """The caption worked by hand: loss, next baseline, and the gradients of nats and log_probs."""
    nats = torch.tensor([[1.0, 2.0]], requires_grad=True)
    log_probs = torch.tensor([[0.5, 0.25]]).log().requires_grad_()
    alpha = torch.tensor([[[0.5, 0.5], [0.25, 0.75]]])
    loss, after = reinforce_loss(nats, log_probs, alpha, torch.ones(1, 2).bool(), -4.0)
    loss.backward()
    return loss.item(), after, nats.grad[0].tolist(), log_probs.grad[0].tolist()


# %% tags=["demo"]
loss, after, to_nats, to_looks = worked_caption()
print(f"loss {loss:.3f}, next baseline {after:.1f}; gradients:", end=" ")
print("nats", *(f"{g:.2f}" for g in to_nats), end=", ")
print("looks", *(f"{g:.2f}" for g in to_looks))

# %% [markdown]
# Only what goes back to the nats, and with it all that makes the words. The looks get the same,
# $-(R - b)$ each. So a loss without `.detach()` shows the right numbers, and looks that learn as
# they should; it is the words that get worse and worse.
#
# Now the tables above, from your two functions. Three cells are so few that you need not draw:
# throw $u = 0.25$, $0.65$ and $0.9$, and each cell has been drawn once. (The minus sign is there
# since a loss is made smaller and a reward larger.)


# %%
def three_cells(baseline):
    """The estimates of your functions for each of three cells (3, 3), and their mean (3,)."""
    chances, costs = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([1.0, 2.0, 4.0])
    rows = []
    for u in (0.25, 0.65, 0.9):
        scores = chances.log().requires_grad_()
        alpha = scores.softmax(dim=0)[None]  # (1, 3)
        _, k, log_prob = hard_attention_sample(alpha, torch.eye(3)[None], torch.tensor([u]))
        nats, real = costs[k][:, None], torch.ones(1, 1, dtype=torch.bool)
        loss, _ = reinforce_loss(
            nats, log_prob[:, None], alpha[:, None], real, baseline, entropy_weight=0.0
        )
        loss.backward()
        rows.append(-scores.grad)
    rows = torch.stack(rows)
    return rows, chances @ rows


def variance(rows, mean, chances=(0.5, 0.3, 0.2)):
    """The mean squared distance of the rows from their mean."""
    return float(torch.tensor(chances) @ (rows - mean).square().sum(dim=1))


# %% [markdown]
# **Predict, then run.** Which baseline has the smallest variance: 0, the expected reward $-1.9$, or
# one that is far too low, $-10$?

# %% tags=["demo"]
tables = []
for b in (0.0, -1.9, -10.0):
    rows, mean = three_cells(b)
    print(f"baseline {b:5}: variance {variance(rows, mean):.2f}")
    names = ["cell 1", "cell 2", "cell 3", "on average"]
    values = torch.cat([rows, mean[None]]).numpy().round(4)
    tables.append(Matrix(f"baseline {b:g}", values, names, ["s1", "s2", "s3"]))
show_matrices(
    *tables,
    alt="Three tables of estimates, a row for each cell that can be drawn. Rows differ from table "
    "to table; the averages are the same in all: 0.45, -0.03, -0.42.",
)

# %% [markdown]
# Any baseline is right on average. A good one is near the expected reward; one that is far too low
# is worse than none, because then *everything* is praised. (The very best is not exactly $J$, as
# the rows are of different lengths; but it is never far from it where the cells are many.)

# %% [markdown]
# ## How far do the estimates stray?
#
# On three cells the average could be taken by hand. A captioner has $64^{10}$ ways to look while it
# says ten words. But make the grid small, $3 \times 3$ cells, and the captions four words, and the
# ways are $9^4 = 6{,}561$: a computer goes through them all. Then the exact gradient is known, and
# estimates can be held against it. Different ways to estimate:
#
# - without and with a moving baseline, as in your loss;
# - **onward**: a look cannot change the words that were said before it. So pay each look only with
#   the words that come after, and leave the others' noise out;
# - **half softly** (semi-sampling): for half of the captions nothing is drawn and $z$ is the blend
#   of Part A. Their gradient is free of noise, but it is the gradient of something else.
#
# **Predict, then run.** Of the five rows, which ones are right on average? (*Errors of the mean* is
# how far the mean of many estimates lies from the exact gradient, in units of what chance would
# allow: about 1 where they are right.) And by how much does the baseline lower the variance?
# (*Yours* is the row that your machine measures now.)

# %% tags=["demo"]
show_study("reinforce", studies.one("reinforce", "baseline", seed=0))

# %% [markdown]
# The first four are right on average, as the identity says. They differ in how far single draws
# stray. The baseline takes away about two thirds of the variance, to pay onward about half, and
# both together four fifths. Before any training, when all rewards are far below zero, nearly all of
# it is the baseline's doing: some hundreds of times less. The last row is as quiet as the best, and
# it is *not* right on average: its mean is off by several times what chance would allow. That is
# the price of the blend. And look at the cosines. With the exact gradient a single estimate has one
# of 0.1 to 0.4 in the first four rows: it points mostly elsewhere. What makes it learn is that it
# points elsewhere in all directions alike, and that there are many.

# %% [markdown]
# ## Training to look
#
# Now the whole captioner, with hard looks. Do you need a new step for that? Yours of Part A will
# do, if it is given a picture of **one region**, the one that was drawn: the softmax over one
# region is 1, and the blend is that region. So a hard step asks for $\alpha$, draws, and steps with
# what is seen.
#
# Three tricks of the paper's are in it. One you know, the baseline. The second is semi-sampling:
# *with probability 0.5 for a given image, we set the sampled attention location to its expected
# value*. For half of the captions what is seen is the blend, and the gradient comes through it.
# That one is not quite the gradient of $J$, but it is quiet, and it gets the looks started. The
# third is a weight $\lambda_r$ on what the draws teach, so that their noise does not drown the
# rest: the authors' program divides by ten, and so does this one.


# %%
def looking(choose):
    """A step like attention_lstm_step, but that choose(alpha, a, blend) says what is seen (M, C).

    It returns one thing more: the logarithm of the probability of what was drawn, (M,).
    """

    def step(model, word, prev_h, prev_c, a, keys, mask=None):
        scores = attention_scores(model, torch.cat([prev_h, word], dim=1), keys)
        blend, alpha = soft_attention(scores, a, mask)
        seen, log_prob = choose(alpha, a, blend)
        states = attention_lstm_step(model, word, prev_h, prev_c, seen[:, None], keys[:, :1])
        return *states[:3], alpha, log_prob

    return step


def drawing(softly):
    """A hard look, drawn; for the captions where softly (M,) is True the blend."""

    def choose(alpha, a, blend):
        z, _, log_prob = hard_attention_sample(alpha, a, torch.rand(len(alpha)))
        return torch.where(softly[:, None], blend, z), log_prob.masked_fill(softly, 0.0)

    return choose


def strongest(alpha, a, blend):
    """The strongest region; nothing is drawn."""
    return a[torch.arange(len(a)), alpha.argmax(dim=1)], torch.zeros(len(a))


class TeachLooks:
    """A loss for `fit`, with what has to be kept from step to step: the baseline."""

    def __init__(self, softly=0.5, weight=0.1):
        self.softly, self.weight, self.baseline, self.nats = softly, weight, None, []

    def __call__(self, model, a, tokens, mask):
        read, targets, real = tokens[:, :-1], tokens[:, 1:], mask[:, 1:]
        softly = torch.rand(len(tokens)) < self.softly
        logits, alpha, log_probs = read_captions(model, a, read, looking(drawing(softly)))
        nats = nats_of(logits, targets)
        self.nats.append(nats[real].mean().item())
        if self.baseline is None:  # before the first reward is known, its own batch's
            self.baseline = -nats[real].sum().item() / len(nats)
        looks = self.weight * log_probs
        loss, self.baseline = reinforce_loss(nats, looks, alpha, real, self.baseline)
        return loss


Hard = collections.namedtuple("Hard", "model nats")  # nats a word at each step


@functools.cache
def hard_captioner(seed):
    """A captioner that has learned to look at one cell at a time, with the budget of Part A's."""
    model, loss_of = new_model(seed), TeachLooks()
    fit(model, captioned("train"), STEPS, seed, loss_of)
    return Hard(model, loss_of.nats)


# %% [markdown]
# The next cell trains it, with as many steps as the soft one. (About three quarters of a minute,
# where nothing else runs.) **Predict, then run.** Which of the two learns faster?

# %% tags=["demo"]
hard, soft = hard_captioner(0), captioner(0)
print(f"{len(hard.nats)} steps, {SPENT[-1]:.0f} s")
show_curves(
    {"soft": soft.losses, "hard, half of the captions softly": hard.nats},
    xlabel="step",
    ylabel="nats a word",
    legend="upper right",
    alt="Both curves fall from about 3.5 nats a word to about a half, together at first. After the "
    "first hundred steps the hard one stays above the soft one.",
)

# %% [markdown]
# Hard attention learns more slowly, and gets less far in the same time. It sees one cell where the
# other sees all; and where to look it learns, apart from the soft half, from one number a caption.
#
# Once trained, it need not draw any more: it looks at the **strongest** cell. The maps of both
# kinds show $\alpha$. The soft model sees the blend of all that is bright, the hard one the framed
# cell alone. **Predict, then run.** Say which words have a sharp map, and which a vague one, with
# each of the two.


# %%
@functools.cache
def hard_spoken(seed):
    """Greedy captions of the held-out pictures with their maps; it looks at the strongest cell."""
    return speak(hard_captioner(seed).model, captioned("val").features, looking(strongest))


# %% tags=["demo"]
(row,), (caption,) = two_objects(1)
soft_looks, _ = looks_for(captioner(0).model, [row], [caption])
hard_looks, _ = looks_for(hard_captioner(0).model, [row], [caption], looking(strongest))
show_looks(
    shown("val")[row].image,
    caption.split(),
    {"soft": soft_looks[0].numpy(), "hard": hard_looks[0].numpy()},
    objects=shown("val")[row].objects,
    alt="A held-out picture, and where the soft and the hard captioner look as they read the words "
    f"of a person: {caption}.",
)

# %% [markdown]
# Both find the nouns, and there both maps are sharp. At the little words the soft model's look is
# wide, as you know, and the hard one's probabilities are spread over nearly the whole picture: no
# cell is of more use than another. But it cannot look nowhere. Even for *of* it has to see some one
# cell, of use or not. (The words are a person's. As an adjective comes, neither model knows yet of
# which object, and may be looking at the other one.)

# %% [markdown]
# ## Does it look at what it names?
#
# The maps look convincing. Pictures in papers do, because somebody has chosen them. You have the
# truth, so you need not choose. For every noun that your captioner says you know which object it
# names, and which pixels that object covers. Is the cell to which the model gives most weight *on*
# the object?
#
# That is a strict rule, and it must say what *on* means. A cell of an 8 x 8 grid over 64 x 64
# pixels is 8 pixels wide. It is on the object if its **centre** is at most half a cell's side, 4
# pixels, from the centre of some pixel of the object.
#
# *By hand*: the strongest cell is the 20th in reading order, number 19: row 2 and column 3, if you
# count from 0. Its centre lies $2.5 \cdot 8 = 20$ pixels down and 28 across. A pixel has its centre
# half a pixel in, so pixel (22, 30) lies at $(22.5, 30.5)$, that is $\sqrt{2.5^2 + 2.5^2} = 3.5$
# away: a hit. Pixel (23, 31) is $\sqrt{3.5^2 + 3.5^2} = 4.9$ away: if that is the nearest of the
# object's pixels it is a miss, though the pixel lies *in* the cell, in its corner.
#
# Where only one object is in the picture, nothing can be mistaken for it. A model that had only
# learned to look at whatever is not background would always be right. So a noun counts only if its
# picture has **two objects or more**.
#
# **Exercise** (2 points, about 25 minutes). Write `pointing_accuracy`. The grid and the pictures
# may be of any size: a cell's side is $S / \sqrt{L}$ pixels, and need not be a whole number.


# %% nbgrader={"grade_id": "pointing_accuracy", "solution": true}
# exercise: pointing_accuracy
def pointing_accuracy(alpha, masks, objects):
    """The share of nouns that were said while looking at what they name.

    alpha:   (M, L) float tensor, the weights with which M nouns were said; L regions are the cells
             of a square grid over the picture, in reading order
    masks:   (M, S, S) bool tensor, the pixels of the object that each noun names; S x S pixels
    objects: (M,) int64 tensor, how many objects the noun's picture has
    A noun counts where its picture has two objects or more. It is a hit where the centre of its
    strongest cell (of equal ones the first) is at most half a cell's side away from the centre of
    some pixel of the mask.
    Returns the share of hits among the nouns that count, a float; None where none counts
    """
    ### BEGIN SOLUTION
    counted = objects >= 2
    if not counted.any():
        return None
    side, S = round(alpha.shape[1] ** 0.5), masks.shape[1]
    strongest = alpha[counted].argmax(dim=1)
    centres = torch.stack([strongest // side, strongest % side]) + 0.5  # (2, M), in cells
    pixels = (torch.arange(S) + 0.5) * side / S
    down, across = (pixels - centres[:, :, None]).square()  # (M, S) each
    near = down[:, :, None] + across[:, None, :] <= 0.25
    return (near & masks[counted]).flatten(1).any(dim=1).double().mean().item()
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_pointing_accuracy", "points": 2}
check("pointing_accuracy", pointing_accuracy)


# %%
Nouns = collections.namedtuple("Nouns", "alpha masks objects")  # (M, L), (M, S, S), (M,)


def nouns_of(said, split="val"):
    """The nouns of captions, of which there is no doubt what they name: where the model looked,
    what they name, and how many objects are in the picture."""
    from cs_caption.metrics.objects import mentions

    alpha, masks, objects = [], [], []
    for caption, maps, scene in zip(said.captions, said.maps, shown(split), strict=True):
        kinds = [(one.colour, one.shape) for one in scene.objects]
        named = mentions(caption)
        for mention in named:
            once = sum(other.kind == mention.kind for other in named) == mention.count == 1
            if once and kinds.count(mention.kind) == 1:
                alpha.append(maps[mention.word])
                masks.append(scene.objects[kinds.index(mention.kind)].mask)
                objects.append(len(kinds))
    L, S = said.maps[0].shape[1], len(shown(split)[0].image)
    return Nouns(  # of the same axes and types where there is no noun
        torch.from_numpy(np.array(alpha, np.float32).reshape(-1, L)),
        torch.from_numpy(np.array(masks, bool).reshape(-1, S, S)),
        torch.tensor(objects, dtype=torch.int64),
    )


def baselines(said, split="val"):
    """What looking at the centre, at any cell, or at one of the objects would score."""
    from cs_caption.metrics.pointing import pointing_score

    found = pointing_score(said.captions, said.maps, [scene.objects for scene in shown(split)])
    return {
        "a random object": found.random_object or 0.0,
        "the centre": found.centre or 0.0,
        "any cell": found.uniform or 0.0,
    }


# %% [markdown]
# Three baselines to hold it against: the **centre** of the picture, **any** cell, and the best cell
# of a **random object** of the picture. The last is the one that matters, for it can tell objects
# from background perfectly and does not know which of them is named.
#
# **Predict, then run.** How often are your two captioners on what they name? And of which of the
# two will more nouns count?

# %% tags=["demo"]
pointed = {}
for name, said in (("soft", spoken(0)), ("hard", hard_spoken(0))):
    nouns = nouns_of(said)
    counted = int((nouns.objects >= 2).sum())
    pointed[name] = {"pointing": pointing_accuracy(*nouns) or 0.0}
    print(f"{name}: {pointed[name]['pointing']:.1%} of the {counted} nouns that count")
pointed |= {name: {"pointing": share} for name, share in baselines(spoken(0)).items()}
show_scores(
    pointed,
    caption="The share of nouns that are said while looking at what they name",
    alt="Soft and hard attention are near 1; a random object is near one half; the centre and any "
    "cell are below a quarter.",
    mark=("soft", "hard"),
)

# %% [markdown]
# Nobody has told them where anything is. They were given pictures and sentences, and to say the
# right word they had to find the right place.
#
# But look at how many nouns that is a share *of*. A noun counts only if there is no doubt what it
# names: the thing has to be there, once, and the caption has to name it once. The hard captioner
# more often says something like *a green triangle to the left of a green triangle* where there are
# a triangle and a cross. Such nouns do not count, and so its share is taken over fewer nouns, the
# easier ones. Who names less can point better: a share of hits should never come without the number
# that it is a share of.

# %% [markdown]
# ## Soft, hard, none
#
# Does it make better captions? One run says little, and your captioners of this notebook and of 04
# were not trained alike. So here is the package's captioner, three seeds of each kind, everything
# else the same: without attention, with soft attention, with the gate, with the penalty of Part A
# as a mean and as a sum over the cells, with hard attention, and with hard attention that is always
# drawn. *Pointing* is of the nouns that a model says itself; *given words* of those in people's
# captions, so that all are asked about the same nouns.
#
# **Predict, then run.** Order *none*, *soft* and *hard* by object F1, and by CIDEr-D. (*Yours* is
# the row that your machine measures now; it takes half a minute. Without attention there is nothing
# to point with: *none* counts as looking at any cell.)

# %% tags=["demo"]
show_study("attention", studies.one("attention", "none", seed=0))

# %% [markdown]
# Soft attention is ahead by the truth: of what *none* misses or invents, it gets more than half
# right. By BLEU-4 and CIDEr-D it is *none* that is ahead, by a little, with every seed; and their
# perplexities are the same. From 05 you know what to make of that: those metrics ask whether the
# words are the usual ones.
#
# The gate and the penalty, as a mean or as a sum, gain nothing here. By object F1 and by *given
# words* three seeds cannot tell them from plain soft attention. By some other figures they can, and
# it is a small loss each time: with the gate BLEU-4 is lower in all three runs than in any of plain
# soft attention, with the penalty CIDEr-D is (as a sum a little more so than as a mean), and as a
# sum it also points a little less well at its own nouns. So much for a weight that the literature
# argues about; on photographs with captions of ten words and 196 regions it may be otherwise.
#
# The package's hard attention was on what it named *every* time, in all three runs, and it names
# less of what is there, as yours does. Given people's words, the same ones for all, it finds their
# places as well as soft attention does, and no better. It knows *where*; but from one cell, chosen
# by a noisy guide, it has learned less of *what*. And without semi-sampling, all looks drawn, it
# does not get even there in this time: given words it is no better than a random object.
#
# And where it is harder: the *rich* scenes, with up to four objects, patterns, fine colours,
# objects that hide each other, and twelve people's words.

# %% tags=["demo"]
show_study("attention_rich")

# %% [markdown]
# Now it makes all the difference. Without attention the captioner hardly names a thing that is
# there; with soft attention its object F1 is three times as high, and this time all metrics say so.
# It looks at what it names in more than eight of ten nouns, where a random object would be right in
# four. The hard one lies between the two in what it says, though its perplexity is no better than
# without attention. On the nouns that it says itself it points better than the soft one, and on
# other people's nouns worse: pointing is counted where the word is right, and it is right more
# rarely. *Whose* words are counted belongs to the figure.

# %% [markdown]
# ## The right place and the wrong word
#
# Pointing counts nouns that name something in the picture. What of those that do not? If a model
# says *a blue circle* where there is a red circle and a blue square, the word is wrong. But where
# did it look? There are four cases:
#
# | | the strongest cell lies on what is meant | it lies elsewhere |
# |:--|:--|:--|
# | **the word is right** | it looks, and sees | right by other means |
# | **the word is wrong** | it looks, and does not see | it is lost |
#
# For a right word, *what is meant* is the object that it names. For a wrong one nobody can know.
# The package's `looks_and_words` accepts any object that the caption names nowhere: one of those
# has been left out.
#
# And as before, a noun is **skipped** where nobody can tell what it is meant to name: where the
# picture has two objects of that colour and shape, where the caption says the same thing twice, and
# where it says *two squares* in one.
#
# Among the nouns that are left your captioners have hardly a wrong word, the soft one next to none:
# too few for a share to mean anything. So ask one that makes many mistakes: the ready-made
# captioner of 05, which has soft attention, on the rich scenes.


# %%
@functools.cache
def rich_said(seed):
    """Rich scenes, and what the package's ready-made captioner says of them."""
    from cs_caption.evaluation import attention_of, decode
    from cs_caption.ready_made import ready_made

    scenes = list(Scenes("test", n=budget(400, fast=10), level="rich", seed=seed))
    images, trained = np.stack([scene.image for scene in scenes]), ready_made("rich")
    best = [found[0] for found in decode(trained, images, beam=1)]
    captions = [one.text for one in best]
    maps = attention_of(trained, images, captions)
    return scenes, Said(captions, maps, [one.log_probs for one in best])


def right_and_wrong(scenes, said):
    """The nouns of captions, by place and word, where there are two objects or more."""
    from cs_caption.metrics.mismatch import looks_and_words

    return looks_and_words(said.captions, said.maps, [scene.objects for scene in scenes])


# %% [markdown]
# **Predict, then run.** When the word is right, how often is the place? And when the word is wrong?

# %% tags=["demo"]
everybody = {
    "yours, soft": (shown("val"), spoken(0)),
    "yours, hard": (shown("val"), hard_spoken(0)),
    "ready-made, rich scenes": rich_said(0),
}
for name, spoken_of in everybody.items():
    cases = right_and_wrong(*spoken_of)
    print(f"{name}: {cases.counted} nouns, and {cases.skipped} skipped")
    for word in ("right", "wrong"):
        places = (getattr(cases, f"{word}_word_{place}_place") for place in ("right", "wrong"))
        print("   {} words: {:3} looks at the right place, {:3} elsewhere".format(word, *places))


# %% [markdown]
# The two cases in which word and place part, a noun of each, both from the ready-made captioner on
# the rich scenes. The word in question is open.


# %%
def one_case(scenes, said, right_place, right_word, title):
    """The explorer of the first caption with such a noun; a line of words where there is none."""
    cases = right_and_wrong(scenes, said).records
    fits = (one for one in cases if (one.right_place, one.right_word) == (right_place, right_word))
    case = next(fits, None)
    if case is None:
        return f"{title}: none"
    words, scene = said.captions[case.item].split(), scenes[case.item]
    place, word = case.word + 1, words[case.word]
    print(f"{title}: {word!r}, word {place} of {said.captions[case.item]!r}")
    return show_attention(
        scene.image,
        words,
        said.maps[case.item],
        objects=scene.objects,
        log_probs=said.log_probs[case.item],
        chosen=case.word,
        alt=f"A held-out picture, and what the captioner says of it. {title}.",
    )


# %% tags=["demo"]
one_case(*rich_said(0), True, False, "Right place, wrong word")

# %% tags=["demo"]
one_case(*rich_said(0), False, True, "Right word, wrong place")

# %% [markdown]
# Of the ready-made captioner's nouns about half are wrong. And when they are wrong, it looks at a
# thing that was left out in more than eight of ten cases, a little less often than it looks at the
# right place when they are right. So its mistakes are seldom mistakes of looking. It looks at
# something that is there, and takes it for something else. (It is a mild test, since among up to
# four objects there is mostly one that is not named.) And now and then the word is right and the
# place is not: a lucky guess, or a cell beside the object that sees enough of it.
#
# Your own captioners err in the other way, the one that `looks_and_words` has to skip, because
# nobody can tell which of the two words is the wrong one: *a green triangle to the left of a green
# triangle*. But one may ask where the two looks went.


# %%
def said_twice(seed):
    """Captions of yours that name one object twice, in pictures of two that differ: on what the
    strongest cells of the two nouns lie, counted."""
    from cs_caption.metrics.objects import mentions
    from cs_caption.metrics.pointing import cells_on

    counts, said = collections.Counter(), spoken(seed)
    for caption, maps, scene in zip(said.captions, said.maps, shown("val"), strict=True):
        kinds, named = [(one.colour, one.shape) for one in scene.objects], mentions(caption)
        twice = len(named) == 2 and named[0].kind == named[1].kind
        if len(set(kinds)) == 2 and twice and named[0].kind in kinds:
            masks, this = np.stack([one.mask for one in scene.objects]), kinds.index(named[0].kind)
            cells = [maps[one.word].argmax() for one in named]
            on = cells_on(masks, maps.shape[1])[:, cells] > 0  # (object, noun)
            if on[this].all():
                counts["both times at what it names"] += 1
            elif on[1 - this].any():
                counts["once at the other"] += 1
            else:
                counts["elsewhere"] += 1
    return counts


# %% [markdown]
# **Predict, then run.** When your soft captioner names the same thing twice, has it looked at the
# same thing twice?

# %% tags=["demo"]
for where, how_often in said_twice(0).items():
    print(f"{where}: {how_often}")

# %% [markdown]
# In two of three cases, or more, it is the look that has failed. It came back to the place where it
# had been, and said quite rightly what is there. (In the others it did look at the other object,
# once, and said the wrong word.) Nothing in the model keeps a list of what has been told; the
# LSTM's state would have to. So of two captioners that err, one looks and does not see, and the
# other sees and does not look. The sentence alone would not have told you which.

# %% [markdown]
# ## Take the place away
#
# A map says where the weight was. Whether the word *depends* on what was there is another question,
# and a map cannot answer it. But you can ask the model, for your step takes a mask. Take the cells
# away that lie on the named object, for the whole caption, and see what becomes of the noun's
# probability. For comparison take away as much of the picture that should not matter: the cells on
# the *other* object.
#
# (The cells around the object stay, and see a part of it: a cell sees 36 x 36 pixels. And so does
# the first state, which is made of all cells, as it was.)


# %%
@functools.cache
def without_the_place(seed):
    """The mean probability of the nouns that the soft captioner says in pictures of two objects:
    with all cells, without those on the named object, without those on the other one."""
    from cs_caption.metrics.pointing import cells_on, pointing_score

    said, truth = spoken(seed), [scene.objects for scene in shown("val")]
    nouns = pointing_score(said.captions, said.maps, truth).records
    if not nouns:
        return dict.fromkeys(("all cells", "without the named", "without the other"), 0.0)
    on = [cells_on(np.stack([one.mask for one in truth[n.item]]), 64) > 0 for n in nouns]
    named = torch.tensor(np.stack([each[n.object] for each, n in zip(on, nouns, strict=True)]))
    other = torch.tensor(np.stack([each[1 - n.object] for each, n in zip(on, nouns, strict=True)]))
    rows, captions = [n.item for n in nouns], [said.captions[n.item] for n in nouns]
    words, found = torch.tensor([n.word for n in nouns]), {}
    for name, left in {
        "all cells": torch.ones_like(named),
        "without the named": ~named,
        "without the other": ~other,
    }.items():
        step = functools.partial(attention_lstm_step, mask=left)
        _, nats = looks_for(captioner(seed).model, rows, captions, step)
        found[name] = nats[range(len(rows)), words].neg().exp().mean().item()
    return found


# %% [markdown]
# **Predict, then run.** Two probabilities: what is left of the noun's without the cells on what it
# names, and without those on the other object?

# %% tags=["demo"]
for name, chance in without_the_place(0).items():
    print(f"{name:18}: the noun is said with probability {chance:.2f}")

# %% [markdown]
# Without the other object nothing changes. Without the named one about a fifth of the probability
# is left, although the first glance, the words before and all the cells around the object are still
# there: it may be they that keep that fifth. For *this* model, and
# these nouns, the map shows where the word came from. You know that from the experiment and not
# from the map. There are models whose maps can be exchanged for quite different ones with hardly a
# change in what they answer [Jain and Wallace 2019]. A map is a claim that can be tested. Test it.

# %% [markdown]
# ## Word detectors
#
# Back to where Part A began: the lists of words. How does one teach a detector of *skateboard* when
# no data set says where the skateboards are? The captions say only **that** there is one,
# somewhere. The detectors look at each region, and give each the probability $p_i$ that it shows
# the word. The picture shows the word if **at least one** region does. If the regions are
# independent, that is
#
# $$p = 1 - \prod_i (1 - p_i), \qquad p_i = \sigma(\text{logit}_i),$$
#
# the **noisy-OR** [Fang et al. 2015]. *By hand*: three regions with $p_i = 0.5$, $0.5$ and $0.2$
# give $1 - 0.5 \cdot 0.5 \cdot 0.8 = 0.8$, more than any of them. One region with $p_i = 1$ is
# enough, whatever the others say; and if a picture has the word and all regions are doubtful, the
# gradient is largest at the one that is least so. That is how a detector finds out by itself
# *which* region it was.
#
# With 64 regions take care. The product of the numbers $1 - p_i$ loses what is small: in float32
# $1 - 10^{-9}$ is 1, and 64 such regions come out as $p = 0$, where they should be $6.4 \cdot
# 10^{-8}$. In logarithms nothing is lost: $\ln(1 - \sigma(x)) = \ln \sigma(-x)$, for which torch
# has `nn.functional.logsigmoid`; a sum takes the product's place; and for $1 - e^x$ with a small
# $x$ there is `torch.expm1`, which is $e^x - 1$.
#
# **Bonus exercise** (3 points, about 20 minutes). Write `noisy_or`.


# %% nbgrader={"grade_id": "noisy_or", "solution": true}
# exercise: noisy_or
def noisy_or(logits, mask=None):
    """How probable it is that a picture shows each word: that at least one region shows it.

    logits: (N, L, V) float tensor; region i shows word w with probability sigmoid(logits[n, i, w])
    mask:   (N, L) bool tensor, True where there is a region; None where all are there
    The regions are independent: p = 1 - product over the regions of (1 - sigmoid). Logits may be
    large in size: p stays precise where it is tiny, and its gradient finite.
    Returns p (N, V)
    """
    ### BEGIN SOLUTION
    missed = nn.functional.logsigmoid(-logits)  # log(1 - sigmoid)
    if mask is not None:
        missed = missed.masked_fill(~mask[:, :, None], 0.0)
    return -torch.expm1(missed.sum(dim=1))
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_noisy_or", "points": 3} tags=["ext"]
check("noisy_or", noisy_or)


# %%
def any_region(logits):
    """Your noisy_or; until it is written the package's, so that the cells below run."""
    try:
        return noisy_or(logits)
    except NotImplementedError:
        from cs_caption.models.detectors import noisy_or as packaged

        return packaged(logits)


def words_there(split):
    """Which words the captions of each picture have: (N, V), 1 or 0."""
    tokens = captioned(split).tokens.flatten(1)
    there = torch.zeros(len(tokens), len(vocabulary().words)).scatter_(1, tokens, 1.0)
    there[:, [NULL, START, END, UNK]] = 0.0  # no words: there is nothing to be seen of them
    return there


@functools.cache
def word_detectors(seed):
    """A linear detector of each word, the same for all cells; taught by captions, not by places."""
    features, there = captioned("train").features, words_there("train")
    torch.manual_seed(seed)
    detectors = nn.Linear(features.shape[2], there.shape[1])
    often = (there.sum(dim=0) + 0.5) / (len(there) + 1)  # none is certain, none impossible
    with torch.no_grad():  # at first all cells together say each word as often as it comes
        detectors.weight.zero_()
        detectors.bias.copy_((1 - (1 - often) ** (1 / features.shape[1])).logit())
    solver, steps = torch.optim.Adam(detectors.parameters()), budget(500, fast=5)
    for step in range(steps):
        solver.param_groups[0]["lr"] = 0.02 * (1 + math.cos(math.pi * step / steps)) / 2
        rows = torch.randint(len(features), (64,))
        p = any_region(detectors(features[rows].float()))
        loss = nn.functional.binary_cross_entropy(p, there[rows], reduction="sum") / len(rows)
        solver.zero_grad()
        loss.backward()
        solver.step()
    return detectors


@functools.cache
def detected(seed):
    """p (N, V) of each held-out picture, and what each cell says (N, L, V)."""
    detectors = word_detectors(seed)
    with torch.no_grad():
        logits = detectors(captioned("val").features.float())
        return any_region(logits), logits


def listed(p, least=0.5):
    """The words of a picture that come to `least`, as the lecture lists them."""
    order = p.argsort(descending=True).tolist()
    return " ".join(f"[{vocabulary().words[v]} ({p[v]:.2f})]" for v in order if p[v] >= least)


# %% [markdown]
# A detector of yours is one row of 96 weights and a bias, and it sees one cell at a time.
# **Predict, then run.** For two pictures of two objects: which words come to 0.50? Could you write
# the caption from the list?

# %% tags=["demo"]
p, _ = detected(0)
rows, captions = two_objects(2)
for row in rows:
    print(listed(p[row]), "\n")
show_pictures(
    np.stack([shown("val")[row].image for row in rows]),
    [f"a person: {caption}\nyour captioner: {spoken(0).captions[row]}"
     for row, caption in zip(rows, captions, strict=True)],
    alt="Two pictures with two objects each, above what a person and your captioner say of them.",
)  # fmt: skip


# %% [markdown]
# The list is right, by and large: the shapes and colours are on it, and words that always come.
# (The lecture's detectors were trained for the thousand words that come most often, and the
# commonest, such as *a* and *of*, were left out of the lists.) What it does not say:
#
# - **which with which**: the first picture has two colours and two shapes, and there are two ways
#   to pair them, one of them false;
# - **how many**: the second picture has two green things, and the list one *green*;
# - **in which order**: one person says that *a* is left of *b*, the next that *b* is right of *a*.
#   With either word on the list, or with both, nobody can say which object is on which side.
#
# And the places, which every detector knew, have been thrown away by the product.
#
# How good are they? Sort the held-out pictures by a word's $p$: if all those that have the word
# come first, the **average precision** is 1; in a random order it is about the share of the
# pictures that have it (the lines *share of the pictures* below).
# And where do they fire? The strongest cell of *square* can be held against the square by the same
# rule as attention.


# %%
@functools.cache
def detector_numbers(seed):
    """Mean average precision of shapes and colours, and the pointing of shape detectors."""
    from cs_caption.data import lexicon
    from cs_caption.metrics.detection import average_precision, detector_pointing

    (p, by_cell), words = detected(seed), vocabulary().words
    there, found = words_there("val"), {}
    for trait, names in (("shapes", lexicon.SHAPES), ("colours", lexicon.COLOURS)):
        own = [v for v, word in enumerate(words) if word in names.values()]
        each = [average_precision(p[:, v].numpy(), there[:, v].numpy()) for v in own]
        found[f"average precision, {trait}"] = float(np.mean([ap for ap in each if ap is not None]))
        found[f"share of the pictures, {trait}"] = there[:, own].mean().item()
    truth = [scene.objects for scene in shown("val")]
    pointing = detector_pointing(by_cell.numpy(), words, truth)
    return found | {"pointing of detectors": pointing.accuracy or 0.0}


# %% [markdown]
# **Predict, then run.** Average precision of shapes and of colours, beside a random order; and the
# pointing of the shape detectors, which have never been told a place.

# %% tags=["demo"]
for name, value in detector_numbers(0).items():
    print(f"{name:32} {value:.2f}")

# %% [markdown]
# From captions alone the detectors have learned what a square looks like, and where it is: the
# strongest cell lies on it nearly always, as often as attention does. So the places were there. It
# is the *list* that forgets them, before a word has been said. An attention model keeps the places
# until they are asked for, and it is the sentence that asks.

# %% [markdown]
# ## The question of this notebook
#
# **Question** (4 points, graded by hand; at most 60 words). A friend shows a map of attention that
# is bright on a dog, printed beside the word *dog*. "So the model has recognised the dog, and that
# is why it says *dog*." What does the map show, and what does it not? Give two reasons, each with a
# result of this notebook, and an experiment that would come nearer to a proof.

# %% [markdown] nbgrader={"grade_id": "what_a_map_proves", "points": 4, "solution": true}
# ### BEGIN SOLUTION
# It shows which cells were weighted at that step. Looking is not recognising: wrong words come with
# looks at the right object, counted above. And a cell sees 36 x 36 pixels, while state and first
# glance know the picture too. Experiment: mask the dog's cells; *dog* should become improbable, and
# not so when other cells are masked.
#
# *Rubric, a point each:* the map shows how the step's features were weighted (where it looked, not
# what it saw or why it spoke); a first reason with a result; a second one with a result; an
# experiment that intervenes and has a comparison (mask cells, or change the picture, in the named
# place and in another). Results that count: right place and wrong word, or right word and wrong
# place, counted; a cell sees 36 x 36 pixels, so that cells beside an object know of it; the first
# state and the language model say words without the look; the gate scales what is seen; trained
# softly, the strongest cell alone does much worse, so that the weight beside it matters; hard and
# soft models have different maps for the same word. That masking does change the noun here may be
# named as the experiment; it is no reason against the friend.
# ### END SOLUTION

# %% [markdown]
# ## What came out
#
# The same measurements, from your functions and from a recorded run of ours over several seeds. A
# number outside the range has a cause that is worth finding.


# %%
def failures(seed):
    """Where the looks went as a wrong word was said, or the same one twice."""
    found, twice = right_and_wrong(*rich_said(seed)), said_twice(seed)
    wrong = found.wrong_word_right_place + found.wrong_word_wrong_place
    return {
        "rich, wrong words": wrong / max(1, found.counted),
        "rich, right place of right words": found.pointing(right_word=True) or 0.0,
        "rich, right place of wrong words": found.pointing(right_word=False) or 0.0,
        "named twice and looked at twice": twice["both times at what it names"]
        / max(1, twice.total()),
    }


def looking_numbers(seed):
    """The numbers of Part B for one seed."""
    both = {"soft": spoken(seed), "hard": hard_spoken(seed)}
    score = judged(both["hard"].captions)
    return {
        "object F1, hard": score.f1,
        "exact set, hard": score.exact,
        **{f"pointing, {name}": pointing_accuracy(*nouns_of(both[name])) or 0.0 for name in both},
        **{f"pointing, {name}": value for name, value in baselines(spoken(seed)).items()},
        **{f"noun, {name}": chance for name, chance in without_the_place(seed).items()},
        **failures(seed),
        **detector_numbers(seed),
    }


def measurements(seed):
    """The numbers of this notebook for one seed."""
    return attention_numbers(seed) | looking_numbers(seed)


# %% tags=["demo"]
trained, began = sum(SPENT), time.perf_counter()  # what was trained above is not trained again
found = measurements(0)
beside("06_attention", lambda seed: found, seed=0, seconds=trained + time.perf_counter() - began)

# %% [markdown]
# Your captioner looks where it speaks, softly or at one place at a time, and you can say how often
# it looks at the right thing and what that proves. In 07 the places remain, and the sentences come
# from people: which picture belongs to which sentence, and which word to which part of it?

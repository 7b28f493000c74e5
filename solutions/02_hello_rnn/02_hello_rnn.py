# %% [markdown]
# # 02 · The "hello" RNN
#
# A captioner has to speak: one word after another, each chosen in the light of those before it.
# In this notebook you build the part that does so, a **recurrent neural network** (RNN), from one
# step to a model that writes. In Part A four letters stand in for the words at first, there is no
# picture, and there is one thing to learn: *hello*. Then come words, and toy tasks of every kind.
# In Part B the network reads real text, character by character, and writes its own.
#
# **Part A: through time** (14 points, and 4 by hand; with three quarters of an hour of reading
# about three hours)
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `one_hot` | turns letters into vectors | 1 | 5 |
# | `rnn_step_forward` | makes the new state from the old one and a letter | 2 | 15 |
# | `rnn_step_backward` | takes the gradient back through that step | 3 | 30 |
# | `rnn_forward` | runs through whole sequences | 1 | 10 |
# | `rnn_backward` | takes the gradient back through time | 2 | 25 |
# | `temporal_softmax_loss` | says how wrong the scores are, and which way to mend them | 3 | 25 |
# | a question | the gradient through time, in your own words | 4 | 10 |
# | `word_embedding_forward` | looks up the vector of each word | 1 | 5 |
# | `word_embedding_backward` | takes the gradient back to the vectors | 1 | 10 |
#
# What follows the last of these has no exercise: it is there to run and to look at, and can wait
# for another day.
#
# **Part B: a network that writes** (6 points, 3 more as a bonus; with the reading under three
# hours)
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `sample_characters` | lets the network write, boldly or with care | 1 | 20 |
# | `truncated_chunks` | cuts long sequences: the state goes on, the gradient does not | 1 | 20 |
# | `clip_gradients` | shortens a gradient that is too long | 1 | 10 |
# | `adagrad` | makes a step downhill, shorter where much was walked | 1 | 10 |
# | `rmsprop` | bonus: the same, with a memory that fades | 1 | 10 |
# | `fix_min_char_rnn` | finds the faults in a listing | 2 | 35 |
# | `multilayer_rnn_forward` | bonus: stacks networks on each other | 2 | 20 |
#
# Each exercise is one function. Put your code in place of `raise NotImplementedError`, run the
# cell, then run the check below it: it says how many points the function has earned and, where a
# case fails, what is probably wrong. Run it as often as you like.

# %%
import functools
import heapq
import itertools
import time

import numpy as np

from cs_caption import check, measured
from cs_caption.budget import budget
from cs_caption.character_models import bigram_bits, gzip_bits, unigram_bits
from cs_caption.data import Scenes, Vocabulary
from cs_caption.data.crops import COLOURS, SHAPES
from cs_caption.data.text import standard_library
from cs_caption.gradcheck import check_gradients, numerical_gradient
from cs_caption.measured import beside
from cs_caption.viz.curves import show_curves
from cs_caption.viz.matrix import Matrix, show_matrices
from cs_caption.viz.patterns import show_patterns, show_unrolled
from cs_caption.viz.pipeline import show_pipeline

# %% tags=["demo"]
show_pipeline(here="recurrent network")

# %% [markdown]
# ## What a convnet cannot do
#
# Your convnet of notebook 01 takes one picture of a fixed size and gives one set of scores. What is
# wrong with that? The lecture has two answers, and they hold for every network without a loop in
# it.
#
# - **It cannot model sequences.** Its inputs and outputs have fixed sizes, and it knows nothing of
#   order in time. A sentence has three words or thirty.
# - **It is purely feed-forward.** It has no memory and no feedback: what it says of this picture
#   does not depend on the one before it, nor on what it has said itself.
#
# And sequences are everywhere. Speech is one: a few thousand air pressures in, *the sound of ...*
# out. Handwriting is another: the strokes of a pen in, *Foreign minister.* out. A translation is
# two of them, and they do not march in step. In the lecture's example each German word has a number
# $a_i$, the place of the English word that it goes with:
#
# | German word | bringen | sie | bitte | das | auto | zurück | . |
# |:--|:-:|:-:|:-:|:-:|:-:|:-:|:-:|
# | $a_i$ | 2 | 0 | 1 | 3 | 4 | 2 | 5 |
# | goes with | return | none | please | the | car | return | . |
#
# Read in the order 1, 2, 3, 4, 5 this is *please return the car .*; *sie* has no partner, and
# *return* has two.
#
# They are found even where you might not expect them. A caption is a sequence, though the picture
# is none: *A group of people shopping at an outdoor market. There are many vegetables at the fruit
# stand.* And the parse tree of a sentence, which is not even a line, becomes one when it is written
# with brackets. In goes
#
# > John has a dog .
#
# and out comes, symbol by symbol,
#
# > (S (NP NNP )NP (VP VBZ (NP DT NN )NP )VP . )S
#
# A sentence S is made of a noun phrase NP (*John*), a verb phrase VP (*has a dog*) and a full stop;
# each bracket that opens has to be closed in its turn.

# %% [markdown]
# ## Five patterns
#
# Where does a network read, and where does it speak? The lecture sorts the tasks by that:
#
# - **one to one**: no sequence in, none out. *"Standard" classification and regression.*
# - **one to many**: no sequence in, a sequence out. *Im2Caption*: from a picture to its caption.
# - **many to one**: a sequence in, none out. *Sentence classification, multiple-choice question
#   answering.*
# - **many to many**: a sequence in, another one out. *Machine translation, video captioning,
#   open-ended question answering, video question answering.*
# - **many to many, in step**: an output for each input, at once. (The lecture draws it and names no
#   example; saying what each frame of a video shows is one.)

# %% tags=["demo"]
show_patterns()

# %% [markdown]
# The first is your convnet. The second is what this course is about: a picture goes in once, and
# words come out. The fourth goes by the name *sequence to sequence*, and it needs no new idea: it
# is **many to one + one to many**. First a sequence is read until one vector holds it all, then
# that vector is unrolled into another sequence. (The drawing begins to speak at the step of the
# last input, our own task below one step later: both are used.) At the end of Part A you run all
# five, with the functions that you are about to write.

# %% [markdown]
# ## One formula for every step
#
# A recurrent network processes a sequence of vectors $x_t$ with a **recurrence formula**. It keeps
# a **state** $h_t$, a vector that each step makes anew,
#
# $$\underbrace{h_t}_{\text{new state}} = f_W\big(\underbrace{h_{t-1}}_{\text{old state}},\;
# \underbrace{x_t}_{\text{input}}\big), \qquad s_t = W_{hy} h_t + b_y .$$
#
# $s_t$ holds one score for each symbol of the vocabulary. (The lecture calls the scores $y_t$; here
# $y$ is the right answer.) *Notice*, says the lecture: *the same function and the same set of
# parameters are used at every time step.* So three steps or thirty make no difference: the formula
# is applied as often as there are inputs, and nothing has to be learned anew for the fifth place.
# A convolution shares its filter among all places of a picture; this shares its weights among all
# moments.
#
# Another lecture writes the same from the outside. A text model gives a probability to each
# possible next word, given all words so far and the parameters $\theta$:
#
# $$p(w_{n+1} \mid w_1, \dots, w_n;\, \theta)
# = p(w_{n+1} \mid w_n, \mathrm{hidden}_{n-1};\, \theta)$$
#
# On the left is a past of any length; on the right a single word and a vector of fixed size, in
# which all that went before has to find room. The shapes, for the network that you build first and
# for the lecture's model of words:
#
# | | its shape | "hello" | words |
# |:--|:--|--:|--:|
# | $p(w_{n+1})$ | size of the vocabulary | 4 | 10,001 |
# | $w_i$ | size of a word's vector | 4 | 300 |
# | hidden | size of the state | 3 | 200 |
# | $\theta$ | "like parameters" | 40 numbers | 5.1 million |
#
# The 40 are $W_x$ (4x3), $W_h$ (3x3), $b$ (3), $W_y$ (3x4) and $b_y$ (4). The 5.1 million you will
# count yourself.

# %% [markdown]
# ## The task: say the next letter
#
# The lecture's example has the vocabulary **[h, e, l, o]** and one training sequence, **"hello"**.
# The network reads a letter at each time step $t$ and has to say the letter that follows:
#
# | step $t$ | 0 | 1 | 2 | 3 |
# |:--|:-:|:-:|:-:|:-:|
# | it reads | h | e | l | l |
# | it should say | e | l | l | o |
#
# Look at steps 2 and 3. Both times the network reads an *l*, but first it should say *l* and then
# *o*. No function of the current letter alone gets both right: the network has to remember what
# came before. That is what the state is for.

# %%
letters = "helo"
number = {letter: i for i, letter in enumerate(letters)}
x_ids = np.array([[number[letter] for letter in "hell"]])  # (N, T) = (1, 4)
y_ids = np.array([[number[letter] for letter in "ello"]])  # (N, T)

# %% [markdown]
# ## One-hot vectors
#
# A letter's number is a mere name: *o* has number 3, but it is not three times *e*. So the network
# gets a vector with one place for each letter of the vocabulary, a 1 in the letter's own place, and
# 0 in all others (*1-of-k*, in the words of the lecture's listing, `min-char-rnn` by Andrej
# Karpathy):
#
# | letter | its number | its vector |
# |:-:|:-:|:-:|
# | h | 0 | (1, 0, 0, 0) |
# | e | 1 | (0, 1, 0, 0) |
# | l | 2 | (0, 0, 1, 0) |
# | o | 3 | (0, 0, 0, 1) |
#
# **Exercise** (1 point, about 5 minutes). Write `one_hot` for one number, a list of them or an
# array of any shape: each number becomes a vector along a new last axis.


# %% nbgrader={"grade_id": "one_hot", "solution": true}
# exercise: one_hot
def one_hot(x, V):
    """Turn numbers into vectors with a single 1.

    x:   (...,) whole numbers 0..V-1: a number, a list or an array
    V:   size of the vocabulary
    out: (..., V) float64
    """
    ### BEGIN SOLUTION
    return (np.asarray(x)[..., None] == np.arange(V)).astype(np.float64)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_one_hot", "points": 1}
check("one_hot", one_hot)

# %% [markdown]
# Below, each column is a letter's vector. The two columns of *l* on the left are the same: what the
# network reads cannot tell it which of the two it is at. The columns on the right, what it should
# say, do differ. (In all these tables blue is positive and orange negative; the deeper the colour,
# the further from zero.)

# %% tags=["demo"]
show_matrices(
    Matrix("what the network reads", one_hot(x_ids[0], 4).T, letters, "hell"),
    Matrix("what it should say", one_hot(y_ids[0], 4).T, letters, "ello"),
    alt="One-hot columns: the two columns of l that are read are equal; their targets are l and o.",
)

# %% [markdown]
# **Predict, then run.** `W` has a row for each letter. What does a one-hot vector times `W` give?
# Write down your four numbers for *e* before you run the cell.

# %% tags=["demo"]
W = np.array([[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]])
one_hot(number["e"], 4) @ W

# %% [markdown]
# The product picks a row. The lecture gives 300 numbers to each of 10,000 words: nobody multiplies
# them by 9,999 zeros and a one, one looks the row up. It is the same operation, and it has the same
# gradient, as the third exercise will show you.

# %% [markdown]
# ## One step forward
#
# The lecture's vanilla RNN adds what the old state says to what the letter says, and squashes the
# sum so that the state stays between -1 and 1:
#
# $$h_t = \tanh(W_{hh} h_{t-1} + W_{xh} x_t + b_h)$$
#
# The lecture writes vectors as columns. You work on $N$ sequences at once, one a row, so each
# product turns round:
#
# $$\underbrace{h_t}_{N \times H} = \tanh\big(\;\underbrace{x_t}_{N \times D}\;\,
# \underbrace{W_x}_{D \times H} \;+\; \underbrace{h_{t-1}}_{N \times H}\;\,
# \underbrace{W_h}_{H \times H} \;+\; \underbrace{b}_{H}\;\big)$$
#
# In its captioner the lecture uses $\max(0, \cdot)$, the ReLU, in the place of $\tanh$; your step
# offers both.
#
# *By hand* (small numbers of our own, two numbers for the state): let row *h* of $W_x$ be
# (0.5, -1), row *e* be (1, 0), let $W_h$ swap the two numbers of the state, and let $b = 0$.
#
# - Reading *h* from the state (0, 0): $\tanh(0.5, -1) = (0.46, -0.76)$.
# - Then reading *e*: $(1, 0)$ from the letter plus $(-0.76, 0.46)$ from the state is
#   $(0.24, 0.46)$, and $\tanh(0.24, 0.46) = (0.23, 0.43)$.
#
# **Exercise** (2 points, about 15 minutes). Write `rnn_step_forward`. What goes into `cache` is up
# to you: it is your letter to `rnn_step_backward`, and no check opens it.


# %% nbgrader={"grade_id": "rnn_step_forward", "solution": true}
# exercise: rnn_step_forward
def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
    """Make the new state of a vanilla RNN, for N sequences at once.

    x:          (N, D) inputs of this step
    prev_h:     (N, H) states before it
    Wx, Wh, b:  (D, H), (H, H), (H,) weights
    activation: "tanh", or "relu" for max(0, .)
    Returns next_h (N, H) and cache, whatever rnn_step_backward needs
    """
    ### BEGIN SOLUTION
    a = x @ Wx + prev_h @ Wh + b  # (N, D), (N, H) -> (N, H)
    next_h = np.tanh(a) if activation == "tanh" else np.maximum(a, 0.0)
    return next_h, (x, prev_h, Wx, Wh, next_h, activation)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_rnn_step_forward", "points": 2}
check("rnn_step_forward", rnn_step_forward)

# %% [markdown]
# The two steps that you followed by hand, from your function:


# %% tags=["demo"]
swap = np.array([[0.0, 1.0], [1.0, 0.0]])
rows = np.array([[0.5, -1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
state_h, _ = rnn_step_forward(one_hot([number["h"]], 4), np.zeros((1, 2)), rows, swap, np.zeros(2))
state_he, _ = rnn_step_forward(one_hot([number["e"]], 4), state_h, rows, swap, np.zeros(2))
state_h.round(2), state_he.round(2)

# %% [markdown]
# ## One step backward
#
# To learn, you need to know how the loss $L$ changes with each weight. From the steps that come
# later you are given `dnext_h`, which is $\partial L / \partial h_t$, and hand back the gradient of
# everything that went into the step. Split the forward step into lines that do one thing each, and
# write one backward line for each, in the reverse order. You need four rules. $z$ is what the line
# makes, and $dz = \partial L / \partial z$ the gradient that arrives:
#
# | forward | backward | in words |
# |:--|:--|:--|
# | $z = \tanh(a)$ | $da = dz \odot (1 - z^2)$ | flat where tanh saturates |
# | $z = \max(0, a)$ | $da = dz$ where $a > 0$, else 0 | a gate |
# | $z = u + v$ | $du = dz,\ dv = dz$ | a sum hands its gradient to both |
# | $z = x W$ | $dx = dz\, W^T,\ dW = x^T dz$ | each takes the other factor, transposed |
#
# Where $N$, $D$ and $H$ differ, the products of the last rule are the only ones whose shapes fit.
# But $W_h$ is square: `da @ Wh` and a transposed `dWh` fit as well, and are wrong. There, go by the
# rule and not by the shapes.
#
# One more thing: $b$ is added to each of the $N$ rows, so it gets the gradient of each of them.
# *A broadcast in the forward pass is a sum in the backward pass.*
#
# *By hand* (numbers of our own, everything of size 1): $x = 1$, $h_{t-1} = 0.4$, $w_x = 0.6$,
# $w_h = -0.5$, $b = 0.2$. Forward: $a = 0.6 - 0.2 + 0.2 = 0.6$ and $h_t = \tanh 0.6 = 0.54$.
# Backward, with $dh_t = 1$: $da = 1 - 0.54^2 = 0.71$, then $dx = 0.71 \cdot 0.6 = 0.43$,
# $dh_{t-1} = 0.71 \cdot (-0.5) = -0.36$, $dw_x = 0.71 \cdot 1$, $dw_h = 0.71 \cdot 0.4 = 0.28$ and
# $db = 0.71$.
#
# **Exercise** (3 points, about 30 minutes). Write `rnn_step_backward`, for both activations. Change
# nothing that lies in the cache: it still belongs to the forward pass.


# %% nbgrader={"grade_id": "rnn_step_backward", "solution": true}
# exercise: rnn_step_backward
def rnn_step_backward(dnext_h, cache):
    """Take the gradient back through one step.

    dnext_h: (N, H) gradient of the loss with respect to next_h
    cache:   what rnn_step_forward returned
    Returns dx (N, D), dprev_h (N, H), dWx (D, H), dWh (H, H), db (H,)
    """
    ### BEGIN SOLUTION
    x, prev_h, Wx, Wh, next_h, activation = cache
    slope = 1.0 - next_h**2 if activation == "tanh" else next_h > 0
    da = dnext_h * slope  # (N, H)
    dx, dWx = da @ Wx.T, x.T @ da  # of x @ Wx
    dprev_h, dWh = da @ Wh.T, prev_h.T @ da  # of prev_h @ Wh
    db = da.sum(axis=0)  # of + b: (N, H) -> (H,)
    return dx, dprev_h, dWx, dWh, db
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_rnn_step_backward", "points": 3}
check("rnn_step_backward", rnn_step_backward, rnn_step_forward)

# %% [markdown]
# Compare your lines with the lecture's, lines 54 to 58 of `min-char-rnn` (Andrej Karpathy, BSD
# licence):
#
# ```python
# dhraw = (1 - hs[t] * hs[t]) * dh # backprop through tanh nonlinearity
# dbh += dhraw
# dWxh += np.dot(dhraw, xs[t].T)
# dWhh += np.dot(dhraw, hs[t-1].T)
# dhnext = np.dot(Whh.T, dhraw)
# ```
#
# There `dh` is your `dnext_h`, and `dhraw` is $da$. The listing reads one sequence and keeps its
# state as a column, so each product turns round and $b$ needs no sum. It adds up the gradients of
# the weights over the steps as it goes. And it makes no $dx$: below its one-hot vectors there is
# nothing to learn.
#
# **Predict, then run.** Three sequences read *h*, *e* and *e* in the same step. The gradient of
# $W_x$ has a row for each letter. Which rows are exactly zero?

# %% tags=["demo"]
rng = np.random.default_rng(1)
batch = one_hot([number[letter] for letter in "hee"], 4)  # (N, D) = (3, 4)
Wx, Wh = rng.standard_normal((4, 3)), rng.standard_normal((3, 3))
_, cache = rnn_step_forward(batch, np.zeros((3, 3)), Wx, Wh, np.zeros(3))
dWx = rnn_step_backward(rng.standard_normal((3, 3)), cache)[2]
show_matrices(
    Matrix("the gradient of Wx", dWx, letters, ["h[0]", "h[1]", "h[2]"]),
    alt="The gradient of Wx after reading h, e and e: the rows of l and o are exactly zero.",
)

# %% [markdown]
# A letter that was not read has no part in the loss, so its row of $W_x$ is not changed. This is
# the row look-up of the first exercise, seen from behind: forward picks a row, backward adds to the
# row that was picked. A bare 0 in these tables is an exact zero; a small number would show as 0.00.

# %% [markdown]
# ## All the steps: the unrolled graph
#
# A loop is hard to take a derivative of. So write it out: one copy of $f$ for each step, the state
# handed from copy to copy. The lecture's *computational graph* has no loop any more, and it shows
# that the same $W$ goes into every copy. (The figure counts its steps from 1, Python from 0,
# and its $y$ are the scores, as in the lecture: our $s$.)

# %% tags=["demo"]
show_unrolled()

# %% [markdown]
# Forward, you walk along the graph from left to right. A batch holds $N$ sequences of $T$ inputs,
# `x` of shape $(N, T, D)$, and you want the state after *each* step, `h` of shape $(N, T, H)$:
# which of them is asked for an answer depends on the pattern. All $N$ sequences make a step
# together, so the only loop is the one over time.
#
# **Exercise** (1 point, about 10 minutes). Write `rnn_forward`. Let your `rnn_step_forward` do the
# work, and keep what its `cache` holds for each step: the way back will need all of them.


# %% nbgrader={"grade_id": "rnn_forward", "solution": true}
# exercise: rnn_forward
def rnn_forward(x, h0, Wx, Wh, b, activation="tanh"):
    """Run a vanilla RNN over whole sequences.

    x:          (N, T, D) inputs
    h0:         (N, H) states before the first step
    Wx, Wh, b:  (D, H), (H, H), (H,) weights, the same at every step
    activation: "tanh", or "relu" for max(0, .)
    Returns h (N, T, H), the state after each step, and cache, whatever rnn_backward needs
    """
    ### BEGIN SOLUTION
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        h, cache = rnn_step_forward(x[:, t], h, Wx, Wh, b, activation)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_rnn_forward", "points": 1}
check("rnn_forward", rnn_forward)

# %% [markdown]
# To read a word is now one call: a batch of one sequence, from a state of zeros.


# %%
def read(word, Wx, Wh, b):
    """Return the state after each letter of `word`: (T, H)."""
    x = one_hot([[number[letter] for letter in word]], len(letters))  # (N, T, D) = (1, T, 4)
    return rnn_forward(x, np.zeros((1, len(b))), Wx, Wh, b)[0][0]


# %% [markdown]
# **Predict, then run.** The network reads *hell* with random weights. Is its state after the second
# *l* the same as after the first? And if $W_h$ is zero? Decide on both before you run the cell.

# %% tags=["demo"]
rng = np.random.default_rng(0)
Wx, Wh = rng.standard_normal((4, 3)), rng.standard_normal((3, 3))
states = read("hell", Wx, Wh, np.zeros(3)).T  # (H, T)
without = read("hell", Wx, 0 * Wh, np.zeros(3)).T
names = ["h[0]", "h[1]", "h[2]"]
show_matrices(
    Matrix("the state after each letter", states, names, "hell"),
    Matrix("the same with Wh = 0", without, names, "hell"),
    alt="States while reading hell: the columns of the two l differ, and are equal where Wh is 0.",
)

# %% [markdown]
# On the left the two columns of *l* differ: the state carries what came before. On the right they
# are equal, as the input is: without $W_h$ there is no memory, and nothing tells the two *l* apart.

# %% [markdown]
# ## Backpropagation through time
#
# *Forward through the entire sequence to compute the loss, then backward through the entire
# sequence to compute the gradient*: the lecture's words, and its name for it is backpropagation
# through time. Read the unrolled graph from right to left, and the arrows of gradients run along
# all lines. Three things follow from its shape:
#
# - Two arrows leave a state, so two gradients arrive at it. `dh[:, t]` is the one from the loss of
#   its own step.
# - $W$ has an arrow into every step, so a gradient arrives from every step: *used many times in the
#   forward pass, a sum in the backward pass.*
# - Each $x_t$ goes into one step, and gets its gradient from that one.
#
# *By hand* (everything of size 1, two steps): $w_x = 0.5$, $w_h = 0.8$, $b = 0$, $h_0 = 0$ (the
# state before the first step), and the inputs are 1 and 0. Forward: $h_1 = \tanh 0.5 = 0.46$ and
# $h_2 = \tanh(0.8 \cdot 0.46) = 0.35$. Backward, where each state gets 1 from its own loss:
#
# | step | arrives | $da = dh\,(1 - h^2)$ | $dx$ | goes on back | $dw_x$ | $dw_h$ | $db$ |
# |:--|:--|--:|--:|--:|--:|--:|--:|
# | 2 | 1 | 0.87 | 0.44 | 0.70 | 0 | 0.40 | 0.87 |
# | 1 | 1 + 0.70 | 1.34 | 0.67 | 1.07 | 1.34 | 0 | 1.34 |
# | sum | | | | | 1.34 | 0.40 | 2.21 |
#
# What goes back to the state before $h_1$ is $dh_0 = 1.07$. The 0 under $dw_x$ comes from the input
# 0, the 0 under $dw_h$ from $h_0 = 0$.
#
# **Exercise** (2 points, about 25 minutes). Write `rnn_backward`. Let your `rnn_step_backward` do
# the work.


# %% nbgrader={"grade_id": "rnn_backward", "solution": true}
# exercise: rnn_backward
def rnn_backward(dh, cache):
    """Take the gradient back through all steps.

    dh:    (N, T, H) gradient of the loss with respect to each h_t by the loss of its own step
    cache: what rnn_forward returned
    Returns dx (N, T, D), dh0 (N, H), dWx (D, H), dWh (H, H), db (H,)
    """
    ### BEGIN SOLUTION
    dh_next, dxs, steps = np.zeros_like(dh[:, 0]), [], []
    for t in reversed(range(dh.shape[1])):
        dx, dh_next, *step = rnn_step_backward(dh[:, t] + dh_next, cache[t])
        dxs.append(dx)
        steps.append(step)
    dWx, dWh, db = (sum(each) for each in zip(*steps, strict=True))
    return np.stack(dxs[::-1], axis=1), dh_next, dWx, dWh, db
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_rnn_backward", "points": 2}
check("rnn_backward", rnn_backward, rnn_forward)

# %% [markdown]
# The two steps that you followed by hand, from your functions:

# %% tags=["demo"]
size_one = np.ones((1, 1))
_, cache = rnn_forward(
    np.array([[[1.0], [0.0]]]), 0 * size_one, 0.5 * size_one, 0.8 * size_one, np.zeros(1)
)
grads = rnn_backward(np.ones((1, 2, 1)), cache)
for name, grad in zip(["dx", "dh0", "dWx", "dWh", "db"], grads, strict=True):
    print(f"{name:4}", grad.round(2).ravel())

# %% [markdown]
# Do you trust it? Hold it against two that know nothing of your derivation. `check_gradients` moves
# each number a little and measures what changes. And torch has an RNN of its own, with an autograd
# of its own. (If torch is not installed, the second cell says so.)

# %% tags=["demo"]
rng = np.random.default_rng(2)
shapes = {"x": (2, 5, 3), "h0": (2, 4), "Wx": (3, 4), "Wh": (4, 4), "b": (4,)}
given = {name: 0.7 * rng.standard_normal(shape) for name, shape in shapes.items()}
dh = np.zeros((2, 5, 4))  # (N, T, H)
dh[:, -1] = rng.standard_normal((2, 4))  # only the last state has a loss
_, cache = rnn_forward(**given)
grads = dict(zip(given, rnn_backward(dh, cache), strict=True))
check_gradients(lambda given: np.sum(dh * rnn_forward(**given)[0]), given, grads)


# %%
def gradients_by_torch(given, dh):
    """What rnn_backward should return, by torch's RNN and autograd; None without torch."""
    try:
        import torch
    except ImportError:
        return None
    leaf = {name: torch.tensor(value, requires_grad=True) for name, value in given.items()}
    rnn = torch.nn.RNN(*given["Wx"].shape, batch_first=True, dtype=torch.float64)
    weights = {
        "weight_ih_l0": leaf["Wx"].T,
        "weight_hh_l0": leaf["Wh"].T,
        "bias_ih_l0": leaf["b"],
        "bias_hh_l0": torch.zeros_like(leaf["b"]),  # torch adds two biases where you add one
    }
    h, _ = torch.func.functional_call(rnn, weights, (leaf["x"], leaf["h0"][None]))
    h.backward(torch.tensor(dh))
    return {name: value.grad.numpy() for name, value in leaf.items()}


# %% tags=["demo"]
dh = rng.standard_normal((2, 5, 4))  # now all states have one
grads = dict(zip(given, rnn_backward(dh, cache), strict=True))
by_torch = gradients_by_torch(given, dh)
if by_torch is None:
    print("torch is not installed: two ways in the place of three")
for name, grad in (by_torch or {}).items():
    print(f"d{name:3} furthest apart: {np.abs(grad - grads[name]).max():.0e}")

# %% [markdown]
# By hand, numeric, autograd: three ways, one gradient. (About 1e-16 is what rounding leaves.)
#
# **Predict, then run.** Eight steps, and only the state after the fifth, `h[4]`, counts in the
# loss. Which inputs get a gradient of exactly zero? Of the others, which gets the largest one: the
# first, or the one nearest to the loss?

# %% tags=["demo"]
rng = np.random.default_rng(3)
x, Wx, Wh = (rng.standard_normal(shape) for shape in ((20, 8, 4), (4, 100), (100, 100)))
dh = np.zeros((20, 8, 100))  # (N, T, H)
dh[:, 4] = 0.1 * rng.standard_normal((20, 100))
lengths = []
for scale in (0.05, 0.1, 0.2):
    _, cache = rnn_forward(x, np.zeros((20, 100)), 0.1 * Wx, scale * Wh, np.zeros(100))
    dx = rnn_backward(dh, cache)[0]
    lengths.append(np.linalg.norm(dx, axis=2).mean(axis=0))  # (N, T, D) -> (T,)
show_matrices(
    Matrix(
        "the length of dx, mean over 20 sequences",
        np.array(lengths),
        ["Wh small", "Wh twice as large", "four times"],
        [f"x[{t}]" for t in range(8)],
    ),
    alt="Nothing reaches x[5], x[6] and x[7]. From x[4] back to x[0] the gradient fades with a "
    "small Wh, stays about the same with a middling one and grows with a large one.",
)

# %% [markdown]
# The last three are exactly zero: what comes after the loss cannot change it. If yours shows zeros
# from `x[0]` to `x[3]` as well, the gradient stops at states that have no loss of their own. For
# the others it depends. On its way to $x_0$ the gradient passes four more steps, and each
# multiplies it by $W_h^T$. With a small $W_h$ it fades, and the network cannot learn what the first
# input was good for. With a large one it grows, and one step of learning may throw the weights far
# away. The lecture calls it vanishing and exploding. Part B has a remedy for the second, and
# notebook 03 for the first.

# %% [markdown]
# ## The loss over time
#
# At each step the network gives a score $s_k$ to each symbol $k$. The softmax makes probabilities
# of them, and the loss is the surprise at the right symbol $y$, $-\ln p_y$ (in *nats*, the unit
# that goes with the natural logarithm):
#
# $$p_k = \frac{e^{s_k}}{\sum_j e^{s_j}}, \qquad
# L = -\frac{1}{M} \sum_{(n, t)\ \mathrm{real}} \ln p_{n,t}[y_{n,t}], \qquad
# \frac{\partial L}{\partial s_k} = \frac{p_k - [k = y]}{M} .$$
#
# $[k = y]$ is 1 for the right symbol and 0 for all others: the one-hot vector of $y$.
#
# - **Real.** Sequences in a batch differ in length; the short ones are padded. A mask says which of
#   the $N \times T$ tokens are real, and $M$ is their number. The rest counts for nothing: no loss,
#   and a gradient of exactly zero.
# - **Mean.** Here the loss is the *mean* over the real tokens. `min-char-rnn` *sums* over its 25
#   steps. Neither is wrong, but losses, learning rates and thresholds do not carry over from one to
#   the other, so always say which one you use.
# - **Stable.** $e^{1000}$ is too large for a float64. Subtract the largest score $m$ first: a
#   number added to all scores cancels in the fraction. That is not enough: a very small $p_y$
#   rounds to 0, and its logarithm is $-\infty$. So take the logarithm of the sum, not of the
#   fraction: $\ln p_y = s_y - m - \ln \sum_j e^{s_j - m}$.
#
# *The lecture's own number.* Before its first step `min-char-rnn` (line 85) puts its loss at
#
# ```python
# smooth_loss = -np.log(1.0/vocab_size)*seq_length # loss at iteration 0
# ```
#
# with a `seq_length` of 25. For our $V = 4$ letters that is a sum of 34.66, and a mean of
# $\ln 4 = 1.386$: a network that knows nothing gives each letter $1/4$. Look for this number before
# each training run. A first loss well
# above $\ln V$ means that the untrained network is sure of something, and wrong; one well below
# means that it has seen the answers, or that the loss leaves something out. With the lecture's
# 10,001 scores, one for each word and one for `<END>`, it is 9.21.
#
# **Exercise** (3 points, about 25 minutes). Write `temporal_softmax_loss`. Its `x` is what goes
# into the loss: the scores $s$.


# %% nbgrader={"grade_id": "temporal_softmax_loss", "solution": true}
# exercise: temporal_softmax_loss
def temporal_softmax_loss(x, y, mask):
    """Mean of -ln softmax(x)[y] over the real tokens, and its gradient.

    x:    (N, T, V) scores, s in the formulas above
    y:    (N, T) integers from 0 to V - 1, the right symbols
    mask: (N, T) bool, True where a token is real
    Returns loss, a float, and dx (N, T, V); if no token in the batch is real, both are zero
    """
    ### BEGIN SOLUTION
    shifted = x - x.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # (N, T, V)
    right = np.arange(x.shape[-1]) == y[..., None]  # (N, T, V), True at the right symbol
    real = mask[..., None]  # (N, T) -> (N, T, 1)
    tokens = max(int(mask.sum()), 1)
    loss = -log_p[right & real].sum() / tokens
    dx = np.where(real, np.exp(log_p) - right, 0.0) / tokens
    return float(loss), dx
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_temporal_softmax_loss", "points": 3}
check("temporal_softmax_loss", temporal_softmax_loss)

# %% [markdown]
# **Predict, then run.** All scores are 0, and the last step of *hello* is masked. What is the loss?
# What is the gradient at the right letter of a real step, and at a wrong one? And what changes if
# all scores are 1000?

# %% tags=["demo"]
real = np.array([[True, True, True, False]])
loss, dscores = temporal_softmax_loss(np.zeros((1, 4, 4)), y_ids, real)
loss_high, _ = temporal_softmax_loss(np.full((1, 4, 4), 1000.0), y_ids, real)
print(f"loss {loss:.3f}, with all scores at 1000: {loss_high:.3f}, ln 4 = {np.log(4):.3f}")
show_matrices(
    Matrix("the gradient of the scores", dscores[0].T, letters, ["e", "l", "l", "masked"]),
    alt="Gradient of equal scores: -0.25 at the right letter, 0.08 elsewhere, 0 where masked.",
)

# %% [markdown]
# Each real column adds up to zero: what the right letter gains, the others lose. The right letter
# has $(1/4 - 1)/3 = -0.25$, so going against the gradient raises its score. The masked column is
# exactly zero, and a number added to all scores changes nothing.

# %% [markdown]
# ## "hello", learned
#
# Now all of them together: letters become vectors, vectors become states, states become scores, and
# scores a loss; and back again. Every network in the rest of Part A has this middle, so it gets a
# function of its own.


# %%
def scores_of(p, x, activation="tanh"):
    """Scores at each step, from a state of zeros: (N, T, V); with h (N, T, H) and its cache."""
    h0 = np.zeros((len(x), len(p["b"])))
    h, cache = rnn_forward(x, h0, p["Wx"], p["Wh"], p["b"], activation)
    return h @ p["Wy"] + p["by"], h, cache  # (N, T, H) -> (N, T, V)


def network_loss(p, x, y, mask, activation="tanh"):
    """The loss, the gradients of all weights by name, and dx (N, T, D)."""
    scores, h, cache = scores_of(p, x, activation)
    loss, dscores = temporal_softmax_loss(scores, y, mask)

    grads = {"by": dscores.sum(axis=(0, 1)), "Wy": np.tensordot(h, dscores, ((0, 1), (0, 1)))}
    dh = dscores @ p["Wy"].T  # (N, T, V) -> (N, T, H)
    dx, _, grads["Wx"], grads["Wh"], grads["b"] = rnn_backward(dh, cache)
    return loss, grads, dx


# %% [markdown]
# For *hello* the state has three numbers. The network starts as the listing does: small random
# weights (0.01 times a normal number) and zero biases.


# %%
def new_network(seed, H=3, V=4):
    """Small random weights, zero biases."""
    rng = np.random.default_rng(seed)
    shapes = {"Wx": (V, H), "Wh": (H, H), "Wy": (H, V)}
    weights = {name: 0.01 * rng.standard_normal(shape) for name, shape in shapes.items()}
    return weights | {"b": np.zeros(H), "by": np.zeros(V)}


def loss_and_gradients(p):
    """One pass over the whole word, forward and backward."""
    loss, grads, _ = network_loss(p, one_hot(x_ids, 4), y_ids, np.ones((1, 4), bool))
    return loss, grads


# %% [markdown]
# Each part has had its check, but the wires between them are new. So ask once more:

# %% tags=["demo"]
network = new_network(seed=0)
check_gradients(lambda p: loss_and_gradients(p)[0], network, loss_and_gradients(network)[1])

# %% [markdown]
# Training is plain gradient descent: 500 steps of half the gradient, downhill. With `memory=False`
# the network is kept from using its old state.


# %%
def train(seed, memory=True, steps=500, rate=0.5):
    """Return the trained network and the loss before each step."""
    p, losses = new_network(seed), []
    for _ in range(steps):
        loss, grads = loss_and_gradients(p)
        losses.append(loss)
        p = {name: p[name] - rate * grads[name] for name in p}
        p["Wh"] *= memory  # False is 0: the old state is not read
    return p, losses


# %% [markdown]
# **Predict, then run.** With memory, how low can the loss go? Without, how low? After *h* and *e*
# there is one right answer; after *l*, without memory, there are two, equally often. Work out the
# mean over the four steps before you run the cell.

# %% tags=["demo"]
network, losses = train(seed=0)
forgetful, losses_without = train(seed=0, memory=False)
ln2 = np.log(2)
show_curves(
    {"with memory": losses[:150], "without memory (Wh = 0)": losses_without[:150]},
    {
        "knows nothing: 1.386": 2 * ln2,
        "letter counts: 1.040": 1.5 * ln2,
        "no memory: 0.347": ln2 / 2,
    },
    xlabel="step (the first 150 of 500)",
    ylabel="loss (nats a letter)",
    alt="Both losses start at 1.386, linger at about 1.1 near step 20 and fall; without memory the "
    "loss levels out near 0.347, with memory it goes on towards zero.",
)

# %% [markdown]
# Read the curves as a list of what the network has found out. They start at $\ln 4 = 1.386$: it
# knows nothing. Near step 20 they linger at about 1.1 (with 100 seeds, between steps 12 and 25): it
# has nearly found out how often each letter is the answer, half of the time *l* and a quarter of
# the time each *e* and *o*. That alone brings no more than 1.040. The dashed curve goes towards
# $(0 + 0 + \ln 2 + \ln 2)/4 = 0.347$: it knows what follows each letter, and after *l* it gives
# about one half to *l* and one half to *o*. Only the curve with memory goes on towards zero.

# %% [markdown]
# ## ... and spoken back
#
# To speak, the network reads *h*, says its best letter, reads what it has said, and so on.


# %%
def speak(p, said="h", length=5):
    """Go on from `said`, taking the letter with the highest score each time."""
    h = np.zeros((1, len(p["b"])))
    while len(said) < length:
        x = one_hot([number[said[-1]]], 4)
        h, _ = rnn_step_forward(x, h, p["Wx"], p["Wh"], p["b"])
        said += letters[int(np.argmax(h @ p["Wy"] + p["by"]))]
    return said


# %% tags=["demo"]
print("untrained:     ", speak(new_network(seed=0)))
print("without memory:", speak(forgetful))
print("with memory:   ", speak(network))

# %% [markdown]
# Only the last one can be right: to a network without memory the second *l* is the first one again.
# If it says *l* after *l*, it never stops; if it says *o*, no second *l* comes. Ours says *l*: the
# two halves are not quite equal, and with each of 100 seeds *l* is ahead, by 0.0004 to 0.0034 after
# 500 steps. That comes from *e*. There too the answer is *l*, and what raises its score after *e*
# raises it a little after *l*.
#
# What shows here is the memory, and not yet the gradient through time. An `rnn_backward` that drops
# what each step hands back to the one before it learns *hello* too: the state carries something of
# the past even where nobody has taught it what to keep. At the end of this part, when a word has to
# be said backwards, many letters are wrong without that gradient.
#
# Here is what the trained network knows. On the left its state, with two columns for *l* that are
# far apart now; on the right its probabilities.


# %%
def probabilities(states, p):
    """Softmax of the scores: (T, H) -> (T, V)."""
    likely = np.exp(states @ p["Wy"] + p["by"])
    return likely / likely.sum(axis=-1, keepdims=True)


# %% tags=["demo"]
states = read("hell", network["Wx"], network["Wh"], network["b"])
show_matrices(
    Matrix("the state after each letter", states.T, names, "hell"),
    Matrix("how likely is each next letter?", probabilities(states, network).T, letters, "hell"),
    alt="After training the states of the two l differ and the next letters e, l, l, o have "
    "probabilities near 1.",
)

# %% [markdown]
# ## A question
#
# **Question** (4 points, graded by hand; at most 60 words). The listing makes the gradient of a
# state in one line (line 53): `dh = np.dot(Why.T, dy) + dhnext`. Your `rnn_backward` makes the
# same sum; the first term reaches it as `dh[:, t]`. Where does the second, `dhnext`, come from, why
# is it added, and why does it start at zero?

# %% [markdown] nbgrader={"grade_id": "why_added", "points": 4, "solution": true}
# ### BEGIN SOLUTION
# A state is used twice: the scores of its own step are made of it, and so is the next state. Along
# both ways it changes the loss, and by the chain rule the gradients of both ways add up. `dhnext`
# is the second: the `dprev_h` that the step after this one handed back. After the last step nothing
# follows, so there it is zero.
#
# *Rubric, a point each:* the state has two uses, the scores of its step and the next state;
# gradients of a value used twice add up (chain rule); `dhnext` is `dprev_h` of step t + 1; nothing
# comes after the last step, so that it starts at zero.
# ### END SOLUTION

# %% [markdown]
# ## Words in place of letters
#
# A caption is made of words, and there are many more words than letters. The lecture's model has
# 10,000 of them, and **300 learnable numbers associated with each word**: its *word vector*, or
# *embedding*. They are the rows of a matrix $W$ of shape $(V, D)$.
#
# You have seen at the start that a one-hot vector times $W$ is a row of $W$. So nobody makes the
# one-hot vector:
#
# $$\mathrm{out}[n, t] = W[\,x[n, t]\,] .$$
#
# *By hand*: with the rows $W[0] = (1, 2)$, $W[1] = (3, 4)$ and $W[2] = (5, 6)$, the sentence
# $(2, 0, 2)$ becomes $(5, 6), (1, 2), (5, 6)$.
#
# **Exercise** (1 point, about 5 minutes). Write `word_embedding_forward`.


# %% nbgrader={"grade_id": "word_embedding_forward", "solution": true}
# exercise: word_embedding_forward
def word_embedding_forward(x, W):
    """Look up the vector of each word.

    x: (N, T) whole numbers from 0 to V - 1, the words
    W: (V, D) a row for each word
    Returns out (N, T, D) and cache, whatever word_embedding_backward needs
    """
    ### BEGIN SOLUTION
    return W[x], (x, W.shape)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_word_embedding_forward", "points": 1}
check("word_embedding_forward", word_embedding_forward)

# %% [markdown]
# **Predict, then run.** How many multiplications does it take to get the vectors of eight words out
# of 10,000 by a product with one-hot vectors? And by looking them up?

# %% tags=["demo"]
rng = np.random.default_rng(4)
x, W = rng.integers(10_000, size=(2, 4)), rng.standard_normal((10_000, 300))
looked_up, _ = word_embedding_forward(x, W)  # (N, T) -> (N, T, D)
print("the same numbers:", np.array_equal(looked_up, one_hot(x, 10_000) @ W))
print(f"the product makes {x.size * W.size:,} multiplications; the look-up makes none")

# %% [markdown]
# ## Words, backward
#
# Since it is the same operation, it has the same gradient. The product's rule is
# $dW = (\text{one-hot } x)^T\, d\mathrm{out}$: each token adds its gradient to the row that it was
# read from. A word that did not occur gets zero. A word that occurs twice gets the sum of two
# gradients, and there lies a trap.
#
# *By hand*: the sentence $(2, 0, 2)$ again, vectors of one number, and `dout` 1, 10 and 100, so
# that each digit tells which token it came from. Then $dW = (10, 0, 101)$.
#
# With NumPy, `dW[x] += dout` gives $(10, 0, 100)$: where a row is named twice, it is read once,
# before anything was added, and the last sum wins. `np.add.at` (notebook 00 has it among its three
# tools) adds them one after the other.
#
# **Exercise** (1 point, about 10 minutes). Write `word_embedding_backward`.


# %% nbgrader={"grade_id": "word_embedding_backward", "solution": true}
# exercise: word_embedding_backward
def word_embedding_backward(dout, cache):
    """Take the gradient back to the rows that were looked up; repeated words add up.

    dout:  (N, T, D) gradient of the loss with respect to out
    cache: what word_embedding_forward returned
    Returns dW (V, D)
    """
    ### BEGIN SOLUTION
    x, shape = cache
    dW = np.zeros(shape, dout.dtype)
    np.add.at(dW, x, dout)
    return dW
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_word_embedding_backward", "points": 1}
check("word_embedding_backward", word_embedding_backward, word_embedding_forward)

# %% [markdown]
# **Predict, then run.** If every token's gradient is 1, what does `dW` count?

# %% tags=["demo"]
sentence = ["a", "red", "star", "and", "a", "blue", "star", "on", "a", "black", "background"]
once = sorted(set(sentence))
tokens = np.array([[once.index(word) for word in sentence]])  # (N, T) = (1, 11)
_, cache = word_embedding_forward(tokens, np.zeros((len(once), 1)))
dW = word_embedding_backward(np.ones((1, len(sentence), 1)), cache)
show_matrices(
    Matrix("dW where each gradient is 1", dW.T, [""], once),
    alt="The row of a gets 3, that of star 2, the others 1.",
)

# %% [markdown]
# It counts how often each word occurs: *a* three times, *star* twice. If yours shows 1 everywhere,
# repeated words did not add up.

# %% [markdown]
# ## "cat sat on mat"
#
# *Suppose we had the training sentence "cat sat on mat"*, says the lecture. *We want to train a
# language model, P(next word | previous words).* That is, we want these to be high:
#
# - P(cat | [`<START>`])
# - P(sat | [`<START>`, cat])
# - P(on | [`<START>`, cat, sat])
# - P(mat | [`<START>`, cat, sat, on])
#
# and, since a sentence has to stop, P(`<END>` | [`<START>`, cat, sat, on, mat]). It is *hello*
# again, with two special words: `<START>` is read first, so that the first word can be asked for,
# and `<END>` is said last. The lecture's numbers, from the bottom up:
#
# - 300 learnable numbers associated with each word, $x_t$;
# - a hidden representation that "mediates the contextual information", of say 200 numbers,
#   $h_4 = \max(0,\, W_{xh} x_4 + W_{hh} h_3)$: the ReLU in the place of $\tanh$;
# - 10,001 numbers on top, $y_4 = W_{hy} h_4$: log-probabilities (before the softmax: scores) for
#   10,000 words in the vocabulary and a special `<END>`.
#
# **Predict, then run.** How many parameters are these, and where do most of them sit? (The formulas
# have no biases; the input side knows `<START>` where the output side knows `<END>`.)

# %% tags=["demo"]
parameters = {
    "a vector for each word": (10_000 + 1) * 300,
    "Wxh": 300 * 200,
    "Whh": 200 * 200,
    "Why": 200 * (10_000 + 1),
}
for name, size in parameters.items():
    print(f"{name:>22} {size:9,}")
print(f"{'in all':>22} {sum(parameters.values()):9,}")

# %% [markdown]
# 98% of them belong to single words, at the bottom or at the top. The recurrence itself, with all
# that it may learn about order, has a fiftieth. (Notebook 04 meets vocabularies for which even
# the top alone is too much.)
#
# Now train it. The lecture's widths, 300 and 200, and a vocabulary of its four words and the
# course's four special ones: `<NULL>` (number 0, padding), `<START>` (1), `<END>` (2) and `<UNK>`
# (3, any word that the vocabulary does not have). Weights start so that the sums neither fade nor
# grow: a normal number divided by the root of how many are added up. Only the scores start near
# zero, so that the first loss is near $\ln 8 = 2.079$.


# %%
def sized_network(seed, D, H, V):
    """Random weights that keep sums at their size, small ones for the scores, zero biases."""
    rng = np.random.default_rng(seed)
    return {
        "Wx": rng.standard_normal((D, H)) / np.sqrt(D),
        "Wh": rng.standard_normal((H, H)) / np.sqrt(H),
        "b": np.zeros(H),
        "Wy": 0.01 * rng.standard_normal((H, V)),
        "by": np.zeros(V),
    }


def word_network(seed, V, D, H):
    """The same, below it a vector of D numbers for each word."""
    vectors = np.random.default_rng([seed, 1]).standard_normal((V, D))
    return sized_network(seed, D, H, V) | {"vectors": vectors}


def word_loss(p, ids):
    """The loss of saying each next word of sentences (N, T + 1), <NULL> aside; the gradients."""
    x, y = ids[:, :-1], ids[:, 1:]
    vectors, cache = word_embedding_forward(x, p["vectors"])
    loss, grads, dvectors = network_loss(p, vectors, y, y != Vocabulary.NULL, "relu")
    return loss, grads | {"vectors": word_embedding_backward(dvectors, cache)}


# %% [markdown]
# `descend` walks downhill for every network from here on: gradient descent on random batches, with
# the momentum of notebook 01, and a rate that comes down to zero in a straight line. `loss_of` is
# given the weights and the numbers of the examples in the batch.


# %%
def descend(p, loss_of, examples, steps, rate, batch=64, seed=0):
    """Return the weights after so many steps, and the loss before each of them."""
    rng, losses = np.random.default_rng([seed, 2]), []
    velocity = {name: np.zeros_like(weight) for name, weight in p.items()}
    for t in range(steps):
        loss, grads = loss_of(p, rng.integers(examples, size=batch))
        losses.append(loss)
        for name, grad in grads.items():
            velocity[name] = 0.9 * velocity[name] - rate * (1 - t / steps) * grad
        p = {name: weight + velocity[name] for name, weight in p.items()}
    return p, losses


# %% [markdown]
# And to look at what it has learned:


# %%
def next_word(p, words, beginning):
    """P(next word | <START> and the words of `beginning`) for all words: (V,)."""
    ids = np.array([words.encode(beginning)[:-1]])  # without <END>
    vectors, _ = word_embedding_forward(ids, p["vectors"])
    scores, _, _ = scores_of(p, vectors, "relu")
    likely = np.exp(scores[0, -1] - scores[0, -1].max())
    return likely / likely.sum()


def next_words(title, p, words, beginnings, answers):
    """A table of P(next word | beginning): a row for each beginning, a column for each answer."""
    columns = [words.words.index(answer) for answer in answers]
    likely = [next_word(p, words, beginning)[columns] for beginning in beginnings]
    return Matrix(title, np.array(likely), [f"<START> {b}".strip() for b in beginnings], answers)


# %% tags=["demo"]
cat_words = Vocabulary.build(["cat sat on mat"])
cat_ids = cat_words.encode_batch(["cat sat on mat"])  # (N, T + 1) = (1, 6)
untrained = word_network(seed=0, V=len(cat_words), D=300, H=200)
trained, losses = descend(
    untrained, lambda p, rows: word_loss(p, cat_ids[rows]), 1, steps=30, rate=0.003, batch=1
)
print(f"first loss {losses[0]:.3f}, ln 8 = {np.log(8):.3f}, last loss {losses[-1]:.3f}")
answers = ["cat", "sat", "on", "mat", "<END>"]
beginnings = ["", "cat", "cat sat", "cat sat on", "cat sat on mat"]
show_matrices(
    next_words("untrained", untrained, cat_words, beginnings, answers),
    next_words("trained", trained, cat_words, beginnings, answers),
    alt="Untrained, each next word has a probability near 1/8. Trained, cat, sat, on, mat and "
    "<END> have probabilities near 1, each after its beginning.",
)

# %% [markdown]
# Row by row the lecture's list of wishes, and each of them is near 1. One sentence is learned by
# heart in 30 steps. What the model would say after *mat sat* is nobody's wish: *training this on a
# lot of sentences would give us a language model.*

# %% [markdown]
# ## A lot of sentences
#
# The course's scenes come with captions, written by twelve annotators. These are about simple
# scenes, with one or two objects each. They are what the captioner will be trained on; here there
# are no pictures yet, the model sees the words alone.


# %%
@functools.cache
def captions(split):
    """The captions of the first scenes of a split, five a scene."""
    scenes = Scenes(split, n=budget({"train": 1000, "val": 200}[split], fast=40))
    return [caption for five in scenes.captions for caption in five]


@functools.cache
def caption_words():
    """The vocabulary of the training captions."""
    return Vocabulary.build(captions("train"))


# %% tags=["demo"]
words = caption_words()
print(f"{len(captions('train'))} captions")
print(f"{len(words)} words, ln {len(words)} = {np.log(len(words)):.3f}")
batch = words.encode_batch(captions("train")[:64])  # (N, T + 1)
for caption, ids in zip(captions("train")[:3], batch[:3], strict=True):
    print(f"\n{caption}\n{ids}")

# %% [markdown]
# Captions differ in length, and a batch is one array. So the short ones are padded with `<NULL>`,
# which has number 0, and the mask says which tokens are real.
#
# **Predict, then run.** Which share of the tokens to be said in this batch is padding? If the mask
# were all `True`, would the loss after training be higher or lower?

# %% tags=["demo"]
print(f"padding: {np.mean(batch[:, 1:] == Vocabulary.NULL):.0%} of {batch[:, 1:].size} tokens")

# %% [markdown]
# It would be lower, and worth nothing: after `<NULL>` comes `<NULL>`, always, and being sure of
# that would make up a good part of the mean. A loss that leaves nothing out is not the better one;
# a loss over the real tokens is.
#
# What is a good loss here? Two models without any network tell. One knows only how often each word
# occurs. The other also knows the word before: it counts pairs. (Half a pair is added to each
# count, so that a pair never seen is not impossible.)


# %%
def counted(after_which_word):
    """P(next word | the word before), by counting in the training captions: (V, V)."""
    ids, V = caption_words().encode_batch(captions("train")), len(caption_words())
    before, after = (part[ids[:, 1:] != Vocabulary.NULL] for part in (ids[:, :-1], ids[:, 1:]))
    pairs = np.full((V, V), 0.5)
    np.add.at(pairs, (before, after), 1)
    pairs = pairs if after_which_word else np.broadcast_to(pairs.sum(axis=0), (V, V))
    return pairs / pairs.sum(axis=1, keepdims=True)


def counted_loss(after_which_word):
    """The mean of -ln P over the real tokens of the held-out captions."""
    ids = caption_words().encode_batch(captions("val"))
    real = ids[:, 1:] != Vocabulary.NULL
    return -np.log(counted(after_which_word)[ids[:, :-1], ids[:, 1:]][real]).mean()


# %% [markdown]
# The network has narrower vectors than the lecture's, of 32 numbers, and a state of 64: there are
# 66 words here, not 10,000. (As in notebook 01, what was trained is kept. After you mend a
# function, run the next cell again: it forgets.)


# %%
@functools.cache
def word_model(seed):
    """The word model trained on the captions, and its loss before each step."""
    ids = caption_words().encode_batch(captions("train"))
    p = word_network(seed, V=len(caption_words()), D=32, H=64)
    steps = budget(800, fast=10)
    return descend(p, lambda p, rows: word_loss(p, ids[rows]), len(ids), steps, 0.2, seed=seed)


def word_model_measurements(seed):
    """What came of the word model: first loss, held-out loss, and the same of counted pairs."""
    p, losses = word_model(seed)
    held_out, _ = word_loss(p, caption_words().encode_batch(captions("val")))
    return {
        "word model: loss before training": losses[0],
        "word model: loss on held-out captions": held_out,
        "the same, by counting pairs of words": counted_loss(after_which_word=True),
    }


# %% tags=["demo"]
language, losses = word_model(0)
show_curves(
    {"the word model, on its batch": losses},
    {
        f"ln {len(words)}": np.log(len(words)),
        "counting words": counted_loss(after_which_word=False),
        "counting pairs": counted_loss(after_which_word=True),
    },
    xlabel="step",
    ylabel="loss (nats a word)",
    alt="The loss starts at the logarithm of the vocabulary's size, falls below that of counted "
    "words and of counted pairs within a hundred steps, and levels out.",
)

# %% tags=["demo"]
for name, value in word_model_measurements(0).items():
    print(f"{name:40} {value:.3f} nats, one of {np.exp(value):.1f}")

# %% [markdown]
# Read the last column as a choice: a loss of 1.1 nats is as if, at each word, one of three had to
# be guessed. Counting pairs leaves nearly five. Neither can reach zero: nobody can know which
# colour the next thing has. But the network has more to go by. Its state of 64 numbers is made of
# *all* the words so far, not of the last one only. What does that buy? **Predict, then run.** Which
# word follows *a red star on the*? And *a red star on the left and a green heart on the*?

# %% tags=["demo"]
beginnings = [
    "",
    "there is an",
    "a red",
    "a red star",
    "a red star on the",
    "a red star on the left and a green heart on the",
]
answers = ["a", "there", "orange", "star", "heart", "cross", "on", "left", "right", "<END>"]
last = [words.encode(beginning)[-2] for beginning in beginnings]
columns = [words.words.index(answer) for answer in answers]
show_matrices(
    next_words("the word model", language, words, beginnings, answers),
    Matrix(
        "counted pairs know the last word only",
        counted(after_which_word=True)[np.ix_(last, columns)],
        [f"... {words.words[word]}" for word in last],
        answers,
    ),
    alt="The word model gives left nearly 1 after a red star on the, and right nearly 1 after a "
    "red star on the left and a green heart on the. Counted pairs give both the same numbers.",
)

# %% [markdown]
# Both beginnings end in *the*, so to counted pairs they are the same. The network says *left* to
# one and *right* to the other: six words later, its state still holds that *left* has been used. It
# has found grammar, too: after *an*, what can come but *orange*? (Counted pairs waver, since *an
# image* also begins a sentence.)
#
# And both have found out something about the scenes that nobody told them. Look for *cross* after
# *a red*. The course keeps a few pairs of shape and colour out of all training pictures, for a test
# that comes later, and this is one of them. A language model learns what is said, not what could
# be.
#
# What are the vectors good for? Each word has two: a row of `vectors` at the bottom, where it is
# read, and a column of `Wy` at the top, where it is said. Words that are said in the same places
# should have columns that point the same way.


# %%
def nearest(p, words, word, count=3):
    """The words whose columns of Wy point most nearly the same way."""
    columns = p["Wy"] / np.linalg.norm(p["Wy"], axis=0)  # (H, V)
    likeness = columns[:, words.words.index(word)] @ columns
    return [words.words[k] for k in np.argsort(-likeness)[1 : count + 1]]


# %% tags=["demo"]
for word in ("red", "circle", "disc", "small", "left", "white"):
    print(f"{word:7} {', '.join(nearest(language, words, word))}")

# %% [markdown]
# Colours lie beside colours, shapes beside shapes; sizes lie beside sizes less strictly. Nobody has
# said which words are colours: it came out of saying the next word. *disc* and *box* are close for
# a reason of their own: annotators who say *disc* for a circle say *box* for a square.

# %% [markdown]
# ## "cat sat on a ..."
#
# The lecture shows what such a model is used for, a line to type in and below it what it might
# become:
#
# > **cat sat on a**
# >
# > cat sat on a mat · cat sat on a barrel · cat sit on a glass table · cat sat on a glass table
#
# Yours does the same for scenes. `complete` keeps a list of unfinished sentences and goes on with
# the likeliest of them, one word at a time; the first four that reach `<END>` are the four
# likeliest ends of all. (That is exact, but for two limits: it goes on with the 20 likeliest words
# only, and gives up after 500 sentences. It takes ever longer as sentences grow. Notebook 05 has a
# way that does not.) The number is the probability of the whole ending: that of its words,
# multiplied. Type beginnings of your own, in small letters; a word that the captions do not have is
# read as `<UNK>`.


# %%
def complete(p, words, beginning, count=4, patience=500):
    """The likeliest ends of a sentence: a list of (probability, sentence)."""
    open_ends, found = [(-1.0, beginning, False)], []
    for _ in range(patience):
        chance, said, finished = heapq.heappop(open_ends)
        if finished:
            found.append((-chance, said))
        if len(found) == count:
            break
        if not finished:
            likely = next_word(p, words, said)
            heapq.heappush(open_ends, (chance * likely[words.END], said, True))
            for word in np.argsort(-likely[words.UNK :])[:20] + words.UNK:
                longer = f"{said} {words.words[word]}".strip()
                heapq.heappush(open_ends, (chance * likely[word], longer, False))
    return found


# %% tags=["demo"]
for beginning in ("a red star on the left and a green", "there is a", "two", "cat sat on a"):
    print(beginning, "...")
    for chance, sentence in complete(language, words, beginning):
        print(f"    {chance:.3f}  {sentence}")

# %% [markdown]
# They are sentences of the kind that annotators write, about pictures that do not exist. (And the
# lecture's own line? *cat* and *sat* are `<UNK>` here, but *on a* is not, and what is under a scene
# is a background.) A captioner is this model with one thing more, a picture to speak of.

# %% [markdown]
# ## The five patterns, run
#
# Now all five patterns of the beginning, each on a toy task. What is the same in all of them: the
# network, the loss, `descend`. What differs is only *where it reads* and *where it is asked*. At a
# step without an input it reads a vector of zeros; at a step where nothing is asked, the mask is
# `False`. So a pattern is a pair of lists:
#
# | pattern | task | reads | says |
# |:--|:--|:--|:--|
# | one to one | of nine lamps, are most on? | `0+3+4+7+8` (these are on) | `on` |
# | one to many | what is to be seen, in a sentence | `big+red+star - - - -` | `a big red star .` |
# | many to one | of lamps in turn, were most on? | `1 0 1 1 0` | `- - - - on` |
# | many to many | a word backwards | `a b c - - -` | `- - - c b a` |
# | many to many, in step | ones so far: even or odd? | `1 0 1 1` | `odd odd even odd` |
#
# (A dash is a step where nothing is read, or nothing asked.) The first and the third ask the same
# question, once of a vector of fixed size and once of a sequence of three to nine lamps. The second
# is Im2Caption without the picture. The fourth reads until the word ends and only then begins to
# speak: by then, all that it has of the word is a state of 48 numbers. Sequences differ in length,
# so the masks are ragged.


# %%
def most(lamps):
    """Whether most of a tuple of "0" and "1" are "1"."""
    return "on" if 2 * lamps.count("1") > len(lamps) else "off"


def lamps_at_once():
    """Nine lamps, seen in a single step."""
    every = itertools.product("01", repeat=9)
    return [([[str(k) for k in range(9) if lamps[k] == "1"]], [most(lamps)]) for lamps in every]


def what_is_seen():
    """A thing, and perhaps its size and the ground that it lies on; the sentence about it."""
    examples = []
    for things in itertools.product(["", "small", "big"], COLOURS, SHAPES, ["", "black", "white"]):
        size, colour, shape, ground = things
        article = "an" if colour == "orange" and not size else "a"
        on = f"on a {ground} background" if ground else ""
        says = f"{article} {size} {colour} {shape} {on} .".split()
        reads = [[thing for thing in things if thing]] + [""] * (len(says) - 1)
        examples.append((reads, says))
    return examples


def lamps_in_turn():
    """Three, five, seven or nine lamps, one a step; the answer comes with the last."""
    every = (lamps for n in (3, 5, 7, 9) for lamps in itertools.product("01", repeat=n))
    return [(lamps, [""] * (len(lamps) - 1) + [most(lamps)]) for lamps in every]


def word_backwards():
    """Two to four letters, and when they are over, the same from the end."""
    every = (word for n in (2, 3, 4) for word in itertools.product("abcdef", repeat=n))
    return [([*w] + [""] * len(w), [""] * len(w) + [*reversed(w)]) for w in every]


def even_or_odd():
    """Ten times 0 or 1; at each step, whether the ones so far are even or odd in number."""
    every = itertools.product("01", repeat=10)
    counts = ((ones, itertools.accumulate(map(int, ones))) for ones in every)
    return [(ones, ["odd" if count % 2 else "even" for count in sofar]) for ones, sofar in counts]


TASKS = {
    "one to one": lamps_at_once,
    "one to many": what_is_seen,
    "many to one": lamps_in_turn,
    "many to many": word_backwards,
    "many to many, in step": even_or_odd,
}


# %% [markdown]
# Each of the tasks lists all its examples, so that none stands twice. What is read at a step may be
# several things at once: the vector has a 1 for each.


# %%
@functools.cache
def arrays(name):
    """Inputs x (N, T, D), right words y (N, T), where they are asked for (N, T); the words."""
    examples = TASKS[name]()
    things = sorted({thing for reads, _ in examples for step in reads for thing in step})
    words = sorted({word for _, says in examples for word in says if word})
    N, T = len(examples), max(len(says) for _, says in examples)
    x, y, asked = np.zeros((N, T, len(things))), np.zeros((N, T), int), np.zeros((N, T), bool)
    for n, (reads, says) in enumerate(examples):
        for t, (step, word) in enumerate(zip(reads, says, strict=True)):
            x[n, t, [things.index(thing) for thing in step]] = 1
            asked[n, t] = word != ""
            y[n, t] = words.index(word) if word else 0
    return x, y, asked, words


# %% [markdown]
# A quarter of the examples is held out. On the rest, `descend` trains a network of 48 numbers, with
# memory or without. (What was trained is kept. After you mend a function, run the next cell again:
# it forgets.)


# %%
@functools.cache
def solved(name, seed, memory):
    """A network trained on three quarters of a task, and the numbers of the held-out examples."""
    x, y, asked, words = arrays(name)
    order = np.random.default_rng([seed, 3]).permutation(len(x))
    train_on, held_out = np.split(order, [3 * len(x) // 4])

    def loss_of(p, batch):
        rows = train_on[batch]
        loss, grads, _ = network_loss(p, x[rows], y[rows], asked[rows])
        grads["Wh"] *= memory  # False is 0: Wh stays at zero, the old state is not read
        return loss, grads

    p = sized_network(seed, D=x.shape[-1], H=48, V=len(words))
    p["Wh"] *= memory
    steps = budget(600, fast=5)
    return descend(p, loss_of, len(train_on), steps, 0.1, seed=seed)[0], held_out


# %% [markdown]
# Three numbers judge it on the held-out examples: the share of words that are right, the share of
# examples that are right from the first word to the last, and what the commonest word would get if
# it were said always.


# %%
def accuracy(name, seed, memory=True):
    """Of the held-out examples: the share of words that are right, of examples right throughout."""
    (p, held_out), (x, y, asked, _) = solved(name, seed, memory), arrays(name)
    right = scores_of(p, x[held_out])[0].argmax(axis=-1) == y[held_out]
    asked = asked[held_out]
    return right[asked].mean(), (right | ~asked).all(axis=1).mean()


def commonest(name, seed):
    """The share of words that are right where always the commonest is said."""
    (_, held_out), (_, y, asked, _) = solved(name, seed, True), arrays(name)
    answers = y[held_out][asked[held_out]]
    return np.bincount(answers).max() / len(answers)


def pattern_accuracies(seed):
    """The share of words said right on held-out examples of each pattern."""
    return {f"{name}: held-out words right": accuracy(name, seed)[0] for name in TASKS}


# %% [markdown]
# First look at one held-out example of each pattern.


# %% tags=["demo"]
def line(marks):
    """Marks with blanks between them, a dash for nothing."""
    return " ".join(mark or "-" for mark in marks)


for name, examples in TASKS.items():
    (p, held_out), (x, _, asked, answers) = solved(name, 0, True), arrays(name)
    n = held_out[0]
    reads, says = examples()[n]
    best = scores_of(p, x[n : n + 1])[0][0].argmax(axis=-1)  # (T,)
    said = [answers[k] if is_asked else "" for k, is_asked in zip(best, asked[n], strict=True)]
    print(f"{name}\n    reads  {line(['+'.join(step) for step in reads])}")
    print(f"    should {line(says)}\n    says   {line(said[: len(says)])}")

# %% [markdown]
# **Predict, then run.** For each of the five: how well does a network do that has no memory, with
# $W_h = 0$? For which of them does it make no difference?

# %% tags=["demo"]
table = [
    [commonest(name, 0), accuracy(name, 0, memory=False)[0], *accuracy(name, 0)] for name in TASKS
]
show_matrices(
    Matrix(
        "share right on held-out examples",
        np.array(table),
        list(TASKS),
        ["the commonest word", "words, no memory", "words, memory", "whole examples, memory"],
    ),
    alt="With memory nearly all words are right in each pattern. Without memory one to one is as "
    "good; the others are near chance, or a little above it.",
)

# %% [markdown]
# Row by row:
#
# - *One to one* has one step. There is no old state, so $W_h$ has nothing to do: it is a network
#   with one hidden layer, as in notebook 01.
# - *One to many*: without memory all steps after the first look alike, and the network says the
#   same word at each of them. With memory it says whole sentences, of things that it never saw
#   together.
# - *Many to one* asks what the first asked, now of a sequence, and memory matters. Without it the
#   network sees the last lamp only. It guesses that most were as this one, and is right more often
#   than not.
# - *Many to many*: without memory the word is gone when the answer begins. Chance is all that is
#   left, one of six letters.
# - *In step*: one bit of memory is all it takes, if the right one is kept. Without it only the
#   first step is easy.
#
# Last, take the fourth apart, as the lecture does. *Many to one: encode the input sequence in a
# single vector. One to many: produce the output sequence from a single vector.* Your `rnn_forward`
# is called twice, and nothing passes from the first call to the second but one state.


# %%
def backwards(word, p):
    """Many to one, then one to many."""
    weights = p["Wx"], p["Wh"], p["b"]
    x = one_hot([["abcdef".index(letter) for letter in word]], 6)  # (N, T, D)
    single = rnn_forward(x, np.zeros((1, len(p["b"]))), *weights)[0][:, -1]  # (N, H)
    states, _ = rnn_forward(np.zeros_like(x), single, *weights)
    return "".join("abcdef"[k] for k in (states @ p["Wy"] + p["by"])[0].argmax(axis=-1))


# %% tags=["demo"]
p, _ = solved("many to many", 0, True)
for word in ("fade", "bead", "cab", "ad", "decade"):
    print(f"{word:>7} -> {len(p['b'])} numbers -> {backwards(word, p)}")

# %% [markdown]
# Up to four letters fit in, as in training. *decade* has six: the formula runs on as long as you
# like, but the network was never asked to keep so much. Whether it comes out right all the same is
# luck: try another seed in the place of the 0. (The lecture's figure gives the two halves weights
# of their own, $W_1$ and $W_2$. Here one set does both.)
#
# This is the end of Part A. All that follows, up to the captioner, is built of what you have: a
# step, its gradient, and a loop over time in both directions.

# %% [markdown]
# ## Part B: a network that writes
#
# In Part A the network knew the right letter at each step: it was told. In Part B you let it speak
# for itself, and give it a text that is long enough to have something to say: a million characters.
# For that it needs what every training run of this kind has, gradients that are cut and clipped,
# and steps that find their own length.

# %% [markdown]
# ## To write: sample, and read it back
#
# The network says how likely each next letter is. How does it write? The lecture's slide
# has it in one line:
#
# > At test-time sample characters one at a time, feed back to model
#
# So: read a symbol, make the scores, turn them into probabilities, **draw** one symbol by these
# probabilities, read what was drawn, and so on. `speak` above did not draw: it took the best letter
# each time. That is called **greedy**.
#
# Between the two lies a knob. Divide the scores by a **temperature** $\tau$ before the softmax:
#
# $$p_k = \frac{e^{s_k / \tau}}{\sum_j e^{s_j / \tau}}$$
#
# A low temperature makes the differences between scores larger, and the likely symbols likelier; a
# high one evens them out.
#
# *With the lecture's numbers.* Its picture of a dog gets 0.2 for cat, 0.4 for dog, 0.09 for chair,
# 0.01 for bagel and 0.3 for banana. The scores are the logarithms of these, so dividing by $\tau$
# raises each probability to the power $1/\tau$, and then they are scaled to add up to 1 again. At
# $\tau = 0.5$ they are squared: 0.04, 0.16, 0.0081, 0.0001 and 0.09, which add up to 0.2982. At
# $\tau = 2$ it is the square roots that count:
#
# | $\tau$ | cat | dog | chair | bagel | banana |
# |:--|--:|--:|--:|--:|--:|
# | towards 0: greedy | 0 | 1 | 0 | 0 | 0 |
# | 0.5 | 0.134 | 0.537 | 0.027 | 0.0003 | 0.302 |
# | 1 | 0.2 | 0.4 | 0.09 | 0.01 | 0.3 |
# | 2 | 0.221 | 0.312 | 0.148 | 0.049 | 0.270 |
# | without end | 0.2 | 0.2 | 0.2 | 0.2 | 0.2 |
#
# Division by zero is no number, so your function treats $\tau = 0$ as what it tends to: it takes
# the highest score.
#
# **Exercise** (1 point, about 20 minutes). Write `sample_characters`. The state goes on from
# symbol to symbol. Draw with `np.random.default_rng(seed)`, made once, before the loop: made anew
# from the same seed it would give the same number at every step. Subtract the highest score before
# you take powers, as in the loss.


# %% nbgrader={"grade_id": "sample_characters", "solution": true}
# exercise: sample_characters
def sample_characters(p, h0, first, n, temperature=1.0, seed=0):
    """Let the network write: n symbols, each read back in to make the next.

    p:           weights by name: Wx (V, H), Wh (H, H), b (H,), Wy (H, V), by (V,)
    h0:          (1, H) state before `first` is read
    first:       number of the symbol that it reads first
    n:           how many symbols to write
    temperature: what the scores are divided by; at 0 the highest score wins each time (greedy)
    seed:        of np.random.default_rng: the same seed gives the same symbols
    Returns a list of n whole numbers, without `first`
    """
    ### BEGIN SOLUTION
    rng, h, said = np.random.default_rng(seed), h0, [first]
    for _ in range(n):
        x = one_hot([said[-1]], len(p["by"]))
        h, _ = rnn_step_forward(x, h, p["Wx"], p["Wh"], p["b"])
        scores = (h @ p["Wy"] + p["by"])[0]  # (V,)
        if temperature == 0:
            said.append(int(np.argmax(scores)))
        else:
            likely = np.exp((scores - scores.max()) / temperature)
            said.append(int(rng.choice(len(likely), p=likely / likely.sum())))
    return said[1:]
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_sample_characters", "points": 1}
check("sample_characters", sample_characters)

# %% [markdown]
# **Predict, then run.** A network that gives the lecture's five probabilities at every step,
# whatever it reads, writes 2,000 words at each temperature. Is dog drawn more often at 0.5 or at 1?
# And bagel: how often at 0.5, and at 2?

# %% tags=["demo"]
animals = ["cat", "dog", "chair", "bagel", "banana"]
lecture = np.log([0.2, 0.4, 0.09, 0.01, 0.3])
deaf = {"Wx": np.zeros((5, 1)), "Wh": np.zeros((1, 1)), "b": np.zeros(1), "Wy": np.zeros((1, 5))}
deaf["by"] = lecture
temperatures = [0, 0.5, 1, 2, 100]
shares = [
    np.bincount(sample_characters(deaf, np.zeros((1, 1)), 0, 2000, tau, seed=1), minlength=5) / 2000
    for tau in temperatures
]
show_matrices(
    Matrix("share of 2,000 words", np.array(shares), [f"at {t}" for t in temperatures], animals),
    alt="Shares of five words at five temperatures: only dog at 0, all about a fifth at 100, and "
    "in between close to the table in the text.",
)

# %% [markdown]
# Compare with the table: 2,000 draws come within 0.03 of it. At 0.5 nearly all bagels are gone. At
# 2 one word in twenty is one. Now the network that has learned *hello*: it reads *h* and writes
# four letters, ten times at each temperature.


# %%
def write(p, temperature, seed):
    """h, and four letters sampled after it."""
    said = sample_characters(p, np.zeros((1, len(p["b"]))), number["h"], 4, temperature, seed)
    return "h" + "".join(letters[i] for i in said)


# %% tags=["demo"]
learned, _ = train(seed=0)
for tau in (0, 1, 2, 4, 100):
    print(f"temperature {tau:3}:", *[write(learned, tau, seed) for seed in range(10)])
many = [write(learned, 4, seed) for seed in range(500)]
for words, after in {"after he": "e", "after hh, hl, ho": "hlo"}.items():
    found = [said[2] == "l" for said in many if said[1] in after]
    print(f"temperature 4, {words:17} the next letter is l in {np.mean(found):.0%} of words")

# %% [markdown]
# The trained network is so sure of itself that temperature 1 hardly ever leads it astray. At 2 some
# words go wrong, at 4 most, and at 100 it draws letters from a hat. Wherever one letter is wrong,
# the network reads that wrong letter next, and finds itself in a state that it has never been in
# while it trained. It was always fed the right letters then; so a mistake brings the next one. The
# last two lines show it: the *l* comes more often after a right *e* than after another letter.
# (Were they alike, the function would read something else than what it wrote.)

# %% [markdown]
# ## Truncated backpropagation through time
#
# *hello* has four steps. A book is one sequence of a million. To go back through all of it, every
# state would have to be kept, and the weights would move once per reading. The lecture's way out:
#
# > Run forward and backward through chunks of the sequence instead of whole sequence
#
# > Carry hidden states forward in time forever, but only backpropagate for some smaller number of
# > steps
#
# So the two directions are treated differently. **Forward nothing changes**: the state after the
# last step of a chunk is where the next chunk starts, and all states are those of the whole
# sequence, to the last bit. **Backward the thread is cut** at each chunk's start: a loss tells the
# steps of its own chunk what to change, and no step before. (`min-char-rnn` does this with `hprev`,
# in chunks of `seq_length`, 25 characters.)
#
# *By hand* (everything of size 1): $w_h = 0.5$, $w_x = 1$, all inputs, the bias and the first state
# zero. Then all states are zero, where $\tanh$ has slope 1. Four steps, each with a loss of its own
# whose gradient is 1:
#
# | | $dx_0$ | $dx_1$ | $dx_2$ | $dx_3$ | $dh_0$ |
# |:--|--:|--:|--:|--:|--:|
# | whole | $1 + 0.875 = 1.875$ | $1 + 0.75 = 1.75$ | $1 + 0.5 = 1.5$ | 1 | 0.9375 |
# | in chunks of 2 | 1.5 | 1 | 1.5 | 1 | 0.75 |
#
# (Read it from the right: each step hands half of its gradient back.) In the second row, what
# should have come from $x_2$ to $x_1$ is missing.
#
# **Exercise** (1 point, about 20 minutes). Write `truncated_chunks`. It returns what `rnn_forward`
# and `rnn_backward` give for the whole, but for the cuts; `dh0` is that of the first chunk. The
# length need not divide: the last chunk may be shorter.


# %% nbgrader={"grade_id": "truncated_chunks", "solution": true}
# exercise: truncated_chunks
def truncated_chunks(x, dh, h0, Wx, Wh, b, size):
    """Run sequences in chunks of `size` steps: the state is carried on, the gradient is cut.

    x:         (N, T, D) inputs
    dh:        (N, T, H) gradient of the loss with respect to each h_t by the loss of its own step
    h0:        (N, H) states before the first step
    Wx, Wh, b: weights
    size:      steps a chunk; the last chunk may be shorter
    Returns h (N, T, H), dx (N, T, D), dh0 (N, H), dWx, dWh, db: summed over the chunks
    """
    ### BEGIN SOLUTION
    before, states, dxs, dh0s, weights = h0, [], [], [], []
    for start in range(0, x.shape[1], size):
        chunk = slice(start, start + size)
        h, cache = rnn_forward(x[:, chunk], before, Wx, Wh, b)
        dx, dh_before, *step = rnn_backward(dh[:, chunk], cache)
        before = h[:, -1]
        states.append(h)
        dxs.append(dx)
        dh0s.append(dh_before)
        weights.append(step)
    dWx, dWh, db = (sum(each) for each in zip(*weights, strict=True))
    return np.concatenate(states, axis=1), np.concatenate(dxs, axis=1), dh0s[0], dWx, dWh, db
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_truncated_chunks", "points": 1}
check("truncated_chunks", truncated_chunks)

# %% [markdown]
# **Predict, then run.** Six steps with the numbers from above. Row $s$, column $t$: how strongly
# the loss of step $s$ pulls at the input of step $t$. Which places are zero in the whole, and
# which with chunks of 3?

# %% tags=["demo"]
steps = [f"t = {t}" for t in range(6)]
losses_at = [f"loss of {s}" for s in range(6)]
pulls = {6: np.zeros((6, 6)), 3: np.zeros((6, 6))}
still, half, w_one = np.zeros((1, 6, 1)), np.array([[0.5]]), np.ones((1, 1))
for size, pull in pulls.items():
    for s in range(6):
        dh = np.zeros((1, 6, 1))
        dh[0, s] = 1
        _, dx, *_ = truncated_chunks(still, dh, np.zeros((1, 1)), w_one, half, np.zeros(1), size)
        pull[s] = dx[0, :, 0]
show_matrices(
    Matrix("the whole sequence", pulls[6], losses_at, steps),
    Matrix("chunks of 3", pulls[3], losses_at, steps),
    alt="Left a full triangle: each loss reaches all steps up to its own, halving with distance. "
    "Right two small triangles: no loss of steps 3 to 5 reaches steps 0 to 2.",
)

# %% [markdown]
# No loss pulls at what comes after it: above the diagonal all is zero. On the right the lower left
# corner is gone too. A chunk of 3 cannot learn that something at step 1 matters at step 4, though
# the state may carry it there. But look at what was lost: the corner holds the smallest numbers.
# How fast the pull fades with distance is the subject of notebook 03.
#
# And the weights? Random numbers, two sequences of 12 steps: how far each result is from that of
# the whole, from `rnn_forward` and `rnn_backward`. **Predict, then run.** In which places is the
# table exactly zero?

# %% tags=["demo"]
rng = np.random.default_rng(0)
some = [rng.standard_normal(shape) for shape in ((2, 12, 3), (2, 4), (3, 4), (4, 4), (4,))]
dh = rng.standard_normal((2, 12, 4))
whole_h, cache = rnn_forward(*some)
whole = [whole_h, *rnn_backward(dh, cache)]
print("size      h     dx    dh0    dWx    dWh     db")
for size in (12, 6, 3, 1):
    parts = truncated_chunks(some[0], dh, *some[1:], size)
    far = [np.abs(one - other).max() for one, other in zip(parts, whole, strict=True)]
    print(f"{size:4}" + "".join(f"{off:7.2f}" for off in far))

# %% [markdown]
# With a chunk of 12 nothing is cut, and all is as in the whole. With shorter ones `h` still is;
# each gradient is another one, `dh0` too, and those of the weights are sums of what is left.

# %% [markdown]
# ## When the gradient is too long
#
# Here each step back halved the gradient. With a $w_h$ of 2 it would double: after 25 steps it is
# 33 million times as long. Now and then that happens in training as well. One step with such a
# gradient throws the weights so far that all they have learned is lost. The lecture's advice, from
# training captioners:
#
# > Clip the gradients (important!). 5 worked ok
#
# Its slide says how: *scale gradient if its norm is too big*.
#
# ```python
# grad_norm = np.sum(grad * grad)
# if grad_norm > threshold:
#     grad *= (threshold / grad_norm)
# ```
#
# This snippet has a fault. **Predict, then run.** The gradient is (30, 40), so its norm, its
# length, is 50. The threshold is 5. How long should the gradient be after clipping? Work out with
# pencil and paper how long the snippet leaves it. And (1.8, 2.4), whose length is 3?


# %%
def snippet(grad, threshold):
    """The lecture's snippet, on a copy."""
    grad = np.array(grad)
    grad_norm = np.sum(grad * grad)
    if grad_norm > threshold:
        grad *= threshold / grad_norm
    return grad


# %% tags=["demo"]
for grad in ((1.2, 1.6), (1.8, 2.4), (3.0, 4.0), (30.0, 40.0), (300.0, 400.0)):
    before, after = np.linalg.norm(grad), np.linalg.norm(snippet(grad, threshold=5))
    print(f"a gradient of length {before:5.0f}, threshold 5: the snippet leaves {after:.4g}")

# %% [markdown]
# Three things are wrong in this list. A gradient of length 3 is below the threshold, and is cut all
# the same. One of length 50 ends at 0.1 where 5 was meant. And the longer a gradient comes in, the
# shorter it goes out: the step that should have been the boldest becomes the most timid. One
# function call is missing. Which? Find it before you go on.
#
# Two more things for your own version. A network has several weights, and their gradients are
# **one** long vector: one norm for all of them, and one factor. (Clipping each array by its own
# norm would turn the step into another direction.) And the numbers you are handed stay as they are.
#
# *By hand*: two arrays, (3, 4) and (12), and `max_norm` 6.5. Together the norm is
# $\sqrt{9 + 16 + 144} = 13$, so the factor is 0.5, and out come (1.5, 2) and (6).
#
# **Exercise** (1 point, about 10 minutes). Write `clip_gradients`.


# %% nbgrader={"grade_id": "clip_gradients", "solution": true}
# exercise: clip_gradients
def clip_gradients(grads, max_norm):
    """Scale all gradients by one factor where their norm, taken together, is above max_norm.

    grads:    a dictionary of arrays of any shapes, by the name of the weight
    max_norm: the largest norm that is let through, above 0
    Returns clipped, a dictionary, and norm, a float: the norm of all entries together before
    """
    ### BEGIN SOLUTION
    norm = float(np.sqrt(sum(np.sum(grad**2) for grad in grads.values())))
    factor = max_norm / norm if norm > max_norm else 1.0
    return {name: factor * grad for name, grad in grads.items()}, norm
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_clip_gradients", "points": 1}
check("clip_gradients", clip_gradients)

# %% [markdown]
# What the snippet calls `grad_norm` is the *square* of the norm: a square root is missing. So it
# compares $|g|^2$ with the threshold, and leaves a gradient of length
# $|g| \cdot 5 / |g|^2 = 5 / |g|$.
#
# `min-char-rnn` clips in another way, each entry for itself (line 60):
# `np.clip(dparam, -5, 5, out=dparam)`. **Predict, then run.** Two arrays, (30, 40) and (120), which
# is 4 times the 30. What does that make of them, and does the step still point the same way? And
# when each array is clipped by its own norm?

# %% tags=["demo"]
two = {"w": np.array([30.0, 40.0]), "b": np.array([120.0])}
ways = {
    "as it was": two,
    "by norm": clip_gradients(two, max_norm=5)[0],
    "array by array": {
        name: clip_gradients({name: grad}, max_norm=5)[0][name] for name, grad in two.items()
    },
    "entry by entry": {name: np.clip(grad, -5, 5) for name, grad in two.items()},
}
for name, way in ways.items():
    (a, b), (c,) = way["w"], way["b"]
    length = np.linalg.norm([a, b, c])
    print(f"{name:14} ({a:5.3g}, {b:5.3g}) and ({c:5.3g})   length {length:6.3g}", end="")
    print(f"   second : first {b / a:.2f}   third : first {c / a:.2f}")

# %% [markdown]
# By norm both ratios stay: the same direction, a shorter step. Array by array the third number is
# no longer 4 times the first. Entry by entry all three become 5, which points elsewhere again, and
# the length is not 5 but 8.66. All of them stop an explosion; only the first keeps the direction.
#
# **5 of what?** The threshold goes with the reduction of the loss. `min-char-rnn` *sums* the loss
# over its 25 steps. Captioners, and your `temporal_softmax_loss`, take the *mean* over the tokens,
# and so have gradients 25 times as short. There 5 almost never binds. You will count it below, on
# real text.

# %% [markdown]
# ## Steps that find their own length
#
# Plain descent gives every weight the same rate. But letters differ: *e* comes in every line and
# its row of $W_x$ gets a gradient all the time, *q* hardly ever. **Adagrad** [Duchi et al. 2011],
# which `min-char-rnn` uses (lines 109 and 110), remembers for each entry how much gradient it has
# had, and divides by it:
#
# $$m \leftarrow m + dw^2, \qquad w \leftarrow w - \eta \, \frac{dw}{\sqrt{m + \varepsilon}}$$
#
# *By hand* ($\eta = 0.1$, $m = 0$, and $dw = 2$ at each step): first $m = 4$, and $w$ moves by
# $0.1 \cdot 2 / 2 = 0.1$. Then $m = 8$, and it moves by $0.1 \cdot 2 / 2.83 = 0.071$; then
# $m = 12$: 0.058. With $dw = 0.002$ in the place of 2 the steps would be the *same*, but for
# $\varepsilon$: a constant factor in the loss, such as that between sum and mean, cancels. What is
# left is that a step gets shorter, the more was walked before.
#
# **Exercise** (1 point, about 10 minutes). Write `adagrad`. Change none of the arrays that you are
# given.


# %% nbgrader={"grade_id": "adagrad", "solution": true}
# exercise: adagrad
def adagrad(w, dw, memory, learning_rate=0.1, eps=1e-8):
    """Take a step of Adagrad: the more an entry has moved, the shorter its steps.

    w, dw, memory: arrays of the same shape: weights, their gradient, sum of its squares so far
    learning_rate: the length of a first step
    eps:           added to the new memory under the root
    Returns next_w and next_memory
    """
    ### BEGIN SOLUTION
    next_memory = memory + dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_adagrad", "points": 1}
check("adagrad", adagrad)

# %% [markdown]
# Adagrad's memory only grows, so its steps only shrink. After a stretch of large gradients it
# hardly moves any more, even where the valley has changed. **RMSprop** [Tieleman and Hinton 2012]
# lets the memory fade:
#
# $$m \leftarrow \rho\, m + (1 - \rho)\, dw^2, \qquad
# w \leftarrow w - \eta \, \frac{dw}{\sqrt{m + \varepsilon}}$$
#
# Of captioners the lecture says: *RMSprop adaptive learning rate worked nice*.
#
# *By hand* ($\eta = 0.002$, $\rho = 0.95$, $m = 0$, and $dw = 2$ at each step): first
# $m = 0.05 \cdot 4 = 0.2$, and $w$ moves by $0.002 \cdot 2 / 0.447 = 0.0089$. Then
# $m = 0.95 \cdot 0.2 + 0.2 = 0.39$, and it moves by 0.0064. In the end $m$ is 4 and each step is
# 0.002.
#
# **Bonus exercise** (1 point, about 10 minutes). Write `rmsprop`.


# %% nbgrader={"grade_id": "rmsprop", "solution": true}
# exercise: rmsprop
def rmsprop(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8):
    """Take a step of RMSprop: as Adagrad, with a memory that fades.

    w, dw, memory: arrays of the same shape: weights, their gradient, fading mean of its squares
    decay:         the share of the old memory that is kept; the rest comes from dw squared
    eps:           added to the new memory under the root
    Returns next_w and next_memory
    """
    ### BEGIN SOLUTION
    next_memory = decay * memory + (1 - decay) * dw**2
    return w - learning_rate * dw / np.sqrt(next_memory + eps), next_memory
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_rmsprop", "points": 1} tags=["ext"]
check("rmsprop", rmsprop)

# %% [markdown]
# **Predict, then run.** *hello* again, once by plain descent with the rate of Part A, once by
# Adagrad with `min-char-rnn`'s rate of 0.1. Plain descent lingered where it knew how often each
# letter comes. Will Adagrad linger too?


# %%
def plain(w, dw, memory, learning_rate=0.5):
    """A step of plain descent; it remembers nothing."""
    return w - learning_rate * dw, memory


def hello_by(update, seed=0, steps=150, scale=1.0):
    """The loss of "hello" before each step; the gradients are multiplied by `scale`."""
    p, losses = new_network(seed), []
    memory = {name: np.zeros_like(weight) for name, weight in p.items()}
    for _ in range(steps):
        loss, grads = loss_and_gradients(p)
        losses.append(loss)
        for name in p:
            p[name], memory[name] = update(p[name], scale * grads[name], memory[name])
    return losses


def first_below(level, losses):
    """The first step at which the loss is below a level; None if it never is."""
    return next((step for step, loss in enumerate(losses) if loss < level), None)


# %% tags=["demo"]
show_curves(
    {"plain descent, rate 0.5": hello_by(plain), "Adagrad, rate 0.1": hello_by(adagrad)},
    {"ln 4": np.log(4)},
    xlabel="step",
    ylabel="loss (nats a letter)",
    alt="Both losses start at 1.386. Adagrad falls at once, without the shelf on which plain "
    "descent lingers until about step 25; near step 100 the two curves meet.",
)

# %% tags=["demo"]
for name, update in {"plain descent": plain, "Adagrad": adagrad}.items():
    mean, total = (first_below(0.5, hello_by(update, scale=scale)) for scale in (1, 4))
    print(f"{name:14} is below 0.5 at step {mean} with the mean, at step {total} with the sum")

# %% [markdown]
# Adagrad does not linger. The weights are near zero at first, and so are most gradients; divided by
# their own size they make full steps at once. After that its steps get shorter and shorter, and
# before step 150 plain descent has caught up. And it hardly cares whether the loss is the mean over
# four letters or their sum; to plain descent, the sum is a rate four times as high.
#
# The next figure needs the bonus. (Without it, the cell stops with `NotImplementedError`, and all
# that follows goes on.)

# %% tags=["demo", "raises-exception"]
show_curves(
    {
        "Adagrad, rate 0.1": hello_by(adagrad, steps=400),
        "RMSprop, rate 0.002": hello_by(rmsprop, steps=400),
        "RMSprop, rate 0.02": hello_by(
            lambda w, dw, memory: rmsprop(w, dw, memory, learning_rate=0.02), steps=400
        ),
    },
    xlabel="step",
    ylabel="loss (nats a letter)",
    alt="RMSprop at 0.002 falls slowly and is not done after 400 steps; at 0.02 it falls as fast "
    "as Adagrad, and then further.",
)

# %% [markdown]
# RMSprop's rate is about the distance that each weight moves at each step, so at 0.002 it takes
# hundreds of steps to make weights of size 1. At 0.02 it falls as fast as Adagrad and then goes on,
# where Adagrad has grown tired. The rate of one method says nothing about that of another.

# %% [markdown]
# ## A bug hunt
#
# A character model is a page of code: a forward loop, a backward loop, clipping, Adagrad. Here is
# one of our own writing, one sequence at a time, after the plan of `min-char-rnn`. It has **five
# faults**. None of them is a typing error; you find each of them in listings that go round, copied
# once too often.


# %%
def faulty_min_char_rnn(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Train a character RNN with Adagrad: this one has five faults."""
    p = {name: weight.copy() for name, weight in p.items()}
    memory = {name: np.zeros_like(weight) for name, weight in p.items()}
    losses, start = [], 0
    for n in range(steps):
        if start + seq_length + 1 > len(ids) or n == 0:
            h_prev, start = np.zeros(len(p["b"])), 0
            inputs = ids[start : start + seq_length]
            targets = ids[start + 1 : start + seq_length + 1]
        hs, chances, loss = [], [], 0.0
        hs[-1] = h_prev
        for t in reversed(range(seq_length)):
            hs[t] = np.tanh(p["Wx"][inputs[t]] + hs[t - 1] @ p["Wh"] + p["b"])
            scores = hs[t] @ p["Wy"] - p["by"]
            likely = np.exp(scores - scores.max())
            chances[t] = likely / likely.sum()
            loss -= np.log(chances[t][targets[t]])
        grads = {name: np.zeros_like(weight) for name, weight in p.items()}
        dh_next = np.zeros_like(h_prev)
        for t in reversed(range(seq_length)):
            dscores = chances[t].copy()
            dscores[targets[t]] -= 1
            grads["Wy"] += np.outer(hs[t], dscores)
            grads["by"] += dscores
            da = (1 - hs[t] ** 2) * (p["Wy"] @ dscores + dh_next)
            grads["b"] += da
            grads["Wx"][inputs[t]] += da
            grads["Wh"] += np.outer(hs[t - 1], da)
            dh_next = p["Wh"] @ da
        for name in ("Wx", "Wh", "b", "Wy"):
            clipped = np.clip(grads[name], -5, 5)
            memory[name] += clipped**2
            p[name] -= learning_rate * clipped / np.sqrt(memory[name] + 1e-8)
        losses.append(float(loss))
        h_prev, start = hs[seq_length - 1], start + seq_length
    return p, losses


# %% [markdown]
# How do you hunt? Some faults are loud: the code stops, and the last line of the message says
# where. The dangerous ones are silent. The loss may even fall. Against these there are questions
# that have known answers:
#
# 1. **Is the loss at step 0 where it must be?** Near 25 times $\ln V$, with small weights. And
#    where $b_y$ alone gives one letter a probability of a half, near 25 times $\ln 2$ on a text of
#    that letter.
# 2. **Does every weight move downhill?** The first step of Adagrad moves each entry by the rate,
#    against the sign of its gradient. So compare with the slope that is measured by moving the
#    weight a little (the loss before the first step is a function of the weights). A weight that
#    never moves is a finding, too.
# 3. **What can be learned, is it?** The loss on *hellohello...* must go near 0, and in chunks of 3
#    letters as well: *hel loh ell ohe llo*. Two of these five begin with an *l*, and only the state
#    that comes across the cut knows which *l* it is.
# 4. **What cannot be learned, is it not?** On letters drawn from a hat, the loss can never stay
#    below $\ln V$ a letter while new ones come. A network that manages it has cheated: it has seen
#    them before.
#
# `hunt` asks all four. One fault can hide behind another, so run it again after each one that you
# mend.


# %%
def moves(train_rnn, ids, p):
    """Of each weight: the shares of entries that go downhill, uphill and nowhere at first; None
    where the loss does not hang on it."""
    slopes = numerical_gradient(lambda p: train_rnn(ids, p, 1)[1][0], p)
    moved, _ = train_rnn(ids, p, 1)
    shares = {}
    for name, slope in slopes.items():
        there = np.abs(slope) > 1e-6  # a slope of zero says nothing
        went = np.sign(moved[name] - p[name])[there] * np.sign(slope[there])
        shares[name] = [np.mean(went == way) for way in (-1, 1, 0)] if there.any() else None
    return shares


def hunt(train_rnn):
    """Ask a function like fix_min_char_rnn four questions, and print what it answers."""
    V, rng = 5, np.random.default_rng(0)
    p = {name: 0.5 * rng.standard_normal(w.shape) for name, w in new_network(0, 7, V).items()}
    _, losses = train_rnn(rng.integers(V, size=99), new_network(0, 7, V), 1)
    print(f"1. loss at step 0: {losses[0]:.2f}; 25 ln {V} is {25 * np.log(V):.2f}")
    sure = new_network(0, 7, V) | {"by": np.log([0.5, 0.2, 0.1, 0.1, 0.1])}
    _, losses = train_rnn(np.zeros(99, int), sure, 1)
    print(f"   where by says a half: {losses[0]:.2f}; 25 ln 2 is {25 * np.log(2):.2f}")
    print("2. entries of     downhill  uphill  nowhere")
    for name, shares in moves(train_rnn, rng.integers(V, size=99), p).items():
        said = "  the loss does not hang on it: it is never read"
        if shares is not None:
            said = "".join(f"{share:9.0%}" for share in shares)
        print(f"   {name:13}{said}")
    hello = np.tile([number[letter] for letter in "hello"], 400)
    _, losses = train_rnn(hello, new_network(0, 7, 4), 500, seq_length=3)
    print(f"3. hellohello..., the worst of five chunks: {max(losses[-5:]):.2f}; must come near 0")
    _, losses = train_rnn(rng.integers(V, size=5000), new_network(0, 40, V), 190)
    last = np.mean(losses[-50:])
    print(f"4. letters from a hat: {last:.2f}; must stay near {25 * np.log(V):.2f}")


# %% tags=["demo"]
try:
    hunt(faulty_min_char_rnn)
except Exception as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# That is the loudest of the five. Copy the listing into the cell below, without the first line and
# the docstring, and mend it. Use the hunt as often as you like: in a cell of your own, write
# `hunt(fix_min_char_rnn)`.
#
# **Exercise** (2 points, about 35 minutes). Write `fix_min_char_rnn`: the listing without its
# faults. There is credit for each of them.


# %% nbgrader={"grade_id": "fix_min_char_rnn", "solution": true}
# exercise: fix_min_char_rnn
def fix_min_char_rnn(ids, p, steps, seq_length=25, learning_rate=0.1):
    """Train a character RNN with Adagrad on one chunk of a text after the other.

    ids:           (n,) whole numbers from 0 to V - 1, the text
    p:             weights by name: Wx (V, H), Wh (H, H), b (H,), Wy (H, V), by (V,)
    steps:         how many chunks to train on, one step each; after the last chunk that fits into
                   the text comes the first one again, with a state of zeros
    seq_length:    characters a chunk
    learning_rate: of Adagrad
    Returns p, a new dictionary, and losses, a list: the sum over each chunk, before its step
    """
    ### BEGIN SOLUTION
    p = {name: weight.copy() for name, weight in p.items()}
    memory = {name: np.zeros_like(weight) for name, weight in p.items()}
    losses, start = [], 0
    for n in range(steps):
        if start + seq_length + 1 > len(ids) or n == 0:
            h_prev, start = np.zeros(len(p["b"])), 0
        inputs = ids[start : start + seq_length]
        targets = ids[start + 1 : start + seq_length + 1]
        hs, chances, loss = {-1: h_prev}, {}, 0.0
        for t in range(seq_length):
            hs[t] = np.tanh(p["Wx"][inputs[t]] + hs[t - 1] @ p["Wh"] + p["b"])
            scores = hs[t] @ p["Wy"] + p["by"]
            likely = np.exp(scores - scores.max())
            chances[t] = likely / likely.sum()
            loss -= np.log(chances[t][targets[t]])
        grads = {name: np.zeros_like(weight) for name, weight in p.items()}
        dh_next = np.zeros_like(h_prev)
        for t in reversed(range(seq_length)):
            dscores = chances[t].copy()
            dscores[targets[t]] -= 1
            grads["Wy"] += np.outer(hs[t], dscores)
            grads["by"] += dscores
            da = (1 - hs[t] ** 2) * (p["Wy"] @ dscores + dh_next)
            grads["b"] += da
            grads["Wx"][inputs[t]] += da
            grads["Wh"] += np.outer(hs[t - 1], da)
            dh_next = p["Wh"] @ da
        for name in ("Wx", "Wh", "b", "Wy", "by"):
            clipped = np.clip(grads[name], -5, 5)
            memory[name] += clipped**2
            p[name] -= learning_rate * clipped / np.sqrt(memory[name] + 1e-8)
        losses.append(float(loss))
        h_prev, start = hs[seq_length - 1], start + seq_length
    return p, losses
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_fix_min_char_rnn", "points": 2}
check("fix_min_char_rnn", fix_min_char_rnn)

# %% [markdown]
# **Predict, then run.** What does the hunt print for your version? Question 4 is the one to think
# about: the letters come from a hat, so nothing can be learned. Will the loss be exactly
# $25 \ln 5 = 40.24$?

# %% tags=["demo"]
hunt(fix_min_char_rnn)

# %% [markdown]
# A little above. The network takes chance for a rule, over and over, and pays for it when the next
# letters come. That is what learning by heart costs on text that has not been seen; and it is why
# the model below is judged on text that was held out.

# %% [markdown]
# ## A model of real text
#
# Now real text, a million characters of it. It is on your machine already: the source code of
# Python's own standard library. (If you have another text, put
# `text_file("my.txt")` in the place of `standard_library(...)`: any plain text will do, from some
# 10,000 characters on.) A part is **held out**: modules that the network never sees in training.

# %%
STEPS = budget(2000, fast=20)
STAGES = (0, STEPS // 20, STEPS // 5, STEPS)  # 0, 100, 400 and 2000


@functools.cache
def library():
    """The text, read when first asked for."""
    return standard_library(budget(1_000_000, fast=30_000))


# %% tags=["demo"]
text = library()
print(text)
print(text.decode(text.train[:300]))

# %% [markdown]
# The listing reads one sequence. That wastes a computer: a matrix product with 32 rows takes hardly
# longer than one with a single row. So cut the text into $N$ pieces of equal length, **streams**,
# and read all of them side by side: in each step, the next $T$ characters of every stream. A
# sentence as the text, $N = 3$ streams, $T = 4$:
#
# | stream | step 0 | step 1 | step 2 | step 3 |
# |:--|:--|:--|:--|:--|
# | 0 | `the ` | `cat ` | `sat ` | `on t` |
# | 1 | `he m` | `at a` | `nd t` | `he d` |
# | 2 | `og s` | `at o` | `n th` | `e ca` |
#
# Read the table row by row and the sentence is back: *the cat sat on the mat and the dog sat on the
# ca...* A step takes a **column**: one chunk of each stream, an array of $(N, T)$. The state after
# it, $(N, H)$, has a row for each stream, and is where the next column starts. So within a row the
# state is carried on, and the gradient cut: truncated backpropagation through time, for $N$ streams
# at once. The targets are the same table, one character on.


# %%
def streams(ids, N):
    """Cut a text into N streams: what is read, and what follows it, both (N, length)."""
    length = (len(ids) - 1) // N
    return ids[: N * length].reshape(N, length), ids[1 : N * length + 1].reshape(N, length)


def chunks(ids, N, T):
    """Yield x and y, (N, T) each, from the streams' start to their end, for ever; and whether it
    is the first chunk."""
    reads, follows = streams(ids, N)
    while True:
        for start in range(0, reads.shape[1] - T + 1, T):
            yield reads[:, start : start + T], follows[:, start : start + T], start == 0


def chunk_loss(p, x, y, h0):
    """The mean loss of a chunk, the gradients of all weights, and the states after it."""
    V, every = len(p["by"]), np.ones(y.shape, bool)
    h, cache = rnn_forward(one_hot(x, V), h0, p["Wx"], p["Wh"], p["b"])  # (N, T, H)
    loss, dscores = temporal_softmax_loss(h @ p["Wy"] + p["by"], y, every)
    _, _, dWx, dWh, db = rnn_backward(dscores @ p["Wy"].T, cache)  # h0 is a given: the cut
    dWy = np.tensordot(h, dscores, axes=((0, 1), (0, 1)))  # (H, V)
    grads = {"Wx": dWx, "Wh": dWh, "b": db, "Wy": dWy, "by": dscores.sum(axis=(0, 1))}
    return loss, grads, h[:, -1]


# %% [markdown]
# Your functions are all in there. Is the whole right? As ever: by the second opinion.

# %% tags=["demo"]
rng = np.random.default_rng(0)
small = {name: 0.3 * rng.standard_normal(w.shape) for name, w in new_network(0, 6, 5).items()}
x, y, before = rng.integers(5, size=(2, 4)), rng.integers(5, size=(2, 4)), np.full((2, 6), 0.1)
check_gradients(lambda p: chunk_loss(p, x, y, before)[0], small, chunk_loss(small, x, y, before)[1])

# %% [markdown]
# The state gets 128 numbers, $N = 32$ and $T = 32$. The rest is `min-char-rnn`'s, but for two
# numbers: with the mean over 1,024 characters a gradient is seldom longer than 1 once the first few
# hundred steps are over, so we clip there; and Adagrad's rate is 0.03, because 0.1 does not get
# going on this text. (All this was found by trying a few. What was trained is kept; after you mend
# a function, run the next cell again: it forgets.)


# %%
@functools.cache
def character_model(seed, N=32, T=32, H=128, steps=STEPS, rate=0.03, max_norm=1.0):
    """Train on the text, with a note of what happened at each step."""
    ids, V, began = library().train, len(library().alphabet), time.perf_counter()
    p, kept, losses, norms, entries = new_network(seed, H, V), {}, [], [], []
    memory = {name: np.zeros_like(weight) for name, weight in p.items()}
    for n, (x, y, first) in zip(range(steps), chunks(ids, N, T), strict=False):
        if n in STAGES:
            kept[n] = dict(p)
        if first:
            h = np.zeros((N, H))
        loss, grads, h = chunk_loss(p, x, y, h)
        clipped, norm = clip_gradients(grads, max_norm)
        for name in p:
            p[name], memory[name] = adagrad(p[name], clipped[name], memory[name], rate)
        losses.append(loss)
        norms.append(norm)
        entries.append(max(np.abs(grad).max() for grad in grads.values()))
        if (n + 1) % 500 == 0:
            print(f"step {n + 1}: {time.perf_counter() - began:.0f} s")
    return {
        "weights": kept | {steps: p},
        "losses": np.array(losses),
        "norms": np.array(norms),  # of the gradients of the mean, before clipping
        "entries": N * T * np.array(entries),  # the largest entry of those of the sum
        "seconds": time.perf_counter() - began,
    }


# %% [markdown]
# A loss in nats becomes **bits** when it is divided by $\ln 2$. Bits a character are what a file
# would take if it were packed with the help of the model: 8 unpacked, fewer with each thing that
# the model knows. That gives us something to be compared with:
#
# - **nothing known**: $\log_2 V$, all characters equally likely;
# - **unigram**: how often each character comes;
# - **bigram**: how often each character comes after each other one;
# - **gzip**: a packer that replaces repeated strings by a reference to where they stood. It is
#   given the held-out text alone.
#
# **Predict, then run.** A network with a state can do better than a bigram. Will it beat gzip? (The
# next cell takes about a minute.)


# %%
LSTM = "LSTM of 03, bits a character on held-out text"


def lstm_of_03():
    """The recorded median of notebook 03's LSTM; None where there is no such record."""
    try:
        return measured.load("03_lstm_gates")["found"][LSTM][1]
    except (FileNotFoundError, KeyError):
        return None


def held_out_bits(p, N=20, T=50):
    """Bits a character on the text that was held out, read in N streams."""
    reads, follows = streams(library().held_out, N)
    h, nats, V = np.zeros((N, len(p["b"]))), 0.0, len(p["by"])
    for start in range(0, reads.shape[1], T):
        x, y = (part[:, start : start + T] for part in (reads, follows))
        states, _ = rnn_forward(one_hot(x, V), h, p["Wx"], p["Wh"], p["b"])
        loss, _ = temporal_softmax_loss(states @ p["Wy"] + p["by"], y, np.ones(y.shape, bool))
        h, nats = states[:, -1], nats + y.size * loss
    return nats / reads.size / np.log(2)


def bits_by_counting():
    """Bits a held-out character of the models that do without a network."""
    text = library()
    return {
        "nothing known": np.log2(len(text.alphabet)),
        "unigram": unigram_bits(text),
        "bigram": bigram_bits(text),
        "gzip": gzip_bits(text),
    }


# %% tags=["demo"]
model = character_model(0)
window = np.ones(budget(25, fast=2)) / budget(25, fast=2)
show_curves(
    {"your network": np.convolve(model["losses"] / np.log(2), window, mode="valid")},
    {f"{name} {bits:.2f}": bits for name, bits in bits_by_counting().items()},
    xlabel="step (mean of 25)",
    ylabel="bits a character, in training",
    legend="lower right",
    alt="The curve, a mean over 25 steps, starts near 5 bits, falls below the unigram within some "
    "fifty steps and below the bigram before step 400, then goes on slowly towards gzip.",
)

# %% tags=["demo"]
writer = model["weights"][STEPS]
bits = bits_by_counting() | {"your network": held_out_bits(writer)}
lstm = lstm_of_03()
if lstm is not None:
    bits["LSTM of 03"] = lstm
for name, value in sorted(bits.items(), key=lambda row: -row[1]):
    print(f"{name:14} {value:5.2f} bits a held-out character")
if lstm is None:
    print("(notebook 03 has no recorded number for its LSTM yet)")
print(f"{sum(w.size for w in writer.values()):,} weights, trained in {model['seconds']:.0f} s")

# %% [markdown]
# The lines of the figure are passed one by one, as with *hello*: first the network learns which
# characters are frequent, then which follow which. From there on it has to use its state. (A bump
# on the way, as ours has near step 160, is no harder text: the weights of ten steps before read the
# same characters nearly as well as those around them. One step went too far; and the states that it
# made were carried into the next chunk, when the weights had come back already.) It ends well below
# the bigram, with fewer than five weights for each entry of the bigram's table, and well above
# gzip. Neither is an accident. A vanilla RNN of this size learns words and indents in a minute, and
# does not learn to remember a name for a hundred characters; gzip knows nothing of Python, but a
# name that has stood once costs it next to nothing the second time. (The model never saw these
# modules. The LSTM of notebook 03 gets the same text, the same number of characters and about as
# many weights; its line is the median of a recorded run.)

# %% [markdown]
# ## It writes
#
# The lecture trains such a model on Tolstoy, and shows what it writes *at first*, and after each
# *train more*:
#
# > tyntd-iafhatawiaoahrdemot lytdws e ,tfti, astai f ogoh eoase rrranbyne 'nhthnee e
#
# > "Tmont thithey" fomesscerliund Keushey. Thom here sheulke, anmerenith ol sivh I lalterthend
#
# > Aftair fall unsuch that the hall for Prince Velzonski's that me of her hearly, and behs to so
# > arwage fiving were to it beloge
#
# > "Why do what that day," replied Natasha, and wishing to himself the fact the princess, Princess
# > Mary was easier
#
# First the frequent letters, then spaces and the shapes of words, then words, then names and
# quotation marks that close. **Predict, then run.** What will the stages be where the text is
# Python?


# %%
def text_by(p, n, temperature, seed=0, after=""):
    """n characters that a model writes when it has read an empty line and then `after`."""
    ids, V = library().encode("\n\n" + after), len(p["by"])
    h0 = np.zeros((1, len(p["b"])))
    h, _ = rnn_forward(one_hot(ids[None, :-1], V), h0, p["Wx"], p["Wh"], p["b"])
    return library().decode(sample_characters(p, h[:, -1], int(ids[-1]), n, temperature, seed))


# %% tags=["demo"]
for stage in STAGES:
    print(f"---------------- after {stage} steps")
    print(text_by(model["weights"][stage], 300, temperature=1))

# %% [markdown]
# At step 0 it draws from a hat. After 100 steps spaces and line ends are about as frequent as they
# should be, and little else is right. After 400, indents and the shapes of words. At the end there
# are lines with `def`, `return` or `self` in them, mostly where a line may have them, among words
# that could be English and are not. Brackets are opened, and sometimes closed. Nobody has told it
# that there are words.
#
# The same network at other temperatures:

# %% tags=["demo"]
for tau in (0.4, 0.8, 1.5):
    print(f"---------------- at temperature {tau}")
    print(text_by(writer, 300, tau, after="def "))

# %% [markdown]
# Here it went on from `def `; write a beginning of your own. Low: few different words, and long
# rows of underscores or blanks, for after one of them the likeliest next character is one more.
# High: bold and wrong. Somewhere between 0.5 and 1 the text looks most like Python. And at 0?

# %% [markdown]
# ## The greedy loop
#
# The lecture had a model read Paul Graham's essays. Sampled, it wrote
#
# > the startup is a meeting to think to investors
#
# and by *greedy argmax prediction*
#
# > the startup is a lot of the startup is a lot of the startup is a lot of the startup is a lot of
# > the s
#
# `find_loop` looks for the end of a text in which one piece is said again and again. **Predict,
# then run.** What will it find in the lecture's two lines? And does *your* network fall into a
# loop?


# %%
def find_loop(said):
    """(where it starts, how long the repeated piece is), if at least the second half of a text is
    one piece said again and again, and three times or more; otherwise None."""
    said = np.array(list(said))
    for length in range(1, len(said) // 3 + 1):
        changes = np.flatnonzero(said[length:] != said[:-length])
        start = int(changes[-1]) + 1 if len(changes) else 0
        if len(said) - start >= max(3 * length, len(said) // 2):
            return start, length
    return None


BEGINNINGS = ("", "def ", "the ", "import ", "    return ")


def loops(p, temperature, seed=0):
    """The loop that each beginning ends in: (start, length), or None."""
    return [find_loop(text_by(p, 1000, temperature, seed, start)) for start in BEGINNINGS]


# %% tags=["demo"]
print(find_loop("the startup is a meeting to think to investors"))
print(find_loop("the startup is a lot of " * 4 + "the s"))

# %% tags=["demo"]
for beginning in BEGINNINGS:
    said = text_by(writer, 1000, temperature=0, after=beginning)
    print(f"{beginning!r:14} (start, length) {find_loop(said)}: {said[:60]!r}...")
for tau in (0.1, 0.3, 0.5, 1):
    found = sum(loop is not None for loop in loops(writer, tau))
    print(f"temperature {tau}: {found} of {len(BEGINNINGS)} texts end in a loop")

# %% [markdown]
# The lecture's sampled line has no loop; its greedy one repeats a piece of 24 characters from the
# start. At temperature 0 yours falls into one, too, and never leaves it. It cannot: what it says
# next hangs on its state and on nothing else, and after a few rounds the state comes back to
# (nearly) where it was. The piece may be a phrase, or a single character: a network this small has
# not learned to count, and once it writes a row of blanks, the likeliest next character is one
# more. (The table at the end of this notebook says how long the longest piece was with other
# seeds.) With a little chance the loop often holds; with more, sooner or later another character
# is drawn, and the loop is left. That the likeliest character at each step does not make a likely
# *text* is a matter of its own: notebook 05 looks for better ways.

# %% [markdown]
# ## How often was it clipped?
#
# The count that was promised. First your training run: 1,024 characters a step. Then the same
# network at the sizes of the listing, one stream, 25 characters, rate 0.1, 1,000 steps. Of both we
# know, at each step, the norm of the gradient of the *mean*, and the largest entry of the gradient
# of the *sum*. **Predict, then run.** In how many of a hundred steps would the threshold 5 bind:
# on the norm with the mean, and on the entries with the sum?


# %%
def listing_run(seed):
    """Train with one stream of 25 characters, as min-char-rnn does."""
    steps = budget(1000, fast=12)
    return character_model(seed, N=1, T=25, H=100, steps=steps, rate=0.1, max_norm=5.0)


def shares_clipped(seed):
    """The share of steps in which a threshold binds, by what is held against it."""
    large, small = character_model(seed), listing_run(seed)
    return {
        "1,024 characters, norm of the mean above 5": np.mean(large["norms"] > 5),
        "1,024 characters, norm of the mean above 1": np.mean(large["norms"] > 1),
        "25 characters, norm of the mean above 5": np.mean(small["norms"] > 5),
        "25 characters, an entry of the sum beyond 5": np.mean(small["entries"] > 5),
    }


# %% tags=["demo"]
for what, share in shares_clipped(0).items():
    print(f"{what:46}{share:7.1%} of steps")

# %% [markdown]
# The last two lines are *the same run*, the same gradients: a 5 that binds often when the loss is a
# sum over 25 characters hardly ever does when it is their mean. With many characters a step, chance
# evens out, gradients are shorter still, and 5 binds at hardly any step. So when a paper says "we
# clip at 5", ask: 5 of what?

# %% [markdown]
# ## Networks on networks
#
# One more thing from the lecture: RNNs can be stacked. The states of one layer are the inputs of
# the next,
#
# $$h_t^l = \tanh W^l \begin{pmatrix} h_t^{l-1} \\ h_{t-1}^l \end{pmatrix}, \qquad
# W^l\ [n \times 2n].$$
#
# A layer reads two things: what the layer below says *now*, and what it has said itself *before*.
# The two are put one above the other, so one matrix does for both. With rows in place of columns,
# $(h_t^{l-1},\; h_{t-1}^l)\, W$, the upper rows of $W$ belong to what comes from below and the
# lower ones to the layer's own old state. The lecture's sizes are those of the layers that have
# another below them; the lowest one reads the input, $D$ numbers, so its $W$ has $D + H$ rows. (And
# your layers have a bias.)
#
# *By hand* (three layers, one number each; small numbers, so that $\tanh a = a$): both weights of
# each layer are such that what comes from below counts 1, and the own old state 0.5. The input is a
# single pulse of 1 at step 0.
#
# | | step 0 | step 1 | step 2 | step 3 |
# |:--|--:|--:|--:|--:|
# | third layer | 1 | $1 + 0.5 = 1.5$ | $0.75 + 0.75 = 1.5$ | $0.5 + 0.75 = 1.25$ |
# | second layer | 1 | $0.5 + 0.5 = 1$ | $0.25 + 0.5 = 0.75$ | $0.125 + 0.375 = 0.5$ |
# | first layer | 1 | 0.5 | 0.25 | 0.125 |
#
# **Bonus exercise** (2 points, about 20 minutes). Write `multilayer_rnn_forward`.


# %% nbgrader={"grade_id": "multilayer_rnn_forward", "solution": true}
# exercise: multilayer_rnn_forward
def multilayer_rnn_forward(x, h0, W, b):
    """Run a stack of tanh RNNs: the states of one layer are the inputs of the next.

    x:  (N, T, D) inputs of the lowest layer
    h0: (L, N, H) states of the L layers before the first step
    W:  a list of L arrays, the lowest layer first: (D + H, H), then (2H, H); the rows of what comes
        from below are above the rows of the layer's own old state
    b:  (L, H) biases
    Returns h (L, N, T, H), the states of all layers
    """
    ### BEGIN SOLUTION
    below, layers = x, []
    for start, weight, bias in zip(h0, W, b, strict=True):
        D = below.shape[-1]
        below, _ = rnn_forward(below, start, weight[:D], weight[D:], bias)
        layers.append(below)
    return np.stack(layers)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_multilayer_rnn_forward", "points": 2} tags=["ext"]
check("multilayer_rnn_forward", multilayer_rnn_forward)

# %% [markdown]
# **Predict, then run.** The same pulse for ten steps, made a thousand times as small so that tanh
# stays straight, and shown in thousandths. Does it need a step to climb from layer to layer? Which
# layer feels it longest? (Without the bonus, this cell stops with `NotImplementedError`.)

# %% tags=["demo", "raises-exception"]
pulse = np.zeros((1, 10, 1))
pulse[0, 0] = 0.001
weights = [np.array([[1.0], [0.5]])] * 3
h = multilayer_rnn_forward(pulse, np.zeros((3, 1, 1)), weights, np.zeros((3, 1)))
show_matrices(
    Matrix(
        "states, in thousandths",
        1000 * h[::-1, 0, :, 0],
        ["third layer", "second layer", "first layer"],
        [f"t = {t}" for t in range(10)],
    ),
    alt="The pulse reaches all three layers at step 0. In the first it halves at each step; in the "
    "third it is largest at steps 1 and 2, and fades last.",
)

# %% [markdown]
# It climbs at once: at step 0 all layers have it, since each reads what the one below says *now*.
# But the higher the layer, the later it peaks and the longer it lasts: a higher layer sees the
# world through the memory of the layer below. That is one reason for stacking. In notebook 03 you
# stack LSTMs.

# %% [markdown]
# ## What came out
#
# The same measurements, from your functions and from a recorded run of ours over several seeds. A
# number outside the range has a cause that is worth finding. (Your time does not count what Part A
# has trained already.)


# %%
def letters_right(p):
    """How many of the four letters that follow h the network says right."""
    return sum(said == letter for said, letter in zip(speak(p), "hello", strict=True)) - 1


def lead_of_l(p):
    """How much likelier than o the network finds l after the first l."""
    _, _, after_l = probabilities(read("hel", p["Wx"], p["Wh"], p["b"]), p)
    return after_l[number["l"]] - after_l[number["o"]]


def hello_numbers(seed):
    """What the four letters came to."""
    network, losses = train(seed)
    forgetful, losses_without = train(seed, memory=False)
    return {
        "loss before training (ln 4 = 1.386)": losses[0],
        "loss after 500 steps": losses[-1],
        "loss after 500 steps without memory ((ln 2)/2 = 0.347)": losses_without[-1],
        "letters spoken right, of 4": letters_right(network),
        "letters spoken right without memory": letters_right(forgetful),
        "probability of l minus that of o after l, without memory": lead_of_l(forgetful),
        "loss after 150 steps of Adagrad": hello_by(adagrad, seed)[-1],
    }


def text_numbers(seed):
    """What the model of real text came to."""
    model = character_model(seed)
    p, nothing_known = model["weights"][STEPS], np.log(len(library().alphabet))
    greedy = [loop for loop in loops(p, temperature=0) if loop]
    return {
        "text: loss at step 0, less ln V": model["losses"][0] - nothing_known,
        "text: bits a held-out character": held_out_bits(p),
        "text: greedy beginnings that end in a loop, of 5": len(greedy),
        "text: sampled ones that do": sum(map(bool, loops(p, 1, seed))),
        "text: characters in the longest greedy loop": max((k for _, k in greedy), default=0),
    } | {f"clipped: {what}": share for what, share in shares_clipped(seed).items()}


def measurements(seed):
    """The numbers of this notebook for one seed."""
    by_words = word_model_measurements(seed) | pattern_accuracies(seed)
    return hello_numbers(seed) | by_words | text_numbers(seed)


# %% tags=["demo"]
trained = model["seconds"] + listing_run(0)["seconds"]  # before this cell
began = time.perf_counter()
found = measurements(0)
beside("02_hello_rnn", lambda seed: found, seed=0, seconds=trained + time.perf_counter() - began)

# %% [markdown]
# You have built a network that reads, remembers, and writes, and every line of its gradient is
# yours. What it lacks is a long memory: between the letter that matters and the moment when it
# matters there may lie no more than a few dozen steps. Notebook 03 measures why, and builds the
# gates that mend it.

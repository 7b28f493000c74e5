# %% [markdown]
# # 02 · The "hello" RNN
#
# A captioner has to speak: one word after another, each chosen in the light of those before it.
# In this notebook you build the part that does so, a **recurrent neural network** (RNN), at its
# smallest. Four letters stand in for the words, there is no picture, and there is one thing to
# learn: *hello*.
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `one_hot` | turns letters into vectors | 1 | 10 |
# | `rnn_step_forward` | makes the new state from the old one and a letter | 2 | 20 |
# | `rnn_step_backward` | takes the gradient back through that step | 3 | 45 |
# | `temporal_softmax_loss` | says how wrong the scores are, and which way to mend them | 3 | 40 |
# | a question | the gradient through time, in your own words | 4 | 10 |
#
# With the reading that is about two and a half hours. The four functions give 9 points, by their
# checks; the question gives 4, by hand. At the end your functions learn the word together and speak
# it back.
#
# Each exercise is one function. Put your code in place of `raise NotImplementedError`, run the
# cell, then run the check below it: it says how many points the function has earned and, where a
# case fails, what is probably wrong. Run it as often as you like.

# %%
import numpy as np

from cs_caption import check
from cs_caption.measured import beside
from cs_caption.viz.curves import show_curves
from cs_caption.viz.matrix import Matrix, show_matrices
from cs_caption.viz.pipeline import show_pipeline

# %% tags=["demo"]
show_pipeline(here="recurrent network")

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
# came before. It keeps that in a **state** $h_t$, a vector that each step makes anew from the old
# state and the letter it reads,
#
# $$h_t = f_W(h_{t-1}, x_t), \qquad s_t = W_{hy} h_t + b_y,$$
#
# with the same function $f$ and the same weights $W$ at every step. $s_t$ holds one score for each
# letter of the vocabulary. (The lecture calls the scores $y_t$; here $y$ is the right answer.)

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
# **Exercise** (1 point, about 10 minutes). Write `one_hot` for one number, a list of them or an
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
# **Exercise** (2 points, about 20 minutes). Write `rnn_step_forward`. What goes into `cache` is up
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
# To read a word, step through its letters and hand each state on to the next step:


# %%
def read(word, Wx, Wh, b):
    """Return the state after each letter of `word`: (T, H)."""
    h, states = np.zeros((1, len(b))), []
    for letter in word:
        h, _ = rnn_step_forward(one_hot([number[letter]], 4), h, Wx, Wh, b)
        states.append(h[0])
    return np.array(states)


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
# **Exercise** (3 points, about 45 minutes). Write `rnn_step_backward`, for both activations. Change
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
_, cache = rnn_step_forward(batch, np.zeros((3, 3)), Wx, Wh, np.zeros(3))
dWx = rnn_step_backward(rng.standard_normal((3, 3)), cache)[2]
show_matrices(
    Matrix("the gradient of Wx", dWx, letters, names),
    alt="The gradient of Wx after reading h, e and e: the rows of l and o are exactly zero.",
)

# %% [markdown]
# A letter that was not read has no part in the loss, so its row of $W_x$ is not changed. This is
# the row look-up of the first exercise, seen from behind: forward picks a row, backward adds to the
# row that was picked. A bare 0 in these tables is an exact zero; a small number would show as 0.00.

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
# **Exercise** (3 points, about 40 minutes). Write `temporal_softmax_loss`. Its `x` is what goes
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
    tokens = max(mask.sum(), 1)
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
# Now all four together. The network starts as the listing does: small random weights (0.01 times a
# normal number) and zero biases. The state has three numbers.


# %%
def new_network(seed, H=3, V=4):
    """Small random weights, zero biases."""
    rng = np.random.default_rng(seed)
    shapes = {"Wx": (V, H), "Wh": (H, H), "Wy": (H, V)}
    weights = {name: 0.01 * rng.standard_normal(shape) for name, shape in shapes.items()}
    return weights | {"b": np.zeros(H), "by": np.zeros(V)}


# %% [markdown]
# Forward, the state runs through the word from left to right. Backward, its gradient runs from
# right to left, through the same weights at each step; so each step *adds* to their gradients. This
# is backpropagation through time.


# %%
def loss_and_gradients(p):
    """One pass over the whole word, forward and backward."""
    x, h, hs, caches = one_hot(x_ids, 4), np.zeros((1, len(p["b"]))), [], []
    for t in range(4):
        h, cache = rnn_step_forward(x[:, t], h, p["Wx"], p["Wh"], p["b"])
        hs.append(h)
        caches.append(cache)
    hs = np.stack(hs, axis=1)  # (N, T, H)
    scores = hs @ p["Wy"] + p["by"]  # (N, T, H) -> (N, T, V)
    loss, dscores = temporal_softmax_loss(scores, y_ids, np.ones((1, 4), bool))

    grads = {name: np.zeros_like(weight) for name, weight in p.items()}
    grads["Wy"] = np.tensordot(hs, dscores, axes=((0, 1), (0, 1)))  # (H, V)
    grads["by"] = dscores.sum(axis=(0, 1))
    dh_next = np.zeros_like(h)
    for t in reversed(range(4)):
        dh = dscores[:, t] @ p["Wy"].T + dh_next
        _, dh_next, dWx, dWh, db = rnn_step_backward(dh, caches[t])
        grads["Wx"] += dWx
        grads["Wh"] += dWh
        grads["b"] += db
    return loss, grads


# %% [markdown]
# A gradient that you made by hand deserves a second opinion. `check_gradients` moves each weight a
# little, measures how the loss changes, and compares:

# %% tags=["demo"]
from cs_caption.gradcheck import check_gradients

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
# **Question** (4 points, graded by hand; at most 60 words). In `loss_and_gradients` the gradient of
# a state is `dscores[:, t] @ p["Wy"].T + dh_next`; in the lecture's listing (line 53) it is
# `dh = np.dot(Why.T, dy) + dhnext`. Where does `dh_next` come from, why is it added, and why does
# it start at zero?

# %% [markdown] nbgrader={"grade_id": "why_added", "points": 4, "solution": true}
# ### BEGIN SOLUTION
# A state is used twice: the scores of its own step are made of it, and so is the next state. Along
# both ways it changes the loss, and by the chain rule the gradients of both ways add up. `dh_next`
# is the second: the `dprev_h` that the step after this one handed back. After the last step nothing
# follows, so there it is zero.
#
# *Rubric, a point each:* the state has two uses, the scores of its step and the next state;
# gradients of a value used twice add up (chain rule); `dh_next` is `dprev_h` of step t + 1; nothing
# comes after the last step, so that it starts at zero.
# ### END SOLUTION

# %% [markdown]
# ## What came out
#
# The same measurements, from your functions and from a recorded run of ours over many seeds. A
# number outside the range has a cause that is worth finding.


# %%
def letters_right(p):
    """How many of the four letters that follow h the network says right."""
    return sum(said == letter for said, letter in zip(speak(p), "hello", strict=True)) - 1


def lead_of_l(p):
    """How much likelier than o the network finds l after the first l."""
    _, _, after_l = probabilities(read("hel", p["Wx"], p["Wh"], p["b"]), p)
    return after_l[number["l"]] - after_l[number["o"]]


def measurements(seed):
    """The numbers of this notebook for one seed."""
    network, losses = train(seed)
    forgetful, losses_without = train(seed, memory=False)
    return {
        "loss before training (ln 4 = 1.386)": losses[0],
        "loss after 500 steps": losses[-1],
        "loss after 500 steps without memory ((ln 2)/2 = 0.347)": losses_without[-1],
        "letters spoken right, of 4": letters_right(network),
        "letters spoken right without memory": letters_right(forgetful),
        "probability of l minus that of o after l, without memory": lead_of_l(forgetful),
    }


# %% tags=["demo"]
beside("02_hello_rnn", measurements, seed=0)

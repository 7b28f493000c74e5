# %% [markdown]
# # 02 · The "hello" RNN, a small course's edition
#
# Four exercises of notebook 02, a question and some demonstrations: what tests of the grader grade.

# %%
import numpy as np

from cs_caption import check
from cs_caption.viz.matrix import Matrix, show_matrices
from cs_caption.viz.pipeline import show_pipeline

# %% tags=["demo"]
show_pipeline(here="recurrent network")

# %% [markdown]
# ## The task: say the next letter

# %%
letters = "helo"
number = {letter: i for i, letter in enumerate(letters)}
x_ids = np.array([[number[letter] for letter in "hell"]])  # (N, T) = (1, 4)
y_ids = np.array([[number[letter] for letter in "ello"]])  # (N, T)

# %% [markdown]
# ## One-hot vectors


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

# %% tags=["demo"]
show_matrices(
    Matrix("what the network reads", one_hot(x_ids[0], 4).T, letters, "hell"),
    Matrix("what it should say", one_hot(y_ids[0], 4).T, letters, "ello"),
    alt="One-hot columns: the two columns of l that are read are equal; their targets are l and o.",
)

# %% tags=["demo"]
W = np.array([[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23], [30, 31, 32, 33]])
one_hot(number["e"], 4) @ W

# %% [markdown]
# ## One step forward


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

# %% tags=["demo"]
swap = np.array([[0.0, 1.0], [1.0, 0.0]])
rows = np.array([[0.5, -1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
state_h, _ = rnn_step_forward(one_hot([number["h"]], 4), np.zeros((1, 2)), rows, swap, np.zeros(2))
state_he, _ = rnn_step_forward(one_hot([number["e"]], 4), state_h, rows, swap, np.zeros(2))
state_h.round(2), state_he.round(2)


# %%
def read(word, Wx, Wh, b):
    """Return the state after each letter of `word`: (T, H)."""
    h, states = np.zeros((1, len(b))), []
    for letter in word:
        h, _ = rnn_step_forward(one_hot([number[letter]], 4), h, Wx, Wh, b)
        states.append(h[0])
    return np.array(states)


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
# ## One step backward


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
# ## The loss over time


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
# ## A question

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

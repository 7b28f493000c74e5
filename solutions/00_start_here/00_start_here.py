# %% [markdown]
# # 00 · Start here
#
# In this course you build a machine that looks at a picture and says what it sees. You build it
# layer by layer, in nine notebooks. This first one is a rehearsal, and nothing in it is graded.
# When you are through, you can
#
# - tell whether your machine is ready,
# - write an answer, check it, and read a check that fails,
# - make sure of a gradient in three ways,
# - hand in a notebook.
#
# | exercise | what it does | points | minutes |
# |:--|:--|--:|--:|
# | `mean_colour` | finds the average colour of each picture | 2 | 10 |
#
# The two points count for nothing. With the reading, the notebook takes 45 to 55 minutes.
#
# A notebook is made of **cells**: some hold text, some code. Click into a code cell and press
# **Shift+Enter**: the cell runs, what it finds appears below it, and the next cell is selected.
# While it runs there is a `[*]` on its left, afterwards a number. Run the cells from top to bottom,
# because each may use what those above it have made. You cannot break anything: *Kernel > Restart
# Kernel* (on Colab *Runtime > Restart session*) forgets what was run and keeps what you wrote. Then
# start again from the top.

# %% [markdown]
# ## Is the machine ready?
#
# Click into the cell below and press Shift+Enter. It looks at the machine on which this notebook
# runs and at the packages that the course needs.

# %%
from cs_caption.commands import doctor

doctor.report("numpy")

# %% [markdown]
# If the title of the table is **Ready**, go on to the next section. If it is *Not ready*, each row
# in the state *missing* says on its right what mends it, most often a command for a terminal. One
# with `pip install` can be run here as well: in a new cell, write `%pip install` and what follows
# it. Then restart the kernel and run the cell again. A row in the state *note* is for your
# information: you can go on.
#
# `"numpy"` asks for what notebooks 00 to 03 need. For 04 to 08 write `"torch"`. In a terminal, go
# to the course's folder with `cd`; there `.venv/bin/python -m cs_caption doctor --for numpy` gives
# the same answers. (With conda, on Colab and on Binder, write `python` for `.venv/bin/python`.)
#
# Do you see `No module named 'cs_caption'` instead of a table? Then the notebook runs on a Python
# that does not have the course's package. On your own machine, start it with `make lab` in the
# course's folder (with conda: `conda activate cs_caption`, then `jupyter lab`). On Colab, the
# package has to be installed in every new session, with the line that comes with the course's link.
# On Binder it is there.
#
# The next cell fetches the tools of this notebook. It shows nothing; a number on its left is
# enough.

# %%
import codecs
from itertools import permutations

import numpy as np

from cs_caption import check, submission
from cs_caption.data import Scenes
from cs_caption.gradcheck import check_gradients, numerical_gradient
from cs_caption.measured import beside
from cs_caption.viz.matrix import Matrix, show_matrices
from cs_caption.viz.pictures import show_pictures

# %% [markdown]
# ## Why this is hard
#
# The lecture opens with somebody who looks for a picture and types: *images of me scuba diving next
# to turtle*. You understand that at once. To a computer, it might as well be this:

# %% tags=["demo"]
sentence = "images of me scuba diving next to turtle"
print(codecs.encode(sentence, "rot13"))

# %% [markdown]
# That is ROT13: each letter is replaced by the one 13 places further on in the alphabet. Nothing is
# lost, and still you cannot read it any more, because you no longer know the words. A computer
# never knew them.
#
# **Predict, then run.** Write a sentence of your own in place of the lecture's, with a word that
# comes twice, and run the cell again. What can still be seen of your sentence?
#
# You can see how long the words are, that one comes twice, and what stands beside what. A network
# has no more than that to learn from: which words stand beside which, and beside which pictures.
# Notebook 07 answers queries like the lecture's.
#
# A picture is no easier. Here is a part of one, as the computer has it. **Predict, then run** the
# cell after it: what do you think it shows?

# %% tags=["demo"]
scene = Scenes("test", level="rich")[7]
print("height, width and colours of the picture:", scene.image.shape)
print("how red it is, in a few of its rows and columns:")
print(scene.image[20:28, 22:34, 0])

# %% tags=["demo"]
show_pictures(
    scene.image[None],  # (H, W, 3) -> (1, H, W, 3): a batch of one
    [scene.captions[0]],
    alt="The whole picture, enlarged.",
    size=192,
)

# %% [markdown]
# Two points of the star were in those numbers, where they are above 184. To find a star among 64 x
# 64 x 3 = 12,288 of them is the task of notebook 01; to say it in words takes the rest of the
# course.

# %% [markdown]
# ## Where captions are used
#
# The lectures name two places. In **search**, a picture is found by a sentence, although nobody
# wrote that sentence beside it. In **medicine**, a picture becomes the draft of a report that a
# physician reads and mends. A third is in this notebook: those who cannot see a picture have its
# description read to them. Every picture of this course has one.
#
# The second lecture, from Moscow State University, shows four photographs with these captions:
#
# | the caption | what it takes to write it |
# |:--|:--|
# | man in black shirt is playing guitar. | who, dressed how, and what he does with a thing |
# | construction worker in orange safety vest is working on road. | a trade, told from clothes |
# | two young girls are playing with lego toy. | a number, an age, a toy |
# | boy is doing backflip on wakeboard. | a movement, from a picture that stands still |
#
# This course draws pictures of its own, from a seed, so that nothing has to be downloaded. And
# since it knows what it has drawn, it can tell a wrong caption from a right one. (Photographs come
# in notebooks 04 and 08.)

# %% tags=["demo"]
simple = Scenes("test", n=4)
show_pictures(
    simple.images,
    [captions[0] for captions in simple.captions],
    alt="Four pictures of coloured shapes on plain ground, each with a sentence below it.",
)

# %% [markdown]
# **Predict, then run.** Write down your own caption for the first picture. Will anybody have
# written the same? Five people described it:

# %% tags=["demo"]
for caption in simple.captions[0]:
    print(caption)

# %% [markdown]
# No two of them agree, and all are right. How to judge a caption when there are many right ones is
# the question of notebook 05.

# %% [markdown]
# ## Four claims, nine notebooks
#
# The lecture ends with four claims about neural networks. They are the map of this course:
#
# 1. **End to end.** The way from input to output is one function with one loss, and its gradient
#    reaches every weight.
# 2. **Stackable like Lego.** What one layer gives, the next one takes.
# 3. **Transfer.** A part that has learned one task helps with another.
# 4. **They work very well.** That has to be measured, beside what a blind guess would reach.
#
# The notebooks come out one after another:
#
# | | notebook | what you build | claims |
# |:--|:--|:--|:--|
# | 01 | Convnets | from a picture to the name of what it shows | 1, 2 |
# | 02 | The "hello" RNN | a network that remembers, and speaks letter by letter | 1 |
# | 03 | LSTM gates | one that remembers for longer | 2, 4 |
# | 04 | Captioning | a convnet that speaks | 1, 2, 3 |
# | 05 | Beam search, metrics | the best sentence, and how to judge one | 4 |
# | 06 | Attention | look where you speak | 1, 2 |
# | 07 | Ranking | from a sentence to its picture: the diver's query | 3, 4 |
# | 08 | Training | for real, on a GPU | 3, 4 |

# %% [markdown]
# ## Three rules for every layer
#
# How do parts as different as a convolution and an LSTM fit together? The lecture says it of
# convnets, and it holds for all the rest. A layer
#
# 1. takes arrays (the lecture: a *volume* of numbers, as high, wide and deep as the picture),
# 2. gives arrays,
# 3. is differentiable: from how the loss (how wrong the whole network is) changes with what it
#    gave, it can work out how the loss changes with what it took. (These are gradients; they have a
#    section of their own below.)
#
# So a layer is two functions. `forward` returns its output and a `cache`, a note of what the way
# back will need. `backward` takes the gradient of the output and that cache, and returns a gradient
# for each input. Here is a whole layer, $y = (x w + b)^2$, entry by entry. You work on it further
# down. The comments on the right give the **shapes**, here for $N$ rows of $D$ numbers; `(D,)` is a
# single row. Wherever arrays change their shape, this course writes it there.


# %%
def layer_forward(x, w, b):
    """y = (x w + b) squared, entry by entry."""
    z = x * w + b  # (N, D), (D,), (D,) -> (N, D)
    return z**2, (x, w, z)


# %% [markdown]
# **Predict, then run.** A batch of 4 rows with 3 numbers each goes through the layer, and what
# comes out goes through it once more. What is the shape at the end?

# %% tags=["demo"]
rows, w3, b3 = np.ones((4, 3)), np.array([1.0, 2.0, 3.0]), np.zeros(3)
once, _ = layer_forward(rows, w3, b3)
twice, _ = layer_forward(once, w3, b3)
print("shape:", twice.shape)
print("first row:", rows[0], "->", once[0], "->", twice[0])

# %% [markdown]
# ## How an exercise works
#
# Each exercise is one function. It arrives as a **stub**: a first line, a description of what goes
# in and what comes out, and
#
# ```python
# raise NotImplementedError
# ```
#
# You put your code in the place of that line. `NotImplementedError` is Python's way to say *nobody
# has written this yet*. If you see it below a cell, nothing is broken: the cell uses a function
# that is still a stub. Write the function, run its cell, and run this one again.
#
# Any other error is read from the bottom: the last line says what went wrong, and an arrow
# (`---->`) points at the line where it did.

# %% [markdown]
# ### A check that fails
#
# Below each exercise is its **check**. It tries your function on several cases and gives points for
# each one that is right. Before you write anything, look at a check that fails. This function is
# meant to find the average colour of each picture. It adds up the pixels one by one:


# %%
def average_in_bytes(images):
    """Looks right, and is wrong."""
    N, H, W, C = images.shape
    total = np.zeros((N, C), images.dtype)
    for row in range(H):
        for column in range(W):
            total += images[:, row, column]  # (N, C)
    return total / (H * W)


# %% tags=["demo"]
check("mean_colour", average_in_bytes)

# %% [markdown]
# Read it column by column:
#
# - **case** says what was tried. *A batch of pictures* is the ordinary use; the others are where
#   functions tend to go wrong. The last one makes sure that your function changes nothing in the
#   pictures that it is given, and does not mind how they lie in memory.
# - **result** is *passed* or *failed*.
# - **worth** is the part of the points that the case brings. You have those of the cases that
#   passed, even if others fail. Their sum is in the title.
# - **what is probably wrong** is empty where all is well. Otherwise it tells you, in words, what
#   your result looks like. It never shows the answer.
#
# The line below the table says who judged. A check calls your function only with data of its own;
# what the function prints meanwhile is dropped. So to look into it, call it yourself, in a cell of
# your own. (In JupyterLab the key B makes one, after Esc.)
#
# Two cases passed. Four failed, all with the same words: the sum ran over. **Predict, then run.**
# The numbers of a picture are bytes (`uint8`), from 0 to 255. What is 250 + 10?

# %% tags=["demo"]
np.array([250], dtype=np.uint8) + np.array([10], dtype=np.uint8)

# %% [markdown]
# It starts again at 0, without a word. In the two cases that passed, no sum went beyond 255. This
# is the reason for trying more than one case.

# %% [markdown]
# ### What counts when it is graded
#
# In later notebooks, the cases are tried once more with **hidden numbers** when your work is
# graded: the same cases, other numbers, and the points are shared among all of them. There are no
# hidden rules. A function that is right does not notice; one that knows the numbers of the check by
# heart loses points. Once you have written your function, you can try that yourself:
# `check("mean_colour", mean_colour, seed=1)` draws other numbers.
#
# Your notebook is run from the top in an empty folder, without the network, and the cells that only
# show something are left out. A cell that has not ended after a minute or so is stopped, and the
# rest is graded.

# %% [markdown]
# ## Your first answer
#
# Pictures come in batches: `images` has the axes $(N, H, W, 3)$, for $N$ pictures, $H$ rows, $W$
# columns and the three colours red, green and blue. You want three numbers for each picture: how
# red, how green and how blue it is on average.
#
# *By hand*: a picture of one row and two columns, its left pixel red, (255, 0, 0), its right one
# blue, (0, 0, 255). The average is ((255 + 0)/2, 0, (0 + 255)/2) = (127.5, 0, 127.5), a purple.
# Two larger ones, of 5 rows and 4 columns, are black, (0, 0, 0), but for two pixels each:
# (200, 100, 40) and (20, 100, 20) in one, (40, 0, 200) and (15, 0, 50) in the other. So the sums
# are (220, 200, 60) and (55, 0, 250), and divided by 20 pixels (11, 10, 3) and (2.75, 0, 12.5).
# These two are the first case of the check.
#
# NumPy counts axes from 0. `images.sum(axis=3)` adds up along axis 3, the colours, and that axis is
# gone from the result; `axis=(0, 3)` would take two axes at once. `mean` works in the same way, and
# calculates in float64, where nothing runs over. Which axes have to go here?
#
# **Exercise** (2 points, about 10 minutes). Write `mean_colour`. Your code takes the place of the
# line `raise NotImplementedError`, four spaces in as that one is, and ends with a `return`. Run the
# cell, then the check below it.


# %% nbgrader={"grade_id": "mean_colour", "solution": true}
# exercise: mean_colour
def mean_colour(images):
    """Find the average colour of each picture.

    images: (N, H, W, 3) uint8, 0 to 255: red, green, blue
    out:    (N, 3) float64, 0 to 255
    """
    ### BEGIN SOLUTION
    return images.mean(axis=(1, 2))  # (N, H, W, 3) -> (N, 3)
    ### END SOLUTION


# %% nbgrader={"grade_id": "test_mean_colour", "points": 2}
check("mean_colour", mean_colour)

# %% [markdown]
# Do all cases say *passed*? Then you have done what each exercise of this course asks of you. If
# not, read the last column of the first case that failed, change one thing, run both cells again.
#
# Now look at what you made. **Predict, then run.** On the left of each pair is a picture, on the
# right a square in its mean colour. The first picture is red above and green below, with a small
# star. What colour will its square have?

# %% tags=["demo"]
some = Scenes("test", n=16, level="rich").images[[7, 11, 10, 14]]  # (4, 64, 64, 3)
means = mean_colour(some)  # (4, 64, 64, 3) -> (4, 3)
squares = np.broadcast_to(means.round()[:, None, None], some.shape).astype(np.uint8)
show_pictures(
    np.concatenate([some, squares], axis=2),  # side by side: (4, 64, 128, 3)
    [f"red {red:.1f}, green {green:.1f}, blue {blue:.1f}" for red, green, blue in means],
    alt="Four pictures, each beside a square in its mean colour; below them the three numbers.",
    size=96,
)

# %% [markdown]
# The first square is neither red nor green but a brown that occurs nowhere in the picture. The
# third picture is mostly black, and its square is dark. An average is a very short description: it
# says nothing of the star. The layers of notebook 01 keep more.
#
# An error, or squares that are black, grey or all alike? Then the check above has failed, and says
# why.

# %% [markdown]
# ## One gradient, three ways
#
# To learn, a network asks of each number in it: if this were a little larger, would the result be
# larger, and by how much? The answer is the **gradient**. In notebooks 01 to 03 you work gradients
# out by hand, and there are two ways to find out whether you were right.
#
# **By hand.** Take the layer from above with one number each: $x = 3$, $w = 0.5$, $b = -1$.
# Forward, a line at a time; then backward, a line for each of them, in the reverse order. $dy$
# stands for the gradient of $y$, and so on; we start with $dy = 1$.
#
# | forward | | backward | |
# |:--|:--|:--|:--|
# | $z = x w + b$ | $= 1.5 - 1 = 0.5$ | $dz = 2 z \, dy$ | $= 2 \cdot 0.5 \cdot 1 = 1$ |
# | $y = z^2$ | $= 0.25$ | $dx = w \, dz$ | $= 0.5 \cdot 1 = 0.5$ |
# | | | $dw = x \, dz$ | $= 3 \cdot 1 = 3$ |
# | | | $db = dz$ | $= 1$ |
#
# The rule behind it is the chain rule: each line multiplies the gradient that arrives by its own
# slope. The slope of $z^2$ is $2z$; that of $x w + b$ is $w$ along $x$, $x$ along $w$ and 1 along
# $b$.


# %%
def layer_backward(dy, cache):
    """Return dx, dw and db, each of the shape of y."""
    x, w, z = cache
    dz = 2 * z * dy
    return dz * w, dz * x, dz


# %% [markdown]
# **Numeric.** Make $w$ a little larger, then a little smaller, and look at what becomes of $y$.
# **Predict, then run**: by hand we had $dw = 3$. With a step of 0.01, which two values of $y$ do
# you expect, and what is their difference divided by 0.02?

# %% tags=["demo"]
above, _ = layer_forward(3.0, 0.51, -1.0)
below, _ = layer_forward(3.0, 0.49, -1.0)
print(f"y above: {above:.4f}, y below: {below:.4f}, slope: {(above - below) / 0.02:.4f}")

# %% [markdown]
# `numerical_gradient` does this for every entry of an array, with a much smaller step. It knows
# nothing of the chain rule, so it does not make your mistakes. But it runs the layer twice for each
# number, too often for training. It wants a function that returns the output alone:


# %%
def layer_output(x, w, b):
    """The layer without its cache."""
    return layer_forward(x, w, b)[0]


# %% [markdown]
# **Autograd.** torch takes notes while it goes forward, and works the gradient out backwards from
# them, as you do. It is fast, and exact but for rounding; from notebook 04 on it does this work for
# you. If torch is not installed, the next cell says so, and all else in this notebook works without
# it.


# %%
def layer_autograd(*inputs):
    """Return dx, dw and db by torch in float64, or None where torch is not installed."""
    try:
        import torch
    except ImportError:
        return None
    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in inputs]
    y, _ = layer_forward(*leaves)
    y.backward()
    return [leaf.grad.item() for leaf in leaves]


# %% tags=["demo"]
inputs = (3.0, 0.5, -1.0)
y, cache = layer_forward(*inputs)
ways = {
    "by hand": layer_backward(1.0, cache),
    "numeric": numerical_gradient(layer_output, tuple(map(np.array, inputs))),
    "autograd": layer_autograd(*inputs),
}
if ways["autograd"] is None:
    print("torch is not installed: two ways in the place of three")
    del ways["autograd"]
show_matrices(
    Matrix("the gradient of y", np.array(list(ways.values())).T, ["dx", "dw", "db"], list(ways)),
    alt="The gradients of x, w and b are 0.5, 3 and 1, in each way.",
)

# %% [markdown]
# The columns agree. (Where a column shows 3.00 and another 3, the numeric one is off by less than a
# billionth: it takes a step, if a small one.) And if they did not agree? Here is a way back that
# forgets the 2 of $2z$. `check_gradients` holds it against numeric gradients:


# %%
def backward_without_2(dy, cache):
    """Forgets a factor."""
    x, w, z = cache
    dz = z * dy
    return dz * w, dz * x, dz


# %% tags=["demo"]
rng = np.random.default_rng(0)
x, w, b, dy = (rng.standard_normal(5) for _ in range(4))
y, cache = layer_forward(x, w, b)
check_gradients(layer_output, (x, w, b), backward_without_2(dy, cache), dy)

# %% [markdown]
# A row for each input, here under its place in `(x, w, b)`. *Worst at* is the entry where yours and
# the numeric one are furthest apart, and both stand beside it. The last column sums it up: *0.5
# times the numeric one everywhere* is the kind of sentence that finds a missing 2.
#
# The checks of notebooks 01 to 03 ask both, numeric derivatives and autograd. Without torch they
# ask the numeric ones alone, and say so.

# %% [markdown]
# ## Three tools that people stumble over
#
# ### The chain rule for matrices, by shapes
#
# `@` multiplies matrices, and `.T` transposes one. Forward: `out = x @ w`, with shapes $(N, D)$ and
# $(D, M)$ giving $(N, M)$. Backward arrives `dout`, of the shape of `out`. You need `dx`, of the
# shape of `x`, and `dw`, of the shape of `w`. Nobody remembers where the transposes go, and nobody
# needs to: try which products of two matrices, one of them `dout`, have the right shape.


# %%
def products_that_fit(x, w, dout):
    """Name the products with dout that have the shape of x or of w."""
    factors = {"x": x, "x.T": x.T, "w": w, "w.T": w.T, "dout": dout, "dout.T": dout.T}
    return [
        f"{name} could be {left} @ {right}"
        for left, right in permutations(factors, 2)
        for name, shape in {"dx": x.shape, "dw": w.shape}.items()
        if "dout" in left + right
        and factors[left].shape[1] == factors[right].shape[0]
        and (factors[left] @ factors[right]).shape == shape
    ]


# %% [markdown]
# **Predict, then run.** Let $N = 4$, $D = 3$ and $M = 2$. Which product is `dx`, which is `dw`?

# %% tags=["demo"]
x, w, dout = np.ones((4, 3)), np.ones((3, 2)), np.ones((4, 2))
products_that_fit(x, w, dout)

# %% [markdown]
# One for each, and they are the right ones. Now the trap. **Predict, then run**: how many fit when
# all three sizes are 3?

# %% tags=["demo"]
square = np.ones((3, 3))
print(len(products_that_fit(square, square, square)), "that fit, in the place of 2")

# %% [markdown]
# Where a matrix is square, the shapes cannot tell a right product from a wrong one. (In notebook 02
# there is one, and it catches many.) Two remedies: work it out with sizes that all differ, and
# check the gradient. This is also why in the ordinary cases of our checks no two sizes are equal.

# %% [markdown]
# ### A broadcast forward is a sum backward
#
# `x + b` with the shapes $(N, D)$ and $(D,)$ adds the same `b` to each of the $N$ rows: NumPy
# **broadcasts** it. So each entry of `b` changes $N$ results, and gets the gradients of all of
# them, added up: `db = dout.sum(axis=0)`, from $(N, D)$ to $(D,)$. **Predict, then run**: what is
# `db` for this `dout`?

# %% tags=["demo"]
x, b = np.zeros((3, 2)), np.zeros(2)
dout = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])  # (N, D)
db = dout.sum(axis=0)  # (N, D) -> (D,)
print("by hand:", db)
print("numeric:", numerical_gradient(lambda b: x + b, b, dout).round(6))

# %% [markdown]
# If a gradient of yours has an axis too many, look for a broadcast on the way forward.
# (`layer_backward` above leaves the sum out: it is right only as long as nothing is broadcast.)

# %% [markdown]
# ### An index that comes twice: `np.add.at`
#
# `table[index]` picks rows from a table, as a network does when it looks up the vectors of the
# words it reads. Backward, each gradient is added to the row that was picked. If a word comes
# twice, its row gets two. **Predict, then run**: row 2 is picked twice. Which of the two lines gets
# it right?

# %% tags=["demo"]
index = np.array([0, 2, 2])
by_plus = np.zeros(4)
by_plus[index] += 1
by_add_at = np.zeros(4)
np.add.at(by_add_at, index, 1)
numeric = numerical_gradient(lambda t: t[index], np.zeros(4), np.ones(3)).round(6)

print("out[index] += 1          ", by_plus)
print("np.add.at(out, index, 1) ", by_add_at)
print("numeric                  ", numeric)

# %% [markdown]
# `out[index] += 1` first reads the entries, then adds, then writes them back: both times row 2 is
# written as 0 + 1, and one of the two is lost without an error. `np.add.at` adds one after the
# other.

# %% [markdown]
# ## Handing it in
#
# Three steps, always the same:
#
# 1. **Restart and run all**: *Kernel > Restart Kernel and Run All Cells* (on Colab *Runtime >
#    Restart session and run all*). The grader too starts with nothing and goes from top to bottom.
#    What only works because of a cell that you have since deleted shows now, and not in your grade.
#    The run stops at the first error, but JupyterLab then shows the last cell: scroll up to the red
#    box. The cells below it have `[ ]`. If the error comes from an exercise that you leave out, run
#    them with Shift+Enter; the grader does not stop there.
# 2. **Save**: Ctrl+S, on a Mac Cmd+S.
# 3. **Check the file**: run the next cell once more. It speaks of the file as last saved, so what
#    it said in step 1 is out of date. It says which graded cells are missing, changed or there
#    twice, which stubs are not filled, and which points your last run showed.

# %% tags=["demo"]
submission.report("00_start_here.ipynb")

# %% [markdown]
# *Cell 31* is the 31st from the top, text included, and not the number in `[ ]`. Click into it, and
# a recent JupyterLab says *Cell 31/68* in the bar at the bottom.
#
# The same in a terminal, in the course's folder:
# `.venv/bin/python -m cs_caption check notebooks/00_start_here/00_start_here.ipynb`. Where it says
# *there is no file*, the notebook is not in the folder where Python runs: on Colab it never is (see
# below).
#
# The grader knows the cells by invisible labels. So:
#
# - Add cells of your own wherever you like, and change the cells that only show something.
# - Do not delete, copy, split or merge the cells that start with `# exercise:` or with `check(`. A
#   copied cell carries the same label as the first, and the grader takes only one of them.
# - Keep the name of the file, and the names of functions and arguments.
#
# **What to send** is the one file that ends in `.ipynb`: no PDF, no link, no picture of the screen.
# Where it lies depends on where you work:
#
# - **On your own machine**: in the folder `notebooks/00_start_here` of the course.
# - **On Colab**: begin with *File > Save a copy in Drive*, or your work is gone when you close the
#   page. At the end, *File > Download > Download .ipynb*. To check it there first, upload the
#   downloaded file with the folder symbol on the left, and run the cell above.
# - **On Binder**: *File > Download*. Do so before each break: after about ten minutes without
#   activity Binder stops, and forgets what you wrote. To go on later, drag the file back into the
#   list of files on the left.
#
# If the file is now called `Copy of 00_start_here.ipynb` or `00_start_here (1).ipynb`, give it its
# name back. Where to send it is up to your instructor. This notebook need not be sent at all,
# unless they want to rehearse that too.

# %% [markdown]
# ## What came out
#
# Every notebook ends like this one: the same measurements from your functions, and from a recorded
# run of ours over many seeds. A number outside the range has a cause that is worth finding. Here it
# is the mean colour of 50 pictures, and how far gradients by hand and numeric ones are apart.


# %%
def measurements(seed):
    """The numbers of this notebook for one seed."""
    images = Scenes("test", n=50, level="rich", seed=seed).images
    red, green, blue = mean_colour(images).mean(axis=0)  # (50, 3) -> (3,)

    rng = np.random.default_rng(seed)
    x, w, b, dy = (rng.standard_normal(5) for _ in range(4))
    by_hand = layer_backward(dy, layer_forward(x, w, b)[1])
    numeric = numerical_gradient(layer_output, (x, w, b), dy)
    apart = max(np.abs(one - other).max() for one, other in zip(by_hand, numeric, strict=True))
    return {
        "mean red of 50 pictures": red,
        "mean green": green,
        "mean blue": blue,
        "by hand and numeric: largest difference": apart,
    }


# %% tags=["demo"]
beside("00_start_here", measurements, seed=0)

# %% [markdown]
# You have checked the machine, written an answer, read a check, trusted a gradient for a good
# reason, and know how to hand in. Next is [01, Convnets](../01_convnets/01_convnets.ipynb): there
# you build the layers that tell a star from a heart, and a red one from a green one.

"""The checks of notebook 02, the "hello" RNN.

Signatures, as the notebook's stubs have them (float64 in, float64 out; inputs are never changed):

    one_hot(x, V) -> out                                                            1 point
        x    (...,)    whole numbers 0 <= x < V: a number, a list or an array with any axes
        V    int       size of the vocabulary, not the largest number in x plus one
        out  (..., V)  float64: 1.0 at the number's place, 0.0 elsewhere

    rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh") -> (next_h, cache)    2 points
        x (N, D), prev_h (N, H), Wx (D, H), Wh (H, H), b (H,); activation "tanh" or "relu"
        next_h = f(x Wx + prev_h Wh + b)  (N, H)
        cache  whatever rnn_step_backward needs: a check never looks inside

    rnn_step_backward(dnext_h, cache) -> (dx, dprev_h, dWx, dWh, db)                3 points
        dnext_h (N, H); the gradients have the shapes of x, prev_h, Wx, Wh, b: db is (H,)
        ReLU passes no gradient where its input is 0 or less
        needs rnn_step_forward: check("rnn_step_backward", rnn_step_backward, rnn_step_forward)

    temporal_softmax_loss(x, y, mask) -> (loss, dx)                                 3 points
        x (N, T, V) scores, y (N, T) integers 0 <= y < V, mask (N, T) bool: True for a real token
        loss  a float: the mean over the real tokens of -ln softmax(x)[y] (natural logarithm;
              CS231n divides by N and min-char-rnn sums: here it is the mean over tokens)
        dx    (N, T, V): d loss / d x; exactly 0.0 at every position that the mask leaves out
        no real token at all: loss 0.0 and dx all zero; scores as large as 1e4 do not overflow
"""

from cs_caption.checks.n02_hello_rnn.one_hot import ONE_HOT
from cs_caption.checks.n02_hello_rnn.softmax_loss import TEMPORAL_SOFTMAX_LOSS
from cs_caption.checks.n02_hello_rnn.step_backward import RNN_STEP_BACKWARD
from cs_caption.checks.n02_hello_rnn.step_forward import RNN_STEP_FORWARD

EXERCISES = (ONE_HOT, RNN_STEP_FORWARD, RNN_STEP_BACKWARD, TEMPORAL_SOFTMAX_LOSS)

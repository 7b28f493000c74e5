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

    rnn_forward(x, h0, Wx, Wh, b, activation="tanh") -> (h, cache)                  1 point
        x (N, T, D), h0 (N, H) the states before the first step, Wx, Wh, b as for the step
        h      (N, T, H): the state after each step; h0 is not among them
        cache  whatever rnn_backward needs

    rnn_backward(dh, cache) -> (dx, dh0, dWx, dWh, db)                              2 points
        dh (N, T, H): of each h_t by the loss of its own step, without what later steps hand back
        dx is exactly 0.0 at steps after which no loss comes
        needs rnn_forward: check("rnn_backward", rnn_backward, rnn_forward)

    truncated_chunks(x, dh, h0, Wx, Wh, b, size) -> (h, dx, dh0, dWx, dWh, db)      1 point
        tanh; chunks of `size` steps, the last one may be shorter; size may be T or more
        the state is carried from chunk to chunk, the gradient is cut between them
        dh0 is that of the first chunk; dWx, dWh, db are summed over the chunks

    multilayer_rnn_forward(x, h0, W, b) -> h                                        2 points
        x (N, T, D), h0 (L, N, H), b (L, H); W a list of L arrays, (D + H, H) and then (2H, H): the
        rows of what comes from below first, then those of the layer's own state before the step
        h (L, N, T, H): the states of all layers (tanh), the lowest first

    word_embedding_forward(x, W) -> (out, cache)                                    1 point
        x (N, T) integers 0 <= x < V, W (V, D); out (N, T, D): the row of each word
        cache  whatever word_embedding_backward needs

    word_embedding_backward(dout, cache) -> dW                                      1 point
        dout (N, T, D); dW (V, D), V from W and not from the words that occur
        words that repeat add up; the rows of words that do not occur are exactly 0.0
        needs word_embedding_forward

    sample_characters(p, h0, first, n, temperature=1.0, seed=0) -> symbols          1 point
        p a dictionary: Wx (V, H), Wh (H, H), b (H,), Wy (H, V), by (V,); h0 (1, H)
        symbols  a list of n whole numbers, each read back in to make the next; without `first`
        temperature 0 is greedy; seed is one of np.random.default_rng, of any size

    clip_gradients(grads, max_norm) -> (clipped, norm)                              1 point
        grads a dictionary of arrays; norm a float: of all entries together, before
        clipped  a dictionary: all entries times max_norm / norm if norm is above max_norm,
                 and otherwise exactly what they were

    adagrad(w, dw, memory, learning_rate=0.1, eps=1e-8) -> (next_w, next_memory)    1 point
    rmsprop(w, dw, memory, learning_rate=0.002, decay=0.95, eps=1e-8)               1 point
        arrays of one shape; eps is added to next_memory under the root, and not remembered

    fix_min_char_rnn(ids, p, steps, seq_length=25, learning_rate=0.1) -> (p, losses)    2 points
        ids (n,) with at least one chunk: n > seq_length; p as for sample_characters
        losses  a list: the sum over each chunk, before its step; the state of a chunk is that at
                the end of the one before, and zero where the text starts (again)
        entries of gradients are clipped to +-5; Adagrad with 1e-8 under the root
"""

from cs_caption.checks.n02_hello_rnn.adaptive import ADAGRAD, RMSPROP
from cs_caption.checks.n02_hello_rnn.clip_gradients import CLIP_GRADIENTS
from cs_caption.checks.n02_hello_rnn.fix_min_char_rnn import FIX_MIN_CHAR_RNN
from cs_caption.checks.n02_hello_rnn.multilayer import MULTILAYER_RNN_FORWARD
from cs_caption.checks.n02_hello_rnn.one_hot import ONE_HOT
from cs_caption.checks.n02_hello_rnn.rnn_backward import RNN_BACKWARD
from cs_caption.checks.n02_hello_rnn.rnn_forward import RNN_FORWARD
from cs_caption.checks.n02_hello_rnn.sample_characters import SAMPLE_CHARACTERS
from cs_caption.checks.n02_hello_rnn.softmax_loss import TEMPORAL_SOFTMAX_LOSS
from cs_caption.checks.n02_hello_rnn.step_backward import RNN_STEP_BACKWARD
from cs_caption.checks.n02_hello_rnn.step_forward import RNN_STEP_FORWARD
from cs_caption.checks.n02_hello_rnn.truncated_chunks import TRUNCATED_CHUNKS
from cs_caption.checks.n02_hello_rnn.word_embedding import (
    WORD_EMBEDDING_BACKWARD,
    WORD_EMBEDDING_FORWARD,
)

EXERCISES = (
    ONE_HOT,
    RNN_STEP_FORWARD,
    RNN_STEP_BACKWARD,
    RNN_FORWARD,
    RNN_BACKWARD,
    TEMPORAL_SOFTMAX_LOSS,
    WORD_EMBEDDING_FORWARD,
    WORD_EMBEDDING_BACKWARD,
    SAMPLE_CHARACTERS,
    TRUNCATED_CHUNKS,
    CLIP_GRADIENTS,
    ADAGRAD,
    RMSPROP,
    FIX_MIN_CHAR_RNN,
    MULTILAYER_RNN_FORWARD,
)

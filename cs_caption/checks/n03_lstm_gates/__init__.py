"""The checks of notebook 03, LSTM gates.

Signatures, as the notebook's stubs have them (float64 in, float64 out; inputs are never changed):

    gradient_norms(dh, h, Wh, activation="tanh") -> norms                            2 points
        dh, h (N, T, H), Wh (H, H); activation "tanh", "relu" or "linear"
        norms (N, T)  the length of the whole gradient of each h_t: of its own loss, dh, and of all
        that arrives from the later steps; exactly 0 after a sequence's last loss

    lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b) -> (next_h, next_c, cache)       2 points
        x (N, D), prev_h (N, H), prev_c (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,)
        in blocks of H columns the gates i, f, o (sigmoids) and g (a tanh)
        cache  whatever lstm_step_backward needs: a check never looks inside

    lstm_step_backward(dnext_h, dnext_c, cache)                                      4 points
            -> (dx, dprev_h, dprev_c, dWx, dWh, db)
        dnext_h, dnext_c (N, H); the gradients have the shapes of forward's arguments
        needs lstm_step_forward

    lstm_forward(x, h0, c0, Wx, Wh, b) -> (h, c, cache)                              2 points
        x (N, T, D), h0 and c0 (N, H); h and c (N, T, H): those after each step

    lstm_backward(dh, cache) -> (dx, dh0, dc0, dWx, dWh, db)                         3 points
        dh (N, T, H): each step has a loss of its own; no gradient arrives at c
        needs lstm_forward

    lstm_init(D, H, forget_bias=1.0, seed=0) -> (Wx, Wh, b)                          1 point
        Wx (D, 4H), Wh (H, 4H)  uniform between -1/sqrt(H) and 1/sqrt(H)
        b (4H,)  forget_bias in the forget gate's block, exactly 0 elsewhere
        the same seed gives the same weights, another one others

    gru_step_forward(x, prev_h, Wx, Wh, b) -> (next_h, cache)                        2 points
        x (N, D), prev_h (N, H), Wx (D, 3H), Wh (H, 3H), b (3H,); in blocks of H columns r, z, g
        next_h = z * prev_h + (1 - z) * g, g = tanh(x Wx + (r * prev_h) Wh + b): the reset comes
        before the product (arXiv 1406.1078), and not after it, as in torch.nn.GRUCell

    gru_step_backward(dnext_h, cache) -> (dx, dprev_h, dWx, dWh, db)                 3 points
        needs gru_step_forward

    stacked_lstm_forward(x, h0, c0, layers) -> (h, c)                                2 points
        x (N, T, D), h0 and c0 (L, N, H), layers: L triples (Wx, Wh, b), the lowest first
        h, c (L, N, T, H)  of all layers

    fix_lstm(x, h0, c0, Wx, Wh, b, dh) -> (h, dx, dh0, dc0, dWx, dWh, db)            2 points
        lstm_forward and lstm_backward in one function, mended
"""

from cs_caption.checks.n03_lstm_gates.fix_lstm import FIX_LSTM
from cs_caption.checks.n03_lstm_gates.gradient_norms import GRADIENT_NORMS
from cs_caption.checks.n03_lstm_gates.gru import GRU_STEP_BACKWARD, GRU_STEP_FORWARD
from cs_caption.checks.n03_lstm_gates.lstm_init import LSTM_INIT
from cs_caption.checks.n03_lstm_gates.lstm_sequence import LSTM_BACKWARD, LSTM_FORWARD
from cs_caption.checks.n03_lstm_gates.lstm_step import LSTM_STEP_BACKWARD, LSTM_STEP_FORWARD
from cs_caption.checks.n03_lstm_gates.stacked import STACKED_LSTM_FORWARD

EXERCISES = (
    GRADIENT_NORMS,
    LSTM_STEP_FORWARD,
    LSTM_STEP_BACKWARD,
    LSTM_FORWARD,
    LSTM_BACKWARD,
    LSTM_INIT,
    GRU_STEP_FORWARD,
    GRU_STEP_BACKWARD,
    STACKED_LSTM_FORWARD,
    FIX_LSTM,
)

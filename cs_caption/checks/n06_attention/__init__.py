"""The checks of notebook 06, attention.

Signatures, as the notebook's stubs have them (inputs are never changed, results have the dtype of
what is given):

    attention_scores(model, query, keys) -> scores                                  3 points
        model   nn.ModuleDict of query (Linear Q -> A) and score (Linear A -> 1), and other parts
        query   (N, Q); keys (N, L, A)
        scores  (N, L): score(tanh(keys[n, i] + query(query[n])))

    soft_attention(scores, a, mask=None) -> (z, alpha)                              3 points
        scores (N, L), a (N, L, C), mask bool (N, L), True in each row at least once
        z (N, C); alpha (N, L), exactly 0 where mask is False

    attention_lstm_step(model, word, prev_h, prev_c, a, keys, mask=None)            4 points
            -> (next_h, next_c, z, alpha)
        model   nn.ModuleDict of query (Linear H + W -> A), score (Linear A -> 1), gate
                (Linear H -> 1) and cell (LSTMCell W + C -> H), and other parts
        word (N, W), prev_h, prev_c (N, H), a (N, L, C), keys (N, L, A), mask as in soft_attention
        next_h, next_c (N, H); z (N, C), as the cell reads it; alpha (N, L)

    doubly_stochastic_penalty(alpha, real) -> penalty                               2 points
        alpha (N, T, L), real bool (N, T); a tensor without axes: summed over the regions, the mean
        of the captions

    hard_attention_sample(alpha, a, u) -> (z, k, log_prob)                          3 points
        alpha (N, L), a (N, L, C), u (N,) from 0 to below 1
        z (N, C), k int64 (N,), log_prob (N,), with a gradient to alpha

    reinforce_loss(nats, log_probs, alpha, real, baseline, decay=0.9, entropy_weight=0.01)
            -> (loss, next_baseline)                                                3 points
        nats, log_probs (N, T), alpha (N, T, L), real bool (N, T), baseline a float
        loss a tensor without axes, next_baseline a float

    pointing_accuracy(alpha, masks, objects) -> share                               2 points
        alpha (M, L), masks bool (M, S, S), objects int64 (M,)
        share   a float from 0 to 1; None where no noun counts

    noisy_or(logits, mask=None) -> p                                                3 points, bonus
        logits (N, L, V), mask bool (N, L)
        p       (N, V): 1 - product over the regions of (1 - sigmoid)
"""

from cs_caption.checks.n06_attention.hard import HARD_ATTENTION_SAMPLE
from cs_caption.checks.n06_attention.noisy_or import NOISY_OR
from cs_caption.checks.n06_attention.penalty import DOUBLY_STOCHASTIC_PENALTY
from cs_caption.checks.n06_attention.pointing import POINTING_ACCURACY
from cs_caption.checks.n06_attention.reinforce import REINFORCE_LOSS
from cs_caption.checks.n06_attention.scores import ATTENTION_SCORES
from cs_caption.checks.n06_attention.soft import SOFT_ATTENTION
from cs_caption.checks.n06_attention.step import ATTENTION_LSTM_STEP

EXERCISES = (
    ATTENTION_SCORES,
    SOFT_ATTENTION,
    ATTENTION_LSTM_STEP,
    DOUBLY_STOCHASTIC_PENALTY,
    HARD_ATTENTION_SAMPLE,
    REINFORCE_LOSS,
    POINTING_ACCURACY,
    NOISY_OR,
)

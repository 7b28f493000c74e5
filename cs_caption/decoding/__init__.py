"""Sentences from a `step`: greedy, sampled, and by batched beam search.

A `step(tokens, state) -> (log_probs, state)` knows how to go one word further on many rows at once:

    tokens     (R,) int64: the last token of each row; `start` at first
    state      any nested dict, list or tuple of tensors whose first axis is the row; what is not a
               tensor is handed on as it is. A state without a tensor stands for one row.
    log_probs  (R, V): log-probability of every token as the next one; -inf forbids a token

To keep <NULL>, <START> or <UNK> out of sentences is the step's business: give them -inf. The
functions here treat `end` alone as special. They loop over time (and over the groups of a diverse
search), never over pictures, hypotheses or words.
"""

from cs_caption.decoding.beam import beam_search
from cs_caption.decoding.hypothesis import Hypothesis, Step
from cs_caption.decoding.paths import greedy, sample

__all__ = ["Hypothesis", "Step", "beam_search", "greedy", "sample"]

"""The checks of notebook 05, beam search and metrics.

Signatures, as the notebook's stubs have them (inputs are never changed, captions are strings of
words parted by blanks):

    sequence_log_prob(step, state, tokens, start=1) -> log_prob                     2 points
        step(tokens, state) -> (log_probs, state), as `built.table_step` makes it of arrays: tokens
                int64 (R,), log_probs (R, V)
        state   int64 (1, k); tokens a list of T whole numbers
        log_prob  a float, of all the words together; 0.0 where T is 0

    length_normalized_score(log_prob, length, alpha=1.0) -> score                   1 point
        log_prob, length  a number or an array each; score log_prob / length^alpha, of the shape
                that the two make together

    beam_search(step, state, beam, max_len, start=1, end=2, alpha=0.0) -> found     5 points
        step and state as for sequence_log_prob, step on any number of rows
        found   a list of at most `beam` pairs (tokens, log_prob), best first by log_prob over
                length^alpha; tokens without <START>, with <END> where it was reached

    clipped_precision(candidates, references, n) -> (matched, guessed)              2 points
        candidates  a list of N captions; references a list of N lists of captions
        matched, guessed  whole numbers, summed over the N

    brevity_penalty(candidates, references) -> factor                               2 points
        factor  a float: 1.0, or e to the power of 1 - r / c; 0.0 where there is no word at all

    bleu(candidates, references, max_n=4, smooth=False) -> score                    2 points
        score   a float from 0 to 1

    rouge_l(candidate, references, beta=1.2) -> score                               2 points
        candidate   one caption; references a list of captions
        score   a float: precision and recall are the largest over the references, each on its own

    cider_vectors(caption, df, pictures) -> vectors                                 2 points
        df      a dict from an n-gram, its words joined by blanks, to its number of pictures
        vectors a list of four dicts, of n = 1 .. 4, from an n-gram to its weight

    cider_d(candidate, references, df, pictures, sigma=6.0) -> score                2 points
        score   a float, 10 times the mean over the four orders and all references

    meteor_score(candidate, reference, stems, synonyms) -> score                    3 points, bonus
        stems   a dict from a word to its stem; synonyms a list of lists of words
        score   a float: words are paired by three stages, from left to right
"""

from cs_caption.checks.n05_beam_and_metrics.beam import BEAM_SEARCH
from cs_caption.checks.n05_beam_and_metrics.bleu import BLEU
from cs_caption.checks.n05_beam_and_metrics.brevity import BREVITY_PENALTY
from cs_caption.checks.n05_beam_and_metrics.cider import CIDER_VECTORS
from cs_caption.checks.n05_beam_and_metrics.cider_d import CIDER_D
from cs_caption.checks.n05_beam_and_metrics.meteor import METEOR_SCORE
from cs_caption.checks.n05_beam_and_metrics.normalized import LENGTH_NORMALIZED_SCORE
from cs_caption.checks.n05_beam_and_metrics.precision import CLIPPED_PRECISION
from cs_caption.checks.n05_beam_and_metrics.rouge import ROUGE_L
from cs_caption.checks.n05_beam_and_metrics.sequence import SEQUENCE_LOG_PROB

EXERCISES = (
    SEQUENCE_LOG_PROB,
    LENGTH_NORMALIZED_SCORE,
    BEAM_SEARCH,
    CLIPPED_PRECISION,
    BREVITY_PENALTY,
    BLEU,
    ROUGE_L,
    CIDER_VECTORS,
    CIDER_D,
    METEOR_SCORE,
)

"""The checks of notebook 07, ranking and grounding.

Signatures, as the notebook's stubs have them (inputs are never changed, results have the dtype of
what is given):

    region_word_scores(a, s, Wv, bv) -> scores                                      4 points
        a       (N, L, C), s (M, T, D), Wv (C, D), bv (D,)
        scores  (N, M, L, T): (a[n, l] Wv + bv) . s[m, t]

    image_sentence_score(scores, real, seen) -> (S, best)                           4 points
        scores (N, M, L, T), real bool (M, T), seen bool (N, L), True in each row at least once
        S (N, M), the sum over the real words of their best seen region's score
        best    int64 (N, M, T), the region chosen, any of equal ones; -1 for padding

    ranking_loss(S, margin, hardest=False) -> loss                                  5 points
        S (N, N), a picture a row and its own sentence on the diagonal; margin a number
        loss    a tensor without axes

    recall_at_k(scores, truth, k) -> share                                          4 points
        scores (Q, I), truth a list of Q lists of ints, k an int
        share   a float from 0 to 1; ties count against the right items

    median_rank(scores, truth) -> rank                                              3 points
        as in recall_at_k; a float, 1 or more

    smooth_alignment(scores, beta) -> regions                                       4 points, bonus
        scores (L, T), beta a number, 0 or more
        regions int64 (T,)
"""

from cs_caption.checks.n07_ranking.alignment import SMOOTH_ALIGNMENT
from cs_caption.checks.n07_ranking.loss import RANKING_LOSS
from cs_caption.checks.n07_ranking.median import MEDIAN_RANK
from cs_caption.checks.n07_ranking.recall import RECALL_AT_K
from cs_caption.checks.n07_ranking.regions import REGION_WORD_SCORES
from cs_caption.checks.n07_ranking.sentences import IMAGE_SENTENCE_SCORE

EXERCISES = (
    REGION_WORD_SCORES,
    IMAGE_SENTENCE_SCORE,
    RANKING_LOSS,
    RECALL_AT_K,
    MEDIAN_RANK,
    SMOOTH_ALIGNMENT,
)

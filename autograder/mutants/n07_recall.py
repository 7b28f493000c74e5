"""Wrong answers to recall_at_k and median_rank of notebook 07."""

import numpy as np
import torch

from autograder.mutants import mutant


def _rank(row, right):
    """1 plus the wrong items that are not below the best right one."""
    wrong = torch.ones(len(row), dtype=torch.bool)
    wrong[right] = False
    return 1 + int((row[wrong] >= row[right].max()).sum())


def _ranks(scores, truth, rank=_rank):
    return [rank(row, right) for row, right in zip(scores, truth, strict=True)]


def _share(scores, truth, k, rank=_rank):
    ranks = _ranks(scores, truth, rank)
    return sum(each <= k for each in ranks) / len(ranks)


def _middle(scores, truth, rank=_rank):
    return float(np.median(_ranks(scores, truth, rank)))


def _wrong_of(row, right):
    return row[[item for item in range(len(row)) if item not in right]]


# ------------------------------------------------------------------- ranks that both may get wrong


def _ties_for_us(row, right):
    return 1 + int((_wrong_of(row, right) > row[right].max()).sum())


def _ties_shared(row, right):
    wrong, best = _wrong_of(row, right), row[right].max()
    return 1 + int((wrong > best).sum()) + int((wrong == best).sum()) / 2


def _as_sorted(row, right):
    order = row.argsort(descending=True, stable=True).tolist()
    return 1 + min(order.index(item) for item in right)


def _as_sorted_backwards(row, right):
    order = np.argsort(row.numpy(), kind="stable")[::-1].tolist()
    return 1 + min(order.index(item) for item in right)


def _lowest_first(row, right):
    return _rank(-row, right)


def _places_for_ranks(row, right):
    return 1 + int(row.argsort(descending=True, stable=True)[right].min())


def _before_the_last_right(row, right):
    return 1 + int((_wrong_of(row, right) >= row[right].min()).sum())


def _all_right_found(row, right):
    return int((row >= row[right].min()).sum())


def _first_listed(row, right):
    return int((row >= row[right[0]]).sum())


def _first_listed_among_wrong(row, right):
    return 1 + int((_wrong_of(row, right) >= row[right[0]]).sum())


def _last_listed(row, right):
    for item in right:
        rank = int((row >= row[item]).sum())
    return rank


def _right_ones_count(row, right):
    return int((row >= row[right].max()).sum())


def _mean_of_right(row, right):
    return sum(int((row >= row[item]).sum()) for item in right) / len(right)


def _score_of_right(row, right):
    return 1 + int((_wrong_of(row, right) >= row[right].mean()).sum())


def _zeroed(row, right):
    others = row.clone()
    others[right] = 0
    return 1 + int((others >= row[right].max()).sum())


def _best_of_zeros(row, right):
    mask = torch.zeros_like(row)
    mask[right] = 1
    best = (row * mask).max()
    return 1 + int((row[mask == 0] >= best).sum())


def _in_single(row, right):
    return _rank(row.float(), right)


def _nearly_equal(row, right):
    wrong, best = _wrong_of(row, right), row[right].max()
    return 1 + int(((wrong > best) | torch.isclose(wrong, best)).sum())


def _hardest_alone(row, right):
    """max of nothing where all items are right."""
    wrong = _wrong_of(row, right)
    return 1 if wrong.max() < row[right].max() else _rank(row, right)


def _unsigned(row, right):
    return _rank(row.abs(), right)


def _softened(row, right):
    """Weights in the place of scores: far below the largest they are all 0, and alike."""
    return _rank(row.softmax(dim=0), right)


# ------------------------------------------------------------------------------------ recall_at_k


@mutant("recall_at_k")
def recall_ties_for_us(scores, truth, k):
    """A strict comparison: a model that cannot tell items apart finds everything."""
    return _share(scores, truth, k, _ties_for_us)


@mutant("recall_at_k")
def recall_ties_shared(scores, truth, k):
    """Equal scores are put half before and half behind."""
    return _share(scores, truth, k, _ties_shared)


@mutant("recall_at_k")
def recall_as_sorted(scores, truth, k):
    """argsort decides about equal scores, and low numbers come first."""
    return _share(scores, truth, k, _as_sorted)


@mutant("recall_at_k")
def recall_as_sorted_backwards(scores, truth, k):
    """NumPy's argsort, turned round."""
    return _share(scores, truth, k, _as_sorted_backwards)


@mutant("recall_at_k")
def recall_by_topk(scores, truth, k):
    """torch.topk, which takes any of equal ones and wants k items."""
    hits = [
        bool(set(row.topk(k).indices.tolist()) & set(right))
        for row, right in zip(scores, truth, strict=True)
    ]
    return sum(hits) / len(hits)


@mutant("recall_at_k")
def recall_by_kth_score(scores, truth, k):
    """At least as good as the k-th score: all that equal it come in."""
    hits = [
        bool(row[right].max() >= row.topk(min(k, len(row))).values[-1])
        for row, right in zip(scores, truth, strict=True)
    ]
    return sum(hits) / len(hits)


@mutant("recall_at_k")
def recall_wants_k_items(scores, truth, k):
    """The k-th of the wrong scores, and an IndexError where there are fewer."""
    hits = 0
    for row, right in zip(scores, truth, strict=True):
        wrong = _wrong_of(row, right).sort(descending=True).values
        hits += bool(wrong[k - 1] < row[right].max())
    return hits / len(truth)


@mutant("recall_at_k")
def recall_lowest_first(scores, truth, k):
    """Scores are taken for distances."""
    return _share(scores, truth, k, _lowest_first)


@mutant("recall_at_k")
def recall_places_for_ranks(scores, truth, k):
    """argsort once, where it takes two to make ranks."""
    return _share(scores, truth, k, _places_for_ranks)


@mutant("recall_at_k")
def recall_before_the_last_right(scores, truth, k):
    """The worst of a query's right scores is held against the wrong ones."""
    return _share(scores, truth, k, _before_the_last_right)


@mutant("recall_at_k")
def recall_all_right_found(scores, truth, k):
    """Each of a query's right items has to be among the k."""
    return _share(scores, truth, k, _all_right_found)


def _retrieved(scores, truth, k):
    """How many right items of each query are among the first k."""
    found = []
    for row, right in zip(scores.tolist(), truth, strict=True):
        order = sorted(range(len(row)), key=lambda item: (-row[item], item in right))
        found.append(len(set(order[:k]) & set(right)))
    return found


@mutant("recall_at_k")
def recall_of_right_items(scores, truth, k):
    """The other recall: how many of a query's right items are retrieved."""
    found = zip(_retrieved(scores, truth, k), truth, strict=True)
    return float(np.mean([hits / len(right) for hits, right in found]))


@mutant("recall_at_k")
def recall_of_all_right_items(scores, truth, k):
    """Retrieved right items over all of them, whatever the query."""
    return sum(_retrieved(scores, truth, k)) / sum(map(len, truth))


@mutant("recall_at_k")
def recall_precision(scores, truth, k):
    """How many of the k items are any good."""
    return float(np.mean(_retrieved(scores, truth, k))) / k


@mutant("recall_at_k")
def recall_right_ones_count(scores, truth, k):
    """Right items that are equal push one another down."""
    return _share(scores, truth, k, _right_ones_count)


@mutant("recall_at_k")
def recall_first_listed(scores, truth, k):
    """right[0], and the rest of the list is never read."""
    return _share(scores, truth, k, _first_listed)


@mutant("recall_at_k")
def recall_first_listed_among_wrong(scores, truth, k):
    """right[0] against the items that are in no list."""
    return _share(scores, truth, k, _first_listed_among_wrong)


@mutant("recall_at_k")
def recall_last_listed(scores, truth, k):
    """A loop over the list that keeps what came at its end."""
    return _share(scores, truth, k, _last_listed)


@mutant("recall_at_k")
def recall_mean_of_right(scores, truth, k):
    """The average place of a query's right items."""
    return _share(scores, truth, k, _mean_of_right)


@mutant("recall_at_k")
def recall_score_of_right(scores, truth, k):
    """The average score of a query's right items."""
    return _share(scores, truth, k, _score_of_right)


@mutant("recall_at_k")
def recall_zeroed(scores, truth, k):
    """Right scores are overwritten by 0, and counted where all else is negative."""
    return _share(scores, truth, k, _zeroed)


@mutant("recall_at_k")
def recall_best_of_zeros(scores, truth, k):
    """A 0-1 mask times the scores, and the largest of that."""
    return _share(scores, truth, k, _best_of_zeros)


@mutant("recall_at_k")
def recall_one_too_few(scores, truth, k):
    """< for <= with ranks that start at 1."""
    return sum(rank < k for rank in _ranks(scores, truth)) / len(truth)


@mutant("recall_at_k")
def recall_one_too_many(scores, truth, k):
    """<= for < with ranks that start at 0."""
    return sum(rank - 1 <= k for rank in _ranks(scores, truth)) / len(truth)


@mutant("recall_at_k")
def recall_at_one(scores, truth, k):
    """argmax alone, whatever k."""
    return _share(scores, truth, 1)


@mutant("recall_at_k")
def recall_at_ten(scores, truth, k):
    """10 written into the code."""
    return _share(scores, truth, 10)


@mutant("recall_at_k")
def recall_at_place_k(scores, truth, k):
    """== for <=: found exactly there."""
    return sum(rank == k for rank in _ranks(scores, truth)) / len(truth)


@mutant("recall_at_k")
def recall_percent(scores, truth, k):
    """Papers print R@1 times a hundred."""
    return 100 * _share(scores, truth, k)


@mutant("recall_at_k")
def recall_hits(scores, truth, k):
    """How many queries, undivided."""
    return float(sum(rank <= k for rank in _ranks(scores, truth)))


@mutant("recall_at_k")
def recall_over_items(scores, truth, k):
    """Divided by scores.shape[1]."""
    return sum(rank <= k for rank in _ranks(scores, truth)) / scores.shape[1]


@mutant("recall_at_k")
def recall_over_k(scores, truth, k):
    """Divided by k."""
    return sum(rank <= k for rank in _ranks(scores, truth)) / k


@mutant("recall_at_k")
def recall_misses(scores, truth, k):
    """1 minus what is asked for."""
    return 1 - _share(scores, truth, k)


@mutant("recall_at_k")
def recall_transposed(scores, truth, k):
    """Columns are taken for the queries."""
    return _share(scores.T, truth, k)


@mutant("recall_at_k")
def recall_diagonal(scores, truth, k):
    """Item i for query i, as in a batch of training; truth is not looked at."""
    right = [[i % scores.shape[1]] for i in range(len(scores))]
    return _share(scores, right, k)


@mutant("recall_at_k")
def recall_as_tensor(scores, truth, k):
    """A tensor of the mean, in place of a number."""
    return torch.tensor([rank <= k for rank in _ranks(scores, truth)]).double().mean()


@mutant("recall_at_k")
def recall_in_single(scores, truth, k):
    """float32 makes equal what is not."""
    return _share(scores, truth, k, _in_single)


@mutant("recall_at_k")
def recall_nearly_equal(scores, truth, k):
    """torch.isclose finds ties that are none."""
    return _share(scores, truth, k, _nearly_equal)


@mutant("recall_at_k")
def recall_hardest_alone(scores, truth, k):
    """The largest wrong score, of which there may be none."""
    return _share(scores, truth, k, _hardest_alone)


@mutant("recall_at_k")
def recall_softened(scores, truth, k):
    """A softmax first, in which small weights run together."""
    return _share(scores, truth, k, _softened)


@mutant("recall_at_k")
def recall_rounded(scores, truth, k):
    """Two digits are kept."""
    return round(_share(scores, truth, k), 2)


@mutant("recall_at_k")
def recall_marks_in_place(scores, truth, k):
    """-inf is written over the caller's own right scores."""
    hits = 0
    for row, right in zip(scores, truth, strict=True):
        best = row[right].max()
        row[right] = -torch.inf
        hits += int((row >= best).sum()) < k
    return hits / len(truth)


@mutant("recall_at_k")
def recall_pops(scores, truth, k):
    """The lists of right items are emptied while they are read."""
    hits = 0
    for row, right in zip(scores, truth, strict=True):
        mine = []
        while right:
            mine.append(right.pop())
        hits += _rank(row, mine) <= k
    return hits / len(truth)


@mutant("recall_at_k")
def recall_by_view(scores, truth, k):
    """view(-1), which wants contiguous memory."""
    return _share(scores.view(-1).view(scores.shape), truth, k)


# ------------------------------------------------------------------------------------ median_rank


@mutant("median_rank")
def medrank_ties_for_us(scores, truth):
    """A strict comparison: a constant model is at 1."""
    return _middle(scores, truth, _ties_for_us)


@mutant("median_rank")
def medrank_ties_shared(scores, truth):
    """Average ranks, as scipy.stats.rankdata has them."""
    return _middle(scores, truth, _ties_shared)


@mutant("median_rank")
def medrank_as_sorted(scores, truth):
    """argsort decides about equal ones, low numbers are ahead."""
    return _middle(scores, truth, _as_sorted)


@mutant("median_rank")
def medrank_as_sorted_backwards(scores, truth):
    """argsort of NumPy, reversed at the end."""
    return _middle(scores, truth, _as_sorted_backwards)


@mutant("median_rank")
def medrank_lowest_first(scores, truth):
    """Scores as distances, small ones ahead."""
    return _middle(scores, truth, _lowest_first)


@mutant("median_rank")
def medrank_places_for_ranks(scores, truth):
    """A single argsort is taken for ranks."""
    return _middle(scores, truth, _places_for_ranks)


@mutant("median_rank")
def medrank_before_the_last_right(scores, truth):
    """The lowest right score of each query."""
    return _middle(scores, truth, _before_the_last_right)


@mutant("median_rank")
def medrank_all_right_found(scores, truth):
    """The place at which the last right item turns up."""
    return _middle(scores, truth, _all_right_found)


@mutant("median_rank")
def medrank_right_ones_count(scores, truth):
    """Equal right items push one another down."""
    return _middle(scores, truth, _right_ones_count)


@mutant("median_rank")
def medrank_first_listed(scores, truth):
    """right[0] among all items."""
    return _middle(scores, truth, _first_listed)


@mutant("median_rank")
def medrank_first_listed_among_wrong(scores, truth):
    """right[0] among those in no list."""
    return _middle(scores, truth, _first_listed_among_wrong)


@mutant("median_rank")
def medrank_last_listed(scores, truth):
    """right[-1], by a loop that overwrites."""
    return _middle(scores, truth, _last_listed)


@mutant("median_rank")
def medrank_mean_of_right(scores, truth):
    """A query's right places are averaged."""
    return _middle(scores, truth, _mean_of_right)


@mutant("median_rank")
def medrank_zeroed(scores, truth):
    """0 is written where right items were."""
    return _middle(scores, truth, _zeroed)


@mutant("median_rank")
def medrank_best_of_zeros(scores, truth):
    """The largest of scores times a 0-1 mask."""
    return _middle(scores, truth, _best_of_zeros)


@mutant("median_rank")
def medrank_unsigned(scores, truth):
    """abs() of the scores."""
    return _middle(scores, truth, _unsigned)


@mutant("median_rank")
def medrank_softened(scores, truth):
    """Ranked by softmax, where far-off items are all 0."""
    return _middle(scores, truth, _softened)


@mutant("median_rank")
def medrank_of_pairs(scores, truth):
    """Each right item brings a rank of its own into the list."""
    ranks = [_rank(row, [item]) for row, right in zip(scores, truth, strict=True) for item in right]
    return float(np.median(ranks))


@mutant("median_rank")
def medrank_from_zero(scores, truth):
    """The best place has number 0."""
    return _middle(scores, truth) - 1


@mutant("median_rank")
def medrank_mean(scores, truth):
    """The mean, which one lost query pulls far down."""
    return float(np.mean(_ranks(scores, truth)))


@mutant("median_rank")
def medrank_lower_middle(scores, truth):
    """torch.median: of two middle ones the smaller."""
    return float(torch.tensor(_ranks(scores, truth)).median())


@mutant("median_rank")
def medrank_upper_middle(scores, truth):
    """sorted(ranks)[len(ranks) // 2], whatever the number."""
    return float(sorted(_ranks(scores, truth))[len(truth) // 2])


@mutant("median_rank")
def medrank_rounded_down(scores, truth):
    """np.floor of it, as in the code of older papers."""
    return float(np.floor(np.median(_ranks(scores, truth))))


@mutant("median_rank")
def medrank_whole(scores, truth):
    """round() of it."""
    return float(round(_middle(scores, truth)))


@mutant("median_rank")
def medrank_middle_off_by_one(scores, truth):
    """The two middle ones of an even number, each a place further."""
    ranks, half = sorted(_ranks(scores, truth)), len(truth) // 2
    if len(ranks) % 2:
        return float(ranks[half])
    return (ranks[half] + ranks[min(half + 1, len(ranks) - 1)]) / 2


@mutant("median_rank")
def medrank_even_and_odd_swapped(scores, truth):
    """Two are averaged where one is in the middle."""
    ranks, half = sorted(_ranks(scores, truth)), len(truth) // 2
    if len(ranks) % 2 and len(ranks) > 1:
        return (ranks[half - 1] + ranks[half]) / 2
    return float(ranks[half])


@mutant("median_rank")
def medrank_unsorted(scores, truth):
    """The one in the middle as the queries come."""
    ranks, half = _ranks(scores, truth), len(truth) // 2
    return (ranks[half] + ranks[-1 - half]) / 2


@mutant("median_rank")
def medrank_best(scores, truth):
    """min over the queries."""
    return float(min(_ranks(scores, truth)))


@mutant("median_rank")
def medrank_worst(scores, truth):
    """max over the queries."""
    return float(max(_ranks(scores, truth)))


@mutant("median_rank")
def medrank_reciprocal(scores, truth):
    """Mean reciprocal rank, another measure."""
    return float(np.mean(1 / np.array(_ranks(scores, truth))))


@mutant("median_rank")
def medrank_as_share(scores, truth):
    """Relative to how many items there are."""
    return _middle(scores, truth) / scores.shape[1]


@mutant("median_rank")
def medrank_of_different(scores, truth):
    """set() of the ranks: equal ones are lost."""
    return float(np.median(sorted(set(_ranks(scores, truth)))))


@mutant("median_rank")
def medrank_transposed(scores, truth):
    """The scores' columns are taken for queries."""
    return _middle(scores.T, truth)


@mutant("median_rank")
def medrank_as_tensor(scores, truth):
    """A tensor in place of a number."""
    return torch.tensor(_ranks(scores, truth)).double().quantile(0.5)


@mutant("median_rank")
def medrank_each(scores, truth):
    """The list of ranks; nothing is made of it."""
    return _ranks(scores, truth)


@mutant("median_rank")
def medrank_in_single(scores, truth):
    """float() of the scores makes near ones equal."""
    return _middle(scores, truth, _in_single)


@mutant("median_rank")
def medrank_nearly_equal(scores, truth):
    """isclose, which is generous."""
    return _middle(scores, truth, _nearly_equal)


@mutant("median_rank")
def medrank_hardest_alone(scores, truth):
    """wrong.max() where nothing is wrong."""
    return _middle(scores, truth, _hardest_alone)


@mutant("median_rank")
def medrank_marks_in_place(scores, truth):
    """Right scores become -inf in the caller's tensor."""
    ranks = []
    for row, right in zip(scores, truth, strict=True):
        best = row[right].max()
        row[right] = -torch.inf
        ranks.append(1 + int((row >= best).sum()))
    return float(np.median(ranks))


@mutant("median_rank")
def medrank_pops(scores, truth):
    """The list of lists is taken apart from its front."""
    ranks = [_rank(row, truth.pop(0)) for row in scores]
    return float(np.median(ranks))


# ------------------------------------------------------------------- ties broken in other ways


def _small_number_less(row, right):
    """Right items step back by a little, which large scores do not notice."""
    row = row.double().clone()
    row[right] = row[right] - 1e-12
    return _as_sorted(row, right)


def _below_the_best_subtracted(row, right):
    """All right items are taken off the count, those too that are not in it."""
    return int((row >= row[right].max()).sum()) - len(right) + 1


@mutant("recall_at_k")
def recall_small_number_less(scores, truth, k):
    """1e-12 breaks ties of scores near 1."""
    return _share(scores, truth, k, _small_number_less)


@mutant("median_rank")
def medrank_small_number_less(scores, truth):
    """1e-12 breaks ties, and is lost beside a million."""
    return _middle(scores, truth, _small_number_less)


@mutant("recall_at_k")
def recall_below_the_best_subtracted(scores, truth, k):
    """len(right) - 1 is subtracted, however many were counted."""
    return _share(scores, truth, k, _below_the_best_subtracted)


@mutant("median_rank")
def medrank_below_the_best_subtracted(scores, truth):
    """The count of all that reach the best, less the other right ones."""
    return _middle(scores, truth, _below_the_best_subtracted)


def _first_by_topk(row, k):
    return set(row.topk(min(k, len(row))).indices.tolist())


@mutant("recall_at_k")
def recall_by_clamped_topk(scores, truth, k):
    """As many as there are, in an order of topk's own."""
    hits = [
        any(item in right for item in _first_by_topk(row, k))
        for row, right in zip(scores, truth, strict=True)
    ]
    return sum(hits) / len(hits)


@mutant("recall_at_k")
def recall_by_argsort(scores, truth, k):
    """np.argsort of the negative scores, in its usual kind."""
    order = np.argsort(-scores.numpy())[:, :k]
    return float(np.mean([np.isin(*each).any() for each in zip(order, truth, strict=True)]))


@mutant("recall_at_k")
def recall_of_textbooks(scores, truth, k):
    """Retrieved over relevant, by topk."""
    found = [
        len(_first_by_topk(row, k) & set(right)) / len(right)
        for row, right in zip(scores, truth, strict=True)
    ]
    return sum(found) / len(found)

"""Wrong answers to the exercises of notebook 07 on the ranking loss and on smooth alignments."""

import itertools

import numpy as np
import torch
import torch.nn.functional as F

from autograder.mutants import mutant

# ----------------------------------------------------------------------------------- ranking_loss


def _charges(S, margin, right=None):
    """The charges of pictures and of sentences, the right pairs' at 0."""
    right = S.diagonal() if right is None else right
    same = torch.eye(len(S), dtype=torch.bool)
    both = (S - right[:, None] + margin, S - right + margin)
    return [each.clamp(min=0).masked_fill(same, 0) for each in both]


def _total(p, s, hardest):
    if hardest:
        return (p.amax(dim=1) + s.amax(dim=0)).mean()
    return (p + s).sum() / len(p)


@mutant("ranking_loss")
def ranking_diagonal_charged(S, margin, hardest=False):
    """Every pair is held against itself too."""
    right = S.diagonal()
    p, s = (S - right[:, None] + margin).relu(), (S - right + margin).relu()
    return _total(p, s, hardest)


@mutant("ranking_loss")
def ranking_diagonal_charged_in_the_sum(S, margin, hardest=False):
    """The mask was written for the hardest alone."""
    right = S.diagonal()
    if hardest:
        return _total(*_charges(S, margin), hardest)
    return ((S - right[:, None] + margin).relu() + (S - right + margin).relu()).sum() / len(S)


@mutant("ranking_loss")
def ranking_diagonal_zeroed_in_s(S, margin, hardest=False):
    """S is multiplied by 1 - eye before anything is compared."""
    right, S = S.diagonal(), S * (1 - torch.eye(len(S), dtype=S.dtype))
    p, s = (S - right[:, None] + margin).relu(), (S - right + margin).relu()
    return _total(p, s, hardest)


@mutant("ranking_loss")
def ranking_margin_on_the_diagonal_taken_back(S, margin, hardest=False):
    """2 N margins are subtracted from the sum, and nothing from the maxima."""
    right = S.diagonal()
    p, s = (S - right[:, None] + margin).relu(), (S - right + margin).relu()
    if hardest:
        return _total(p, s, True)
    return ((p + s).sum() - 2 * len(S) * margin) / len(S)


@mutant("ranking_loss")
def ranking_diagonal_by_value(S, margin, hardest=False):
    """What is charged the margin exactly is believed to be a right pair."""
    right = S.diagonal()
    both = (S - right[:, None] + margin).relu(), (S - right + margin).relu()
    return _total(*(each * (each != margin) for each in both), hardest)


@mutant("ranking_loss")
def ranking_diagonal_minus_thousand(S, margin, hardest=False):
    """A thousand is taken from the right pairs' scores, as if none were so large."""
    right, S = S.diagonal(), S - 1000 * torch.eye(len(S), dtype=S.dtype)
    p, s = (S - right[:, None] + margin).relu(), (S - right + margin).relu()
    return _total(p, s, hardest) if len(S) > 1 else 0 * p.sum()


@mutant("ranking_loss")
def ranking_filled_with_minus_hundred(S, margin, hardest=False):
    """The diagonal is filled with -100, above scores that are lower."""
    right = S.diagonal()
    wrong = S.masked_fill(torch.eye(len(S), dtype=torch.bool), -100.0)
    p, s = (wrong - right[:, None] + margin).relu(), (wrong - right + margin).relu()
    return _total(p, s, hardest)


@mutant("ranking_loss")
def ranking_of_pictures_only(S, margin, hardest=False):
    """Image to sentence is all that is charged."""
    p, s = _charges(S, margin)
    return _total(p, 0 * s, hardest)


@mutant("ranking_loss")
def ranking_of_sentences_only(S, margin, hardest=False):
    """Sentence to image is all that is charged."""
    p, s = _charges(S, margin)
    return _total(0 * p, s, hardest)


@mutant("ranking_loss")
def ranking_rows_twice(S, margin, hardest=False):
    """The second direction is the first again: the same axis of the diagonal."""
    p, _ = _charges(S, margin)
    return _total(p, p.T, hardest)


@mutant("ranking_loss")
def ranking_columns_twice(S, margin, hardest=False):
    """right without its new axis, both times."""
    _, s = _charges(S, margin)
    return _total(s.T, s, hardest)


@mutant("ranking_loss")
def ranking_diagonal_of_the_turned(S, margin, hardest=False):
    """The diagonal that runs the other way."""
    return _total(*_charges(S, margin, S.flip(1).diagonal()), hardest)


@mutant("ranking_loss")
def ranking_best_of_row_as_right(S, margin, hardest=False):
    """The largest score of a row is believed to be the right one."""
    return _total(*_charges(S, margin, S.amax(dim=1)), hardest)


@mutant("ranking_loss")
def ranking_first_sentence_right(S, margin, hardest=False):
    """Column 0 is believed to hold the right scores."""
    return _total(*_charges(S, margin, S[:, 0]), hardest)


@mutant("ranking_loss")
def ranking_margin_subtracted(S, margin, hardest=False):
    """- margin in the place of + margin."""
    return _total(*_charges(S, -margin), hardest)


@mutant("ranking_loss")
def ranking_right_minus_wrong(S, margin, hardest=False):
    """The difference the wrong way round."""
    return _total(*_charges(-S, margin), hardest)


@mutant("ranking_loss")
def ranking_margin_forgotten(S, margin, hardest=False):
    """It is content with any distance."""
    return _total(*_charges(S, 0), hardest)


@mutant("ranking_loss")
def ranking_margin_always_1(S, margin, hardest=False):
    """The lecture's 1 is written into the code."""
    return _total(*_charges(S, 1), hardest)


@mutant("ranking_loss")
def ranking_margin_whole(S, margin, hardest=False):
    """int(margin)."""
    return _total(*_charges(S, int(margin)), hardest)


@mutant("ranking_loss")
def ranking_margin_behind_the_hinge(S, margin, hardest=False):
    """The margin is added to what the hinge has let through."""
    same = torch.eye(len(S), dtype=torch.bool)
    p, s = ((each + margin).masked_fill(same, 0) for each in _charges(S, 0))
    return _total(p, s, hardest)


@mutant("ranking_loss")
def ranking_only_pairs_in_the_wrong_order(S, margin, hardest=False):
    """Pairs within the margin, but behind, go free."""
    right, (p, s) = S.diagonal(), _charges(S, margin)
    return _total(p * (right[:, None] < S), s * (right < S), hardest)


@mutant("ranking_loss")
def ranking_no_hinge(S, margin, hardest=False):
    """Pairs that are far apart pay for those that are not."""
    right, same = S.diagonal(), torch.eye(len(S), dtype=torch.bool)
    both = (S - right[:, None] + margin, S - right + margin)
    return _total(*(each.masked_fill(same, 0) for each in both), hardest)


@mutant("ranking_loss")
def ranking_hinge_of_the_total(S, margin, hardest=False):
    """Only the whole sum is kept from going below 0."""
    return ranking_no_hinge(S, margin, hardest).clamp(min=0)


@mutant("ranking_loss")
def ranking_squared_hinge(S, margin, hardest=False):
    """As in support vector machines that square."""
    p, s = _charges(S, margin)
    return _total(p**2, s**2, hardest)


@mutant("ranking_loss")
def ranking_softplus(S, margin, hardest=False):
    """A hinge without a corner."""
    right, same = S.diagonal(), torch.eye(len(S), dtype=torch.bool)
    both = (S - right[:, None] + margin, S - right + margin)
    return _total(*(F.softplus(each).masked_fill(same, 0) for each in both), hardest)


@mutant("ranking_loss")
def ranking_leaky(S, margin, hardest=False):
    """leaky_relu lets a hundredth through."""
    right, same = S.diagonal(), torch.eye(len(S), dtype=torch.bool)
    both = (S - right[:, None] + margin, S - right + margin)
    return _total(*(F.leaky_relu(each).masked_fill(same, 0) for each in both), hardest)


@mutant("ranking_loss")
def ranking_counts_pairs(S, margin, hardest=False):
    """How many come too close, not by how much."""
    p, s = _charges(S, margin)
    return _total((p > 0).to(S.dtype), (s > 0).to(S.dtype), hardest)


@mutant("ranking_loss")
def ranking_cut_off_at_1(S, margin, hardest=False):
    """A charge is 1 at most."""
    p, s = _charges(S, margin)
    return _total(p.clamp(max=1), s.clamp(max=1), hardest)


@mutant("ranking_loss")
def ranking_cosines(S, margin, hardest=False):
    """The scores are first divided by the norms of their rows."""
    return _total(*_charges(F.normalize(S, dim=1), margin), hardest)


@mutant("ranking_loss")
def ranking_cross_entropy(S, margin, hardest=False):
    """A softmax in both directions, as later papers have it."""
    y = torch.arange(len(S))
    return F.cross_entropy(S, y) + F.cross_entropy(S.T, y)


@mutant("ranking_loss")
def ranking_not_divided(S, margin, hardest=False):
    """The sum over the batch; N is forgotten."""
    return _total(*_charges(S, margin), hardest) * len(S)


@mutant("ranking_loss")
def ranking_sum_not_divided(S, margin, hardest=False):
    """N is forgotten where all charges count."""
    loss = _total(*_charges(S, margin), hardest)
    return loss if hardest else loss * len(S)


@mutant("ranking_loss")
def ranking_mean_of_all_places(S, margin, hardest=False):
    """.mean() of each matrix of charges."""
    p, s = _charges(S, margin)
    return _total(p, s, True) if hardest else p.mean() + s.mean()


@mutant("ranking_loss")
def ranking_mean_of_wrong_pairs(S, margin, hardest=False):
    """Divided by how many wrong pairs there are."""
    p, s = _charges(S, margin)
    return _total(p, s, hardest) / (1 if hardest else max(1, len(S) - 1))


@mutant("ranking_loss")
def ranking_mean_of_the_charged(S, margin, hardest=False):
    """A mean of the charges above 0, as some codes have it."""
    p, s = _charges(S, margin)
    if hardest:
        return _total(p, s, True)
    return (p.sum() + s.sum()) / ((p > 0).sum() + (s > 0).sum()).clamp(min=1)


@mutant("ranking_loss")
def ranking_halved(S, margin, hardest=False):
    """The mean of the two directions."""
    return _total(*_charges(S, margin), hardest) / 2


@mutant("ranking_loss")
def ranking_sign(S, margin, hardest=False):
    """Something to maximise."""
    return -_total(*_charges(S, margin), hardest)


@mutant("ranking_loss")
def ranking_hardest_ignored(S, margin, hardest=False):
    """The third argument is never looked at."""
    return _total(*_charges(S, margin), False)


@mutant("ranking_loss")
def ranking_always_hardest(S, margin, hardest=False):
    """As VSE++ does it, asked for or not."""
    return _total(*_charges(S, margin), True)


@mutant("ranking_loss")
def ranking_hardest_by_default(S, margin, hardest=True):
    """The default is True."""
    return _total(*_charges(S, margin), hardest)


@mutant("ranking_loss")
def ranking_hardest_along_the_other_axis(S, margin, hardest=False):
    """dim=0 and dim=1 exchanged in the maxima."""
    p, s = _charges(S, margin)
    return (p.amax(dim=0) + s.amax(dim=1)).mean() if hardest else _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_along_rows(S, margin, hardest=False):
    """dim=1 in both maxima."""
    p, s = _charges(S, margin)
    return (p.amax(dim=1) + s.amax(dim=1)).mean() if hardest else _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_of_both_directions(S, margin, hardest=False):
    """The larger of the two stays, the smaller is dropped."""
    p, s = _charges(S, margin)
    if hardest:
        return torch.maximum(p.amax(dim=1), s.amax(dim=0)).mean()
    return _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_of_the_batch(S, margin, hardest=False):
    """.max() without an axis."""
    p, s = _charges(S, margin)
    return p.max() + s.max() if hardest else _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_of_the_sums(S, margin, hardest=False):
    """A picture's and a sentence's charges are summed first."""
    p, s = _charges(S, margin)
    return (p + s).amax(dim=1).mean() if hardest else _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_not_divided(S, margin, hardest=False):
    """The maxima are summed, their number is forgotten."""
    p, s = _charges(S, margin)
    return _total(p, s, hardest) * (len(S) if hardest else 1)


@mutant("ranking_loss")
def ranking_hardest_as_mean(S, margin, hardest=False):
    """.mean in the place of .amax."""
    p, s = _charges(S, margin)
    return (p.mean(dim=1) + s.mean(dim=0)).mean() if hardest else _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_of_pictures_alone(S, margin, hardest=False):
    """Only one of the directions has its maximum."""
    p, s = _charges(S, margin)
    return (p.amax(dim=1) + s.sum(dim=0)).mean() if hardest else _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_two(S, margin, hardest=False):
    """topk with two."""
    p, s = _charges(S, margin)
    k = min(2, len(S))
    if hardest:
        return (p.topk(k, dim=1).values.sum() + s.topk(k, dim=0).values.sum()) / len(S)
    return _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_all_that_tie(S, margin, hardest=False):
    """A comparison with the maximum keeps each charge that is as large."""
    p, s = _charges(S, margin)
    if hardest:
        p = p * (p == p.amax(dim=1, keepdim=True))
        s = s * (s == s.amax(dim=0, keepdim=True))
    return _total(p, s, False)


@mutant("ranking_loss")
def ranking_hardest_at_the_best_score(S, margin, hardest=False):
    """argmax of S with its diagonal, which is charged nothing."""
    p, s = _charges(S, margin)
    if not hardest:
        return _total(p, s, False)
    every = torch.arange(len(S))
    return (p[every, S.argmax(dim=1)] + s[S.argmax(dim=0), every]).mean()


@mutant("ranking_loss")
def ranking_hardest_before_the_hinge(S, margin, hardest=False):
    """The largest difference without max(0, .): a well-placed picture earns something."""
    if not hardest:
        return _total(*_charges(S, margin), False)
    right, same = S.diagonal(), torch.eye(len(S), dtype=torch.bool)
    wrong = S.masked_fill(same, -torch.inf) if len(S) > 1 else S - margin
    return (wrong.amax(dim=1) + wrong.amax(dim=0) - 2 * right + 2 * margin).mean()


@mutant("ranking_loss")
def ranking_alone_is_minus_infinity(S, margin, hardest=False):
    """One pair alone has no wrong one, and so the largest of nothing."""
    right, same = S.diagonal(), torch.eye(len(S), dtype=torch.bool)
    wrong = S.masked_fill(same, -torch.inf)
    if hardest:
        p, s = wrong.amax(dim=1) - right + margin, wrong.amax(dim=0) - right + margin
        return (p + s).clamp(min=0).mean() if len(S) > 1 else (p + s).mean()
    return _total(*_charges(S, margin), False)


@mutant("ranking_loss")
def ranking_alone_fails(S, margin, hardest=False):
    """topk takes two of a row, and with one pair there is one."""
    if hardest:
        S.topk(2, dim=1)
    return _total(*_charges(S, margin), hardest)


@mutant("ranking_loss")
def ranking_alone_divides_by_0(S, margin, hardest=False):
    """It divides by N - 1 and multiplies by it."""
    return _total(*_charges(S, margin), hardest) * (len(S) - 1) / torch.tensor(len(S) - 1.0)


@mutant("ranking_loss")
def ranking_masked_by_infinity_times_0(S, margin, hardest=False):
    """-inf times the unit matrix is added: 0 times infinity beside it."""
    right = S.diagonal()
    S = S - torch.inf * torch.eye(len(S), dtype=S.dtype)
    return _total((S - right[:, None] + margin).relu(), (S - right + margin).relu(), hardest)


@mutant("ranking_loss")
def ranking_right_detached(S, margin, hardest=False):
    """Wrong pairs go down, and no right one goes up."""
    return _total(*_charges(S, margin, S.diagonal().detach()), hardest)


@mutant("ranking_loss")
def ranking_wrong_detached(S, margin, hardest=False):
    """Right pairs go up, and no wrong one goes down."""
    return _total(*_charges(S.detach(), margin, S.diagonal()), hardest)


@mutant("ranking_loss")
def ranking_sentences_detached(S, margin, hardest=False):
    """One of the directions teaches nothing."""
    p, s = _charges(S, margin)
    return _total(p, s.detach(), hardest)


@mutant("ranking_loss")
def ranking_hardest_teaches_all(S, margin, hardest=False):
    """The value of the hardest, with the gradient of all charges."""
    p, s = _charges(S, margin)
    every = _total(p, s, False)
    return every + (_total(p, s, True) - every).detach() if hardest else every


@mutant("ranking_loss")
def ranking_numpy(S, margin, hardest=False):
    """Through NumPy and back."""
    return torch.from_numpy(np.asarray(_total(*_charges(S.detach(), margin), hardest)).copy())


@mutant("ranking_loss")
def ranking_item(S, margin, hardest=False):
    """float() of the right thing."""
    return float(_total(*_charges(S, margin), hardest))


@mutant("ranking_loss")
def ranking_each_pair(S, margin, hardest=False):
    """A number for each of the pairs is left."""
    p, s = _charges(S, margin)
    return p.amax(dim=1) + s.amax(dim=0) if hardest else p.sum(dim=1) + s.sum(dim=0)


@mutant("ranking_loss")
def ranking_with_an_axis(S, margin, hardest=False):
    """Shape (1,), not ()."""
    return _total(*_charges(S, margin), hardest).reshape(1)


@mutant("ranking_loss")
def ranking_in_single(S, margin, hardest=False):
    """S.float() on the first line."""
    return _total(*_charges(S.float(), margin), hardest)


@mutant("ranking_loss")
def ranking_in_single_and_back(S, margin, hardest=False):
    """S.float() on the first line, and the type of S on the last."""
    return _total(*_charges(S.float(), margin), hardest).to(S.dtype)


@mutant("ranking_loss")
def ranking_alone_in_single(S, margin, hardest=False):
    """torch.tensor(0.0) for one pair, which is float32."""
    if len(S) == 1:
        return torch.tensor(0.0)
    return _total(*_charges(S, margin), hardest)


@mutant("ranking_loss")
def ranking_plain_zero(S, margin, hardest=False):
    """Loops that begin with total = 0, and max(0, .) of Python."""
    N, total = len(S), 0
    for k in range(N):
        others = [pair for pair in range(N) if pair != k]
        for wrong in ([S[k, pair] for pair in others], [S[pair, k] for pair in others]):
            charges = [max(0, score - S[k, k] + margin) for score in wrong]
            total = total + (max(charges, default=0) if hardest else sum(charges))
    return total / N


@mutant("ranking_loss")
def ranking_single_for_one_direction(S, margin, hardest=False):
    """A loop adds to torch.zeros(()), which is float32."""
    total = torch.zeros(())
    for row in _charges(S, margin)[0]:
        total += row.amax() if hardest else row.sum()
    _, s = _charges(S, margin)
    total += s.amax(dim=0).sum() if hardest else s.sum()
    return total / len(S)


@mutant("ranking_loss")
def ranking_fills_the_diagonal_in_place(S, margin, hardest=False):
    """fill_diagonal_ on the caller's own S."""
    right = S.diagonal().clone()
    with torch.no_grad():
        S.fill_diagonal_(-1e30)
    return _total((S - right[:, None] + margin).relu(), (S - right + margin).relu(), hardest)


# ------------------------------------------------------------------------------- smooth_alignment


def _sums(scores, beta, *, step=None):
    """For each word the sums of the best beginnings by their last region, and where those were."""
    L, T = scores.shape
    bonus = beta * torch.eye(L, dtype=scores.dtype) if step is None else step
    total, came_from = scores[:, 0], []
    totals = [total]
    for t in range(1, T):
        total, before = (total[:, None] + bonus).max(dim=0)
        total = total + scores[:, t]
        totals.append(total)
        came_from.append(before)
    return totals, came_from


def _back(totals, came_from):
    regions = [int(totals[-1].argmax())]
    for before in reversed(came_from):
        regions.append(int(before[regions[-1]]))
    return regions[::-1]


def _aligned(scores, beta, **how):
    return torch.tensor(_back(*_sums(scores, beta, **how)))


@mutant("smooth_alignment")
def smooth_beta_forgotten(scores, beta):
    """argmax for each word by itself."""
    return scores.argmax(dim=0)


@mutant("smooth_alignment")
def smooth_one_for_all(scores, beta):
    """The region that suits the whole sentence best, for every word."""
    return scores.sum(dim=1).argmax().repeat(scores.shape[1])


@mutant("smooth_alignment")
def smooth_greedy(scores, beta):
    """From left to right, each word after the one before."""
    regions = [int(scores[:, 0].argmax())]
    for t in range(1, scores.shape[1]):
        column = scores[:, t].clone()
        column[regions[-1]] += beta
        regions.append(int(column.argmax()))
    return torch.tensor(regions)


@mutant("smooth_alignment")
def smooth_greedy_from_the_end(scores, beta):
    """From right to left, each word after the one behind it."""
    return smooth_greedy(scores.flip(1), beta).flip(0)


@mutant("smooth_alignment")
def smooth_best_beginning_alone(scores, beta):
    """One beginning survives each word, as in a beam of one."""
    total, regions = scores[:, 0], []
    for t in range(1, scores.shape[1]):
        best = int(total.argmax())
        regions.append(best)
        stayed = torch.zeros_like(total)
        stayed[best] = beta
        total = total[best] + stayed + scores[:, t]
    return torch.tensor([*regions, int(total.argmax())])


@mutant("smooth_alignment")
def smooth_word_by_word(scores, beta):
    """A word at a time moves, until none gains by it."""
    regions, moved = scores.argmax(dim=0), True
    while moved:
        before = regions.clone()
        for t in range(len(regions)):
            column = scores[:, t].clone()
            for other in (t - 1, t + 1):
                if 0 <= other < len(regions):
                    column[regions[other]] += beta
            regions[t] = column.argmax()
        moved = bool((before != regions).any())
    return regions


@mutant("smooth_alignment")
def smooth_neighbours_once(scores, beta):
    """Each word hears what its neighbours liked best, once."""
    best, heard = scores.argmax(dim=0), scores.clone()
    for t in range(1, len(best)):
        heard[best[t - 1], t] += beta
        heard[best[t], t - 1] += beta
    return heard.argmax(dim=0)


@mutant("smooth_alignment")
def smooth_takes_over_from_the_left(scores, beta):
    """A word takes over its neighbour's region where that costs it less than beta."""
    regions = scores.argmax(dim=0)
    for t in range(1, len(regions)):
        if scores[regions[t], t] - scores[regions[t - 1], t] <= beta:
            regions[t] = regions[t - 1]
    return regions


@mutant("smooth_alignment")
def smooth_without_a_way_back(scores, beta):
    """argmax of the sums at each word; where they came from is not kept."""
    totals, _ = _sums(scores, beta)
    return torch.stack([total.argmax() for total in totals])


@mutant("smooth_alignment")
def smooth_back_from_the_last_always(scores, beta):
    """before[last], not before[the one just found]."""
    totals, came_from = _sums(scores, beta)
    last = int(totals[-1].argmax())
    return torch.tensor([*(int(before[last]) for before in came_from), last])


@mutant("smooth_alignment")
def smooth_back_reversed(scores, beta):
    """[::-1] is missing at the end."""
    return _aligned(scores, beta).flip(0)


@mutant("smooth_alignment")
def smooth_back_late(scores, beta):
    """The last region comes twice, the first one never."""
    regions = _back(*_sums(scores, beta))
    return torch.tensor([*regions[1:], regions[-1]])


@mutant("smooth_alignment")
def smooth_back_early(scores, beta):
    """The first region comes twice, the last one never."""
    regions = _back(*_sums(scores, beta))
    return torch.tensor([regions[0], *regions[:-1]])


@mutant("smooth_alignment")
def smooth_back_forward(scores, beta):
    """came_from is walked through from its beginning."""
    totals, came_from = _sums(scores, beta)
    return torch.tensor(_back(totals, came_from[::-1]))


@mutant("smooth_alignment")
def smooth_back_without_beta(scores, beta):
    """Where the sums came from is an argmax of sums without the bonus."""
    totals, _ = _sums(scores, beta)
    came_from = [total.argmax().expand(len(total)) for total in totals[:-1]]
    return torch.tensor(_back(totals, came_from))


@mutant("smooth_alignment")
def smooth_stays_whenever_it_may(scores, beta):
    """It stays where it would gain anything by beta alone, and compares no sums."""
    L, T = scores.shape
    total, came_from = scores[:, 0], []
    for t in range(1, T):
        moved, there = total.max(dim=0)
        stays = scores[:, t] + beta >= scores[:, t].max()
        came_from.append(torch.where(stays, torch.arange(L), there))
        total = torch.where(stays, total + beta, moved) + scores[:, t]
    return torch.tensor(_back([total], came_from))


@mutant("smooth_alignment")
def smooth_moves_for_free(scores, beta):
    """The bonus is there in the sums whether the region is the same or not."""
    return _aligned(scores, beta, step=torch.full((len(scores),) * 2, beta, dtype=scores.dtype))


@mutant("smooth_alignment")
def smooth_bonus_twice(scores, beta):
    """Each pair is counted from both of its ends."""
    return _aligned(scores, 2 * beta)


@mutant("smooth_alignment")
def smooth_bonus_halved(scores, beta):
    """Half for each end, and one end is forgotten."""
    return _aligned(scores, beta / 2)


@mutant("smooth_alignment")
def smooth_beta_is_1(scores, beta):
    """1 is written where beta should be."""
    return _aligned(scores, 1.0)


@mutant("smooth_alignment")
def smooth_beta_squared(scores, beta):
    """beta * beta."""
    return _aligned(scores, beta * beta)


@mutant("smooth_alignment")
def smooth_penalty(scores, beta):
    """Sharing costs, where it should pay."""
    return _aligned(scores, -beta)


@mutant("smooth_alignment")
def smooth_numbers_next_to_each_other(scores, beta):
    """The bonus goes to regions whose numbers differ by one."""
    places = torch.arange(len(scores))
    apart = (places[:, None] - places).abs()
    return _aligned(scores, beta, step=beta * (apart == 1).to(scores.dtype))


@mutant("smooth_alignment")
def smooth_numbers_near_each_other(scores, beta):
    """The bonus goes to the same region and to those beside it."""
    places = torch.arange(len(scores))
    apart = (places[:, None] - places).abs()
    return _aligned(scores, beta, step=beta * (apart <= 1).to(scores.dtype))


@mutant("smooth_alignment")
def smooth_charges_for_distance(scores, beta):
    """A move costs the more, the further away the number is."""
    places = torch.arange(len(scores))
    apart = (places[:, None] - places).abs()
    return _aligned(scores, beta, step=-beta * apart.to(scores.dtype))


@mutant("smooth_alignment")
def smooth_any_two_words(scores, beta):
    """All pairs of words that share a region add beta, and all ways are tried for it."""
    L, T = scores.shape
    best, found = -torch.inf, None
    for way in itertools.product(range(L), repeat=T):
        sum_ = sum(float(scores[region, t]) for t, region in enumerate(way))
        sum_ += beta * sum(a == b for a, b in itertools.combinations(way, 2))
        if sum_ > best:
            best, found = sum_, way
        if L**T > 10_000:  # nobody waits for all of them
            break
    return torch.tensor(found)


@mutant("smooth_alignment")
def smooth_all_ways(scores, beta):
    """Every way is tried: right, and never done."""
    L, T = scores.shape
    best, found = -torch.inf, None
    columns = scores.T.tolist()
    if L**T > 10**8:
        raise TimeoutError("nobody waits for this")
    if L**T > 10_000:  # it would take seconds, and find this
        return _aligned(scores, beta)
    for way in itertools.product(range(L), repeat=T):
        total = sum(column[region] for column, region in zip(columns, way, strict=True))
        total += beta * sum(a == b for a, b in itertools.pairwise(way))
        if total > best:
            best, found = total, way
    return torch.tensor(found)


@mutant("smooth_alignment")
def smooth_smallest(scores, beta):
    """min and argmin."""
    return _aligned(-scores, beta)


@mutant("smooth_alignment")
def smooth_softmax_of_regions(scores, beta):
    """softmax(dim=0) first."""
    return _aligned(scores.softmax(dim=0), beta)


@mutant("smooth_alignment")
def smooth_softmax_of_words(scores, beta):
    """softmax(dim=1) first."""
    return _aligned(scores.softmax(dim=1), beta)


@mutant("smooth_alignment")
def smooth_nothing_below_0(scores, beta):
    """relu, as in the first form of S_kl."""
    return _aligned(scores.relu(), beta)


@mutant("smooth_alignment")
def smooth_starts_at_0(scores, beta):
    """The sums begin with zeros: the first word's scores are not in them."""
    first = torch.zeros_like(scores[:, :1])
    return _aligned(torch.cat([first, scores[:, 1:]], dim=1), beta)


@mutant("smooth_alignment")
def smooth_last_word_left_out(scores, beta):
    """The loop ends before the last word's scores are added."""
    last = torch.zeros_like(scores[:, :1])
    return _aligned(torch.cat([scores[:, :-1], last], dim=1), beta)


@mutant("smooth_alignment")
def smooth_best_begins_at_0(scores, beta):
    """The best sum so far begins with 0, and region 0, where all sums are lower."""
    L, T = scores.shape
    total, came_from = scores[:, 0].tolist(), []
    for t in range(1, T):
        sums, before = [], []
        for region in range(L):
            best, at = 0.0, 0
            for other in range(L):
                if total[other] + beta * (region == other) > best:
                    best, at = total[other] + beta * (region == other), other
            sums.append(best + float(scores[region, t]))
            before.append(at)
        total = sums
        came_from.append(before)
    regions = [int(np.argmax(total))]
    for before in reversed(came_from):
        regions.append(before[regions[-1]])
    return torch.tensor(regions[::-1])


@mutant("smooth_alignment")
def smooth_whole_numbers(scores, beta):
    """The sums are collected in a tensor of whole numbers."""
    return _aligned(scores.long().to(scores.dtype), beta)


@mutant("smooth_alignment")
def smooth_whole_beta(scores, beta):
    """int(beta)."""
    return _aligned(scores, int(beta))


@mutant("smooth_alignment")
def smooth_turned(scores, beta):
    """L and T change places: a word for each region."""
    return _aligned(scores.T, beta)


@mutant("smooth_alignment")
def smooth_needs_two_words(scores, beta):
    """came_from is stacked, and of one word there is none."""
    totals, came_from = _sums(scores, beta)
    return torch.tensor(_back(totals, [*torch.stack(came_from)]))


@mutant("smooth_alignment")
def smooth_squeezed(scores, beta):
    """One word comes back without an axis."""
    return _aligned(scores, beta).squeeze()


@mutant("smooth_alignment")
def smooth_as_list(scores, beta):
    """A list of Python's numbers comes back."""
    return _back(*_sums(scores, beta))


@mutant("smooth_alignment")
def smooth_as_floats(scores, beta):
    """torch.zeros(T), and numbers of regions in it."""
    regions = torch.zeros(scores.shape[1])
    regions[:] = _aligned(scores, beta)
    return regions


@mutant("smooth_alignment")
def smooth_in_int32(scores, beta):
    """.int() at the end."""
    return _aligned(scores, beta).int()


@mutant("smooth_alignment")
def smooth_with_its_sum(scores, beta):
    """The regions and the sum that they reach."""
    totals, came_from = _sums(scores, beta)
    return torch.tensor(_back(totals, came_from)), totals[-1].max()


@mutant("smooth_alignment")
def smooth_counts_from_1(scores, beta):
    """The first region is number 1."""
    return _aligned(scores, beta) + 1


@mutant("smooth_alignment")
def smooth_adds_in_place(scores, beta):
    """The running sums are written over the caller's scores."""
    came_from, bonus = [], beta * torch.eye(len(scores), dtype=scores.dtype)
    for t in range(1, scores.shape[1]):
        best, before = (scores[:, t - 1, None] + bonus).max(dim=0)
        scores[:, t] += best
        came_from.append(before)
    return torch.tensor(_back([scores[:, -1]], came_from))


def _among_the_best(scores, beta, count):
    L = len(scores)
    keep = sorted(set(scores.topk(min(count, L), dim=0).indices.flatten().tolist()))
    return torch.tensor(keep)[_aligned(scores[keep], beta)]


@mutant("smooth_alignment")
def smooth_of_the_best_two(scores, beta):
    """Regions that are no word's first or second are dropped beforehand."""
    return _among_the_best(scores, beta, 2)


@mutant("smooth_alignment")
def smooth_of_the_best_three(scores, beta):
    """Regions that are in no word's first three are dropped beforehand."""
    return _among_the_best(scores, beta, 3)


@mutant("smooth_alignment")
def smooth_by_marginals(scores, beta):
    """Best sums through each region, forward and backward, and argmax: no way is walked back."""

    def forward(x):
        sums = [x[:, 0]]
        for t in range(1, x.shape[1]):
            sums.append(x[:, t] + torch.maximum(sums[-1] + beta, sums[-1].max()))
        return torch.stack(sums, dim=1)

    return (forward(scores) + forward(scores.flip(1)).flip(1) - scores).argmax(dim=0)


@mutant("smooth_alignment")
def smooth_back_from_the_last_score(scores, beta):
    """The way back begins at scores[:, -1].argmax()."""
    _, came_from = _sums(scores, beta)
    return torch.tensor(_back([scores[:, -1]], came_from))


@mutant("smooth_alignment")
def smooth_along_the_wrong_axis(scores, beta):
    """max(dim=1) of what should be max(dim=0)."""
    total, came_from = scores[:, 0], []
    for t in range(1, scores.shape[1]):
        reached = total[:, None] + beta * torch.eye(len(scores), dtype=scores.dtype)
        best, before = reached.max(dim=1)
        came_from.append(before)
        total = best + scores[:, t]
    return torch.tensor(_back([total], came_from))

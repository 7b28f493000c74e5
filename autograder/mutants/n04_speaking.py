"""Wrong answers to the exercises of notebook 04 on the output layer and on speaking."""

import numpy as np
import torch
from torch.nn import functional as F

from autograder.mutants import mutant

START, END = 1, 2

# ------------------------------------------------------------------------------- init_output_bias


def _logs(seen, total=None):
    seen = torch.as_tensor(seen, dtype=torch.float64)
    return (seen / (seen.sum() if total is None else total)).log().float()


@mutant("init_output_bias")
def bias_of_zero(counts):
    """The logarithm of a count of 0 is minus infinity."""
    return _logs(counts)


@mutant("init_output_bias")
def bias_raised_above_only(counts):
    """The 1 is added to the counts, but not to those in their sum."""
    return _logs([count + 1 for count in counts], sum(counts))


@mutant("init_output_bias")
def bias_raised_below_once(counts):
    """The sum is raised by 1, not by 1 a word."""
    return _logs([count + 1 for count in counts], sum(counts) + 1)


@mutant("init_output_bias")
def bias_only_zeros_raised(counts):
    """max(count, 1): only words that were never seen are raised."""
    return _logs([max(count, 1) for count in counts])


@mutant("init_output_bias")
def bias_with_epsilon(counts):
    """Something small is added inside the logarithm instead."""
    seen = torch.tensor(counts, dtype=torch.float64)
    return (seen / seen.sum().clamp(min=1) + 1e-8).log().float()


@mutant("init_output_bias")
def bias_not_divided(counts):
    """The logarithm of the counts: softmax would forgive it, the first loss does not show it."""
    return torch.tensor(counts, dtype=torch.float64).add(1).log().float()


@mutant("init_output_bias")
def bias_share_itself(counts):
    """The frequency, without its logarithm."""
    return _logs([count + 1 for count in counts]).exp()


@mutant("init_output_bias")
def bias_sign(counts):
    """Minus the log frequency: rare words are guessed."""
    return -_logs([count + 1 for count in counts])


@mutant("init_output_bias")
def bias_base_two(counts):
    """log2 in the place of log."""
    return _logs([count + 1 for count in counts]) / float(np.log(2))


@mutant("init_output_bias")
def bias_by_largest(counts):
    """Divided by the largest count."""
    return _logs([count + 1 for count in counts], max(counts) + 1)


@mutant("init_output_bias")
def bias_by_size(counts):
    """Divided by the size of the vocabulary."""
    return _logs([count + 1 for count in counts], len(counts))


@mutant("init_output_bias")
def bias_zero(counts):
    """Zeros, as torch would have it."""
    return torch.zeros(len(counts))


@mutant("init_output_bias")
def bias_even(counts):
    """Every word gets the same frequency."""
    return torch.full((len(counts),), -float(np.log(len(counts))))


@mutant("init_output_bias")
def bias_float64(counts):
    """It returns float64."""
    seen = torch.tensor(counts, dtype=torch.float64) + 1
    return (seen / seen.sum()).log()


@mutant("init_output_bias")
def bias_as_array(counts):
    """It returns a NumPy array."""
    return _logs([count + 1 for count in counts]).numpy()


@mutant("init_output_bias")
def bias_as_row(counts):
    """It has an axis of length 1 too many."""
    return _logs([count + 1 for count in counts])[None]


@mutant("init_output_bias")
def bias_in_place(counts):
    """The counts of the caller are raised."""
    for i in range(len(counts)):
        counts[i] += 1
    return _logs(counts)


@mutant("init_output_bias")
def bias_sorted(counts):
    """The counts are sorted first, as in a vocabulary."""
    return _logs([count + 1 for count in sorted(counts, reverse=True)])


@mutant("init_output_bias")
def bias_centred(counts):
    """The mean is subtracted, so that it is 0 on average."""
    bias = _logs([count + 1 for count in counts])
    return bias - bias.mean()


@mutant("init_output_bias")
def bias_int32(counts):
    """The counts become int32: their sum has no room."""
    seen = torch.tensor(np.array(counts).astype(np.int32)) + 1
    return (seen / seen.sum(dtype=torch.int32)).log()


@mutant("init_output_bias")
def bias_of_softmax(counts):
    """A softmax of the counts, as if they were scores."""
    return torch.tensor(counts, dtype=torch.float64).log_softmax(dim=0).float()


@mutant("init_output_bias")
def bias_log1p_of_shares(counts):
    """The 1 is added to the frequencies."""
    seen = torch.tensor(counts, dtype=torch.float64)
    return (seen / seen.sum().clamp(min=1)).log1p().float()


@mutant("init_output_bias")
def bias_floored(counts):
    """Divided by //."""
    seen = torch.tensor(counts) + 1
    return (seen // seen.sum()).log()


# --------------------------------------------------------------------------------- sample_caption


def _speak(
    step,
    state,
    max_len,
    temperature,
    seed,
    *,
    first=START,
    choose=None,
    keeps_state=True,
    reads=True,
    ends=True,
):
    """The right answer, but for a part that is replaced."""
    generator = torch.Generator().manual_seed(seed)
    said, word = [], first
    for _ in range(max_len):
        log_probs, next_state = step(torch.tensor([word]), state)
        state = next_state if keeps_state else state
        new = (choose or _choose)(log_probs[0], temperature, generator)
        word = new if reads else word
        if new == END and ends:
            break
        said.append(new)
    return said


def _choose(log_probs, temperature, generator):
    if temperature == 0:
        return int(log_probs.argmax())
    return _drawn((log_probs / temperature).softmax(dim=0), generator)


def _drawn(probs, generator):
    return int(torch.multinomial(probs, 1, generator=generator))


def _choosing(probs):
    """Draw by other probabilities; temperature 0 takes the best."""

    def choose(log_probs, temperature, generator):
        if temperature == 0:
            return int(log_probs.argmax())
        return _drawn(probs(log_probs, temperature), generator)

    return choose


@mutant("sample_caption")
def speak_temperature_multiplied(step, state, max_len=20, temperature=1.0, seed=0):
    """The temperature multiplies the log-probabilities."""
    choose = _choosing(lambda log_probs, T: (log_probs * T).softmax(dim=0))
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_temperature_ignored(step, state, max_len=20, temperature=1.0, seed=0):
    """The temperature is not used, except that 0 takes the best."""
    choose = _choosing(lambda log_probs, T: log_probs.exp())
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_probabilities_divided(step, state, max_len=20, temperature=1.0, seed=0):
    """The temperature divides the probabilities: multinomial normalises it away."""
    choose = _choosing(lambda log_probs, T: log_probs.exp() / T)
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_softmax_of_probabilities(step, state, max_len=20, temperature=1.0, seed=0):
    """The softmax is taken of probabilities."""
    choose = _choosing(lambda log_probs, T: (log_probs.exp() / T).softmax(dim=0))
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_without_softmax(step, state, max_len=20, temperature=1.0, seed=0):
    """exp(log_probs / temperature) is 0 for all words where the temperature is low."""
    choose = _choosing(lambda log_probs, T: (log_probs / T).exp())
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_divides_by_zero(step, state, max_len=20, temperature=1.0, seed=0):
    """Temperature 0 is not a case of its own."""

    def choose(log_probs, temperature, generator):
        return _drawn((log_probs / temperature).softmax(dim=0), generator)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_always_greedy(step, state, max_len=20, temperature=1.0, seed=0):
    """The most probable word at every temperature."""
    return _speak(step, state, max_len, 0, seed)


@mutant("sample_caption")
def speak_almost_greedy(step, state, max_len=20, temperature=1.0, seed=0):
    """Temperature 0 becomes a small one: nearly the best word."""
    return _speak(step, state, max_len, max(temperature, 0.3), seed)


@mutant("sample_caption")
def speak_greedy_below_a_third(step, state, max_len=20, temperature=1.0, seed=0):
    """A low temperature is taken for 0."""
    return _speak(step, state, max_len, temperature if temperature > 0.3 else 0, seed)


@mutant("sample_caption")
def speak_evenly(step, state, max_len=20, temperature=1.0, seed=0):
    """Every possible word is as probable."""
    choose = _choosing(lambda log_probs, T: (log_probs > -torch.inf).double())
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_lowest(step, state, max_len=20, temperature=1.0, seed=0):
    """It takes scores for costs: the least probable word wins."""

    def choose(log_probs, temperature, generator):
        return _choose((-log_probs).nan_to_num(posinf=-torch.inf), temperature, generator)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_impossible_words(step, state, max_len=20, temperature=1.0, seed=0):
    """-inf is made a number: what is impossible is said now and then."""

    def choose(log_probs, temperature, generator):
        return _choose(log_probs.clamp(min=-10), temperature, generator)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_end_in_the_list(step, state, max_len=20, temperature=1.0, seed=0):
    """<END> is appended before it stops."""
    said = _speak(step, state, max_len, temperature, seed)
    return said if len(said) == max_len else [*said, END]


@mutant("sample_caption")
def speak_start_in_the_list(step, state, max_len=20, temperature=1.0, seed=0):
    """The list begins with <START>."""
    return [START, *_speak(step, state, max_len, temperature, seed)]


@mutant("sample_caption")
def speak_past_end(step, state, max_len=20, temperature=1.0, seed=0):
    """It does not stop at <END>, but takes it out of the list afterwards."""
    said = _speak(step, state, max_len, temperature, seed, ends=False)
    return [word for word in said if word != END]


@mutant("sample_caption")
def speak_starts_with_null(step, state, max_len=20, temperature=1.0, seed=0):
    """Word 0 is read first."""
    return _speak(step, state, max_len, temperature, seed, first=0)


@mutant("sample_caption")
def speak_starts_with_end(step, state, max_len=20, temperature=1.0, seed=0):
    """One word is both start and end."""
    return _speak(step, state, max_len, temperature, seed, first=END)


@mutant("sample_caption")
def speak_reads_start_twice(step, state, max_len=20, temperature=1.0, seed=0):
    """<START> is read once to warm up, and once more."""
    _, state = step(torch.tensor([START]), state)
    return _speak(step, state, max_len, temperature, seed)


@mutant("sample_caption")
def speak_not_read_back(step, state, max_len=20, temperature=1.0, seed=0):
    """<START> is read at every step."""
    return _speak(step, state, max_len, temperature, seed, reads=False)


@mutant("sample_caption")
def speak_state_not_carried(step, state, max_len=20, temperature=1.0, seed=0):
    """The new state is dropped."""
    return _speak(step, state, max_len, temperature, seed, keeps_state=False)


@mutant("sample_caption")
def speak_best_read_back(step, state, max_len=20, temperature=1.0, seed=0):
    """A word is drawn and said, but the most probable one is read back in."""
    generator = torch.Generator().manual_seed(seed)
    said, word = [], START
    for _ in range(max_len):
        log_probs, state = step(torch.tensor([word]), state)
        new, word = _choose(log_probs[0], temperature, generator), int(log_probs[0].argmax())
        if new == END:
            break
        said.append(new)
    return said


@mutant("sample_caption")
def speak_one_short(step, state, max_len=20, temperature=1.0, seed=0):
    """<START> is counted among the words."""
    return _speak(step, state, max_len - 1, temperature, seed)


@mutant("sample_caption")
def speak_one_long(step, state, max_len=20, temperature=1.0, seed=0):
    """<END> is counted among the words, also where it does not come."""
    return _speak(step, state, max_len + 1, temperature, seed)


@mutant("sample_caption")
def speak_without_limit(step, state, max_len=20, temperature=1.0, seed=0):
    """max_len is not looked at (here: three times as many words)."""
    return _speak(step, state, 3 * max_len, temperature, seed)


@mutant("sample_caption")
def speak_reseeds(step, state, max_len=20, temperature=1.0, seed=0):
    """The generator is made anew for each word."""

    def choose(log_probs, temperature, generator):
        return _choose(log_probs, temperature, torch.Generator().manual_seed(seed))

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_seed_ignored(step, state, max_len=20, temperature=1.0, seed=0):
    """Every call draws with seed 0."""
    return _speak(step, state, max_len, temperature, 0)


@mutant("sample_caption")
def speak_without_a_seed(step, state, max_len=20, temperature=1.0, seed=0):
    """The generator is made, but not handed to multinomial."""

    def choose(log_probs, temperature, generator):
        return _choose(log_probs, temperature, None)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


_one_generator = torch.Generator().manual_seed(0)


@mutant("sample_caption")
def speak_one_generator(step, state, max_len=20, temperature=1.0, seed=0):
    """The generator is made once, outside."""

    def choose(log_probs, temperature, generator):
        return _choose(log_probs, temperature, _one_generator)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_tensors(step, state, max_len=20, temperature=1.0, seed=0):
    """The list holds tensors."""
    return [torch.tensor(word) for word in _speak(step, state, max_len, temperature, seed)]


@mutant("sample_caption")
def speak_a_number_read(step, state, max_len=20, temperature=1.0, seed=0):
    """The word that is read has no axis for its row."""
    return _speak(lambda tokens, state: step(tokens[0], state), state, max_len, temperature, seed)


@mutant("sample_caption")
def speak_state_in_place(step, state, max_len=20, temperature=1.0, seed=0):
    """The new state is written into the caller's."""

    def stepped(tokens, now):
        log_probs, after = step(tokens, state)
        state.copy_(after)
        return log_probs, state

    return _speak(stepped, state, max_len, temperature, seed)


@mutant("sample_caption")
def speak_end_without_chance(step, state, max_len=20, temperature=1.0, seed=0):
    """<END> is heard only where it is the most probable word; drawn otherwise, it is drawn anew."""

    def choose(log_probs, temperature, generator):
        if int(log_probs.argmax()) != END:
            log_probs = log_probs.clone()
            log_probs[END] = -torch.inf
        return _choose(log_probs, temperature, generator)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_other_default_temperature(step, state, max_len=20, temperature=0.5, seed=0):
    """Another default temperature than the stub's."""
    return _speak(step, state, max_len, temperature, seed)


def _of_the_most_probable(k):
    def probs(log_probs, T):
        log_probs = log_probs / T
        least = log_probs.topk(min(k, len(log_probs))).values[-1]
        return log_probs.masked_fill(log_probs < least, -torch.inf).softmax(dim=0)

    return _choosing(probs)


def _of_the_nucleus(share):
    def probs(log_probs, T):
        found, order = (log_probs / T).softmax(dim=0).sort(descending=True)
        found = found.masked_fill(found.cumsum(0) - found > share, 0)
        return torch.zeros_like(found).scatter(0, order, found)

    return _choosing(probs)


@mutant("sample_caption")
def speak_of_five(step, state, max_len=20, temperature=1.0, seed=0):
    """Only the five most probable words are drawn from."""
    choose = _of_the_most_probable(5)
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_of_ten(step, state, max_len=20, temperature=1.0, seed=0):
    """Only the ten most probable words are drawn from."""
    choose = _of_the_most_probable(10)
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_of_95_percent(step, state, max_len=20, temperature=1.0, seed=0):
    """The rarest twentieth is cut off."""
    choose = _of_the_nucleus(0.95)
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_of_99_percent(step, state, max_len=20, temperature=1.0, seed=0):
    """The rarest hundredth is cut off."""
    choose = _of_the_nucleus(0.99)
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_end_untempered(step, state, max_len=20, temperature=1.0, seed=0):
    """<END> keeps its own probability at every temperature; the others share the rest."""

    def probs(log_probs, T):
        others = log_probs.clone()
        others[END] = -torch.inf
        found = (others / T).softmax(dim=0).nan_to_num() * (1 - log_probs[END].exp())
        found[END] = log_probs[END].exp()
        return found

    return _speak(step, state, max_len, temperature, seed, choose=_choosing(probs))


def _warmer(by):
    return _choosing(lambda log_probs, T: (log_probs / (T + by)).softmax(dim=0))


@mutant("sample_caption")
def speak_a_little_warmer(step, state, max_len=20, temperature=1.0, seed=0):
    """A hundredth is added to the temperature, so that it is never 0."""
    return _speak(step, state, max_len, temperature, seed, choose=_warmer(0.01))


@mutant("sample_caption")
def speak_hardly_warmer(step, state, max_len=20, temperature=1.0, seed=0):
    """A thousandth is added to the temperature."""
    return _speak(step, state, max_len, temperature, seed, choose=_warmer(1e-3))


@mutant("sample_caption")
def speak_tempers_the_first_word(step, state, max_len=20, temperature=1.0, seed=0):
    """The temperature is used for the first word alone."""
    said = []

    def choose(log_probs, temperature, generator):
        said.append(1)
        return _choose(log_probs, temperature if len(said) == 1 else 1.0, generator)

    choose = choose if temperature else _choose
    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_seed_and_place(step, state, max_len=20, temperature=1.0, seed=0):
    """The generator is made anew for each word, of seed + t."""
    places = iter(range(max_len))

    def choose(log_probs, temperature, generator):
        return _choose(log_probs, temperature, generator.manual_seed(seed + next(places)))

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_seeds_torch(step, state, max_len=20, temperature=1.0, seed=0):
    """torch.manual_seed, without a generator of its own."""
    torch.manual_seed(seed)

    def choose(log_probs, temperature, generator):
        return _choose(log_probs, temperature, None)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_zero_is_no_seed(step, state, max_len=20, temperature=1.0, seed=0):
    """`if seed:` the generator is seeded."""
    seed = seed or torch.Generator().initial_seed()
    return _speak(step, state, max_len, temperature, seed)


@mutant("sample_caption")
def speak_stops_at_null(step, state, max_len=20, temperature=1.0, seed=0):
    """<NULL> ends a caption too."""
    said = _speak(step, state, max_len, temperature, seed)
    return said[: said.index(0)] if 0 in said else said


@mutant("sample_caption")
def speak_leaves_null_out(step, state, max_len=20, temperature=1.0, seed=0):
    """<NULL> is taken out of the list."""
    return [word for word in _speak(step, state, max_len, temperature, seed) if word]


@mutant("sample_caption")
def speak_divides_in_place(step, state, max_len=20, temperature=1.0, seed=0):
    """log_probs /= temperature, in the tensor that step returned."""

    def choose(log_probs, temperature, generator):
        if temperature:
            log_probs /= temperature
        return _choose(log_probs, temperature and 1.0, generator)

    return _speak(step, state, max_len, temperature, seed, choose=choose)


@mutant("sample_caption")
def speak_an_array(step, state, max_len=20, temperature=1.0, seed=0):
    """An array, and no list."""
    return np.array(_speak(step, state, max_len, temperature, seed))


@mutant("sample_caption")
def speak_a_tensor(step, state, max_len=20, temperature=1.0, seed=0):
    """A tensor, and no list."""
    return torch.tensor(_speak(step, state, max_len, temperature, seed), dtype=torch.int64)


# --------------------------------------------------------------------------- sampled_softmax_loss


def _parts(h, W, b, targets, sampled, log_expected):
    true = (h * W[targets]).sum(dim=1) + b[targets] - log_expected[targets]
    drawn = h @ W[sampled].T + b[sampled] - log_expected[sampled]
    return true, drawn, sampled == targets[:, None]


def _shared(true, drawn, hits):
    drawn = drawn.masked_fill(hits, -torch.inf)
    return torch.cat([true[:, None], drawn], dim=1).logsumexp(dim=1) - true


def _solved(*given):
    return _shared(*_parts(*given))


@mutant("sampled_softmax_loss")
def sampled_hits_twice(h, W, b, targets, sampled, log_expected):
    """A drawn word that is the true one is counted twice."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return _shared(true, drawn, torch.zeros_like(hits)).mean()


@mutant("sampled_softmax_loss")
def sampled_hits_of_any_row(h, W, b, targets, sampled, log_expected):
    """A drawn word that is the true one of any row is thrown away for all rows."""
    sampled = sampled[~torch.isin(sampled, targets)]
    return _solved(h, W, b, targets, sampled, log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_hits_at_zero(h, W, b, targets, sampled, log_expected):
    """A hit's score is set to 0, whose exponential is 1."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return _shared(true, drawn.masked_fill(hits, 0.0), torch.zeros_like(hits)).mean()


@mutant("sampled_softmax_loss")
def sampled_true_missing(h, W, b, targets, sampled, log_expected):
    """The true word is not among those that share."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return (drawn.masked_fill(hits, -torch.inf).logsumexp(dim=1) - true).mean()


@mutant("sampled_softmax_loss")
def sampled_true_only_if_drawn(h, W, b, targets, sampled, log_expected):
    """The sum runs over the drawn words alone."""
    true, drawn, _ = _parts(h, W, b, targets, sampled, log_expected)
    return (drawn.logsumexp(dim=1) - true).mean()


@mutant("sampled_softmax_loss")
def sampled_uncorrected(h, W, b, targets, sampled, log_expected):
    """log_expected is not subtracted."""
    return _solved(h, W, b, targets, sampled, 0 * log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_correction_added(h, W, b, targets, sampled, log_expected):
    """log_expected is added."""
    return _solved(h, W, b, targets, sampled, -log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_correction_of_drawn_only(h, W, b, targets, sampled, log_expected):
    """log_expected is subtracted from the drawn words alone."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return _shared(true + log_expected[targets], drawn, hits).mean()


@mutant("sampled_softmax_loss")
def sampled_correction_of_true_only(h, W, b, targets, sampled, log_expected):
    """log_expected is subtracted from the true word alone."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return _shared(true, drawn + log_expected[sampled], hits).mean()


@mutant("sampled_softmax_loss")
def sampled_correction_not_log(h, W, b, targets, sampled, log_expected):
    """Its exponential is subtracted."""
    return _solved(h, W, b, targets, sampled, log_expected.exp()).mean()


@mutant("sampled_softmax_loss")
def sampled_sum(h, W, b, targets, sampled, log_expected):
    """The sum over the rows."""
    return _solved(h, W, b, targets, sampled, log_expected).sum()


@mutant("sampled_softmax_loss")
def sampled_by_row(h, W, b, targets, sampled, log_expected):
    """A loss a row."""
    return _solved(h, W, b, targets, sampled, log_expected)


@mutant("sampled_softmax_loss")
def sampled_divided_by_drawn(h, W, b, targets, sampled, log_expected):
    """It is divided by the number of drawn words as well."""
    return _solved(h, W, b, targets, sampled, log_expected).mean() / len(sampled)


@mutant("sampled_softmax_loss")
def sampled_sign(h, W, b, targets, sampled, log_expected):
    """The log share, not minus it."""
    return -_solved(h, W, b, targets, sampled, log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_share(h, W, b, targets, sampled, log_expected):
    """The mean share, without the logarithm."""
    return (-_solved(h, W, b, targets, sampled, log_expected)).exp().mean()


@mutant("sampled_softmax_loss")
def sampled_without_b(h, W, b, targets, sampled, log_expected):
    """b is not added."""
    return _solved(h, W, 0 * b, targets, sampled, log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_whole_softmax(h, W, b, targets, sampled, log_expected):
    """The softmax over the whole vocabulary."""
    return F.cross_entropy(h @ W.T + b, targets)


@mutant("sampled_softmax_loss")
def sampled_scores_of_all(h, W, b, targets, sampled, log_expected):
    """Right, but every word is scored first: nothing is saved."""
    scores = h @ W.T + b - log_expected
    true = scores.gather(1, targets[:, None])[:, 0]
    return _shared(true, scores[:, sampled], sampled == targets[:, None]).mean()


@mutant("sampled_softmax_loss")
def sampled_by_sigmoid(h, W, b, targets, sampled, log_expected):
    """Each word is judged alone, as with negative sampling."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return (F.softplus(-true) + F.softplus(drawn).masked_fill(hits, 0).sum(dim=1)).mean()


@mutant("sampled_softmax_loss")
def sampled_overflowing(h, W, b, targets, sampled, log_expected):
    """Exponentials are taken of scores as they are."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    share = true.exp() / (true.exp() + drawn.exp().masked_fill(hits, 0).sum(dim=1))
    return -share.log().mean()


@mutant("sampled_softmax_loss")
def sampled_log_of_softmax(h, W, b, targets, sampled, log_expected):
    """The logarithm of the softmax: a share that is too small becomes 0."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    scores = torch.cat([true[:, None], drawn.masked_fill(hits, -torch.inf)], dim=1)
    return -scores.softmax(dim=1)[:, 0].log().mean()


@mutant("sampled_softmax_loss")
def sampled_a_number(h, W, b, targets, sampled, log_expected):
    """It returns a plain number."""
    return _solved(h, W, b, targets, sampled, log_expected).mean().item()


@mutant("sampled_softmax_loss")
def sampled_without_grad(h, W, b, targets, sampled, log_expected):
    """No gradient is kept."""
    with torch.no_grad():
        return _solved(h, W, b, targets, sampled, log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_drawn_detached(h, W, b, targets, sampled, log_expected):
    """The drawn words are taken for constants."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return _shared(true, drawn.detach(), hits).mean()


@mutant("sampled_softmax_loss")
def sampled_weights_as_data(h, W, b, targets, sampled, log_expected):
    """W.data: the gradient does not reach the output layer."""
    return _solved(h, W.data, b, targets, sampled, log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_float64(h, W, b, targets, sampled, log_expected):
    """It returns float64 whatever is given."""
    h, W, b, log_expected = (each.double() for each in (h, W, b, log_expected))
    return _solved(h, W, b, targets, sampled, log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_in_place(h, W, b, targets, sampled, log_expected):
    """log_expected is subtracted from the caller's b."""
    with torch.no_grad():
        b -= log_expected
    return _solved(h, W, b, targets, sampled, 0 * log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_squeezed(h, W, b, targets, sampled, log_expected):
    """Axes of length 1 are lost."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    drawn = drawn.masked_fill(hits, -torch.inf).squeeze()
    return (torch.cat([true[:, None], drawn], dim=1).logsumexp(dim=1) - true).mean()


@mutant("sampled_softmax_loss")
def sampled_true_of_row_by_drawn(h, W, b, targets, sampled, log_expected):
    """W[targets] @ h.T: the true words of all rows score in each row."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    others = h @ W[targets].T + b[targets] - log_expected[targets]
    scores = torch.cat([others, drawn.masked_fill(hits, -torch.inf)], dim=1)
    return (scores.logsumexp(dim=1) - true).mean()


@mutant("sampled_softmax_loss")
def sampled_without_b_of_drawn(h, W, b, targets, sampled, log_expected):
    """b is added to the score of the true word alone."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    return _shared(true, drawn - b[sampled], hits).mean()


@mutant("sampled_softmax_loss")
def sampled_first_of_log_expected(h, W, b, targets, sampled, log_expected):
    """log_expected is cut to S, not looked up by word."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    drawn = drawn + log_expected[sampled] - log_expected[: len(sampled)]
    return _shared(true, drawn, hits).mean()


@mutant("sampled_softmax_loss")
def sampled_all_words_once(h, W, b, targets, sampled, log_expected):
    """The true words of all rows are joined to what was drawn, each once."""
    return _solved(h, W, b, targets, torch.cat([targets, sampled]).unique(), log_expected).mean()


@mutant("sampled_softmax_loss")
def sampled_by_log1p(h, W, b, targets, sampled, log_expected):
    """log1p of the others' shares in the true word's: it overflows."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    others = (drawn - true[:, None]).exp().masked_fill(hits, 0)
    return others.sum(dim=1).log1p().mean()


@mutant("sampled_softmax_loss")
def sampled_fills_a_single_buffer(h, W, b, targets, sampled, log_expected):
    """The scores are collected in a tensor of torch's usual type."""
    true, drawn, hits = _parts(h, W, b, targets, sampled, log_expected)
    scores = torch.zeros(len(h), 1 + len(sampled))
    scores[:, 0], scores[:, 1:] = true, drawn.masked_fill(hits, -torch.inf)
    return F.cross_entropy(scores, torch.zeros_like(targets))

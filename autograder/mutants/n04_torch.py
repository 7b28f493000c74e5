"""Wrong answers to the exercises of notebook 04 that cross from NumPy to torch, and train there."""

import numpy as np
import torch
from torch.nn import functional as F

from autograder.mutants import mutant

_kept = {}


# ------------------------------------------------------------------------------- lstm_to_torch


def _reordered(weights, order="ifgo", axis=-1):
    i, f, o, g = np.split(weights, 4, axis=axis)
    blocks = {"i": i, "f": f, "o": o, "g": g}
    return np.concatenate([blocks[gate] for gate in order], axis=axis)


def _state(Wx, Wh, b, bias_hh=None):
    bias = torch.tensor(b)
    return {
        "weight_ih": torch.tensor(Wx),
        "weight_hh": torch.tensor(Wh),
        "bias_ih": bias,
        "bias_hh": torch.zeros_like(bias) if bias_hh is None else torch.tensor(bias_hh),
    }


def _bridged(Wx, Wh, b, **changes):
    return _state(_reordered(Wx).T, _reordered(Wh).T, _reordered(b)) | changes


@mutant("lstm_to_torch")
def bridge_order_kept(Wx, Wh, b):
    """The gates stay in the order of notebook 03."""
    return _state(Wx.T, Wh.T, b)


@mutant("lstm_to_torch")
def bridge_g_before_f(Wx, Wh, b):
    """The gates in the order i, g, f, o, as other libraries have them."""
    return _state(*(_reordered(each, "igfo").T for each in (Wx, Wh, b)))


@mutant("lstm_to_torch")
def bridge_bias_twice(Wx, Wh, b):
    """The bias in both places."""
    return _bridged(Wx, Wh, b, bias_hh=torch.tensor(_reordered(b)))


@mutant("lstm_to_torch")
def bridge_bias_order_kept(Wx, Wh, b):
    """Only the matrices are reordered."""
    return _state(_reordered(Wx).T, _reordered(Wh).T, b)


@mutant("lstm_to_torch")
def bridge_bias_forgotten(Wx, Wh, b):
    """Both biases zero."""
    return _bridged(Wx, Wh, b, bias_ih=torch.zeros(len(b), dtype=torch.float64))


@mutant("lstm_to_torch")
def bridge_recurrent_order_kept(Wx, Wh, b):
    """Only the input's weights and the bias are reordered."""
    return _state(_reordered(Wx).T, Wh.T, _reordered(b))


@mutant("lstm_to_torch")
def bridge_not_transposed(Wx, Wh, b):
    """The rows and columns as NumPy had them."""
    return _state(*map(_reordered, (Wx, Wh, b)))


@mutant("lstm_to_torch")
def bridge_reshaped(Wx, Wh, b):
    """A reshape where a transpose belongs: the shapes are right."""
    matrices = (_reordered(each).reshape(each.shape[::-1]) for each in (Wx, Wh))
    return _state(*matrices, _reordered(b))


@mutant("lstm_to_torch")
def bridge_split_along_rows(Wx, Wh, b):
    """The blocks are cut out of the rows of Wx, where D is a multiple of 4, else of its columns."""
    axis = 0 if len(Wx) % 4 == 0 else 1
    return _state(_reordered(Wx, axis=axis).T, _reordered(Wh).T, _reordered(b))


@mutant("lstm_to_torch")
def bridge_units_side_by_side(Wx, Wh, b):
    """The four gates of each unit beside each other."""
    D, H = len(Wx), len(Wh)
    rows = _reordered(Wx).reshape(D, 4, H).swapaxes(1, 2).reshape(D, 4 * H).T
    return _state(rows, _reordered(Wh).T, _reordered(b))


@mutant("lstm_to_torch")
def bridge_always_single(Wx, Wh, b):
    """torch.Tensor and its default type: float32."""
    return {name: value.float() for name, value in _bridged(Wx, Wh, b).items()}


@mutant("lstm_to_torch")
def bridge_always_double(Wx, Wh, b):
    """float64 whatever comes in."""
    return {name: value.double() for name, value in _bridged(Wx, Wh, b).items()}


@mutant("lstm_to_torch")
def bridge_rounded(Wx, Wh, b):
    """torch.Tensor(w).double(): rounded to float32 on the way."""
    found = _bridged(Wx, Wh, b)
    return {name: value.float().to(value.dtype) for name, value in found.items()}


@mutant("lstm_to_torch")
def bridge_views_swapped(Wx, Wh, b):
    """Two slices are swapped in one line: they are views, and o is written over by g."""

    def swapped(weights):
        weights, H = weights.copy(), weights.shape[-1] // 4
        o, g = weights[..., 2 * H : 3 * H], weights[..., 3 * H :]
        weights[..., 2 * H : 3 * H], weights[..., 3 * H :] = g, o
        return torch.tensor(weights)

    return _state(swapped(Wx).T, swapped(Wh).T, swapped(b))


@mutant("lstm_to_torch")
def bridge_cut_at_d(Wx, Wh, b):
    """H is taken from Wx.shape[0], which is D."""
    D = len(Wx)

    def cut(weights):
        blocks = weights[..., :D], weights[..., D : 2 * D], weights[..., 3 * D :]
        return torch.tensor(np.concatenate([*blocks, weights[..., 2 * D : 3 * D]], axis=-1))

    return _state(cut(Wx).T, cut(Wh).T, cut(b))


@mutant("lstm_to_torch")
def bridge_second_bias_single(Wx, Wh, b):
    """torch.zeros without a dtype for the second bias."""
    return _bridged(Wx, Wh, b, bias_hh=torch.zeros(len(b)))


@mutant("lstm_to_torch")
def bridge_of_arrays(Wx, Wh, b):
    """NumPy arrays by the right names."""
    return {name: value.numpy() for name, value in _bridged(Wx, Wh, b).items()}


@mutant("lstm_to_torch")
def bridge_matrices_swapped(Wx, Wh, b):
    """Wh where Wx belongs."""
    return _state(_reordered(Wh).T, _reordered(Wx).T, _reordered(b))


@mutant("lstm_to_torch")
def bridge_without_second_bias(Wx, Wh, b):
    """No bias_hh: load_state_dict refuses that."""
    found = _bridged(Wx, Wh, b)
    del found["bias_hh"]
    return found


@mutant("lstm_to_torch")
def bridge_names_of_layers(Wx, Wh, b):
    """The names of nn.LSTM, which has layers."""
    return {f"{name}_l0": value for name, value in _bridged(Wx, Wh, b).items()}


@mutant("lstm_to_torch")
def bridge_cell_itself(Wx, Wh, b):
    """The cell, and not what load_state_dict takes."""
    cell = torch.nn.LSTMCell(len(Wx), len(Wh), dtype=torch.float64)
    cell.load_state_dict(_bridged(Wx, Wh, b))
    return cell


@mutant("lstm_to_torch")
def bridge_list_of_four(Wx, Wh, b):
    """The four tensors without their names."""
    return list(_bridged(Wx, Wh, b).values())


@mutant("lstm_to_torch")
def bridge_bias_as_row(Wx, Wh, b):
    """The biases as matrices with one row."""
    found = _bridged(Wx, Wh, b)
    return found | {name: found[name][None] for name in ("bias_ih", "bias_hh")}


@mutant("lstm_to_torch")
def bridge_in_place(Wx, Wh, b):
    """The blocks are swapped in the caller's own arrays."""
    for each in (Wx, Wh, b):
        each[...] = _reordered(each)
    return _state(Wx.T, Wh.T, b)


@mutant("lstm_to_torch")
def bridge_of_the_first_call(Wx, Wh, b):
    """A dict that is made once and kept."""
    return _kept.setdefault(("bridge", Wx.shape), _bridged(Wx, Wh, b))


# ---------------------------------------------------------------------------- lstm_caption_forward


def _memory(model, features):
    return model["project"](model["dropout"](features))


def _states(model, words, h, c):
    found = []
    for x in words.unbind(dim=1):
        h, c = model["cell"](x, (h, c))
        found.append(h)
    return torch.stack(found, dim=1)


def _captioned(model, c, tokens):
    return model["output"](_states(model, model["words"](tokens), torch.zeros_like(c), c))


@mutant("lstm_caption_forward")
def captioner_picture_in_h(model, features, tokens):
    """The picture is the first state, and not the first memory."""
    h = _memory(model, features)
    return model["output"](_states(model, model["words"](tokens), h, torch.zeros_like(h)))


@mutant("lstm_caption_forward")
def captioner_picture_in_both(model, features, tokens):
    """The picture is the first state and the first memory."""
    c = _memory(model, features)
    return model["output"](_states(model, model["words"](tokens), c, c))


@mutant("lstm_caption_forward")
def captioner_blind(model, features, tokens):
    """A language model: the picture is projected and forgotten."""
    return _captioned(model, torch.zeros_like(_memory(model, features)), tokens)


@mutant("lstm_caption_forward")
def captioner_with_tanh(model, features, tokens):
    """A tanh on the picture's way, as other papers have it."""
    return _captioned(model, _memory(model, features).tanh(), tokens)


@mutant("lstm_caption_forward")
def captioner_scores_the_memory(model, features, tokens):
    """The output layer reads c."""
    c = _memory(model, features)
    h, memories = torch.zeros_like(c), []
    for x in model["words"](tokens).unbind(dim=1):
        h, c = model["cell"](x, (h, c))
        memories.append(c)
    return model["output"](torch.stack(memories, dim=1))


@mutant("lstm_caption_forward")
def captioner_a_step_behind(model, features, tokens):
    """A word is scored before the one in front of it is read."""
    c = _memory(model, features)
    h, states = torch.zeros_like(c), []
    for x in model["words"](tokens).unbind(dim=1):
        states.append(h)
        h, c = model["cell"](x, (h, c))
    return model["output"](torch.stack(states, dim=1))


@mutant("lstm_caption_forward")
def captioner_last_step_only(model, features, tokens):
    """The logits after the last word alone."""
    return _captioned(model, _memory(model, features), tokens)[:, -1]


@mutant("lstm_caption_forward")
def captioner_steps_first(model, features, tokens):
    """The states stacked along axis 0: (T, N, V)."""
    return _captioned(model, _memory(model, features), tokens).transpose(0, 1)


@mutant("lstm_caption_forward")
def captioner_mixed(model, features, tokens):
    """The states stacked along axis 0 and reshaped: the words of one caption go to others."""
    logits = _captioned(model, _memory(model, features), tokens).transpose(0, 1)
    return logits.reshape(*tokens.shape, -1)


@mutant("lstm_caption_forward")
def captioner_picture_every_step(model, features, tokens):
    """The picture is written over the memory at every step."""
    c = _memory(model, features)
    h, states = torch.zeros_like(c), []
    for x in model["words"](tokens).unbind(dim=1):
        h, _ = model["cell"](x, (h, c))
        states.append(h)
    return model["output"](torch.stack(states, dim=1))


@mutant("lstm_caption_forward")
def captioner_h_not_carried(model, features, tokens):
    """Each word is read with h = 0."""
    c = _memory(model, features)
    states = []
    for x in model["words"](tokens).unbind(dim=1):
        h, c = model["cell"](x, (torch.zeros_like(c), c))
        states.append(h)
    return model["output"](torch.stack(states, dim=1))


@mutant("lstm_caption_forward")
def captioner_state_to_itself(model, features, tokens):
    """The tuple from the cell is taken as (c, h)."""
    c = _memory(model, features)
    h, states = torch.zeros_like(c), []
    for x in model["words"](tokens).unbind(dim=1):
        c, h = model["cell"](x, (h, c))
        states.append(c)
    return model["output"](torch.stack(states, dim=1))


@mutant("lstm_caption_forward")
def captioner_without_dropout(model, features, tokens):
    """Nothing is dropped."""
    return _captioned(model, model["project"](features), tokens)


@mutant("lstm_caption_forward")
def captioner_drops_after_projecting(model, features, tokens):
    """The dropout comes behind the projection."""
    return _captioned(model, model["dropout"](model["project"](features)), tokens)


@mutant("lstm_caption_forward")
def captioner_drops_words_too(model, features, tokens):
    """The words go through the dropout as well."""
    c = _memory(model, features)
    words = model["dropout"](model["words"](tokens))
    return model["output"](_states(model, words, torch.zeros_like(c), c))


@mutant("lstm_caption_forward")
def captioner_drops_states_too(model, features, tokens):
    """The states go through the dropout as well."""
    c = _memory(model, features)
    states = _states(model, model["words"](tokens), torch.zeros_like(c), c)
    return model["output"](model["dropout"](states))


@mutant("lstm_caption_forward")
def captioner_always_drops(model, features, tokens):
    """F.dropout drops in whatever mode the model is."""
    dropped = F.dropout(features, model["dropout"].p)
    return _captioned(model, model["project"](dropped), tokens)


@mutant("lstm_caption_forward")
def captioner_in_eval_mode(model, features, tokens):
    """model.eval() first, so that nothing is random, and nothing is dropped."""
    model.eval()
    return _captioned(model, _memory(model, features), tokens)


@mutant("lstm_caption_forward")
def captioner_without_gradients(model, features, tokens):
    """Under torch.no_grad(), as where captions are written."""
    with torch.no_grad():
        return _captioned(model, _memory(model, features), tokens)


@mutant("lstm_caption_forward")
def captioner_detaches_states(model, features, tokens):
    """The state is cut off at every step, as between chunks of a long text."""
    c = _memory(model, features)
    h, states = torch.zeros_like(c), []
    for x in model["words"](tokens).unbind(dim=1):
        h, c = model["cell"](x, (h.detach(), c.detach()))
        states.append(h)
    return model["output"](torch.stack(states, dim=1))


@mutant("lstm_caption_forward")
def captioner_detaches_the_picture(model, features, tokens):
    """The memory is made under no_grad: the projection never learns."""
    return _captioned(model, _memory(model, features).detach(), tokens)


@mutant("lstm_caption_forward")
def captioner_words_by_data(model, features, tokens):
    """The words' vectors are looked up in .data: they never learn."""
    c = _memory(model, features)
    words = model["words"].weight.data[tokens]
    return model["output"](_states(model, words, torch.zeros_like(c), c))


@mutant("lstm_caption_forward")
def captioner_by_numpy(model, features, tokens):
    """The states go through NumPy to be stacked."""
    c = _memory(model, features)
    states = _states(model, model["words"](tokens), torch.zeros_like(c), c)
    return model["output"](torch.tensor(states.detach().numpy()))


@mutant("lstm_caption_forward")
def captioner_log_probabilities(model, features, tokens):
    """A log_softmax on top, which the loss does anyway."""
    return _captioned(model, _memory(model, features), tokens).log_softmax(dim=2)


@mutant("lstm_caption_forward")
def captioner_drops_the_last_word(model, features, tokens):
    """The last token is not read, as if it were cut off here and not by the caller."""
    return _captioned(model, _memory(model, features), tokens[:, :-1])


@mutant("lstm_caption_forward")
def captioner_in_single(model, features, tokens):
    """The first state is of torch's usual type, whatever the model's is."""
    c = _memory(model, features)
    h = torch.zeros(len(features), c.shape[1])
    return model["output"](_states(model, model["words"](tokens), h, c))


@mutant("lstm_caption_forward")
def captioner_to_single(model, features, tokens):
    """The logits in float32."""
    return _captioned(model, _memory(model, features), tokens).float()


@mutant("lstm_caption_forward")
def captioner_one_state_for_all(model, features, tokens):
    """Every caption goes on from the first caption's memory."""
    c = _memory(model, features)
    return _captioned(model, c[:1].expand_as(c), tokens)


@mutant("lstm_caption_forward")
def captioner_normalises_in_place(model, features, tokens):
    """The features are centred, in the caller's own tensor."""
    logits = _captioned(model, _memory(model, features), tokens)
    features.detach().sub_(features.detach().mean())
    return logits


@mutant("lstm_caption_forward")
def captioner_null_words_are_zero(model, features, tokens):
    """The vector of <NULL> is taken for 0."""
    c = _memory(model, features)
    words = model["words"](tokens) * (tokens > 0)[..., None]
    return model["output"](_states(model, words, torch.zeros_like(c), c))


@mutant("lstm_caption_forward")
def captioner_goes_on_from_the_last_call(model, features, tokens):
    """The state of the last batch is kept for the next."""
    c = _memory(model, features)
    h = _kept.get(("state", c.shape), torch.zeros_like(c))
    states = _states(model, model["words"](tokens), h.to(c.dtype), c)
    _kept["state", c.shape] = states[:, -1].detach()
    return model["output"](states)


@mutant("lstm_caption_forward")
def captioner_by_the_output_weights(model, features, tokens):
    """The output layer without its bias."""
    c = _memory(model, features)
    states = _states(model, model["words"](tokens), torch.zeros_like(c), c)
    return states @ model["output"].weight.T


@mutant("lstm_caption_forward")
def captioner_swaps_h_and_c(model, features, tokens):
    """The state goes in as (c, h)."""
    c = _memory(model, features)
    h, states = torch.zeros_like(c), []
    for x in model["words"](tokens).unbind(dim=1):
        h, c = model["cell"](x, (c, h))
        states.append(h)
    return model["output"](torch.stack(states, dim=1))


def _with_dropped(model, dropped, tokens):
    return _captioned(model, model["project"](dropped), tokens)


def _by_hand(model, features, scale):
    """A mask of its own, in train mode alone."""
    if not model.training:
        return features
    kept = torch.rand_like(features) >= model["dropout"].p
    return features * kept * scale


@mutant("lstm_caption_forward")
def captioner_drops_unscaled(model, features, tokens):
    """What is kept is not divided by 1 - p."""
    return _with_dropped(model, _by_hand(model, features, 1.0), tokens)


@mutant("lstm_caption_forward")
def captioner_drops_divided_by_p(model, features, tokens):
    """What is kept is divided by p."""
    scale = 1 / max(model["dropout"].p, 1e-3)
    return _with_dropped(model, _by_hand(model, features, scale), tokens)


@mutant("lstm_caption_forward")
def captioner_drops_times_kept(model, features, tokens):
    """What is kept is multiplied by 1 - p, as it would be in eval mode by the first paper."""
    scale = 1 - model["dropout"].p
    return _with_dropped(model, _by_hand(model, features, scale), tokens)


@mutant("lstm_caption_forward")
def captioner_drops_twice(model, features, tokens):
    """Through the dropout, and once more."""
    return _with_dropped(model, model["dropout"](model["dropout"](features)), tokens)


@mutant("lstm_caption_forward")
def captioner_one_mask_for_all(model, features, tokens):
    """One mask of features for all pictures."""
    mask = model["dropout"](torch.ones_like(features[:1]))
    return _with_dropped(model, features * mask, tokens)


@mutant("lstm_caption_forward")
def captioner_drops_whole_pictures(model, features, tokens):
    """All features of a picture, or none."""
    mask = model["dropout"](torch.ones_like(features[:, :1]))
    return _with_dropped(model, features * mask, tokens)


@mutant("lstm_caption_forward")
def captioner_drops_another_share(model, features, tokens):
    """The share that is kept is taken for the one that is dropped; the scale is right."""
    if model.training:
        p = model["dropout"].p
        kept = torch.rand_like(features) < p
        features = torch.where(kept, features / (1 - p), 0.0) if p < 1 else 0 * features
    return _with_dropped(model, features, tokens)


@mutant("lstm_caption_forward")
def captioner_seeds(model, features, tokens):
    """The same numbers are drawn in every call, here and wherever else torch draws next."""
    state = torch.get_rng_state()  # so that no other test is upset
    torch.manual_seed(0)
    c = _memory(model, features)
    torch.set_rng_state(state)
    return _captioned(model, c, tokens)


@mutant("lstm_caption_forward")
def captioner_stops_where_all_ended(model, features, tokens):
    """Where every caption has <NULL> the loop ends: fewer than T steps."""
    for t in range(1, tokens.shape[1]):
        if (tokens[:, t] == 0).all() and t > 1:
            tokens = tokens[:, :t]
            break
    return _captioned(model, _memory(model, features), tokens)


def _stepped(model, tokens, c, *, greedy=False, held=False, added=False):
    """Word by word, with what is wrong switched on."""
    seen, h, scores = c, torch.zeros_like(c), []
    for t in range(tokens.shape[1]):
        word = scores[-1].argmax(dim=1) if greedy and t else tokens[:, t]
        after = model["cell"](model["words"](word), (h, c + seen if added else c))
        still = held & (word == 0)[:, None]
        h, c = (torch.where(still, *pair) for pair in zip((h, c), after, strict=True))
        scores.append(model["output"](h))
    return torch.stack(scores, dim=1)


@mutant("lstm_caption_forward")
def captioner_reads_its_own_words(model, features, tokens):
    """The most probable word is read back in."""
    return _stepped(model, tokens, _memory(model, features), greedy=True)


@mutant("lstm_caption_forward")
def captioner_holds_on_null(model, features, tokens):
    """The state is held where <NULL> is read."""
    return _stepped(model, tokens, _memory(model, features), held=True)


@mutant("lstm_caption_forward")
def captioner_picture_added_every_step(model, features, tokens):
    """The picture is added to the memory before each step."""
    return _stepped(model, tokens, _memory(model, features), added=True)


@mutant("lstm_caption_forward")
def captioner_project_without_bias(model, features, tokens):
    """The projection by its weights alone."""
    c = model["dropout"](features) @ model["project"].weight.T
    return _captioned(model, c, tokens)


@mutant("lstm_caption_forward")
def captioner_a_word_late(model, features, tokens):
    """<START> is put in front once more."""
    return _captioned(model, _memory(model, features), F.pad(tokens[:, :-1], (1, 0), value=1))


@mutant("lstm_caption_forward")
def captioner_warms_up(model, features, tokens):
    """A step with no word, before <START> is read."""
    c = _memory(model, features)
    words = model["words"](tokens)
    h, c = model["cell"](0 * words[:, 0], (torch.zeros_like(c), c))
    return model["output"](_states(model, words, h, c))


@mutant("lstm_caption_forward")
def captioner_fills_a_single_buffer(model, features, tokens):
    """The logits are collected in a tensor of torch's usual type."""
    found = _captioned(model, _memory(model, features), tokens)
    logits = torch.zeros(found.shape)
    for t in range(tokens.shape[1]):
        logits[:, t] = found[:, t]
    return logits


# ---------------------------------------------------------------------------- masked_cross_entropy


def _nats(logits, targets, dim=2):
    return -logits.log_softmax(dim=dim).gather(2, targets[:, :, None])[:, :, 0]


@mutant("masked_cross_entropy")
def entropy_pads_count(logits, targets, mask):
    """cross_entropy over everything."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@mutant("masked_cross_entropy")
def entropy_sum(logits, targets, mask):
    """A sum, not a mean."""
    return _nats(logits, targets)[mask].sum()


@mutant("masked_cross_entropy")
def entropy_pads_in_the_number(logits, targets, mask):
    """Masked out, and then a mean over all places."""
    return torch.where(mask, _nats(logits, targets), 0.0).mean()


@mutant("masked_cross_entropy")
def entropy_by_captions(logits, targets, mask):
    """Divided by N, as CS231n does."""
    return _nats(logits, targets)[mask].sum() / len(logits)


@mutant("masked_cross_entropy")
def entropy_mean_of_means(logits, targets, mask):
    """A mean a caption, then their mean: short captions weigh too much."""
    nats = torch.where(mask, _nats(logits, targets), 0.0)
    return (nats.sum(1) / mask.sum(1).clamp(min=1)).mean()


@mutant("masked_cross_entropy")
def entropy_mask_upside_down(logits, targets, mask):
    """The padding counts, and nothing else."""
    return _nats(logits, targets)[~mask].mean()


@mutant("masked_cross_entropy")
def entropy_mask_from_targets(logits, targets, mask):
    """Word 0 is taken for padding, whatever the mask says."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)


@mutant("masked_cross_entropy")
def entropy_mask_as_lengths(logits, targets, mask):
    """The mask is turned into lengths: its holes are filled."""
    steps = torch.arange(mask.shape[1])
    return _nats(logits, targets)[steps < mask.sum(1, keepdim=True)].mean()


@mutant("masked_cross_entropy")
def entropy_masked_by_product(logits, targets, mask):
    """The mask as a factor: infinity times 0 is NaN."""
    return (_nats(logits, targets) * mask).sum() / mask.sum()


@mutant("masked_cross_entropy")
def entropy_logits_masked_by_product(logits, targets, mask):
    """The mask times the logits: the padding costs ln V."""
    return _nats(logits * mask[..., None], targets).mean()


@mutant("masked_cross_entropy")
def entropy_log_of_softmax(logits, targets, mask):
    """The logarithm of a probability that is 0 in floating point."""
    chances = logits.softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]
    return -chances[mask].log().mean()


@mutant("masked_cross_entropy")
def entropy_with_epsilon(logits, targets, mask):
    """Something small added, so that no logarithm is infinite."""
    chances = logits.softmax(dim=2).gather(2, targets[:, :, None])[:, :, 0]
    return -(chances[mask] + 1e-9).log().mean()


@mutant("masked_cross_entropy")
def entropy_by_exponentials(logits, targets, mask):
    """exp without the largest score taken away."""
    sums = logits.exp().sum(dim=2).log()
    return (sums - logits.gather(2, targets[:, :, None])[:, :, 0])[mask].mean()


@mutant("masked_cross_entropy")
def entropy_softmax_over_steps(logits, targets, mask):
    """The softmax along T."""
    return _nats(logits, targets, dim=1)[mask].mean()


@mutant("masked_cross_entropy")
def entropy_softmax_over_captions(logits, targets, mask):
    """The softmax along N."""
    return _nats(logits, targets, dim=0)[mask].mean()


@mutant("masked_cross_entropy")
def entropy_steps_mixed(logits, targets, mask):
    """The logits flattened from (T, N, V), the targets from (N, T)."""
    rows = logits.transpose(0, 1).flatten(0, 1)
    return F.cross_entropy(rows[mask.flatten()], targets[mask])


@mutant("masked_cross_entropy")
def entropy_axes_swapped(logits, targets, mask):
    """A view to (N, V, T) where cross_entropy wants a transpose."""
    rows = logits.reshape(len(logits), logits.shape[2], -1)
    return F.cross_entropy(rows, targets, reduction="none")[mask].mean()


@mutant("masked_cross_entropy")
def entropy_softmax_twice(logits, targets, mask):
    """cross_entropy of probabilities."""
    return F.cross_entropy(logits.softmax(dim=2)[mask], targets[mask])


@mutant("masked_cross_entropy")
def entropy_in_bits(logits, targets, mask):
    """Logarithms to base 2."""
    return _nats(logits, targets)[mask].mean() / np.log(2)


@mutant("masked_cross_entropy")
def entropy_sign(logits, targets, mask):
    """The mean log-probability, which is to be as large as possible."""
    return -_nats(logits, targets)[mask].mean()


@mutant("masked_cross_entropy")
def entropy_perplexity(logits, targets, mask):
    """The exponential of the mean."""
    return _nats(logits, targets)[mask].mean().exp()


@mutant("masked_cross_entropy")
def entropy_item(logits, targets, mask):
    """A Python number."""
    return _nats(logits, targets)[mask].mean().item()


@mutant("masked_cross_entropy")
def entropy_without_gradient(logits, targets, mask):
    """Detached."""
    return _nats(logits.detach(), targets)[mask].mean()


@mutant("masked_cross_entropy")
def entropy_new_tensor(logits, targets, mask):
    """A new tensor of the number, which remembers nothing."""
    return torch.tensor(_nats(logits, targets)[mask].mean().item(), dtype=logits.dtype)


@mutant("masked_cross_entropy")
def entropy_largest_in_sum_only(logits, targets, mask):
    """The normaliser is taken for a constant."""
    sums = logits.logsumexp(dim=2).detach()
    return (sums - logits.gather(2, targets[:, :, None])[:, :, 0])[mask].mean()


@mutant("masked_cross_entropy")
def entropy_keeps_an_axis(logits, targets, mask):
    """A tensor of one number, with an axis."""
    return _nats(logits, targets)[mask].mean(dim=0, keepdim=True)


@mutant("masked_cross_entropy")
def entropy_each_word(logits, targets, mask):
    """No mean at all."""
    return _nats(logits, targets)[mask]


@mutant("masked_cross_entropy")
def entropy_in_single(logits, targets, mask):
    """float32, whatever comes in."""
    return _nats(logits.float(), targets)[mask].mean()


@mutant("masked_cross_entropy")
def entropy_in_double(logits, targets, mask):
    """float64, whatever comes in."""
    return _nats(logits.double(), targets)[mask].mean()


@mutant("masked_cross_entropy")
def entropy_overwrites_targets(logits, targets, mask):
    """ignore_index, written into the caller's own targets."""
    targets[~mask] = -100
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


@mutant("masked_cross_entropy")
def entropy_clamped(logits, targets, mask):
    """The scores are cut at 100, so that nothing overflows."""
    return _nats(logits.clamp(-100, 100), targets)[mask].mean()


@mutant("masked_cross_entropy")
def entropy_by_view(logits, targets, mask):
    """view, which a tensor with gaps in memory refuses."""
    nats = _nats(logits.view(1, -1, logits.shape[2]), targets.view(1, -1))
    return nats[mask.view(1, -1)].mean()


@mutant("masked_cross_entropy")
def entropy_a_step_late(logits, targets, mask):
    """The targets are shifted once more."""
    return _nats(logits, targets.roll(-1, dims=1))[mask].mean()


@mutant("masked_cross_entropy")
def entropy_fills_a_single_buffer(logits, targets, mask):
    """The costs are collected in a tensor of torch's usual type."""
    nats = torch.zeros(mask.shape)
    for t in range(mask.shape[1]):
        nats[:, t] = F.cross_entropy(logits[:, t], targets[:, t], reduction="none")
    return nats[mask].mean()


@mutant("masked_cross_entropy")
def entropy_first_word_left_out(logits, targets, mask):
    """The first column is cut off, as if <START> were in it."""
    return _nats(logits[:, 1:], targets[:, 1:])[mask[:, 1:]].mean()


@mutant("masked_cross_entropy")
def entropy_shifts_again(logits, targets, mask):
    """The targets are cut once more."""
    return _nats(logits[:, :-1], targets[:, 1:])[mask[:, 1:]].mean()


@mutant("masked_cross_entropy")
def entropy_means_of_captions(logits, targets, mask):
    """A mean a caption, by its own number of words, which may be 0."""
    nats = torch.where(mask, _nats(logits, targets), 0.0)
    return (nats.sum(1) / mask.sum(1)).mean()


@mutant("masked_cross_entropy")
def entropy_means_of_steps(logits, targets, mask):
    """A mean a step, then their mean."""
    nats = torch.where(mask, _nats(logits, targets), 0.0)
    return (nats.sum(0) / mask.sum(0).clamp(min=1))[mask.any(0)].mean()


@mutant("masked_cross_entropy")
def entropy_smoothed(logits, targets, mask):
    """Smoothed labels."""
    return F.cross_entropy(logits[mask], targets[mask], label_smoothing=0.1)

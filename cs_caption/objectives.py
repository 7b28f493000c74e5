"""What training makes smaller: of captioners what the words cost, and for attention how they were
looked for; of rankers what wrong pairs are charged."""

from typing import Any

import torch
from torch import Tensor

from cs_caption.batches import Batch
from cs_caption.data.vocabulary import Vocabulary
from cs_caption.losses import (
    caption_loss,
    doubly_stochastic,
    matching_loss,
    ranking_loss,
    reinforce,
    sampled_caption_loss,
    word_nats,
)
from cs_caption.models import Captioner
from cs_caption.models.attention import entropy_of
from cs_caption.models.captioner import Reading
from cs_caption.models.ranking import Ranker, pair_scores

Model = Captioner | Ranker


def check_objective(model: Model, config: Any) -> None:
    """Raise ValueError where a TrainConfig asks for what has no meaning for this model."""
    attends = isinstance(model, Captioner) and model.config.attends
    if config.doubly_stochastic and not attends:
        raise ValueError(
            f"doubly_stochastic is {config.doubly_stochastic}, but this model has no attention: "
            "leave it at 0"
        )
    if config.sampled and isinstance(model, Ranker):
        raise ValueError(f"sampled is {config.sampled}, but a ranker says no words: leave it at 0")
    if config.sampled and model.config.looking == "hard":
        raise ValueError(
            f"sampled is {config.sampled}: the rewards of hard attention need the probabilities of "
            "all words; leave it at 0"
        )


def held_out_part(model: Model, batch: Batch, config: Any) -> tuple[float, int]:
    """The mean loss of a batch that is not learnt from, and of how many things it is the mean."""
    if isinstance(model, Ranker):
        return float(pairs_loss(model, batch, config)), len(batch.of)
    real = int((batch.tokens[:, 1:] != Vocabulary.NULL).sum())
    return float(words_loss(model, batch)), real


def pairs_loss(model: Ranker, batch: Batch, config: Any) -> Tensor:
    """What a batch's wrong pairs of a picture and a sentence are charged, by config.contrast."""
    tokens, of = (torch.from_numpy(part).to(model.device) for part in (batch.tokens, batch.of))
    bare = bare_sentences(tokens.long())
    v, s = model.regions(batch.images), model.words(bare)
    S = pair_scores(v, s, model.counted(bare)).float()
    if config.contrast == "softmax":
        return matching_loss(S, of)
    return ranking_loss(S, of, config.margin, hardest=config.contrast == "hardest")


def bare_sentences(tokens: Tensor) -> Tensor:
    """Sentences (M, T) without <START> and <END>: (M, T - 2)."""
    inside = tokens[:, 1:-1]
    return inside.masked_fill(inside == Vocabulary.END, Vocabulary.NULL)


def words_loss(model: Captioner, batch: Batch) -> Tensor:
    """Mean nats a token, each predicted from the true ones before."""
    said, targets, of = _tokens(model, batch)
    return caption_loss(model(batch.images, said, of), targets)


def training_loss(
    model: Model, batch: Batch, config: Any, share: Tensor, expected: float | None
) -> tuple[Tensor, Tensor, float | None]:
    """The loss of a step; the part of it to report, which the words cost; the next `expected`.

    config: a TrainConfig; share (V,), how often each word is to be predicted; expected, the moving
    mean of hard attention's rewards, None before the first.
    """
    if isinstance(model, Ranker):
        loss = pairs_loss(model, batch, config)
        return loss, loss.detach(), expected
    said, targets, of = _tokens(model, batch)
    reading = model.read(batch.images, said, of)
    real = targets != Vocabulary.NULL
    if config.sampled:
        output = model.output
        words = sampled_caption_loss(
            reading.hidden, output.weight, output.bias, targets, share, config.sampled
        )
    else:
        logits = model.output(reading.hidden)
        words = caption_loss(logits, targets)
    loss, longest = words, real.sum() / len(real)
    if config.doubly_stochastic:
        charge = doubly_stochastic(reading.alpha, real)
        loss = loss + config.doubly_stochastic * charge / longest
    if reading.softly is not None:
        nats = word_nats(logits, targets)
        taught, expected = _taught_looks(reading, nats, real, config, expected)
        loss = loss + taught / longest
    return loss, words.detach(), expected


def _taught_looks(
    reading: Reading, nats: Tensor, real: Tensor, config: Any, expected: float | None
) -> tuple[Tensor, float | None]:
    """Hard attention's part of the loss, and the moving mean of the rewards.

    Captions that were read softly have no part in REINFORCE's: nothing was drawn.
    """
    unsure = (entropy_of(reading.alpha) * real).sum(dim=1).mean()
    loss, drawn = -config.entropy * unsure, ~reading.softly
    if not drawn.any():
        return loss, expected
    found = nats[drawn], reading.log_probs[drawn], real[drawn]
    if expected is None:
        expected = float(reinforce(*found)[1])
    taught, reward = reinforce(*found, expected)
    part = config.reward * drawn.sum() / len(drawn)
    kept = config.baseline
    return loss + part * taught, kept * expected + (1 - kept) * float(reward)


def _tokens(model: Captioner, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """What is read (M, T), what should be said (M, T), and the picture of each caption (M,)."""
    tokens = torch.from_numpy(batch.tokens).to(model.device).long()
    of = torch.from_numpy(batch.of).to(model.device)
    tokens_in, targets = tokens[:, :-1], tokens[:, 1:]
    said = tokens_in.masked_fill(tokens_in == Vocabulary.END, Vocabulary.NULL)  # nothing follows
    return said, targets, of

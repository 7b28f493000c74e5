"""The checks of notebook 04, captioning.

Signatures, as the notebook's stubs have them (inputs are never changed):

    build_vocabulary(captions, min_count=1) -> (words, counts)                      2 points
        captions  a list of strings, words parted by single blanks
        words     a list of V words: <NULL>, <START>, <END>, <UNK>, then those seen min_count times
                  or more, from the most to the least frequent, equal counts as sorted() has them
        counts    a list of V whole numbers, how often each is to be predicted: <END> once a
                  caption, <UNK> once for each word left out, <NULL> and <START> never

    encode_captions(captions, words, max_words=16) -> (tokens, mask)                2 points
        tokens  int64 (N, T)  <START>, the words (at most max_words, <UNK> for an unknown one),
                <END>, then <NULL>; T is that of the longest caption after the cut
        mask    bool (N, T)  True on all but the padding

    caption_rnn_forward(x, v, Wx, Wh, Wih, b, every_step=True) -> (h, cache)        3 points
        x (N, T, D), v (N, C), Wx (D, H), Wh (H, H), Wih (C, H), b (H,), all float64
        h (N, T, H)  h_t = tanh(x_t Wx + h_(t-1) Wh + v Wih + b), h_(-1) = 0; v Wih at step 0 alone
                     where every_step is False
        cache        whatever caption_rnn_backward needs: a check never looks inside

    caption_rnn_backward(dh, cache) -> (dx, dv, dWx, dWh, dWih, db)                 4 points
        dh (N, T, H): of each state by the loss of its own word
        needs caption_rnn_forward

    lstm_to_torch(Wx, Wh, b) -> dict                                                2 points
        Wx (D, 4H), Wh (H, 4H), b (4H,), NumPy arrays of one dtype, gates in the order i, f, o, g
        weight_ih (4H, D), weight_hh (4H, H), bias_ih, bias_hh (4H,): tensors of the same dtype, as
        nn.LSTMCell has them, gates in the order i, f, g, o; of the biases only the sum counts

    lstm_caption_forward(model, features, tokens) -> logits                         3 points
        model     nn.ModuleDict of dropout, project (C -> H), words (V -> W), cell (LSTMCell) and
                  output (H -> V); features (N, C), tokens (N, T) int64
        logits    (N, T, V); the first memory is project(dropout(features)), the first state 0
        Autograd goes through it, to the features and to every parameter.

    masked_cross_entropy(logits, targets, mask) -> loss                             2 points
        logits (N, T, V), targets (N, T) int64, mask (N, T) bool; loss a tensor without axes
        What stands where mask is False, infinity too, has no part in the loss or its gradient.

    init_output_bias(counts) -> bias                                                1 point
        counts  a list of V whole numbers, 0 among them
        bias    float32 (V,): the logarithm of each word's share, counts raised by 1

    sample_caption(step, state, max_len=20, temperature=1.0, seed=0) -> words       1 point
        step(tokens, state) -> (log_probs, state), as `built.table_step` makes it: tokens int64
                (1,), log_probs (1, V); state an int64 tensor (1,)
        words   a list of whole numbers, at most max_len, without <START> and <END>; temperature 0
                takes the most probable; seed is one of torch.Generator().manual_seed, of any size

    sampled_softmax_loss(h, W, b, targets, sampled, log_expected) -> loss           3 points, bonus
        h (M, H), W (V, H), b (V,), targets (M,) and sampled (S,) int64, log_expected (V,)
        loss  a tensor without axes, with gradients to h, W and b; words that are neither true nor
              drawn are not looked at
"""

from cs_caption.checks.n04_captioning.bridge import LSTM_TO_TORCH
from cs_caption.checks.n04_captioning.caption_forward import LSTM_CAPTION_FORWARD
from cs_caption.checks.n04_captioning.cross_entropy import MASKED_CROSS_ENTROPY
from cs_caption.checks.n04_captioning.encode import ENCODE_CAPTIONS
from cs_caption.checks.n04_captioning.output_bias import INIT_OUTPUT_BIAS
from cs_caption.checks.n04_captioning.rnn import CAPTION_RNN_BACKWARD, CAPTION_RNN_FORWARD
from cs_caption.checks.n04_captioning.sample_caption import SAMPLE_CAPTION
from cs_caption.checks.n04_captioning.sampled_softmax import SAMPLED_SOFTMAX_LOSS
from cs_caption.checks.n04_captioning.vocabulary import BUILD_VOCABULARY

EXERCISES = (
    BUILD_VOCABULARY,
    ENCODE_CAPTIONS,
    CAPTION_RNN_FORWARD,
    CAPTION_RNN_BACKWARD,
    LSTM_TO_TORCH,
    LSTM_CAPTION_FORWARD,
    MASKED_CROSS_ENTROPY,
    INIT_OUTPUT_BIAS,
    SAMPLE_CAPTION,
    SAMPLED_SOFTMAX_LOSS,
)

"""The checks of notebook 01, convnets.

Signatures, as the notebook's stubs have them (float64 in, float64 out; inputs are never changed;
a cache is whatever the function's backward needs: no check looks inside):

    affine_forward(x, w, b) -> (out, cache)                                         1 point
        x (N, d_1, ..., d_k), w (D, M), b (M,); out (N, M)
    affine_backward(dout, cache) -> (dx, dw, db)                                    2 points
        dx has the shape of x, db is (M,); needs affine_forward
    relu_forward(x) -> (out, cache)                                                 1 point
    relu_backward(dout, cache) -> dx                                                1 point
        0 where x is 0; needs relu_forward
    softmax_loss(x, y) -> (loss, dx)                                                2 points
        x (N, C), y (N,) integers; loss a float, the mean over N
    conv_forward_naive(x, w, b, stride=1, pad=0) -> (out, cache)                    3 points
        x (N, C, H, W), w (F, C, HH, WW), b (F,); out (N, F, OH, OW)
    conv_backward_naive(dout, cache) -> (dx, dw, db)                                4 points
        needs conv_forward_naive
    max_pool_forward(x, HH=2, WW=2, stride=2) -> (out, cache)                       1 point
        x (N, C, H, W); out (N, C, OH, OW)
    max_pool_backward(dout, cache) -> dx                                            2 points
        of equal entries the first, row by row, gets the gradient; needs max_pool_forward
    im2col(x, HH, WW, stride=1, pad=0) -> cols                              bonus,  1 point
        cols (N, C HH WW, OH OW), of the dtype of x
    conv_forward, conv_backward                                    bonus,  2 and 3 points
        as the naive ones; float32 stays float32
    sgd_momentum(w, dw, v, learning_rate=0.01, momentum=0.9) -> (next_w, next_v)    1 point
    vgg_shapes(layers, shape=(3, 224, 224)) -> rows                                 2 points
        (name, output volume, values stored, parameters); the image first
"""

from cs_caption.checks.n01_convnets import (
    affine,
    conv_naive,
    fast_conv,
    max_pool,
    relu,
    sgd_momentum,
    softmax_loss,
    vgg_shapes,
)

EXERCISES = (
    *affine.EXERCISES,
    *relu.EXERCISES,
    *softmax_loss.EXERCISES,
    *conv_naive.EXERCISES,
    *max_pool.EXERCISES,
    *fast_conv.EXERCISES,
    *sgd_momentum.EXERCISES,
    *vgg_shapes.EXERCISES,
)

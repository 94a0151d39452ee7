#!/usr/bin/env python3
"""What PyTorch makes of the ends: NaN, ±∞, −0, equal elements, nothing at all, large offsets, integers: ends.json.

    python3 ends.py            computes everything and writes the file
    python3 ends.py --check    computes everything and compares with the file

The functions are those of the golden values (subjects.py); only the inputs are others. Everything is computed in float64 of numbers that
float32 holds. Gradients are of Σ yᵢ for functions of single elements, of Σ (i + 1)·yᵢ for all others. Where PyTorch refuses, its error
stands in place of results.
"""
import sys

sys.dont_write_bytecode = True

import json
from pathlib import Path

import numpy as np
import torch

import contractions, elementwise, losses, neural, shapes, vocabulary  # noqa: E401, F401  they fill the register
from subjects import SUBJECTS, case, given

torch.set_num_threads(1)
FILE = Path(__file__).with_name('ends.json')
NAN, INF = float('nan'), float('inf')
ENDS = {}


def ends(name, ramp=False, **cases):
    ENDS[name] = (ramp, {label.replace('_', ' '): c for label, c in cases.items()})


def row(*values, shape=None):
    return given(*values, shape=shape)


def whole(*values, dtype='i32', shape=None):
    return given(*values, dtype=dtype, shape=shape)


def nothing(*shape):
    return given(shape=shape)


# ── functions of one element ──────────────────────────────────────────────────────────────────────────────────────────────────
five = (NAN, INF, -INF, -0.0, 0.0)
for name in (
    'neg exp log sqrt sin cos tanh sigmoid erf floor square abs relu silu gelu geluTanh softplus stopGradient'.split()
):
    ends(name, ends=case(x=row(*five)), far=case(x=row(1e4, -1e4, 3e38, -3e38)), empty=case(x=nothing(0, 3)))
ends('leakyRelu', ends=case(x=row(*five), slope=0.01), empty=case(x=nothing(0, 3), slope=0.01))
ends('pow', **{f'to {n}': case(x=row(*five), n=n) for n in (0, 1, 2, 3, -1, -2)}, empty=case(x=nothing(0), n=2))
ends('cast', ends=case(x=row(*five), to='f16'), bool=case(x=row(*five), to='bool'), integers=case(x=row(*five), to='i32'))
ends('bitcast', ends=case(x=whole(0x7F800000, -0x800000, -(2**31), 0)), empty=case(x=whole(shape=(0,))))
ends('not', empty=case(x=whole(shape=(0, 2))))

# ── functions of two ──────────────────────────────────────────────────────────────────────────────────────────────────────────
pairs = [(NAN, 1), (1, NAN), (NAN, NAN), (INF, INF), (INF, -INF), (-INF, INF), (INF, 0), (0, INF), (1, 0), (-1, 0), (1, -0.0)]
pairs += [(0, 0), (0, -0.0), (-0.0, 0), (-0.0, -0.0), (2, 2), (INF, 2), (2, INF), (-2, INF), (-INF, 2)]
left, right = (row(*side) for side in zip(*pairs))
for name in 'add sub mul div rem maximum minimum less greater equal'.split():
    ends(name, ends=case(x=left, y=right), number=case(x=row(*five), y=0), empty=case(x=nothing(0, 3), y=row(1, 2, 3)))
top = 2**31 - 1
for name in 'add sub mul maximum minimum less greater equal'.split():
    ENDS[name][1]['integers'] = case(x=whole(top, -top - 1, -1, 5), y=whole(1, -1, 1, 5))
for name in 'less greater equal'.split():
    ENDS[name][1]['out of range'] = case(x=whole(0, 44, 255, dtype='u8'), y=300)
    ENDS[name][1]['below range'] = case(x=whole(0, 255, dtype='u8'), y=-1)
    ENDS[name][1]['fraction'] = case(x=whole(-1, 0, 1), y=0.5)
for name in 'and or xor shiftLeft shiftRight'.split():
    ends(name, empty=case(x=whole(shape=(0, 2)), y=whole(1, 2)))
ends('select', ends=case(c=given(True, False, True, False, dtype='bool'), x=row(NAN, NAN, INF, 1), y=row(1, 2, NAN, -INF)))

# ── reductions ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
for name in 'sum mean max variance'.split():
    ends(
        name,
        ramp=True,
        ends=case(x=row(NAN, 1, INF, 1, -INF, 1, INF, -INF, -0.0, -0.0, 0.0, -0.0, INF, INF, shape=(7, 2)), axes=1),
        ties=case(x=row(3, 3, 1, 3, shape=(2, 2))),
        empty_axis=case(x=nothing(2, 0), axes=1),
        no_rows=case(x=nothing(0, 2), axes=1),
        offset=case(x=row(16777216, 16777218, 16777220, 16777222)),
    )
    ENDS[name][1]['integers'] = case(x=whole(1, 2, 4))
    ENDS[name][1]['bytes'] = case(x=whole(200, 200, 200, 200, dtype='u8'))

# ── along an axis ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
rows = row(NAN, 1, 2, INF, 1, 2, -INF, 1, 2, -INF, -INF, -INF, INF, INF, 1, INF, -INF, 0, -0.0, 0.0, -0.0, shape=(7, 3))
for name in 'softmax logSoftmax logSumExp cumsum argmax argsort'.split():
    ends(
        name,
        ramp=True,
        ends=case(x=rows),
        ties=case(x=row(2, 2, 2, 1, 3, 3, shape=(2, 3))),
        empty_axis=case(x=nothing(2, 0)),
        no_rows=case(x=nothing(0, 2)),
        offset=case(x=row(10000, 9999, 1e8, 1e8, -1e8, -1e8, shape=(3, 2))),
    )
ENDS['cumsum'][1]['infinity inside'] = case(x=row(1, INF, 2, -1, -INF, 1))
ENDS['cumsum'][1]['bytes'] = case(x=whole(100, 100, 100, dtype='u8'))
ENDS['cumsum'][1]['integers'] = case(x=whole(top, 1, -1))
ENDS['argmax'][1]['integers'] = case(x=whole(-top - 1, top, top))
ENDS['argmax'][1]['NaN later'] = case(x=row(1, 3, NAN, 2, NAN))
ends('sort', ramp=True, ends=case(x=rows), ties=case(x=row(2, 1, 2, 1)), empty_axis=case(x=nothing(2, 0)), no_rows=case(x=nothing(0, 2)))

# ── movement and indexing: what goes in comes out ─────────────────────────────────────────────────────────────────────────────
ends('reshape', ramp=True, ends=case(x=row(*five), to=[5, 1]), empty=case(x=nothing(0, 3), to=[3, 0]), ambiguous=case(x=nothing(0, 3), to=[0, -1]), two_unknown=case(x=row(1, 2, 3, 4, 5, 6), to=[-1, -1]))
ends('transpose', ramp=True, ends=case(x=row(*five), to=[0]), empty=case(x=nothing(0, 3), to=[1, 0]))
ends('broadcastTo', ramp=True, ends=case(x=row(NAN, INF), to=[2, 2]), empty=case(x=row(1), to=[0]))
ends('expandDims', ramp=True, ends=case(x=row(*five), axis=0), empty=case(x=nothing(0), axis=0))
ends('reverse', ramp=True, ends=case(x=row(*five), axes=[0]), empty=case(x=nothing(0, 2), axes=[0]))
ends('slice', ramp=True, ends=case(x=row(*five), ranges=[[0, 2]]), empty=case(x=row(1, 2), ranges=[[1, 1]]))
ends('pad', ramp=True, ends=case(x=row(*five), low=[1], high=[1]), empty=case(x=nothing(0), low=[1], high=[1]))
ends('concatenate', ramp=True, ends=case(x=row(NAN, -0.0), y=row(INF)), empty=case(x=nothing(0), y=row(1)))
ends('stack', ramp=True, ends=case(x=row(NAN, -0.0), y=row(INF, 1), axis=0), empty=case(x=nothing(0), y=nothing(0), axis=0))
ends('splitInto', ramp=True, ends=case(x=row(NAN, -0.0, INF, 1), count=2, axis=0))
ends('gather', ramp=True, ends=case(table=row(NAN, -0.0, INF), index=whole(2, 0, 0)), empty=case(table=row(1, 2), index=whole(shape=(0,))), outside=case(table=row(1, 2), index=whole(5)))
ends('scatterAdd', ramp=True, ends=case(index=whole(0, 0, 1, 1), updates=row(INF, -INF, NAN, 1), size=3), empty=case(index=whole(shape=(0,)), updates=nothing(0), size=2), outside=case(index=whole(5), updates=row(1), size=2))
ends('oneHot', empty=case(labels=whole(shape=(0,)), classes=3), outside=case(labels=whole(3), classes=3))

# ── contractions and images ───────────────────────────────────────────────────────────────────────────────────────────────────
ends('matmul', ramp=True, ends=case(x=row(NAN, 1, INF, 1, shape=(2, 2)), y=row(0, 1, 1, 1, shape=(2, 2))), empty_axis=case(x=nothing(2, 0), y=nothing(0, 3)), no_rows=case(x=nothing(0, 2), y=row(1, 2, shape=(2, 1))))
ends('einsum', ramp=True, ends=case(x=row(NAN, 1, INF, 1, shape=(2, 2)), y=row(0, 1, 1, 1, shape=(2, 2)), formula='ij,jk->ik'), empty_axis=case(x=nothing(2, 0), y=nothing(0, 3), formula='ij,jk->ik'))
ends('dotGeneral', ramp=True, ends=case(x=row(NAN, INF), y=row(0, 1), formula='i,j->ij', contract=[[], []], batch=[[], []]))
ends('conv2d', ramp=True, ends=case(x=row(NAN, 1, 2, INF, shape=(1, 1, 4, 1)), filter=row(1, 1, shape=(1, 2, 1, 1))), no_images=case(x=nothing(0, 3, 3, 1), filter=row(1, shape=(1, 1, 1, 1))), half_a_pixel=case(x=row(1, shape=(1, 1, 1, 1)), filter=row(1, shape=(1, 1, 1, 1)), padding=[0.5, 0.5]), negative_padding=case(x=row(1, shape=(1, 1, 1, 1)), filter=row(1, shape=(1, 1, 1, 1)), padding=-1))
ends('convTranspose2d', ramp=True, ends=case(x=row(NAN, 1, INF, shape=(1, 1, 3, 1)), filter=row(1, 1, shape=(1, 2, 1, 1))), half_a_pixel=case(x=row(1, shape=(1, 1, 1, 1)), filter=row(1, shape=(1, 1, 1, 1)), padding=[0.5, 0.5]))
windows = row(NAN, 1, INF, 1, 2, 2, 1, 2, -0.0, 0.0, -INF, -INF, shape=(1, 3, 4, 1))
for name in 'averagePool maxPool'.split():
    ends(name, ramp=True, ends=case(x=windows, size=[1, 2]), no_images=case(x=nothing(0, 2, 2, 1), size=2), half=case(x=row(1, 2, 3, 4, shape=(1, 2, 2, 1)), size=[0.5, 0.5]))
ends('upsampleNearest', ramp=True, ends=case(x=row(NAN, INF, shape=(1, 1, 2, 1)), factor=2), no_images=case(x=nothing(0, 2, 2, 1), factor=2))
ends('pixelUnshuffle', ramp=True, ends=case(x=row(NAN, INF, -0.0, 1, shape=(1, 2, 2, 1)), factor=2), no_images=case(x=nothing(0, 2, 2, 1), factor=2))
ends('pixelShuffle', ramp=True, ends=case(x=row(NAN, INF, -0.0, 1, shape=(1, 1, 1, 4)), factor=2), no_images=case(x=nothing(0, 2, 2, 4), factor=2))
ends('scaledDotProductAttention', ramp=True, ends=case(query=row(NAN, 1, shape=(2, 1)), key=row(1, 2, shape=(2, 1)), value=row(1, 2, shape=(2, 1))), no_queries=case(query=nothing(0, 1), key=row(1, 2, shape=(2, 1)), value=row(1, 2, shape=(2, 1))))

# ── the vocabulary of tensors ──────────────────────────────────────────────────────────────────────────────────────────────────
for name in 'ceil round trunc sign log1p expm1 log2 log10 exp2 logSigmoid tan atan asin acos sinh cosh asinh acosh atanh rsqrt isNaN isFinite isInf'.split():
    ends(name, ends=case(x=row(*five)), far=case(x=row(1e4, -1e4, 3e38, -3e38)), one=case(x=row(1, -1)), empty=case(x=nothing(0, 3)))
ends('clamp', ends=case(x=row(*five), low=-1, high=1), zero=case(x=row(-0.0, 0.0), low=0), ties=case(x=row(-1, 1), low=-1, high=1), NaN_bound=case(x=row(1, NAN), low=row(NAN, 0), high=row(2, 2)), empty=case(x=nothing(0), low=0))
for name in 'notEqual greaterEqual lessEqual atan2 hypot logaddexp floorDivide mod power isClose'.split():
    ends(name, ends=case(x=left, y=right), number=case(x=row(*five), y=2), empty=case(x=nothing(0, 3), y=row(1, 2, 3)))
for name in 'notEqual greaterEqual lessEqual'.split():
    ENDS[name][1]['integers'] = case(x=whole(top, -top - 1, -1, 5), y=whole(1, -1, 1, 5))
ENDS['floorDivide'][1]['near'] = case(x=row(0.3, 0.9, -0.9, 1, 1e30), y=row(0.1, 0.3, 0.3, 0.1, 3))
ENDS['mod'][1]['near'] = case(x=row(0.3, 0.9, -0.9, 1, 1e30), y=row(0.1, 0.3, 0.3, 0.1, 3))
for n in (0.5, 2.5, -0.5, -1.5):
    ENDS['pow'][1][f'to {n}'] = case(x=row(*five, -1), n=n)
ENDS['power'][1]['negative'] = case(x=row(-2, -2, -1, -INF, -INF, -INF, -0.0, -0.0), y=row(3, 0.5, INF, 3, 2, -3, 3, -3))
ENDS['power'][1]['zero'] = case(x=row(0, 0, 0, 1, NAN, 0), y=row(0, 2, -1, NAN, 0, 0.5))
for name in 'min prod any all std norm'.split():
    ends(
        name,
        ramp=True,
        ends=case(x=row(NAN, 1, INF, 1, -INF, 1, INF, -INF, -0.0, -0.0, 0.0, -0.0, INF, INF, shape=(7, 2)), axes=1),
        ties=case(x=row(3, 3, 1, 3, 1, 1, shape=(3, 2)), axes=1),
        empty_axis=case(x=nothing(2, 0), axes=1),
        no_rows=case(x=nothing(0, 2), axes=1),
    )
for p in (1, 0, 3, 0.5, -1, INF, -INF):
    exponent = p if abs(p) < INF else str(p).replace('inf', 'Infinity')
    ENDS['norm'][1][f'p {exponent}'] = case(x=row(3, 0, -4, 0, 0, 0, 2, -2, 1, shape=(3, 3)), axes=1, p=exponent)
for name in 'argmin cumprod cummax'.split():
    ends(name, ramp=True, ends=case(x=rows), ties=case(x=row(2, 2, 2, 1, 3, 3, shape=(2, 3))), empty_axis=case(x=nothing(2, 0)), no_rows=case(x=nothing(0, 2)))
ENDS['cumprod'][1]['zeros'] = case(x=row(2, 0, 3, 0, 5))
ENDS['cumprod'][1]['integers'] = case(x=whole(2**16, 2**8, 2**6))
ends('topK', ramp=True, ends=case(x=row(1, NAN, INF, -INF), k=4), none=case(x=row(1, 2), k=0), too_many=case(x=row(1, 2), k=3))
ends('median', ramp=True, ends=case(x=row(1, NAN, 3, INF, 1, -INF, shape=(2, 3)), axis=1), ties=case(x=row(2, 1, 2, 1)))
ends('quantile', ramp=True, ends=case(x=row(1, NAN, 3, INF, 1, -INF, shape=(2, 3)), q=0.5, axis=1), ties=case(x=row(2, 1, 2, 1), q=0.25), outside=case(x=row(1), q=1.5))
ends('at', ramp=True, ends=case(x=row(*five), axis=0, i=0), outside=case(x=row(1, 2), axis=0, i=2))
ends('squeeze', ramp=True, ends=case(x=row(NAN, INF, shape=(1, 2))), empty=case(x=nothing(1, 0)))
ends('unstack', ramp=True, ends=case(x=row(NAN, -0.0, INF), axis=0))
ends('splitSizes', ramp=True, ends=case(x=row(NAN, -0.0, INF), sizes=[1, 2], axis=0), wrong=case(x=row(1, 2), sizes=[1], axis=0))
ends('chunk', ramp=True, ends=case(x=row(NAN, -0.0, INF), count=2, axis=0), empty=case(x=nothing(0), count=2, axis=0))
ends('takeAlongAxis', ramp=True, ends=case(x=row(NAN, -0.0, INF), index=whole(2, 0, 0)), empty=case(x=row(1, 2), index=whole(shape=(0,))))
ends('gatherNd', ramp=True, ends=case(x=row(NAN, -0.0, INF), index=whole(2, 0, 0, shape=(3, 1))))
ends('scatterNd', ramp=True, ends=case(index=whole(0, 0, 1, 1, shape=(4, 1)), updates=row(INF, -INF, NAN, 1), shape=[3]))
ends('dynamicSlice', ramp=True, ends=case(x=row(NAN, -0.0, INF), starts=whole(1), sizes=[2]), empty=case(x=nothing(0), starts=whole(0), sizes=[0]))
ends('dynamicUpdateSlice', ramp=True, ends=case(x=row(NAN, NAN, INF), part=row(-0.0), starts=whole(1)), empty=case(x=row(1, 2), part=nothing(0), starts=whole(1)))
for name in 'tril triu diagonal trace'.split():
    ends(name, ramp=True, ends=case(x=row(NAN, INF, -INF, -0.0, shape=(2, 2))), empty=case(x=nothing(0, 2)), far=case(x=row(1, 2, 3, 4, shape=(2, 2)), offset=5))
ends('diag', ramp=True, ends=case(x=row(NAN, -0.0)), empty=case(x=nothing(0)), empty_above=case(x=nothing(0), offset=1))
ends('outer', ramp=True, ends=case(input=row(NAN, INF, 1), vec2=row(0, 1)), empty=case(input=nothing(0), vec2=row(1)))
ends('swapAxes', ramp=True, ends=case(x=row(NAN, -0.0, shape=(1, 2)), a=0, b=1), empty=case(x=nothing(0, 2), a=0, b=1))
ends('moveAxis', ramp=True, ends=case(x=row(NAN, -0.0, shape=(1, 2)), a=0, b=1), empty=case(x=nothing(0, 2), a=0, b=1))
ends('tile', ramp=True, ends=case(x=row(NAN, -0.0), counts=[2]), empty=case(x=row(1), counts=[0]))
ends('repeat', ramp=True, ends=case(x=row(NAN, -0.0), count=2, axis=0), empty=case(x=row(1), count=0, axis=0))
ends('roll', ramp=True, ends=case(x=row(NAN, -0.0), shifts=1, axes=0), empty=case(x=nothing(0), shifts=1, axes=0))
ends('meshgrid', ramp=True, ends=case(x=row(NAN, -0.0), y=row(INF)), empty=case(x=nothing(0), y=row(1)))

# ── losses ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
wrong = row(NAN, 1, INF, -INF, 2, -0.0, 1e30)
right = row(0, NAN, 0, 0, 2, 0.0, 0)
for name in 'mse l1 huber'.split():
    ends(name, ends=case(prediction=wrong, target=right, reduction='none'), mean=case(prediction=row(NAN, 1), target=row(0, 0)), empty=case(prediction=nothing(0), target=nothing(0)), empty_sum=case(prediction=nothing(0), target=nothing(0), reduction='sum'))
ends(
    'crossEntropy',
    ends=case(logits=row(NAN, 1, 2, INF, 1, 2, -INF, 1, 2, -INF, -INF, -INF, shape=(4, 3)), labels=whole(1, 1, 1, 1), reduction='none'),
    label_impossible=case(logits=row(-INF, 1, 2, shape=(1, 3)), labels=whole(0), reduction='none'),
    offset=case(logits=row(1e6, 1e6, 1e6, 1e8, 1e8, 1e8, shape=(2, 3)), labels=whole(0, 2), reduction='none'),
    empty=case(logits=nothing(0, 3), labels=whole(shape=(0,))),
)
ends('binaryCrossEntropy', ends=case(logits=row(NAN, INF, INF, -INF, -INF, 1, -0.0), targets=row(0, 1, 0, 0, 1, NAN, 1), reduction='none'), empty=case(logits=nothing(0), targets=nothing(0)))

# ── what neural.py adds ───────────────────────────────────────────────────────────────────────────────────────────────────────
for name in 'selu mish relu6 hardsigmoid hardswish softsign elu celu'.split():
    ends(name, ends=case(x=row(*five)), far=case(x=row(1e4, -1e4, 3e30, -3e30)), empty=case(x=nothing(0, 3)))
for name in 'glu swiglu'.split():
    ends(name, ramp=True, ends=case(x=row(NAN, 1, 1, NAN, INF, 1, 1, INF, -INF, 1, 1, -INF, shape=(6, 2))), empty=case(x=nothing(0, 2)))
ends('softmin', ramp=True, ends=case(x=rows), ties=case(x=row(2, 2, 2, 1, 3, 3, shape=(2, 3))), no_rows=case(x=nothing(0, 2)))
ends('padWith', ramp=True, ends=case(x=row(NAN, INF, -0.0), widths=[[1, 1]], mode='reflect'), too_wide=case(x=row(1, 2, 3), widths=[[3, 0]], mode='reflect'), around_twice=case(x=row(1, 2), widths=[[3, 0]], mode='circular'), infinity=case(x=row(1, 2), widths=[[1, 0]], value=-2.5))
line = row(NAN, 1, INF, 2, 2, -INF, -INF, shape=(1, 7, 1))
ends('maxPool1d', ramp=True, ends=case(x=line, size=2, stride=1), nothing_around=case(x=row(-INF, -1, shape=(1, 2, 1)), size=2, stride=1, padding=1), too_wide=case(x=row(1, 2, shape=(1, 2, 1)), size=3))
ends('averagePool1d', ramp=True, ends=case(x=line, size=2, stride=1), too_wide=case(x=row(1, 2, shape=(1, 2, 1)), size=3), too_much_around=case(x=row(1, 2, shape=(1, 2, 1)), size=2, padding=2))
ends('adaptiveAveragePool', ramp=True, ends=case(x=windows, size=[1, 3]), no_images=case(x=nothing(0, 2, 2, 1), size=1))
ends('adaptiveAveragePool1d', ramp=True, ends=case(x=line, length=3), no_sequences=case(x=nothing(0, 2, 1), length=1))
ends('globalAveragePool', ramp=True, ends=case(x=row(NAN, 1, INF, 1, INF, -INF, shape=(3, 1, 2, 1))), no_images=case(x=nothing(0, 2, 2, 1)))
ends('resizeNearest', ramp=True, ends=case(x=row(NAN, INF, -0.0, shape=(1, 1, 3, 1)), size=[1, 5]), no_images=case(x=nothing(0, 2, 2, 1), size=3), no_size=case(x=row(1, shape=(1, 1, 1, 1)), size=0))
for name in 'resizeBilinear resizeBicubic'.split():
    ends(name, ramp=True, ends=case(x=row(NAN, 1, 2, 3, INF, 4, 5, shape=(1, 1, 7, 1)), size=[1, 3]), no_size=case(x=row(1, shape=(1, 1, 1, 1)), size=0))
square = row(NAN, 1, 2, INF, shape=(1, 2, 2, 1))
ends('gridSample', ramp=True, pixels=case(x=square, grid=row(0, -0.5, 0.5, 0.5, -9, 9, INF, 0, shape=(1, 4, 1, 2))), border=case(x=row(1, 2, 3, 4, shape=(1, 2, 2, 1)), grid=row(-9, 9, -1, 1, INF, 0, shape=(1, 3, 1, 2)), padding='border', alignCorners=True))
for name in 'hinge smoothL1'.split():
    ends(name, ends=case(prediction=wrong, target=right, reduction='none'), empty=case(prediction=nothing(0), target=nothing(0)))
ends('focalLoss', ends=case(logits=row(NAN, 1, -0.0, 1e4, -1e4), targets=row(0, NAN, 1, 1, 0), reduction='none'), empty=case(logits=nothing(0), targets=nothing(0)))
ends('klDiv', ends=case(logProbabilities=row(NAN, -1, -1, -INF, -INF, -1, shape=(3, 2)), target=row(1, 1, 0.5, 0.5, 1, 1, shape=(3, 2)), reduction='none'), nothing_expected=case(logProbabilities=row(-1, -1, shape=(1, 2)), target=row(0, 1, shape=(1, 2)), reduction='none'))
ends('nllLoss', ends=case(logProbabilities=row(NAN, -1, -INF, -1, -1, -INF, shape=(3, 2)), labels=whole(0, 0, 0), reduction='none'), all_ignored=case(logProbabilities=row(-1, -2, shape=(1, 2)), labels=whole(1), ignoreIndex=1), empty=case(logProbabilities=nothing(0, 2), labels=whole(shape=(0,))))
ends('ctcLoss', ends=case(logits=row(NAN, 1, 1, 1, -INF, 1, 1, -INF, shape=(2, 2, 2)), labels=whole(1, 1, shape=(2, 1)), inputs=whole(2, 2), lengths=whole(1, 1), reduction='none'), too_long=case(logits=row(1, 2, shape=(1, 1, 2)), labels=whole(1, 1, shape=(1, 2)), inputs=whole(1), lengths=whole(2), reduction='none'), no_labels=case(logits=row(1, 2, 1, 2, shape=(1, 2, 2)), labels=whole(1, shape=(1, 1)), inputs=whole(2), lengths=whole(0), reduction='none'))


def to_torch(x):
    t = torch.from_numpy(np.array(x))
    return t.requires_grad_() if x.dtype == np.float64 else t


def number(x):
    if isinstance(x, (bool, int)):
        return int(x)
    if np.isnan(x):
        return 'NaN'
    return ('∞' if x > 0 else '-∞') if np.isinf(x) else '-0' if x == 0 and np.signbit(x) else x


def array(y):
    x = y.detach().numpy()
    return {'shape': list(x.shape), 'dtype': str(x.dtype), 'data': [number(v) for v in x.flatten().tolist()]}


def compute_case(name, ramp, c):
    inputs = {k: draw.make(k) for k, draw in c.inputs.items()}
    given = {k: array(torch.from_numpy(np.array(x))) for k, x in inputs.items()}
    arguments = {k: to_torch(x) for k, x in inputs.items()}
    found = {'attrs': c.attrs, 'inputs': given}
    try:
        y = SUBJECTS[name].function(**arguments, **c.attrs)
    except (RuntimeError, IndexError, TypeError) as e:
        return {**found, 'error': str(e).split('\n')[0]}
    outputs = y if isinstance(y, dict) else {'': y}
    found['results'] = {k: array(v) for k, v in outputs.items()}
    flows = [v for v in outputs.values() if v.requires_grad]
    sources = {k: x for k, x in arguments.items() if x.requires_grad}
    if not flows or not sources or not SUBJECTS[name].gradients:
        return {**found, 'gradients': {}}
    seeds = [(torch.arange(v.numel()) + 1.0).to(v.dtype).reshape(v.shape) if ramp else torch.ones_like(v) for v in flows]
    try:
        gradients = torch.autograd.grad(flows, list(sources.values()), seeds, allow_unused=True)
    except RuntimeError:  # the derivative of pixel_unshuffle refuses what the function takes
        return {**found, 'gradients': {}}
    zero = {k: torch.zeros_like(x) for k, x in sources.items()}
    found['gradients'] = {k: array(zero[k] if g is None else g) for k, g in zip(sources, gradients)}
    return found


def main():
    subjects = {
        name: {'ramp': ramp, 'cases': {label: compute_case(name, ramp, c) for label, c in cases.items()}}
        for name, (ramp, cases) in ENDS.items()
    }
    text = json.dumps({'torch': torch.__version__, 'subjects': subjects}, ensure_ascii=False, separators=(',', ':'), allow_nan=False)
    text = text.replace('},"', '},\n"') + '\n'
    if '--check' in sys.argv:
        equal = FILE.read_text() == text
        print('equal' if equal else 'different')
        sys.exit(0 if equal else 1)
    FILE.write_text(text)
    print(f'{len(subjects)} subjects, {sum(len(s["cases"]) for s in subjects.values())} cases, {len(text):,} bytes')


main()

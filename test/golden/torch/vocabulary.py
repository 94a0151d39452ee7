"""The vocabulary of tensors: comparisons, rounding, elementary functions, reductions, orders, picking, triangles."""
import torch
import torch.nn.functional as F

from elementwise import binary, like, ties, unary
from shapes import along_axis, axes_of, reduction
from subjects import booleans, case, floats, given, integers, subject

INF = float('inf')


# ── one element ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
halves = (-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 1e6)
unary('ceil', torch.ceil, edges=halves)
unary('round', torch.round, edges=halves)
unary('trunc', torch.trunc, edges=halves)
unary('sign', torch.sign, edges=(0, -1e-6, 1e-6, -5, 5))
small = (0, 1e-6, -1e-6, 1e-3, -1e-3, 0.5, -0.5)
unary('log1p', torch.log1p, -0.75, 4, edges=(*small, 1, 1e30))
unary('expm1', torch.expm1, edges=(*small, 1, 80, -80))
unary('log2', torch.log2, 0.01, 4, edges=(1, 2, 1024, 0.125, 3, 1e30, 0.999))
unary('log10', torch.log10, 0.01, 4, edges=(1, 10, 1000, 1e10, 3, 1e30, 0.999))
unary('exp2', torch.exp2, edges=(0, 1, -1, 10, -10, 0.5, 100))
unary('logSigmoid', F.logsigmoid, edges=(0, 1e-6, 17, -17, 80, -80, 1000, -1000))
unary('tan', torch.tan, -1.25, 1.25, edges=(0, 1e-6, 0.785398, -1, 100, 1000))
unary('atan', torch.atan, -4, 4, edges=(*small, 1, -1, 2.5, 1e10, -1e10))
unary('asin', torch.asin, -0.4, 0.4, edges=(*small, 0.75, -0.99))
unary('acos', torch.acos, -0.4, 0.4, edges=(*small, 0.75, -0.99))
unary('sinh', torch.sinh, edges=(*small, 20, -20, 88))
unary('cosh', torch.cosh, edges=(*small, 20, -20, 88))
unary('asinh', torch.asinh, edges=(*small, 100, -100, 1e15))
unary('acosh', torch.acosh, 1.5, 4, edges=(1.001, 1.5, 2, 100, 1e15))
unary('atanh', torch.atanh, -0.4, 0.4, edges=(*small, 0.75, -0.99))
unary('rsqrt', torch.rsqrt, 0.01, 4, edges=(1, 1e-30, 1e30, 4, 2))
subject(
    'clamp',
    lambda x, low=None, high=None: torch.clamp(x, low, high),
    case(x=floats(7), low=-1, high=1),
    case(x=floats(2, 3), low=0.5),
    case(x=floats(2, 3), high=-0.5),
    case(x=given(-1, 1, 0, 2, -2), low=-1, high=1),
    case(x=floats(5), low=1, high=-1),
    case(x=floats(2, 3), low=floats(3, low=-1, high=0), high=floats(2, 1, low=0, high=1)),
    case(x=integers(6, low=-9, high=9), low=-3, high=4),
)
for name, function in dict(isNaN=torch.isnan, isFinite=torch.isfinite, isInf=torch.isinf).items():
    subject(name, lambda x, function=function: function(x), *[case(x=x) for x in (floats(4), floats(2, 3), floats(), integers(3))])

# ── two elements ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
same = case(**ties)
binary('notEqual', lambda x, y: x != y, same)
binary('greaterEqual', lambda x, y: x >= y, same)
binary('lessEqual', lambda x, y: x <= y, same)
binary('atan2', lambda x, y: torch.atan2(x, like(x, y)), same)
binary('hypot', lambda x, y: torch.hypot(x, like(x, y)))
binary('logaddexp', lambda x, y: torch.logaddexp(x, like(x, y)), same)
whole = dict(x=given(-7, 7, -7, 7, 6, -6, 0, dtype='i32'), y=given(2, 2, -2, -2, 3, 3, 5, dtype='i32'))
quotients = case(x=floats(6, low=-9, high=9), y=floats(6, low=-4, high=-1))
binary('floorDivide', lambda x, y: torch.div(x, y, rounding_mode='floor'), case(**whole), quotients, divisor=(0.5, 2), low=-8, high=8)
binary('mod', lambda x, y: torch.remainder(x, y), case(**whole), quotients, divisor=(0.5, 2), low=-8, high=8)
binary(
    'power',
    lambda x, y: torch.pow(x, like(x, y)),
    case(x=given(-2, -2, -2, -0.5, -1, -3), y=given(2, 3, -1, 4, 5, 0)),
    low=0.5,
    high=2,
)
binary('isClose', lambda x, y: torch.isclose(x, like(x, y), rtol=0.5, atol=0.25), same)

# ── reductions ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def one_by_one(function):
    """Over several axes, one after the other, from the last."""

    def reduce(x, axes, keep):
        for a in sorted((a % x.dim() for a in axes), reverse=True):
            x = function(x, a, keep)
        return x

    return reduce


tied = given(1, 3, 3, 2, 5, 5, 5, 0, -1, -1, -2, -1, shape=(3, 4))
zeros = given(2, 0, 5, 1, 2, 3, 0, 0, 4, 1, -1, 2, shape=(3, 4))
reduction('min', lambda x, axes, keep: x.amin(axes, keep), case(x=tied, axes=1), case(x=tied))
reduction('prod', one_by_one(lambda x, a, keep: x.prod(a, keep, dtype=x.dtype)), case(x=zeros, axes=1), case(x=zeros), case(x=integers(5), axes=0))
reduction('any', one_by_one(lambda x, a, keep: x.any(a, keep)), case(x=zeros, axes=1), case(x=booleans(3, 4), axes=0))
reduction('all', one_by_one(lambda x, a, keep: x.all(a, keep)), case(x=zeros, axes=1), case(x=booleans(3, 4), axes=0))
subject(
    'std',
    lambda x, axes=None, keep=False, correction=0: x.std(axes_of(axes, x), correction=correction, keepdim=keep),
    case(x=floats(7)),
    case(x=floats(3, 4), axes=0, correction=1),
    case(x=floats(2, 3, 4), axes=[0, 2], keep=True),
    case(x=given(1, 1, 1, 2, 3, 4, shape=(2, 3)), axes=1),
)
subject(
    'norm',
    lambda x, p=2, axes=None, keep=False: torch.linalg.vector_norm(x, float(p), axes_of(axes, x), keep),
    case(x=floats(7)),
    case(x=floats(3, 4), axes=0, p=1),
    case(x=floats(2, 3, 4), axes=[0, 2], keep=True, p=3),
    case(x=floats(2, 3), axes=-1, p=1.5),
    case(x=floats(2, 3), axes=-1, p=0),
    case(x=given(0, 0, 0, 3, -4, 0, shape=(2, 3)), axes=1),
    case(x=given(1, -3, 3, 2, shape=(2, 2)), axes=1),
)
along_axis('argmin', lambda x, axis: x.argmin(axis).int(), case(x=given(1, -5, 0, 2, -3, -1, shape=(2, 3)), axis=0))
along_axis('cumprod', lambda x, axis: x.cumprod(axis, dtype=x.dtype), case(x=zeros, axis=1))
along_axis('cummax', lambda x, axis: x.cummax(axis).values, case(x=tied, axis=1), case(x=integers(6), axis=0))


def top(x, k, axis=-1):
    values, indices = x.topk(k, axis)
    return {'values': values, 'indices': indices.int()}


subject('topK', top, case(x=floats(5), k=2), case(x=floats(3, 4), k=3), case(x=floats(2, 3, 4), k=2, axis=1), case(x=floats(4), k=4))
subject(
    'median',
    lambda x, axis=None: x.median() if axis is None else x.median(axis).values,
    case(x=floats(5)),
    case(x=floats(6)),
    case(x=floats(3, 4), axis=1),
    case(x=floats(2, 3, 4), axis=0),
)
subject(
    'quantile',
    lambda x, q, axis=None: torch.quantile(x, q, axis),
    case(x=floats(5), q=0.5),
    case(x=floats(6), q=0.25),
    case(x=floats(3, 4), q=0.9, axis=1),
    case(x=floats(2, 3, 4), q=1, axis=0),
)

# ── picking ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
subject('at', lambda x, axis, i: x.select(axis, i), case(x=floats(4), axis=0, i=2), case(x=floats(2, 3), axis=1, i=-1), case(x=floats(2, 3, 4), axis=-2, i=0), case(x=integers(2, 3), axis=0, i=1))
subject('squeeze', lambda x, axis=None: x.squeeze() if axis is None else x.squeeze(axis), case(x=floats(1, 3, 1)), case(x=floats(1, 3, 1), axis=0), case(x=floats(1, 3, 1), axis=-1), case(x=floats(1, 1)))
parts = lambda xs: {str(i): x for i, x in enumerate(xs)}  # noqa: E731
subject('unstack', lambda x, axis: parts(x.unbind(axis)), case(x=floats(3), axis=0), case(x=floats(2, 3), axis=1), case(x=floats(2, 3), axis=-2), case(x=integers(2, 2), axis=0))
subject('splitSizes', lambda x, sizes, axis: parts(x.split(sizes, axis)), case(x=floats(5), sizes=[2, 3], axis=0), case(x=floats(2, 4), sizes=[1, 0, 3], axis=1), case(x=floats(4, 2), sizes=[4], axis=-2), case(x=integers(3), sizes=[1, 1, 1], axis=0))
subject('chunk', lambda x, count, axis: parts(x.chunk(count, axis)), case(x=floats(5), count=2, axis=0), case(x=floats(2, 7), count=3, axis=1), case(x=floats(4), count=3, axis=0), case(x=floats(2), count=4, axis=0))
subject(
    'takeAlongAxis',
    lambda x, index, axis=-1: torch.take_along_dim(x, index.long(), axis),
    case(x=floats(4), index=integers(6, high=3)),
    case(x=floats(3, 4), index=integers(3, 2, high=3)),
    case(x=floats(3, 4), index=integers(1, 4, high=2), axis=0),
    case(x=floats(2, 3, 4), index=integers(2, 1, 4, high=2), axis=1),
)
subject(
    'gatherNd',
    lambda x, index: x[tuple(index.long().unbind(-1))],
    case(x=floats(3, 3), index=integers(4, 2, high=2)),
    case(x=floats(3, 2), index=integers(4, 1, high=2)),
    case(x=floats(2, 2, 2), index=integers(2, 3, 2, high=1)),
    case(x=integers(3, 3), index=integers(2, high=2)),
)
subject(
    'scatterNd',
    lambda index, updates, shape: updates.new_zeros(shape).index_put(tuple(index.long().unbind(-1)), updates, accumulate=True),
    case(index=integers(4, 2, high=2), updates=floats(4), shape=[3, 3]),
    case(index=integers(4, 1, high=2), updates=floats(4, 2), shape=[3, 2]),
    case(index=integers(2, 3, 2, high=1), updates=floats(2, 3, 2), shape=[2, 2, 2]),
    case(index=integers(5, 2, high=1), updates=integers(5), shape=[2, 2]),
)


def held(x, starts, sizes):
    """JAX moves a start so that the slice lies within."""
    return tuple(slice(s, s + n) for s, n in ((min(max(int(s), 0), m - n), n) for s, n, m in zip(starts, sizes, x.shape)))


def update(x, part, starts):
    y = x.clone()
    y[held(x, starts, part.shape)] = part
    return y


subject('dynamicSlice', lambda x, starts, sizes: x[held(x, starts, sizes)], case(x=floats(5), starts=given(2, dtype='i32'), sizes=[2]), case(x=floats(3, 4), starts=given(1, 2, dtype='i32'), sizes=[2, 2]), case(x=floats(3, 4), starts=given(9, -3, dtype='i32'), sizes=[1, 3]), case(x=floats(3, 4), starts=given(0, 1, dtype='i32'), sizes=[3, 1]))
subject('dynamicUpdateSlice', update, case(x=floats(5), part=floats(2), starts=given(2, dtype='i32')), case(x=floats(3, 4), part=floats(2, 2), starts=given(1, 2, dtype='i32')), case(x=floats(3, 4), part=floats(1, 3), starts=given(9, -3, dtype='i32')), case(x=floats(3, 4), part=floats(3, 1), starts=given(0, 1, dtype='i32')))

# ── triangles, repetition ─────────────────────────────────────────────────────────────────────────────────────────────────────
for name, function in dict(tril=torch.tril, triu=torch.triu, diagonal=lambda x, k: torch.diagonal(x, k, -2, -1), trace=lambda x, k: torch.diagonal(x, k, -2, -1).sum(-1)).items():
    subject(name, lambda x, offset=0, function=function: function(x, offset), case(x=floats(3, 3)), case(x=floats(2, 4), offset=1), case(x=floats(2, 3, 2), offset=-1), case(x=floats(3, 2), offset=-2))
subject('diag', lambda x, offset=0: torch.diag(x, offset), case(x=floats(3)), case(x=floats(2), offset=1), case(x=floats(2), offset=-2), case(x=floats(3, 4), offset=1))
subject('outer', torch.outer, case(input=floats(2), vec2=floats(3)), case(input=floats(1), vec2=floats(3)), case(input=floats(4), vec2=floats(2)), case(input=integers(2), vec2=integers(2)))
subject('swapAxes', lambda x, a, b: x.swapaxes(a, b), case(x=floats(2, 3), a=0, b=1), case(x=floats(2, 3, 4), a=0, b=-1), case(x=floats(2, 3, 4), a=1, b=1), case(x=floats(2, 1, 3, 2), a=3, b=1))
subject('moveAxis', lambda x, a, b: x.movedim(a, b), case(x=floats(2, 3), a=0, b=1), case(x=floats(2, 3, 4), a=0, b=-1), case(x=floats(2, 3, 4), a=[0, 1], b=[-1, 0]), case(x=floats(2, 1, 3, 2), a=3, b=1))
subject('tile', lambda x, counts: x.tile(counts), case(x=floats(2), counts=[3]), case(x=floats(2, 3), counts=[2]), case(x=floats(2), counts=[2, 2]), case(x=floats(2, 1), counts=[1, 3]))
subject('repeat', lambda x, count, axis: x.repeat_interleave(count, axis), case(x=floats(3), count=2, axis=0), case(x=floats(2, 3), count=3, axis=1), case(x=floats(2, 3), count=1, axis=-2), case(x=integers(2, 2), count=2, axis=0))
subject('roll', lambda x, shifts, axes: x.roll(shifts, axes), case(x=floats(5), shifts=2, axes=0), case(x=floats(2, 3), shifts=-1, axes=1), case(x=floats(2, 3), shifts=[1, 5], axes=[0, 1]), case(x=floats(3), shifts=0, axes=0))
subject('meshgrid', lambda x, y, indexing='ij': parts(torch.meshgrid(x, y, indexing=indexing)), case(x=floats(2), y=floats(3)), case(x=floats(2), y=floats(3), indexing='xy'), case(x=floats(1), y=floats(2)), case(x=integers(2), y=integers(2)))

"""Reductions, movement, making, indexing and sorting."""
import torch

from subjects import case, floats, given, integers, subject


def axes_of(axes, x):
    return list(range(x.dim())) if axes is None else [axes] if isinstance(axes, int) else axes


def reduction(name, function, *more):
    subject(
        name,
        lambda x, axes=None, keep=False: function(x, axes_of(axes, x), keep),
        case(x=floats(7)),
        case(x=floats(3, 4), axes=0),
        case(x=floats(2, 3, 4), axes=[0, 2], keep=True),
        case(x=floats(2, 3, 4), axes=-1),
        case(x=floats(2, 1, 3, 2), axes=[1, 3]),
        *more,
    )


reduction('sum', lambda x, axes, keep: x.sum(axes, keep))
reduction('mean', lambda x, axes, keep: x.mean(axes, keep))
ties = given(1, 3, 3, 2, 5, 5, 5, 0, -1, -1, -2, -1, shape=(3, 4))
reduction('max', lambda x, axes, keep: x.amax(axes, keep), case(x=ties, axes=1), case(x=ties))
reduction('variance', lambda x, axes, keep: x.var(axes, unbiased=False, keepdim=keep), case(x=floats(2, 5, low=9, high=11), axes=1))


def along_axis(name, function, *more):
    subject(
        name,
        lambda x, axis=-1, **options: function(x, axis, **options),
        case(x=floats(5)),
        case(x=floats(3, 4)),
        case(x=floats(2, 3, 4), axis=1),
        case(x=floats(2, 3, 2, 2), axis=0),
        *more,
    )


large = case(x=given(100, -100, 80, 1000, 999, 998, -1000, -999, -1000, shape=(3, 3)))
tied = case(x=given(1, 1, 1, 2, 2, 0, shape=(2, 3)))
along_axis('softmax', lambda x, axis: x.softmax(axis), large, tied)
along_axis('logSoftmax', lambda x, axis: x.log_softmax(axis), large, tied)
along_axis('logSumExp', lambda x, axis, keep=False: x.logsumexp(axis, keep), large, tied, case(x=floats(2, 3), axis=0, keep=True))
along_axis('cumsum', lambda x, axis: x.cumsum(axis))
along_axis('argmax', lambda x, axis: x.argmax(axis).int(), case(x=given(1, 5, 0, 2, -3, -1, shape=(2, 3)), axis=0))
along_axis('argsort', lambda x, axis: x.argsort(dim=axis, stable=True).int(), tied, case(x=integers(2, 9, low=0, high=3)))
subject(
    'sort',
    lambda x: x.sort(dim=-1, stable=True).values,
    case(x=floats(6)),
    case(x=floats(3, 4)),
    case(x=floats(2, 2, 3)),
    case(x=given(1, 0, 1, 0, 1, 2, 2, 1, shape=(2, 4))),
)

# ── movement ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
subject(
    'reshape',
    lambda x, to: x.reshape(to),
    case(x=floats(6), to=[2, 3]),
    case(x=floats(2, 3, 2), to=[4, -1]),
    case(x=floats(1, 1), to=[]),
    case(x=floats(2, 2), to=[1, 4, 1]),
)
subject(
    'transpose',
    lambda x, to: x.permute(to),
    case(x=floats(2, 3), to=[1, 0]),
    case(x=floats(2, 3, 4), to=[2, 0, 1]),
    case(x=floats(2, 1, 3, 2), to=[0, 3, 1, 2]),
    case(x=floats(4), to=[0]),
)
subject(
    'broadcastTo',
    lambda x, to: x.broadcast_to(to),
    case(x=floats(3), to=[2, 3]),
    case(x=floats(2, 1), to=[2, 4]),
    case(x=floats(), to=[2, 2]),
    case(x=floats(1, 3, 1), to=[2, 2, 3, 2]),
)
subject(
    'expandDims',
    lambda x, axis: x.unsqueeze(axis),
    case(x=floats(3), axis=0),
    case(x=floats(2, 3), axis=-1),
    case(x=floats(2, 3), axis=1),
    case(x=floats(), axis=0),
)
subject(
    'reverse',
    lambda x, axes: x.flip(axes),
    case(x=floats(5), axes=[0]),
    case(x=floats(2, 3), axes=[1]),
    case(x=floats(2, 3, 2), axes=[0, 2]),
    case(x=integers(2, 3), axes=[0, 1]),
)
subject(
    'slice',
    lambda x, ranges: x[tuple(slice(*r) for r in ranges)],
    case(x=floats(6), ranges=[[1, 4]]),
    case(x=floats(7), ranges=[[1, 7, 3]]),
    case(x=floats(3, 4), ranges=[[0, 3], [-2, 4]]),
    case(x=floats(4, 5, 2), ranges=[[0, 4, 2], [1, -1], [1, 2]]),
)


def interior_pad(x, low, high, interior):
    lengths = [max(0, n + i * (n - 1)) for n, i in zip(x.shape, interior)]
    y = x.new_zeros([l + n + h for l, n, h in zip(low, lengths, high)])
    y[tuple(slice(l, l + n, i + 1) for l, n, i in zip(low, lengths, interior))] = x
    return y


def zero_pad(x, low, high):
    return torch.nn.functional.pad(x, [n for pair in reversed(list(zip(low, high))) for n in pair])


subject(
    'pad',
    lambda x, low, high, interior=None: zero_pad(x, low, high) if interior is None else interior_pad(x, low, high, interior),
    case(x=floats(3), low=[1], high=[2]),
    case(x=floats(2, 3), low=[0, 1], high=[2, 0]),
    case(x=floats(2, 1, 2), low=[0, 1, 0], high=[1, 0, 2]),
    case(x=floats(2, 3), low=[1, 0], high=[0, 2], interior=[1, 2]),
    case(x=floats(3, 1, 2), low=[0, 1, 0], high=[0, 0, 1], interior=[2, 3, 0]),
)
subject(
    'concatenate',
    lambda x, y, z=None, axis=0: torch.cat([t for t in (x, y, z) if t is not None], axis),
    case(x=floats(3), y=floats(2)),
    case(x=floats(2, 3), y=floats(2, 1), axis=1),
    case(x=floats(1, 2, 2), y=floats(1, 1, 2), z=floats(1, 3, 2), axis=-2),
    case(x=integers(2, 2), y=integers(1, 2)),
)
subject(
    'stack',
    lambda x, y, axis: torch.stack([x, y], axis),
    case(x=floats(3), y=floats(3), axis=0),
    case(x=floats(3), y=floats(3), axis=1),
    case(x=floats(2, 3), y=floats(2, 3), axis=1),
    case(x=floats(), y=floats(), axis=0),
)
subject(
    'splitInto',
    lambda x, count, axis: {str(i): part for i, part in enumerate(torch.chunk(x, count, axis))},
    case(x=floats(6), count=3, axis=0),
    case(x=floats(2, 4), count=2, axis=1),
    case(x=floats(2, 3, 2), count=3, axis=-2),
    case(x=floats(4, 2), count=1, axis=0),
)

# ── making ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
subject('iota', lambda n: torch.arange(n).int(), *[case(n=n) for n in (1, 2, 5, 12)])
subject('eye', lambda n: torch.eye(n, dtype=torch.float64), *[case(n=n) for n in (1, 2, 3, 5)])
subject(
    'linspace',
    lambda start, stop, count: torch.linspace(start, stop, count, dtype=torch.float64),
    case(start=0, stop=1, count=5),
    case(start=-2, stop=3, count=11),
    case(start=1, stop=-1, count=4),
    case(start=0.0001, stop=0.02, count=20),
)
subject(
    'oneHot',
    lambda labels, classes: torch.nn.functional.one_hot(labels.long(), classes).double(),
    case(labels=integers(4, high=2), classes=3),
    case(labels=integers(2, 3, high=4), classes=5),
    case(labels=given(0, dtype='i32'), classes=1),
    case(labels=integers(2, 1, 2, high=1), classes=4),
)

# ── indexing ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────
def gather(table, index, axis=0):
    shape = [*table.shape[:axis], *index.shape, *table.shape[axis + 1 :]]
    return table.index_select(axis, index.long().flatten()).reshape(shape)


def scatter_add(index, updates, size, axis=0):
    flat = updates.reshape([*updates.shape[:axis], -1, *updates.shape[axis + index.dim() :]])
    zeros = flat.new_zeros([*flat.shape[:axis], size, *flat.shape[axis + 1 :]])
    return zeros.index_add(axis, index.long().flatten(), flat)


subject(
    'gather',
    gather,
    case(table=floats(4, 3), index=integers(5, high=3)),
    case(table=floats(3, 2), index=integers(2, 3, high=2)),
    case(table=floats(2, 4, 2), index=integers(3, high=3), axis=1),
    case(table=floats(2, 3), index=integers(2, 2, high=2), axis=1),
    case(table=integers(5), index=given(4, 0, 4, 4, dtype='i32')),
)
subject(
    'scatterAdd',
    scatter_add,
    case(index=integers(5, high=3), updates=floats(5, 3), size=4),
    case(index=integers(2, 3, high=2), updates=floats(2, 3, 2), size=5),
    case(index=integers(3, high=3), updates=floats(2, 3, 2), size=4, axis=1),
    case(index=given(2, 2, 2, 0, dtype='i32'), updates=floats(4), size=3),
    case(index=integers(4, high=2), updates=integers(4, 2), size=3),
)

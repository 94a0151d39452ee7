"""Matrix products, convolutions and what is built around them without parameters: pooling, resizing, attention."""
import torch
import torch.nn.functional as F

from subjects import case, floats, nchw, nhwc, oihw, subject

subject(
    'matmul',
    lambda x, y: x @ y,
    case(x=floats(2, 3), y=floats(3, 4)),
    case(x=floats(2, 3, 4), y=floats(2, 4, 2)),
    case(x=floats(2, 3, 4), y=floats(4, 2)),
    case(x=floats(2, 1, 3, 2), y=floats(2, 1, 2, 3)),
    case(x=floats(1, 5), y=floats(5, 1)),
    case(x=floats(5, 1), y=floats(1, 3)),
    case(x=floats(9, 17), y=floats(17, 7)),
    case(x=floats(3), y=floats(3)),
    case(x=floats(3), y=floats(2, 3, 4)),
    case(x=floats(2, 4, 3), y=floats(3)),
    case(x=floats(2, 1, 2, 3), y=floats(3, 3, 2)),
    bar='contraction',
)
subject(
    'dotGeneral',
    lambda x, y, formula, contract, batch: torch.einsum(formula, x, y),
    case(x=floats(3, 2), y=floats(3, 4), formula='ki,kj->ij', contract=[[0], [0]], batch=[[], []]),
    case(x=floats(2, 3, 4), y=floats(4, 3, 2), formula='aij,jib->ab', contract=[[1, 2], [1, 0]], batch=[[], []]),
    case(x=floats(3, 2, 4), y=floats(5, 4, 2), formula='ibk,jkb->bij', contract=[[2], [1]], batch=[[1], [2]]),
    case(x=floats(2, 3), y=floats(4), formula='ij,k->ijk', contract=[[], []], batch=[[], []]),
    case(x=floats(2, 3, 2), y=floats(2, 2), formula='aib,ab->abi', contract=[[], []], batch=[[0, 2], [0, 1]]),
    bar='contraction',
)
subject(
    'einsum',
    lambda formula, **xs: torch.einsum(formula, *xs.values()),
    case(x=floats(2, 3), y=floats(3, 4), formula='ij,jk->ik'),
    case(x=floats(2, 3, 4), y=floats(2, 5, 4), formula='bqd,bkd->bqk'),
    case(x=floats(3), y=floats(4), formula='i,j->ji'),
    case(x=floats(2, 3, 2, 2), y=floats(2, 3, 2, 4), formula='bhij,bhik->bkhj'),
    case(x=floats(5), y=floats(5), formula='i,i->'),
    case(x=floats(3, 3), formula='ii->i'),
    case(x=floats(2, 3), formula='ij->j'),
    case(x=floats(2, 3), y=floats(3, 4), formula='ij,jk'),
    case(x=floats(2, 3), y=floats(3, 4), z=floats(4, 2), formula='ab,bc,cd->ad'),
    case(x=floats(2), y=floats(2, 3), z=floats(3), formula='i,ij,j->'),
    case(x=floats(2, 1, 2, 3), y=floats(4, 3, 2), formula='...ij,...jk->...ik'),
    bar='contraction',
)


def pair(p):
    return p if isinstance(p, int) else tuple(p)


def conv2d(x, filter, stride=1, padding=0, dilation=1, groups=1):
    return nhwc(F.conv2d(nchw(x), oihw(filter), None, pair(stride), pair(padding), pair(dilation), groups))


def grouped_iohw(w, groups):
    """[KH, KW, C / groups, O] as PyTorch's [C, O / groups, KH, KW]."""
    kh, kw, c, o = w.shape
    return w.reshape(kh, kw, c, groups, o // groups).permute(3, 2, 4, 0, 1).reshape(groups * c, o // groups, kh, kw)


def conv_transpose2d(x, filter, stride=1, padding=0, outputPadding=0, groups=1, dilation=1):
    w = grouped_iohw(filter, groups)
    y = F.conv_transpose2d(nchw(x), w, None, pair(stride), pair(padding), pair(outputPadding), groups, pair(dilation))
    return nhwc(y)


subject(
    'conv2d',
    conv2d,
    case(x=floats(1, 4, 4, 2), filter=floats(3, 3, 2, 3)),
    case(x=floats(2, 4, 5, 2), filter=floats(3, 3, 2, 2), padding=1),
    case(x=floats(1, 5, 6, 2), filter=floats(3, 2, 2, 2), stride=2),
    case(x=floats(1, 6, 5, 1), filter=floats(2, 3, 1, 2), stride=[2, 1], padding=[1, 2], dilation=[1, 2]),
    case(x=floats(1, 4, 4, 4), filter=floats(3, 3, 2, 4), padding=1, groups=2),
    case(x=floats(2, 4, 4, 3), filter=floats(3, 3, 1, 3), padding=1, groups=3),
    case(x=floats(1, 6, 6, 2), filter=floats(3, 3, 1, 4), stride=2, padding=2, dilation=2, groups=2),
    case(x=floats(2, 3, 3, 4), filter=floats(1, 1, 4, 3)),
    case(x=floats(1, 7, 7, 1), filter=floats(3, 3, 1, 1), stride=3, padding=0),
    bar='contraction',
)
subject(
    'convTranspose2d',
    conv_transpose2d,
    case(x=floats(1, 3, 3, 2), filter=floats(3, 3, 2, 3)),
    case(x=floats(2, 3, 2, 2), filter=floats(2, 2, 2, 2), stride=2),
    case(x=floats(1, 3, 4, 2), filter=floats(4, 4, 2, 1), stride=2, padding=1),
    case(x=floats(1, 3, 3, 1), filter=floats(3, 3, 1, 2), stride=[2, 3], padding=[1, 0], outputPadding=[1, 2]),
    case(x=floats(1, 4, 4, 2), filter=floats(1, 3, 2, 2), stride=1, padding=[0, 1]),
    case(x=floats(1, 3, 2, 4), filter=floats(3, 2, 2, 6), stride=2, padding=1, groups=2, dilation=2),
    bar='contraction',
)
subject(
    'averagePool',
    lambda x, size=2, stride=None, padding=0, countIncludePad=True: nhwc(
        F.avg_pool2d(nchw(x), pair(size), None if stride is None else pair(stride), pair(padding), False, countIncludePad)
    ),
    case(x=floats(1, 4, 4, 2)),
    case(x=floats(2, 2, 6, 1), size=[2, 3]),
    case(x=floats(1, 3, 3, 2), size=3),
    case(x=floats(2, 2, 2, 3), size=1),
    case(x=floats(1, 5, 6, 2), size=3, stride=2, padding=1),
    case(x=floats(1, 5, 6, 1), size=[3, 2], stride=[1, 2], padding=[1, 0], countIncludePad=False),
    case(x=floats(1, 5, 3, 1)),
)
subject(
    'maxPool',
    lambda x, size=2, stride=None, padding=0: nhwc(
        F.max_pool2d(nchw(x), pair(size), None if stride is None else pair(stride), pair(padding))
    ),
    case(x=floats(1, 4, 4, 2)),
    case(x=floats(2, 2, 6, 1), size=[2, 3]),
    case(x=floats(1, 3, 3, 2), size=3),
    case(x=floats(1, 4, 2, 2, low=-9, high=-1)),
    case(x=floats(1, 5, 6, 2, low=-9, high=-1), size=3, stride=2, padding=1),
    case(x=floats(1, 5, 6, 1), size=[3, 2], stride=[1, 2], padding=[1, 0]),
    case(x=floats(1, 5, 3, 1)),
)
subject(
    'upsampleNearest',
    lambda x, factor: nhwc(F.interpolate(nchw(x), scale_factor=factor, mode='nearest')),
    case(x=floats(1, 2, 2, 2), factor=2),
    case(x=floats(2, 1, 3, 1), factor=3),
    case(x=floats(1, 2, 1, 2), factor=1),
    case(x=floats(1, 3, 2, 1), factor=4),
)
subject(
    'pixelUnshuffle',
    lambda x, factor: nhwc(F.pixel_unshuffle(nchw(x), factor)),
    case(x=floats(1, 4, 4, 2), factor=2),
    case(x=floats(2, 2, 4, 3), factor=2),
    case(x=floats(1, 3, 6, 2), factor=3),
    case(x=floats(1, 2, 2, 1), factor=1),
)
subject(
    'pixelShuffle',
    lambda x, factor: nhwc(F.pixel_shuffle(nchw(x), factor)),
    case(x=floats(1, 2, 2, 8), factor=2),
    case(x=floats(2, 1, 2, 4), factor=2),
    case(x=floats(1, 1, 2, 18), factor=3),
    case(x=floats(1, 2, 2, 1), factor=1),
)
subject(
    'scaledDotProductAttention',
    lambda query, key, value: F._scaled_dot_product_attention(query, key, value)[0],
    case(query=floats(3, 4), key=floats(5, 4), value=floats(5, 2)),
    case(query=floats(2, 3, 2), key=floats(2, 3, 2), value=floats(2, 3, 2)),
    case(query=floats(1, 2, 2, 3), key=floats(1, 2, 4, 3), value=floats(1, 2, 4, 2)),
    case(query=floats(2, 2, low=-30, high=30), key=floats(3, 2, low=-30, high=30), value=floats(3, 3)),
    bar='contraction',
)

"""What networks are made of besides: activations, pools, paddings, sizes, losses; and linear algebra."""
import torch
import torch.nn.functional as F

from contractions import pair
from elementwise import far, unary
from layers import layer, params
from shapes import along_axis, large
from subjects import case, floats, given, integers, nchw, nhwc, oihw, subject

# ── activations ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
unary('selu', F.selu, edges=far)
unary('mish', F.mish, edges=far)
unary('relu6', F.relu6, low=-8, high=8, edges=(-1, 0, 3, 6, 7, 30, -30))
# PyTorch's own derivative is a sixth in float32, whatever the dtype.
unary('hardsigmoid', lambda x: F.relu6(x + 3) / 6, low=-4, high=4, edges=(-4, -3, 0, 1, 3, 4, 30))
unary('hardswish', F.hardswish, low=-4, high=4, edges=(-4, -3, 0, 1, 3, 4, 30))
unary('softsign', F.softsign, edges=far)
for name, function in (('elu', F.elu), ('celu', F.celu)):
    subject(
        name,
        lambda x, alpha=1.0, function=function: function(x, alpha),
        case(x=floats(6, low=-4, high=4)),
        case(x=floats(2, 3), alpha=0.25),
        case(x=given(*far), alpha=1.5),
        case(x=floats(), alpha=2.0),
    )
gates = (case(x=floats(6)), case(x=floats(3, 4)), case(x=floats(2, 4, 3), axis=1), case(x=given(30, -30, 0, 1, 0, 30, shape=(3, 2))))
subject('glu', lambda x, axis=-1: F.glu(x, axis), *gates)
subject('swiglu', lambda x, axis=-1: F.silu(x.chunk(2, axis)[0]) * x.chunk(2, axis)[1], *gates)
along_axis('softmin', lambda x, axis: F.softmin(x, axis), large)


# ── padding, pools, sizes ─────────────────────────────────────────────────────────────────────────────────────────────────────
def pad_with(x, widths, mode='constant', value=0):
    """Axis by axis, which PyTorch's reflect and replicate do only for some ranks."""
    for axis, (before, after) in enumerate(widths):
        if before == after == 0:
            continue
        moved = x.movedim(axis, -1)
        flat = moved.reshape(1, -1, moved.shape[-1])
        options = {'value': value} if mode == 'constant' else {}
        padded = F.pad(flat, (before, after), mode=mode, **options)
        x = padded.reshape(*moved.shape[:-1], padded.shape[-1]).movedim(-1, axis)
    return x


subject(
    'padWith',
    pad_with,
    case(x=floats(3), widths=[[1, 2]], value=0.5),
    case(x=floats(2, 4), widths=[[1, 0], [2, 3]], mode='reflect'),
    case(x=floats(2, 3), widths=[[2, 3], [0, 1]], mode='replicate'),
    case(x=floats(3, 2, 2), widths=[[3, 1], [0, 2], [1, 1]], mode='circular'),
)


def row_of(x):
    return x.permute(0, 2, 1)


subject(
    'maxPool1d',
    lambda x, size, stride=None, padding=0: row_of(F.max_pool1d(row_of(x), size, stride, padding)),
    case(x=floats(1, 6, 2), size=2),
    case(x=floats(2, 7, 1), size=3, stride=2, padding=1),
    case(x=floats(1, 5, 2), size=3, stride=1),
    case(x=floats(1, 7, 2), size=2, stride=3),
)
subject(
    'averagePool1d',
    lambda x, size, stride=None, padding=0, countIncludePad=True: row_of(
        F.avg_pool1d(row_of(x), size, stride, padding, False, countIncludePad)
    ),
    case(x=floats(1, 6, 2), size=2),
    case(x=floats(2, 7, 1), size=3, stride=2, padding=1),
    case(x=floats(1, 5, 2), size=3, stride=1, padding=1, countIncludePad=False),
    case(x=floats(1, 7, 2), size=2, stride=3),
)
subject(
    'adaptiveAveragePool',
    lambda x, size: nhwc(F.adaptive_avg_pool2d(nchw(x), pair(size))),
    case(x=floats(1, 6, 6, 2), size=2),
    case(x=floats(2, 5, 7, 1), size=[2, 3]),
    case(x=floats(1, 3, 2, 2), size=[5, 1]),
    case(x=floats(1, 4, 4, 1), size=1),
)
subject(
    'adaptiveAveragePool1d',
    lambda x, length: row_of(F.adaptive_avg_pool1d(row_of(x), length)),
    case(x=floats(1, 6, 2), length=2),
    case(x=floats(2, 5, 1), length=3),
    case(x=floats(1, 3, 2), length=5),
    case(x=floats(1, 4, 1), length=1),
)
subject('globalAveragePool', lambda x: x.mean((1, 2)), case(x=floats(1, 3, 2, 2)), case(x=floats(2, 1, 1, 3)), case(x=floats(2, 4, 4, 1)), case(x=floats(3, 2, 1, 1)))
subject(
    'resizeNearest',
    lambda x, size: nhwc(F.interpolate(nchw(x), size=pair(size), mode='nearest')),
    case(x=floats(1, 3, 3, 2), size=[5, 4]),
    case(x=floats(2, 4, 5, 1), size=[3, 2]),
    case(x=floats(1, 2, 3, 1), size=[7, 3]),
    case(x=floats(1, 1, 2, 2), size=3),
)
for name, mode in (('resizeBilinear', 'bilinear'), ('resizeBicubic', 'bicubic')):
    subject(
        name,
        lambda x, size, alignCorners=False, mode=mode: nhwc(F.interpolate(nchw(x), size=pair(size), mode=mode, align_corners=alignCorners)),
        case(x=floats(1, 3, 3, 2), size=[5, 4]),
        case(x=floats(2, 4, 5, 1), size=[3, 2], alignCorners=True),
        case(x=floats(1, 2, 3, 1), size=[7, 6]),
        case(x=floats(1, 3, 2, 2), size=[1, 5], alignCorners=True),
    )


def grid_sample(x, grid, mode='bilinear', padding='zeros', alignCorners=False):
    return nhwc(F.grid_sample(nchw(x), grid, mode, padding, alignCorners))


subject(
    'gridSample',
    grid_sample,
    case(x=floats(1, 3, 3, 2), grid=floats(1, 2, 2, 2, low=-1, high=1)),
    case(x=floats(2, 4, 3, 1), grid=floats(2, 3, 1, 2, low=-1.5, high=1.5), padding='border'),
    case(x=floats(1, 3, 4, 2), grid=floats(1, 3, 2, 2, low=-1.5, high=1.5), alignCorners=True),
    case(x=floats(1, 3, 4, 1), grid=floats(1, 3, 2, 2, low=-1.5, high=1.5), mode='nearest', padding='border'),
    case(x=floats(1, 2, 2, 1), grid=given(-1, -1, 1, 1, 0, 0, -3, 2, shape=(1, 2, 2, 2)), padding='border', alignCorners=True),
)


def conv1d(p, x, stride=1, padding=0, paddingMode='zeros', dilation=1, groups=1):
    w = p['weight'].permute(2, 1, 0)
    made = torch.nn.Conv1d(w.shape[1] * groups, w.shape[0], w.shape[2], stride, padding, dilation, groups, True, paddingMode, dtype=w.dtype)
    around = made._reversed_padding_repeated_twice
    y = row_of(x)
    if paddingMode != 'zeros':
        y, padding = F.pad(y, around, mode=paddingMode), 0
    return row_of(F.conv1d(y, w, p['bias'], stride, padding, dilation, groups))


layer(
    'conv1dLayer',
    conv1d,
    case(x=floats(1, 5, 2), **params(weight=floats(3, 2, 3), bias=floats(3)), padding='same'),
    case(x=floats(2, 7, 1), **params(weight=floats(2, 1, 2), bias=floats(2)), stride=2, padding=1),
    case(x=floats(1, 8, 4), **params(weight=floats(3, 2, 2), bias=floats(2)), dilation=2, groups=2, padding='valid'),
    case(x=floats(1, 5, 1), **params(weight=floats(4, 1, 1), bias=floats(1)), padding='same', paddingMode='replicate'),
    case(x=floats(1, 6, 2), **params(weight=floats(3, 2, 1), bias=floats(1)), padding=2, paddingMode='reflect'),
)
subject(
    'conv2dAround',
    lambda x, filter, padding, paddingMode='zeros', dilation=1: nhwc(
        torch.nn.functional.conv2d(nchw(x), oihw(filter), None, 1, padding, dilation)
        if paddingMode == 'zeros'
        else F.conv2d(F.pad(nchw(x), (padding[1],) * 2 + (padding[0],) * 2, mode=paddingMode), oihw(filter), None, 1, 0, dilation)
    ),
    case(x=floats(1, 4, 5, 2), filter=floats(3, 2, 2, 1), padding='same'),
    case(x=floats(2, 5, 4, 1), filter=floats(2, 3, 1, 2), padding='same', dilation=2),
    case(x=floats(1, 4, 4, 1), filter=floats(3, 3, 1, 2), padding=[1, 2], paddingMode='circular'),
    case(x=floats(1, 4, 3, 2), filter=floats(3, 3, 2, 1), padding=[2, 1], paddingMode='reflect'),
    bar='contraction',
)


# ── losses ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
def reduced(losses, reduction):
    return {'mean': losses.mean, 'sum': losses.sum, 'none': lambda: losses}[reduction]()


def signs(*shape):
    """Labels of −1 and 1, which are numbers."""
    n = int(torch.Size(shape).numel())
    return given(*((-1) ** (i * i // 3) for i in range(n)), shape=shape)


subject(
    'hinge',
    lambda prediction, target, reduction='mean': reduced(F.relu(1 - prediction * target), reduction),
    case(prediction=floats(6), target=signs(6)),
    case(prediction=floats(2, 3), target=signs(2, 3), reduction='sum'),
    case(prediction=floats(2, 2, 2), target=signs(2, 2, 2), reduction='none'),
    case(prediction=floats(5, low=-9, high=9), target=signs(5), reduction='none'),
)
subject(
    'smoothL1',
    lambda prediction, target, reduction='mean', beta=1.0: F.smooth_l1_loss(prediction, target, reduction=reduction, beta=beta),
    case(prediction=floats(6), target=floats(6)),
    case(prediction=floats(2, 3), target=floats(2, 3), reduction='sum', beta=0.25),
    case(prediction=floats(2, 2, 2), target=floats(2, 2, 2), reduction='none', beta=3.0),
    case(prediction=floats(5), target=floats(5), reduction='none', beta=0.0),
)


def focal(logits, targets, reduction='mean', gamma=2.0, alpha=0.25):
    """torchvision.ops.sigmoid_focal_loss, written out."""
    p = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction='none')
    losses = entropy * (1 - (p * targets + (1 - p) * (1 - targets))) ** gamma
    return reduced(losses if alpha == 'none' else (alpha * targets + (1 - alpha) * (1 - targets)) * losses, reduction)


subject(
    'focalLoss',
    focal,
    case(logits=floats(6), targets=given(0, 1, 1, 0, 1, 0)),
    case(logits=floats(2, 3), targets=floats(2, 3, low=0, high=1), reduction='sum'),
    case(logits=floats(5), targets=given(0, 1, 1, 0, 1), reduction='none', gamma=1.5, alpha='none'),
    case(logits=given(-30, 30, -9, 0, 9), targets=given(0, 0, 1, 1, 1), reduction='none', gamma=3.0, alpha=0.5),
)


def kl_div(logProbabilities, target, reduction='mean', logTarget=False):
    losses = F.kl_div(logProbabilities, target, reduction='none', log_target=logTarget).sum(-1)
    return reduced(losses, reduction)


subject(
    'klDiv',
    kl_div,
    case(logProbabilities=floats(4, 3), target=floats(4, 3, low=0.1, high=1)),
    case(logProbabilities=floats(2, 3), target=floats(2, 3), reduction='sum', logTarget=True),
    case(logProbabilities=floats(2, 2, 4), target=floats(2, 2, 4, low=0.1, high=1), reduction='none'),
    case(logProbabilities=floats(5), target=floats(5), reduction='none', logTarget=True),
)


def label_losses(function):
    def computed(x, labels, reduction='mean', weight=None, ignoreIndex=-100, **options):
        w = None if weight is None else torch.tensor(weight, dtype=x.dtype)
        rows, flat = x.reshape(-1, x.shape[-1]), labels.long().flatten()
        y = function(rows, flat, weight=w, ignore_index=ignoreIndex, reduction=reduction, **options)
        return y.reshape(labels.shape) if reduction == 'none' else y

    return computed


nll = label_losses(F.nll_loss)
subject(
    'nllLoss',
    lambda logProbabilities, labels, **options: nll(logProbabilities, labels, **options),
    case(logProbabilities=floats(4, 3, low=-4, high=0), labels=integers(4, high=2)),
    case(logProbabilities=floats(3, 5), labels=integers(3, high=4), reduction='sum', weight=[1, 2, 0.5, 0.25, 3]),
    case(logProbabilities=floats(2, 3, 4), labels=integers(2, 3, high=3), weight=[1, 2, 0.5, 0.25]),
    case(logProbabilities=floats(5, 3), labels=integers(5, high=2), ignoreIndex=1, reduction='none'),
)
entropy = label_losses(lambda *a, labelSmoothing=0.0, **k: F.cross_entropy(*a, label_smoothing=labelSmoothing, **k))
subject(
    'smoothedCrossEntropy',
    lambda logits, labels, **options: entropy(logits, labels, **options),
    case(logits=floats(4, 3), labels=integers(4, high=2), labelSmoothing=0.1),
    case(logits=floats(3, 4), labels=integers(3, high=3), labelSmoothing=0.3, weight=[1, 2, 0.5, 0.25]),
    case(logits=floats(2, 3, 4), labels=integers(2, 3, high=3), weight=[1, 2, 0.5, 0.25], ignoreIndex=2, labelSmoothing=0.2),
    case(logits=floats(6, 3), labels=integers(6, high=2), ignoreIndex=0, reduction='none', labelSmoothing=0.2, weight=[1, 2, 3]),
    case(logits=floats(4, 3), labels=given(-1, 2, 0, -1, dtype='i32'), ignoreIndex=-1),
)
subject(
    'softCrossEntropy',
    lambda logits, labels, reduction='mean', weight=None, labelSmoothing=0.0: F.cross_entropy(
        logits, labels, None if weight is None else torch.tensor(weight, dtype=logits.dtype), reduction=reduction, label_smoothing=labelSmoothing
    ),
    case(logits=floats(4, 3), labels=floats(4, 3, low=0, high=1)),
    case(logits=floats(3, 4), labels=floats(3, 4, low=0, high=1), reduction='sum', weight=[1, 2, 0.5, 0.25]),
    case(logits=floats(3, 4), labels=floats(3, 4, low=0, high=1), labelSmoothing=0.2, weight=[1, 2, 0.5, 0.25]),
    case(logits=floats(2, 3), labels=floats(2, 3, low=0, high=1), reduction='none', labelSmoothing=0.1),
)
subject(
    'cosineSimilarity',
    lambda x, y, axis=-1: F.cosine_similarity(x, y, axis),
    case(x=floats(4), y=floats(4)),
    case(x=floats(3, 4), y=floats(3, 4)),
    case(x=floats(2, 3, 2), y=floats(2, 3, 2), axis=1),
    case(x=floats(5, 2, low=-90, high=90), y=floats(5, 2)),
)


def cosine_embedding(x, y, labels, margin=0.0, reduction='mean'):
    """Without the 10⁻¹² that PyTorch adds to the squares of the lengths."""
    cosine = F.cosine_similarity(x, y, -1)
    return reduced(torch.where(labels > 0, 1 - cosine, (cosine - margin).clamp(min=0)), reduction)


subject(
    'cosineEmbeddingLoss',
    cosine_embedding,
    case(x=floats(4, 3), y=floats(4, 3), labels=given(1, -1, -1, 1, dtype='i32')),
    case(x=floats(5, 2), y=floats(5, 2), labels=given(1, -1, -1, 1, -1, dtype='i32'), margin=0.25, reduction='sum'),
    case(x=floats(6, 2), y=floats(6, 2), labels=given(1, -1, -1, -1, -1, 1, dtype='i32'), margin=-0.5, reduction='none'),
    case(x=floats(3, 5), y=floats(3, 5), labels=given(-1, -1, -1, dtype='i32'), margin=-1.0, reduction='none'),
)
subject(
    'tripletLoss',
    lambda anchor, positive, negative, margin=1.0, reduction='mean': F.triplet_margin_loss(anchor, positive, negative, margin, reduction=reduction),
    case(anchor=floats(4, 3), positive=floats(4, 3), negative=floats(4, 3)),
    case(anchor=floats(5, 2), positive=floats(5, 2), negative=floats(5, 2), reduction='sum', margin=0.5),
    case(anchor=floats(6, 2), positive=floats(6, 2), negative=floats(6, 2), reduction='none', margin=3.0),
    case(anchor=floats(2, 5), positive=floats(2, 5), negative=floats(2, 5, low=-9, high=9), reduction='none'),
)
subject(
    'gaussianNll',
    lambda mean, target, variance, full=False, reduction='mean': F.gaussian_nll_loss(mean, target, variance, full, reduction=reduction),
    case(mean=floats(6), target=floats(6), variance=floats(6, low=0.1, high=2)),
    case(mean=floats(2, 3), target=floats(2, 3), variance=floats(2, 3, low=0.1, high=2), full=True, reduction='sum'),
    case(mean=floats(2, 2, 2), target=floats(2, 2, 2), variance=floats(2, 2, 2, low=0.1, high=2), reduction='none'),
    case(mean=floats(4, low=-0.01, high=0.01), target=floats(4, low=-0.01, high=0.01), variance=given(0, 1e-3, 0.5, 9), reduction='none', full=True),
)


def ctc(logits, labels, inputs, lengths, blank=0, zeroInfinity=False, reduction='mean'):
    """Of logits: PyTorch's gradient is that through the logarithm of the softmax, and wrong in log-probabilities themselves."""
    log = logits.log_softmax(-1).permute(1, 0, 2)
    return F.ctc_loss(log, labels.long(), inputs.long(), lengths.long(), blank, reduction, zeroInfinity)


subject(
    'ctcLoss',
    ctc,
    case(logits=floats(2, 5, 4), labels=given(1, 2, 2, 3, dtype='i32', shape=(2, 2)), inputs=given(5, 4, dtype='i32'), lengths=given(2, 2, dtype='i32')),
    case(logits=floats(2, 6, 3), labels=given(1, 1, 2, 2, 1, 0, dtype='i32', shape=(2, 3)), inputs=given(6, 6, dtype='i32'), lengths=given(3, 2, dtype='i32'), reduction='none'),
    case(logits=floats(1, 4, 5), labels=given(0, 3, 0, dtype='i32', shape=(1, 3)), inputs=given(4, dtype='i32'), lengths=given(3, dtype='i32'), blank=4, reduction='sum'),
    case(logits=floats(2, 2, 3), labels=given(1, 1, 1, 2, dtype='i32', shape=(2, 2)), inputs=given(2, 2, dtype='i32'), lengths=given(2, 2, dtype='i32'), zeroInfinity=True, reduction='none'),
)


# ── linear algebra ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def square(*more, **options):
    return (case(a=floats(3, 3), **options), case(a=floats(4, 4), **options), case(a=floats(2, 3, 3), **options), case(a=floats(1, 1, low=1, high=2), **options), *more)


def positive(a):
    return a @ a.transpose(-1, -2) + torch.eye(a.shape[-1], dtype=a.dtype)


subject('cholesky', lambda a: torch.linalg.cholesky(positive(a)), *square(), bar='contraction')
subject('logDet', lambda a: torch.logdet(positive(a)), *square(), bar='contraction')
subject('inverse', lambda a: torch.linalg.inv(a + 3 * torch.eye(a.shape[-1], dtype=a.dtype)), *square(), bar='contraction')
subject('det', lambda a: torch.linalg.det(a), *square(), bar='contraction')
subject('slogDet', lambda a: dict(zip(('sign', 'logAbs'), torch.linalg.slogdet(a))), *square(), bar='contraction', gradients=False)
sides = (
    case(a=floats(3, 3), b=floats(3)),
    case(a=floats(4, 4), b=floats(4, 2)),
    case(a=floats(2, 3, 3), b=floats(2, 3, 1)),
    case(a=given(0, 1, 2, 1, 0, 0, 0, 3, 1, shape=(3, 3)), b=floats(3, 2)),
)
subject('solve', lambda a, b: torch.linalg.solve(a, b), *sides, bar='contraction')


def solve_triangular(a, b, upper=False, transpose=False, unitDiagonal=False):
    n = a.shape[-1]
    a = a + 3 * torch.eye(n, dtype=a.dtype)
    m = a.transpose(-1, -2) if transpose else a
    x = torch.linalg.solve_triangular(m, b.unsqueeze(-1) if b.dim() < a.dim() else b, upper=upper != transpose, unitriangular=unitDiagonal)
    return x.squeeze(-1) if b.dim() < a.dim() else x


subject(
    'solveTriangular',
    solve_triangular,
    case(a=floats(3, 3), b=floats(3)),
    case(a=floats(4, 4), b=floats(4, 2), upper=True),
    case(a=floats(2, 3, 3), b=floats(2, 3, 1), transpose=True),
    case(a=floats(3, 3), b=floats(3, 2), upper=True, transpose=True, unitDiagonal=True),
    bar='contraction',
)
subject(
    'qr',
    lambda a: dict(zip('qr', torch.linalg.qr(a))),
    case(a=floats(3, 3)),
    case(a=floats(4, 2)),
    case(a=floats(2, 3, 2)),
    case(a=floats(2, 4)),
    case(a=floats(5, 5)),
    bar='contraction',
)
subject(
    'lstsq',
    lambda a, b: torch.linalg.pinv(a) @ b,
    case(a=floats(4, 2), b=floats(4)),
    case(a=floats(5, 3), b=floats(5, 2)),
    case(a=floats(3, 3), b=floats(3)),
    case(a=floats(2, 4, 2), b=floats(2, 4, 1)),
    bar='contraction',
)

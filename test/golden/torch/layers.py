"""Layers and blocks with their parameters. Attention is written out in NCHW with convolutions, as in lucidrains' own code."""
import math

import torch
import torch.nn.functional as F

from contractions import pair
from subjects import case, floats, given, integers, iohw, nchw, nhwc, oihw, subject


def params(**parameters):
    """Inputs of the names `params.…`; a double underscore stands for a dot."""
    return {f"params.{name.replace('__', '.')}": draw for name, draw in parameters.items()}


def layer(name, function, *cases, bar='contraction', **options):
    """`function` gets the parameters as one dictionary `p`, and the rest by name."""

    def split(**arguments):
        p = {k[7:]: v for k, v in arguments.items() if k.startswith('params.')}
        return function(p, **{k: v for k, v in arguments.items() if not k.startswith('params.')})

    subject(name, split, *cases, bar=bar, **options)


layer(
    'linear',
    lambda p, x: F.linear(x, p['weight'].T, p.get('bias')),
    case(x=floats(4, 3), **params(weight=floats(3, 2), bias=floats(2))),
    case(x=floats(2, 2, 3), **params(weight=floats(3, 4), bias=floats(4))),
    case(x=floats(1, 2, 2, 2), **params(weight=floats(2, 3), bias=floats(3))),
    case(x=floats(3, 5), **params(weight=floats(5, 1))),
)
layer(
    'conv2dLayer',
    lambda p, x, stride=1, padding=0, groups=1: nhwc(
        F.conv2d(nchw(x), oihw(p['weight']), p.get('bias'), pair(stride), pair(padding), 1, groups)
    ),
    case(x=floats(1, 4, 4, 2), **params(weight=floats(3, 3, 2, 2), bias=floats(2)), padding=1),
    case(x=floats(2, 4, 4, 1), **params(weight=floats(2, 2, 1, 3), bias=floats(3)), stride=2),
    case(x=floats(1, 3, 3, 4), **params(weight=floats(3, 3, 2, 2), bias=floats(2)), padding=[1, 0], groups=2),
    case(x=floats(1, 3, 4, 2), **params(weight=floats(1, 2, 2, 2))),
)
layer(
    'convTranspose2dLayer',
    lambda p, x, stride=1, padding=0, outputPadding=0: nhwc(
        F.conv_transpose2d(nchw(x), iohw(p['weight']), p.get('bias'), pair(stride), pair(padding), pair(outputPadding))
    ),
    case(x=floats(1, 3, 3, 2), **params(weight=floats(3, 3, 2, 2), bias=floats(2)), padding=1),
    case(x=floats(2, 2, 2, 1), **params(weight=floats(2, 2, 1, 3), bias=floats(3)), stride=2),
    case(x=floats(1, 2, 3, 2), **params(weight=floats(4, 4, 2, 1), bias=floats(1)), stride=2, padding=1),
    case(x=floats(1, 2, 2, 2), **params(weight=floats(3, 3, 2, 2)), stride=2, padding=1, outputPadding=1),
)

# ── norms ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
def channels_first(x):
    return x.movedim(-1, 1)


def group_norm(p, x, groups, epsilon=1e-5):
    return F.group_norm(channels_first(x), groups, p.get('weight'), p.get('bias'), epsilon).movedim(1, -1)


def affine(c):
    return params(weight=floats(c), bias=floats(c))


layer(
    'groupNorm',
    group_norm,
    case(x=floats(2, 3, 3, 4), **affine(4), groups=2),
    case(x=floats(1, 2, 2, 6), **affine(6), groups=3),
    case(x=floats(2, 2, 2, 3), **affine(3), groups=1),
    case(x=floats(2, 4, 4), **affine(4), groups=4),
    case(x=floats(2, 3, 1, 4, low=-0.01, high=0.01), **affine(4), groups=2, epsilon=0.001),
    bar='elementwise',
)
layer(
    'normalizeGroups',
    group_norm,
    case(x=floats(2, 3, 3, 4), groups=2, epsilon=1e-5),
    case(x=floats(1, 2, 2, 6), groups=6, epsilon=1e-6),
    case(x=floats(2, 2, 2, 3), groups=1, epsilon=0.1),
    case(x=floats(1, 5, 2), groups=1, epsilon=1e-5),
    bar='elementwise',
)
layer(
    'layerNorm',
    lambda p, x, epsilon=1e-5: F.layer_norm(x, x.shape[-1:], p['weight'], p['bias'], epsilon),
    case(x=floats(3, 5), **affine(5)),
    case(x=floats(2, 2, 4), **affine(4)),
    case(x=floats(1, 2, 2, 3), **affine(3), epsilon=0.01),
    case(x=floats(3, 6, low=9, high=11), **affine(6)),
    bar='elementwise',
)


def rms_norm(gain, x):
    """lucidrains' RMSNorm over the channels of NCHW."""
    return F.normalize(x, dim=1) * gain.view(1, -1, *[1] * (x.dim() - 2)) * x.shape[1] ** 0.5


layer(
    'rmsNorm',
    lambda p, x: rms_norm(p['gain'], channels_first(x)).movedim(1, -1),
    case(x=floats(3, 5), **params(gain=floats(5))),
    case(x=floats(2, 2, 2, 3), **params(gain=floats(3))),
    case(x=floats(1, 3, 4, low=-1e-4, high=1e-4), **params(gain=floats(4))),
    case(x=floats(2, 2, low=-1e4, high=1e4), **params(gain=floats(2))),
    bar='elementwise',
)
subject(
    'normalizeVectors',
    lambda x: F.normalize(x, dim=-1),
    case(x=floats(4)),
    case(x=floats(3, 4)),
    case(x=floats(2, 2, 3)),
    case(x=floats(2, 5, low=-1e-6, high=1e-6)),
)

# ── tables and times ──────────────────────────────────────────────────────────────────────────────────────────────────────────
layer(
    'embedding',
    lambda p, index: F.embedding(index.long(), p['weight']),
    case(index=integers(4, high=4), **params(weight=floats(5, 3))),
    case(index=integers(2, 3, high=2), **params(weight=floats(3, 2))),
    case(index=given(1, 1, 1, 0, dtype='i32'), **params(weight=floats(2, 4))),
    case(index=integers(1, high=9), **params(weight=floats(10, 1))),
    bar='elementwise',
)


def time_embedding(t, width, theta=10000):
    half = width // 2
    frequencies = torch.exp(torch.arange(half, dtype=t.dtype) * -(math.log(theta) / (half - 1)))
    angles = t[:, None] * frequencies[None, :]
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


subject(
    'sinusoidalTimeEmbedding',
    time_embedding,
    case(t=given(0, 1, 2, 10), width=8),
    case(t=floats(3, low=0, high=10), width=4),
    case(t=floats(2, low=0, high=1), width=16),
    case(t=floats(3, low=0, high=9), width=6, theta=100),
)

# ── resizing layers and attention ─────────────────────────────────────────────────────────────────────────────────────────────
def as_filter(weight):
    """[in, out] as the filter of a 1×1 convolution."""
    return weight.T[:, :, None, None]


layer(
    'downsample',
    lambda p, x: nhwc(F.conv2d(F.pixel_unshuffle(nchw(x), 2), as_filter(p['project.weight']), p['project.bias'])),
    case(x=floats(1, 2, 2, 1), **params(project__weight=floats(4, 2), project__bias=floats(2))),
    case(x=floats(2, 4, 2, 2), **params(project__weight=floats(8, 3), project__bias=floats(3))),
    case(x=floats(1, 4, 4, 1), **params(project__weight=floats(4, 1), project__bias=floats(1))),
    case(x=floats(1, 2, 4, 3), **params(project__weight=floats(12, 2), project__bias=floats(2))),
)
layer(
    'upsample',
    lambda p, x: nhwc(F.conv2d(F.interpolate(nchw(x), scale_factor=2), oihw(p['conv.weight']), p['conv.bias'], padding=1)),
    case(x=floats(1, 2, 2, 1), **params(conv__weight=floats(3, 3, 1, 2), conv__bias=floats(2))),
    case(x=floats(2, 1, 2, 2), **params(conv__weight=floats(3, 3, 2, 2), conv__bias=floats(2))),
    case(x=floats(1, 3, 2, 1), **params(conv__weight=floats(3, 3, 1, 1), conv__bias=floats(1))),
    case(x=floats(1, 1, 1, 3), **params(conv__weight=floats(3, 3, 3, 1), conv__bias=floats(1))),
)


def heads_of(p, x, heads):
    n, _, h, w = x.shape
    joint = F.conv2d(rms_norm(p['norm.gain'], x), as_filter(p['queryKeyValue.weight']))
    return [t.reshape(n, heads, -1, h * w) for t in joint.chunk(3, dim=1)]  # [N, heads, width, pixels]


def with_memory(p, i, x):
    if 'memory' not in p:
        return x
    memory = p['memory'][i].transpose(1, 2)  # [heads, width, memory]
    return torch.cat([memory[None].expand(x.shape[0], -1, -1, -1), x], dim=-1)


def full_attention(p, x, heads):
    x = nchw(x)
    q, k, v = heads_of(p, x, heads)
    k, v = with_memory(p, 0, k), with_memory(p, 1, v)
    similarity = torch.einsum('bhdi,bhdj->bhij', q * q.shape[2] ** -0.5, k)
    y = torch.einsum('bhij,bhdj->bhdi', similarity.softmax(-1), v)
    y = y.reshape(x.shape[0], -1, *x.shape[2:])
    return nhwc(F.conv2d(y, as_filter(p['out.weight']), p['out.bias']))


def linear_attention(p, x, heads):
    x = nchw(x)
    q, k, v = heads_of(p, x, heads)
    k, v = with_memory(p, 0, k), with_memory(p, 1, v)
    context = torch.einsum('bhdn,bhen->bhde', k.softmax(-1), v)
    y = torch.einsum('bhde,bhdn->bhen', context, q.softmax(-2) * q.shape[2] ** -0.5)
    y = y.reshape(x.shape[0], -1, *x.shape[2:])
    return nhwc(rms_norm(p['outNorm.gain'], F.conv2d(y, as_filter(p['out.weight']), p['out.bias'])))


def attention_case(shape, heads, width, memory, linear):
    n, h, w, c = shape
    drawn = dict(
        norm__gain=floats(c),
        queryKeyValue__weight=floats(c, 3 * heads * width, low=-1, high=1),
        out__weight=floats(heads * width, c),
        out__bias=floats(c),
    )
    if memory > 0:
        drawn['memory'] = floats(2, heads, memory, width)
    if linear:
        drawn['outNorm__gain'] = floats(c)
    return case(x=floats(n, h, w, c), heads=heads, **params(**drawn))


ATTENTIONS = [((1, 2, 2, 3), 1, 2, 0), ((1, 2, 2, 2), 2, 2, 1), ((2, 2, 1, 3), 2, 3, 2), ((1, 1, 3, 4), 1, 4, 4)]
layer('attention', full_attention, *[attention_case(*a, linear=False) for a in ATTENTIONS])
layer('linearAttention', linear_attention, *[attention_case(*a, linear=True) for a in ATTENTIONS])

# ── blocks ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
def perceptron(p, x, activation='silu'):
    count = len(p) // 2
    for i in range(count):
        x = x if i == 0 else {'silu': F.silu, 'relu': F.relu, 'tanh': torch.tanh, 'gelu': F.gelu}[activation](x)
        x = F.linear(x, p[f'layers.{i}.weight'].T, p[f'layers.{i}.bias'])
    return x


def widths(*sizes, low=-1, high=1):
    drawn = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        drawn[f'layers__{i}__weight'] = floats(a, b, low=low, high=high)
        drawn[f'layers__{i}__bias'] = floats(b, low=low, high=high)
    return params(**drawn)


layer(
    'mlp',
    perceptron,
    case(x=floats(4, 2), **widths(2, 5, 1)),
    case(x=floats(3, 3), **widths(3, 4, 4, 2), activation='tanh'),
    case(x=floats(2, 2, 2), **widths(2, 3), activation='relu'),
    case(x=floats(2, 3), **widths(3, 6, 2), activation='gelu'),
)


def residual_block(p, x, time):
    x = nchw(x)

    def block(name, x, modulation=None):
        y = F.conv2d(x, oihw(p[f'{name}.conv.weight']), p[f'{name}.conv.bias'], padding=1)
        y = rms_norm(p[f'{name}.norm.gain'], y)
        if modulation is not None:
            y = y * (modulation[0] + 1) + modulation[1]
        return F.silu(y)

    modulation = F.linear(F.silu(time), p['time.weight'].T, p['time.bias'])[:, :, None, None].chunk(2, dim=1)
    skip = F.conv2d(x, as_filter(p['skip.weight']), p['skip.bias']) if 'skip.weight' in p else x
    return nhwc(block('block2', block('block1', x, modulation)) + skip)


def residual_case(n, h, w, a, b, t):
    drawn = dict(time__weight=floats(t, 2 * b), time__bias=floats(2 * b))
    for name, inputs in (('block1', a), ('block2', b)):
        drawn[f'{name}__conv__weight'] = floats(3, 3, inputs, b, low=-1, high=1)
        drawn[f'{name}__conv__bias'] = floats(b)
        drawn[f'{name}__norm__gain'] = floats(b)
    if a != b:
        drawn['skip__weight'], drawn['skip__bias'] = floats(a, b), floats(b)
    return case(x=floats(n, h, w, a), time=floats(n, t), **params(**drawn))


layer('resBlock', residual_block, residual_case(1, 3, 3, 2, 2, 3), residual_case(2, 2, 2, 2, 3, 2), residual_case(1, 2, 4, 3, 2, 4), residual_case(2, 1, 1, 2, 2, 1))

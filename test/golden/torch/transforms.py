"""Derivatives as values: forward mode, products with the Hessian, the gradient's own gradient, recomputation.

The values are derivatives already, so that their gradients are of second and third order.
"""
import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from contractions import conv2d
from subjects import case, floats, subject


def attention(x, w):
    return F._scaled_dot_product_attention(x @ w, x, x)[0]


def layer_norm(x):
    """Written out: F.layer_norm's third derivatives are wrong, its backward holds mean and deviation constant (pytorch#175754)."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()


MAPS = {
    'exponentials': lambda x, w: (x @ w).logsumexp(-1),
    'activations': lambda x, w: F.gelu(x) * torch.tanh(x @ w),
    'convolution': lambda x, w: F.silu(conv2d(x, w, stride=2, padding=1)),
    'normalisation': lambda x, w: torch.sigmoid(layer_norm(x) @ w),
    'attention': attention,
}
POINTS = {
    'exponentials': ((3, 2), (2, 4)),
    'activations': ((2, 3), (3, 3)),
    'convolution': ((1, 4, 4, 2), (3, 3, 2, 2)),
    'normalisation': ((2, 4), (4, 2)),
    'attention': ((2, 3, 2), (2, 2)),
}


SMALL = {**POINTS, 'convolution': ((1, 3, 3, 1), (2, 2, 1, 2))}


def cases(*, directions, points=POINTS):
    def make(name):
        x, w = points[name]
        drawn = dict(x=floats(*x, low=-1, high=1), w=floats(*w, low=-1, high=1))
        if directions:
            drawn.update(dx=floats(*x, low=-1, high=1), dw=floats(*w, low=-1, high=1))
        return case(of=name, **drawn)

    return [make(name) for name in MAPS]


def energy(of):
    return lambda x, w: MAPS[of](x, w).square().sum()


def forward_mode(of, x, w, dx, dw):
    value, tangent = torch.autograd.functional.jvp(MAPS[of], (x, w), (dx, dw), create_graph=True)
    return {'value': value, 'tangent': tangent}


def gradients(of, x, w):
    x, w = (t if t.requires_grad else t.requires_grad_() for t in (x, w))
    return torch.autograd.grad(energy(of)(x, w), (x, w), create_graph=True)


def hessian_product(of, x, w, dx, dw):
    gx, gw = gradients(of, x, w)
    hx, hw = torch.autograd.grad((gx * dx).sum() + (gw * dw).sum(), (x, w), create_graph=True)
    return {'x': hx, 'w': hw}


def penalty(of, x, w):
    gx, _ = gradients(of, x, w)
    return (gx.square().sum().sqrt() - 1).square()


def whole_jacobian(of, x, w):
    return dict(zip('xw', torch.autograd.functional.jacobian(MAPS[of], (x, w), create_graph=True)))


def whole_hessian(of, x, w):
    blocks = torch.autograd.functional.hessian(energy(of), (x, w), create_graph=True)
    return {f'{a}.{b}': blocks[i][j] for i, a in enumerate('xw') for j, b in enumerate('xw')}


class StraightThrough(torch.autograd.Function):
    """⌊x⌋ whose derivative is said to be that of tanh, so that it can be differentiated again."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.floor()

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * (1 - torch.tanh(x).square())


def straight_through(x, order):
    y = StraightThrough.apply(x)
    if order == 1:
        return y
    x = x if x.requires_grad else x.requires_grad_()
    return torch.autograd.grad((StraightThrough.apply(x) * x).sum(), x, create_graph=True)[0]


subject('jvp', forward_mode, *cases(directions=True), bar='contraction')
subject('hvp', hessian_product, *cases(directions=True), bar='contraction')
subject('grad', lambda of, x, w: dict(zip('xw', gradients(of, x, w))), *cases(directions=False), bar='contraction')
subject('gradientPenalty', penalty, *cases(directions=False), bar='contraction')
subject('checkpoint', lambda of, x, w: checkpoint(MAPS[of], x, w, use_reentrant=False), *cases(directions=False), bar='contraction')
subject('call', lambda of, x, w: MAPS[of](x, w), *cases(directions=False), bar='contraction')
subject('jacobian', whole_jacobian, *cases(directions=False, points=SMALL), bar='contraction')
subject('hessian', whole_hessian, *cases(directions=False, points=SMALL), bar='contraction')
subject(
    'customVjp',
    straight_through,
    case(x=floats(5), order=1),
    case(x=floats(2, 3), order=1),
    case(x=floats(5), order=2),
    case(x=floats(2, 1, 2), order=2),
)

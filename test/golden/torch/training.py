"""Ten steps of training with torch.optim, averages, clipping, and the learning rates of torch.optim.lr_scheduler."""
import torch
import torch.nn.functional as F

from layers import layer, perceptron, widths
from subjects import case, floats, subject

LOSSES = {'mse': F.mse_loss, 'bce': F.binary_cross_entropy_with_logits}
SHOWN = (1, 2, 10)


def optimizer(cls, p, learningRate, beta1=0.9, beta2=0.999, epsilon=1e-8, weightDecay=0, momentum=0, nesterov=False):
    if cls is torch.optim.SGD:
        return cls(p, lr=learningRate, momentum=momentum, nesterov=nesterov, weight_decay=weightDecay)
    return cls(p, lr=learningRate, betas=(beta1, beta2), eps=epsilon, weight_decay=weightDecay)


def train(cls):
    """The loss before each of ten steps, and the parameters after some of them."""

    def run(p, x, target, loss='mse', rates=None, maxNorm=None, **options):
        p = {k: v.detach().clone().requires_grad_() for k, v in p.items()}
        steps = optimizer(cls, list(p.values()), **options)
        results, losses = {}, []
        for i in range(10):
            for group in steps.param_groups if rates is not None else []:
                group['lr'] = rates[i]
            steps.zero_grad()
            value = LOSSES[loss](perceptron(p, x), target)
            value.backward()
            if maxNorm is not None:
                torch.nn.utils.clip_grad_norm_(list(p.values()), maxNorm)
            steps.step()
            losses.append(value.detach())
            if i + 1 in SHOWN:
                results.update({f'after{i + 1}.{k}': v.detach().clone() for k, v in p.items()})
        return {'losses': torch.stack(losses), **results}

    return run


def task(*sizes, rows=6, low=-1, **options):
    x, target = floats(rows, sizes[0]), floats(rows, sizes[-1], low=low, high=1)
    return case(x=x, target=target, **widths(*sizes), **options)


def trained(name, cls, *cases):
    layer(name, train(cls), *cases, gradients=False)  # torch.optim is not differentiable


RATES = [0.1 / (1 + i) for i in range(10)]
trained(
    'sgd',
    torch.optim.SGD,
    task(2, 1, learningRate=0.1),
    task(2, 4, 1, learningRate=0.2),
    task(2, 3, 1, learningRate=0.1, momentum=0.9),
    task(3, 3, 2, learningRate=0.05, momentum=0.8, nesterov=True),
    task(2, 3, 1, learningRate=0.1, momentum=0.9, weightDecay=0.1),
    task(2, 3, 1, learningRate=0, rates=RATES, momentum=0.5),
)
trained(
    'adam',
    torch.optim.Adam,
    task(2, 1, learningRate=0.1),
    task(2, 4, 1, learningRate=0.01, beta2=0.99),
    task(3, 3, 2, learningRate=0.05, beta1=0.5, epsilon=1e-3, loss='bce', low=0),
    task(2, 3, 1, learningRate=0.1, weightDecay=0.1),
    task(2, 3, 1, learningRate=0, rates=RATES),
)
trained(
    'adamW',
    torch.optim.AdamW,
    task(2, 1, learningRate=0.1, weightDecay=0.01),
    task(2, 4, 1, learningRate=0.02, weightDecay=0.1, beta1=0.95),
    task(3, 3, 2, learningRate=0.05, weightDecay=0, loss='bce', low=0),
    task(2, 3, 1, learningRate=0.1, weightDecay=0.5, epsilon=1e-4),
)
trained(
    'clipByGlobalNorm',
    torch.optim.SGD,
    task(2, 1, learningRate=0.1, maxNorm=0.5),
    task(2, 4, 1, learningRate=0.5, maxNorm=0.1),
    task(2, 3, 1, learningRate=0.1, maxNorm=1000),
    task(3, 3, 2, learningRate=0.1, maxNorm=1, momentum=0.9),
)

# ── the pieces ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
subject(
    'globalNorm',
    lambda **tree: torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(x) for x in tree.values()])),
    case(a=floats(3), b=floats(2, 2)),
    case(a=floats()),
    case(a=floats(2, 3, low=-100, high=100), b=floats(), c=floats(1)),
    case(a=floats(4, low=-1e-3, high=1e-3), b=floats(2)),
)


def averaged(average, params, decays):
    for i in range(params.shape[0]):
        average = torch.lerp(params[i], average, decays[i])
    return average


subject(
    'ema',
    averaged,
    case(average=floats(3), params=floats(10, 3), decays=floats(10, low=0.9, high=1)),
    case(average=floats(2, 2), params=floats(10, 2, 2), decays=floats(10, low=0, high=1)),
    case(average=floats(), params=floats(10), decays=floats(10, low=0.99, high=1)),
    case(average=floats(4), params=floats(1, 4), decays=floats(1, low=0, high=1)),
)


def accumulated(p, x, target, count):
    """The gradient of the whole batch, which `count` equal parts give together."""
    p = {k: v if v.requires_grad else v.requires_grad_() for k, v in p.items()}
    gradients = torch.autograd.grad(F.mse_loss(perceptron(p, x), target), list(p.values()), create_graph=True)
    return dict(zip(p, gradients))


layer(
    'accumulate',
    accumulated,
    task(2, 1, rows=4, count=2),
    task(2, 3, 1, rows=6, count=3),
    task(2, 2, 2, rows=4, count=4),
    task(1, 3, 1, rows=5, count=1),
)

# ── learning rates ────────────────────────────────────────────────────────────────────────────────────────────────────────────
S = torch.optim.lr_scheduler


def rates_of(make):
    """The rates of 20 steps, and what comes after them."""

    def run(learningRate, **options):
        steps = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=learningRate)
        schedule, found = make(steps, **options), []
        for _ in range(24):
            found.append(steps.param_groups[0]['lr'])
            steps.step()
            schedule.step()
        return torch.tensor(found, dtype=torch.float64)

    return run


def schedule(name, make, *cases):
    subject(name, rates_of(make), *cases)


def warm_up(steps, warmupSteps):
    """PyTorch's cannot start at 0: its step k is the step k + 1 of a rise from 0."""
    return S.LinearLR(steps, 1 / warmupSteps, 1, warmupSteps - 1)


schedule(
    'constantWithWarmup',
    warm_up,
    *[case(learningRate=rate, warmupSteps=n) for rate, n in ((1, 4), (0.1, 10), (0.002, 2), (0.5, 30))],
)
schedule(
    'linearDecay',
    lambda o, steps: S.LinearLR(o, 1, 0, steps),
    *[case(learningRate=rate, steps=n) for rate, n in ((1, 20), (0.1, 10), (0.002, 24), (0.5, 50))],
)
schedule(
    'cosineDecay',
    lambda o, steps: S.CosineAnnealingLR(o, steps),
    *[case(learningRate=rate, steps=n) for rate, n in ((1, 23), (0.1, 24), (0.002, 40), (0.5, 100))],
)
schedule(
    'cosineWithRestarts',
    lambda o, steps, cycles: S.CosineAnnealingWarmRestarts(o, steps // cycles),
    *[case(learningRate=rate, steps=n, cycles=c) for rate, n, c in ((1, 24, 2), (0.1, 24, 1), (0.002, 40, 4), (0.5, 30, 3))],
)
schedule(
    'polynomialDecay',
    lambda o, steps, power: S.PolynomialLR(o, steps, power),
    *[case(learningRate=rate, steps=n, power=p) for rate, n, p in ((1, 20, 1), (0.1, 24, 2), (0.002, 10, 0.5), (0.5, 50, 3))],
)
schedule(
    'piecewiseConstant',
    lambda o, milestones, gamma: S.MultiStepLR(o, milestones, gamma),
    *[case(learningRate=rate, milestones=m, gamma=g) for rate, m, g in ((1, [5, 12], 0.1), (0.1, [1], 0.5), (0.002, [2, 4, 20], 0.25), (0.5, [22], 2))],
)

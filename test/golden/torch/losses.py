"""Losses, with each reduction."""
import torch.nn.functional as F

from subjects import case, floats, given, integers, subject


def loss(name, function, *cases):
    subject(name, lambda reduction='mean', **arguments: function(reduction=reduction, **arguments), *cases)


def pairs(*more, **options):
    return (
        case(prediction=floats(6), target=floats(6), **options),
        case(prediction=floats(2, 3), target=floats(2, 3), reduction='sum', **options),
        case(prediction=floats(2, 2, 2), target=floats(2, 2, 2), reduction='none', **options),
        case(prediction=given(0, 1, -1, 2, 3), target=given(0, 1, 0, 0, -3), reduction='none', **options),
        *more,
    )


loss('mse', lambda prediction, target, reduction: F.mse_loss(prediction, target, reduction=reduction), *pairs())
loss('l1', lambda prediction, target, reduction: F.l1_loss(prediction, target, reduction=reduction), *pairs())
loss(
    'huber',
    lambda prediction, target, reduction, delta=1: F.huber_loss(prediction, target, reduction, delta),
    *pairs(case(prediction=floats(5), target=floats(5), delta=0.25), case(prediction=floats(5), target=floats(5), delta=3)),
)


def cross_entropy(logits, labels, reduction):
    flat = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.long().flatten(), reduction=reduction)
    return flat.reshape(labels.shape) if reduction == 'none' else flat


loss(
    'crossEntropy',
    cross_entropy,
    case(logits=floats(4, 3), labels=integers(4, high=2)),
    case(logits=floats(3, 5), labels=integers(3, high=4), reduction='sum'),
    case(logits=floats(2, 3, 4), labels=integers(2, 3, high=3), reduction='none'),
    case(logits=floats(3, 3, low=-90, high=90), labels=integers(3, high=2), reduction='none'),
)
loss(
    'binaryCrossEntropy',
    lambda logits, targets, reduction: F.binary_cross_entropy_with_logits(logits, targets, reduction=reduction),
    case(logits=floats(6), targets=floats(6, low=0, high=1)),
    case(logits=floats(2, 3), targets=given(0, 1, 1, 0, 1, 0, shape=(2, 3)), reduction='sum'),
    case(logits=floats(2, 2, 2), targets=floats(2, 2, 2, low=0, high=1), reduction='none'),
    case(logits=given(-90, 90, -30, 0, 30), targets=given(0, 0, 1, 0.5, 1), reduction='none'),
)

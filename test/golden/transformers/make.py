"""Values and gradients of a DiT and two U-ViTs: python3 make.py (numpy and torch; computes in float64, prints what float32 holds).

Parameters are numbers that any language can make again: `noise` of the parameter's place among the sorted names.
"""
import json
import math
from pathlib import Path

import numpy as np
import torch

from networks import Dit, Uvit

HERE = Path(__file__).parent


def noise(count, seed):
    """Numbers in [-1, 1): murmur3's finalizer of index + 2**20 * seed."""
    x = np.arange(count, dtype=np.uint32) + np.uint32(seed << 20)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return x / 2.0**31 - 1


def numbers(x):
    return [float('%.8g' % v) for v in x.detach().flatten().tolist()]


def made(shape, seed, scale=1.0):
    return torch.from_numpy(noise(math.prod(shape), seed).reshape(shape) * scale).float().double()


def case(network, config, height, width):
    """Norm gains are 1 + noise / 2; everything else noise / 2."""
    network = network(**config).double()
    with torch.no_grad():
        for i, (name, p) in enumerate(sorted(network.named_parameters())):
            isGain = p.dim() == 1 and '.norm' in f'.{name}' and name.endswith('weight')
            p.copy_(made(tuple(p.shape), i + 1, 0.5) + (1 if isGain else 0))
    x = made((2, config['channels'], height, width), 1001).requires_grad_()
    condition = made((2, config['conditions']), 1002).requires_grad_()
    y = network(x, torch.tensor([3.0, 700.0]).double(), condition)
    (y * made(tuple(y.shape), 1003)).sum().backward()
    return {
        'config': config, 'height': height, 'width': width, 'output': numbers(y), 'byImage': numbers(x.grad), 'byCondition': numbers(condition.grad),
        'byParameters': {name: {'shape': list(p.shape), 'values': numbers(p.grad)} for name, p in sorted(network.named_parameters())},
    }


SMALL = {'channels': 3, 'patch': 2, 'width': 8, 'heads': 2, 'ratio': 2.0, 'conditions': 3}
CASES = {
    'dit': case(Dit, {**SMALL, 'depth': 2}, 4, 6),
    'uvit': case(Uvit, {**SMALL, 'depth': 5, 'size': None}, 4, 6),
    'uvit-learned': case(Uvit, {**SMALL, 'depth': 3, 'size': [4, 6]}, 4, 6),
}
for name, values in CASES.items():
    (HERE / f'{name}.json').write_text(json.dumps(values, separators=(',', ':')) + '\n')

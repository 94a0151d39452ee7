"""PyTorch's batch norm over three steps of training and one evaluation, and its spectral norm (torch 1.13, float64): /usr/bin/python3 state.py > state.json

Values are sin(1), sin(2), ... in NHWC / [in, out] order; running statistics are PyTorch's buffers.
"""
import json, math
import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def wave(*shape, start=1):
    return torch.sin(torch.arange(start, start + math.prod(shape), dtype=torch.float64)).reshape(shape)


def numbers(x):
    return [float('%.12g' % v) for v in x.detach().flatten().tolist()]


def batch_norm(momentum, rank):
    layer = (nn.BatchNorm2d if rank == 4 else nn.BatchNorm1d)(3, momentum=momentum)
    layer.weight.data, layer.bias.data = wave(3, start=30) + 2, wave(3, start=40)
    shape = {4: (2, 3, 2, 3), 3: (2, 3, 3), 2: (4, 3)}[rank]
    first = lambda x: x.movedim(-1, 1)  # NHWC to NCHW
    last = lambda x: x.movedim(1, -1)
    steps = []
    for step in range(3):
        x = (wave(*shape, start=100 * step) * (step + 1)).requires_grad_()
        layer.zero_grad()
        y = last(layer(first(x)))
        (y * wave(*shape, start=500)).sum().backward()
        steps.append({
            'output': numbers(y), 'x': numbers(x.grad), 'weight': numbers(layer.weight.grad), 'bias': numbers(layer.bias.grad),
            'mean': numbers(layer.running_mean), 'variance': numbers(layer.running_var),
        })
    layer.eval()
    return {'steps': steps, 'evaluated': numbers(last(layer(first(wave(*shape, start=700)))))}


def spectral():
    linear = nn.Linear(4, 3)
    linear.weight.data, linear.bias.data = wave(4, 3, start=10).T.contiguous(), wave(3, start=40)
    layer = nn.utils.spectral_norm(linear)
    layer.weight_u.data = nn.functional.normalize(wave(3, start=70), dim=0)
    x, steps = wave(2, 4), []
    for _ in range(3):
        layer.zero_grad()
        y = layer(x)
        (y * wave(2, 3, start=500)).sum().backward()
        steps.append({'output': numbers(y), 'weight': numbers(layer.weight_orig.grad.T), 'u': numbers(layer.weight_u), 'v': numbers(layer.weight_v)})
    layer.eval()
    return {'steps': steps, 'evaluated': numbers(layer(x))}


print(json.dumps({
    'batchNorm2d': batch_norm(0.1, 4), 'batchNorm3': batch_norm(0.3, 3), 'batchNorm1d': batch_norm(0.1, 2),
    'cumulative': batch_norm(None, 4), 'spectralNorm': spectral(),
}))

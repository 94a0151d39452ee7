"""Reference values of lucidrains' U-Net in other sizes, with the gradient of every parameter: python3 variants.py > variants.json

The network of unet.py is checked first against io.safetensors, which his own code made. Weights and inputs are numbers that any language can make again (`noise`). Needs numpy and torch; computes in float64.
"""
import json, math, struct
from pathlib import Path

import numpy as np
import torch

from unet import Unet

def noise(count, seed):
    """Numbers in [-1, 1): murmur3's finalizer of index + 2**20 * seed."""
    x = np.arange(count, dtype=np.uint32) + np.uint32(seed << 20)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return x / 2.0**31 - 1


def make(shape, seed, kind):
    """A parameter: kind is 'memory', 'gain', 'bias' or 'weight'."""
    v = noise(math.prod(shape), seed).reshape(shape)
    scale = {'memory': 1, 'gain': 0.25, 'bias': 0.1, 'weight': 1 / math.sqrt(math.prod(shape[1:]))}[kind]
    return torch.from_numpy(v * scale + (1 if kind == 'gain' else 0)).float()  # rounded to f32, as the reader has them


def kind(name):
    return 'memory' if name.endswith('mem_kv') else 'gain' if name.endswith('.g') else 'bias' if name.endswith('bias') else 'weight'


def read(path):
    b = (Path(__file__).parent / path).read_bytes()
    n = struct.unpack('<Q', b[:8])[0]
    entries = {k: v for k, v in json.loads(b[8:8 + n]).items() if k != '__metadata__'}
    part = lambda v: np.frombuffer(b[8 + n + v['data_offsets'][0]:8 + n + v['data_offsets'][1]], 'f4').reshape(v['shape'])
    return {k: torch.from_numpy(part(v).copy()) for k, v in entries.items()}


def numbers(t):
    return [float('%.8g' % v) for v in t.detach().flatten().tolist()]


def run(u, x, t, cotangent):
    u, x = u.double(), x.double().requires_grad_()
    y = u(x, t.double())
    (y * cotangent.double()).sum().backward()
    return y, x.grad


def gradients(u):
    """Of each parameter: its shape, its gradient's norm, and its gradient's product with noise of the parameter's number among the sorted names."""
    product = lambda g, seed: (g.flatten() * torch.from_numpy(noise(g.numel(), seed))).sum()
    row = lambda p, seed: {'shape': list(p.shape), 'norm': numbers(p.grad.norm())[0], 'product': numbers(product(p.grad, seed))[0]}
    return {k: row(p, i) for i, (k, p) in enumerate(sorted(u.named_parameters()))}


def variant(name, height, width, **config):
    u = Unet(8, (1, 2), **config)
    u.load_state_dict({k: make(tuple(p.shape), i, kind(k)) for i, (k, p) in enumerate(sorted(u.named_parameters()))})
    shape = (2, config.get('channels', 3), height, width)
    x, cotangent = (torch.from_numpy(noise(math.prod(shape), seed)).float().reshape(shape) for seed in (1001, 1002))
    y, dx = run(u, x, torch.tensor([3.0, 700.0]), cotangent)
    return {'name': name, 'height': height, 'width': width, 'config': config, 'output': numbers(y), 'grad_sample': numbers(dx), 'gradients': gradients(u)}


def golden():
    io, u = read('io.safetensors'), Unet(16, (1, 2, 4))
    u.load_state_dict(read('weights.safetensors'))
    y, dx = run(u, io['sample'], io['timestep'], io['cotangent'])
    for ours, his in ((y, io['output']), (dx, io['grad_sample'])):
        assert (ours - his).abs().max() < 1e-5 * his.abs().max()
    return gradients(u)


print(json.dumps({'golden': golden(), 'variants': [
    variant('non-square images', 16, 24),
    variant('one channel', 8, 8, channels=1),
    variant('full attention in every stage', 8, 8, full=[True, True]),
    variant('linear attention in every stage', 8, 8, full=[False, False]),
    variant('heads and their widths per stage', 8, 8, heads=[2, 3], d=[8, 5]),
]}))

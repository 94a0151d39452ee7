#!/usr/bin/env python3
"""Results and gradients of EDM2's U-Net, computed by PyTorch in float64: edm2.safetensors.

    python3 make.py            computes everything and writes the file

Written from the formulas of Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models" (config G), over parameters with
the paths and the axes of fathom's. The file holds no parameters: those of `paths`, in order, are noise of seeds 0, 1, …, as `noise` of ../../models/golden.ts.
Names are `case/out`, `case/grad_x`, `case/grad.PATH`. Needs torch and numpy.
"""
import sys

sys.dont_write_bytecode = True

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent.parent / 'torch'))
import safetensors

torch.set_num_threads(1)
FILE = Path(__file__).with_name('edm2.safetensors')


def noise(count, seed):
    """Numbers in [-1, 1): murmur3's finalizer of index + 2^20 seed."""
    h = (np.arange(count, dtype=np.uint64) + (seed << 20)) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return (h.astype(np.float64) / 2**31 - 1).astype(np.float32).astype(np.float64)


def array(shape, seed):
    return torch.from_numpy(noise(int(np.prod(shape)), seed).reshape(shape))


class Parameters:
    """Names of the parameters as a first pass asks for them, then their values."""

    def __init__(self):
        self.shapes, self.values = {}, None

    def __call__(self, path, *shape):
        self.shapes[path] = shape
        return torch.zeros(shape, dtype=torch.float64) if self.values is None else self.values[path]

    def draw(self):
        self.values = {p: array(self.shapes[p], i).requires_grad_() for i, p in enumerate(sorted(self.shapes))}


def silu(x):
    return F.silu(x) / 0.596


def mix(a, b, t):
    return torch.lerp(a, b, t) / np.sqrt((1 - t) ** 2 + t**2)


def join(a, b, t):
    na, nb = a.shape[1], b.shape[1]
    c = np.sqrt((na + nb) / ((1 - t) ** 2 + t**2))
    return torch.cat([c / np.sqrt(na) * (1 - t) * a, c / np.sqrt(nb) * t * b], dim=1)


def unit(x, dim):
    """To a root mean square of 1, with 1e-4 added to it."""
    rms = torch.linalg.vector_norm(x, dim=dim, keepdim=True) / np.sqrt(x.shape[dim])
    return x / (1e-4 + rms)


def conv(p, path, x, outputs, kernel):
    """A convolution, or a linear layer of vectors, whose filters are divided by their norms; filters are HWIO, or IO for kernels of 1."""
    inputs = x.shape[1]
    w = p(path + '.weight', *((kernel, kernel) if kernel > 1 else ()), inputs, outputs)
    w = w.permute(3, 2, 0, 1) if kernel > 1 else w.t()
    flat = w.flatten(1)
    w = (flat / torch.linalg.vector_norm(flat, dim=1, keepdim=True).clamp_min(1e-12)).reshape(w.shape)
    if x.ndim == 2:
        return F.linear(x, w)
    return F.conv2d(x, w if kernel > 1 else w[:, :, None, None], padding=kernel // 2)


def attend(p, path, x, head, t):
    n, c, h, w = x.shape

    def part(name):
        return unit(conv(p, f'{path}.{name}', x, c, 1).reshape(n, c // head, head, h * w), 2)

    q, k, v = part('query'), part('key'), part('value')
    weights = torch.einsum('nhcq,nhck->nhqk', q, k / np.sqrt(head)).softmax(dim=3)
    y = torch.einsum('nhqk,nhck->nhcq', weights, v).reshape(x.shape)
    return mix(x, conv(p, f'{path}.out', y, c, 1), t)


def block(p, path, x, emb, outputs, way, head, o, resample=None):
    if resample == 'down':
        x = F.avg_pool2d(x, 2)
    if resample == 'up':
        x = F.interpolate(x, scale_factor=2, mode='nearest')
    inputs = x.shape[1]
    if way == 'down':
        x = x if inputs == outputs else conv(p, f'{path}.skip', x, outputs, 1)
        x = unit(x, 1)
    y = conv(p, f'{path}.conv1', silu(x), outputs, 3)
    c = conv(p, f'{path}.time', emb, outputs, 1) * p(f'{path}.gain') + 1
    y = conv(p, f'{path}.conv2', silu(y * c[:, :, None, None]), outputs, 3)
    if way == 'up' and inputs != outputs:
        x = conv(p, f'{path}.skip', x, outputs, 1)
    x = mix(x, y, o['residual'])
    if head:
        x = attend(p, f'{path}.attention', x, head, o['attention'])
    return x.clip(-256, 256)


def network(p, x, t, condition, o):
    widths = [o['width'] * m for m in o['multipliers']]
    widest, last = max(widths), len(widths) - 1
    heads = [o['head'] if i in o['at'] else 0 for i in range(len(widths))]
    turns = torch.outer(3 * t / o['times'], p('time.fourier.frequencies', widths[0])) + p('time.fourier.phases', widths[0])
    emb = conv(p, 'time.noise', np.sqrt(2) * torch.cos(2 * np.pi * turns), widest, 1)
    if o['conditions']:
        emb = mix(emb, conv(p, 'time.condition', condition * np.sqrt(o['conditions']), widest, 1), o['condition'])
    emb = silu(emb)
    x = conv(p, 'stem', torch.cat([x, torch.ones_like(x[:, :1])], dim=1), widths[0], 3)
    skips = [x]
    for i, width in enumerate(widths):
        if i > 0:
            x = block(p, f'down.{i}.resize', x, emb, widths[i - 1], 'down', 0, o, 'down')
            skips.append(x)
        for j in range(o['blocks']):
            x = block(p, f'down.{i}.blocks.{j}', x, emb, width, 'down', heads[i], o)
            skips.append(x)
    x = block(p, 'middle.0', x, emb, widths[-1], 'up', o['head'], o)
    x = block(p, 'middle.1', x, emb, widths[-1], 'up', 0, o)
    for k, i in enumerate(reversed(range(len(widths)))):
        if i < last:
            x = block(p, f'up.{k}.resize', x, emb, widths[i + 1], 'up', 0, o, 'up')
        for j in range(o['blocks'] + 1):
            x = join(x, skips.pop(), o['skip'])
            x = block(p, f'up.{k}.blocks.{j}', x, emb, widths[i], 'up', heads[i], o)
    return conv(p, 'head', x, o['channels'], 3) * p('gain')


USUAL = dict(residual=0.3, attention=0.3, skip=0.5, condition=0.5, times=1000, conditions=0)
CASES = {
    # width 4 and 8, one block a stage, conditions
    'small': dict(USUAL, width=4, multipliers=[1, 2], blocks=1, at=[1], head=4, conditions=3, channels=3, size=(4, 8)),
    # three stages, two blocks each, one of them narrower again, attention in the first, other balances
    'other': dict(USUAL, width=4, multipliers=[1, 3, 2], blocks=2, at=[0], head=2, channels=1, size=(8, 4), times=20,
                  residual=0.45, attention=0.6, skip=0.25),
}


def main():
    file = {}
    for name, o in CASES.items():
        (h, w), n, c, k = o['size'], 2, o['channels'], o['conditions']
        x = array((n, h, w, c), 1001).permute(0, 3, 1, 2).detach().requires_grad_()
        t = torch.tensor([3.0, 17.5], dtype=torch.float64)
        condition = array((n, k), 1002) if k else None
        p = Parameters()
        network(p, x, t, condition, o)
        p.draw()
        y = network(p, x, t, condition, o)
        paths = [q for q in sorted(p.shapes) if 'fourier' not in q]
        cotangent = array((n, h, w, c), 1003).permute(0, 3, 1, 2)
        grads = torch.autograd.grad(y, [x, *(p.values[q] for q in paths)], cotangent)
        file[f'{name}/out'], file[f'{name}/grad_x'] = y.permute(0, 2, 3, 1), grads[0].permute(0, 2, 3, 1)
        for q, g in zip(paths, grads[1:]):
            # of the larger network some parameters only, so that the file stays small
            if name == 'small' or any(s in q for s in ('gain', 'skip', 'attention', 'time', 'resize.conv1', 'stem')):
                file[f'{name}/grad.{q}'] = g
        print(name, sum(int(np.prod(s)) for s in p.shapes.values()), 'parameters,', float(y.abs().max()))
    arrays = {q: np.asarray(x.detach().contiguous().numpy(), dtype='<f4') for q, x in file.items()}
    FILE.write_bytes(safetensors.save(arrays, {}))
    print(FILE.stat().st_size, 'bytes')


main()

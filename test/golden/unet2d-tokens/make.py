#!/usr/bin/env python3
"""Results and gradients of a U-Net with cross-attention, computed by PyTorch in float64: unet.safetensors.

    python3 make.py            computes everything and writes the file

Written from the layout of diffusers' `UNet2DConditionModel` (0.27.2): group norms, residual blocks that the time is added to, transformers of
self-attention, cross-attention and a gated feed-forward network, each behind a layer norm. Parameters have diffusers' names and shapes; the file holds
none: those of sorted names are noise of seeds 0, 1, …, as `noise` of ../../models/golden.ts, divided by the root of a row's length, and norms' weights have 1 added. Needs torch and numpy.
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
FILE = Path(__file__).with_name('unet.safetensors')


def noise(count, seed):
    """Numbers in [-1, 1): murmur3's finalizer of index + 2^20 seed."""
    h = (np.arange(count, dtype=np.uint64) + (seed << 20)) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return (h.astype(np.float64) / 2**31 - 1).astype(np.float32).astype(np.float64)


def array(shape, seed):
    return torch.from_numpy(noise(int(np.prod(shape)), seed).reshape(shape))


class Parameters:
    """Shapes as a first pass asks for them, then values."""

    def __init__(self):
        self.shapes, self.values = {}, None

    def __call__(self, name, *shape):
        self.shapes[name] = shape
        return torch.zeros(shape, dtype=torch.float64) if self.values is None else self.values[name]

    def draw(self):
        def value(name, seed):
            shape = self.shapes[name]
            x = array(shape, seed)
            if len(shape) > 1:
                return x / np.sqrt(np.prod(shape[1:]))
            return x + 1 if 'norm' in name and name.endswith('weight') else x

        self.values = {n: value(n, i).requires_grad_() for i, n in enumerate(sorted(self.shapes))}


def conv(p, name, x, outputs, kernel=3, stride=1):
    w, b = p(f'{name}.weight', outputs, x.shape[1], kernel, kernel), p(f'{name}.bias', outputs)
    return F.conv2d(x, w, b, stride=stride, padding=kernel // 2)


def linear(p, name, x, outputs, bias=True):
    return F.linear(x, p(f'{name}.weight', outputs, x.shape[-1]), p(f'{name}.bias', outputs) if bias else None)


def group(p, name, x, groups, eps):
    return F.group_norm(x, groups, p(f'{name}.weight', x.shape[1]), p(f'{name}.bias', x.shape[1]), eps)


def layer(p, name, x):
    return F.layer_norm(x, x.shape[-1:], p(f'{name}.weight', x.shape[-1]), p(f'{name}.bias', x.shape[-1]))


def resnet(p, name, x, emb, outputs, o):
    h = conv(p, f'{name}.conv1', F.silu(group(p, f'{name}.norm1', x, o['groups'], 1e-5)), outputs)
    h = h + linear(p, f'{name}.time_emb_proj', F.silu(emb), outputs)[:, :, None, None]
    h = conv(p, f'{name}.conv2', F.silu(group(p, f'{name}.norm2', h, o['groups'], 1e-5)), outputs)
    return h + (x if x.shape[1] == outputs else conv(p, f'{name}.conv_shortcut', x, outputs, 1))


def attention(p, name, x, context, heads):
    n, length, c = x.shape

    def part(which, y):
        return linear(p, f'{name}.to_{which}', y, c, bias=False).reshape(n, y.shape[1], heads, c // heads)

    q, k, v = part('q', x), part('k', context), part('v', context)
    weights = (torch.einsum('nqhc,nkhc->nhqk', q, k) * (c // heads) ** -0.5).softmax(-1)
    return linear(p, f'{name}.to_out.0', torch.einsum('nhqk,nkhc->nqhc', weights, v).reshape(n, length, c), c)


def transformer(p, name, x, tokens, heads, o):
    n, c, h, w = x.shape
    y = group(p, f'{name}.norm', x, o['groups'], 1e-6)
    if not o['linear']:
        y = conv(p, f'{name}.proj_in', y, c, 1)
    y = y.permute(0, 2, 3, 1).reshape(n, h * w, c)
    if o['linear']:
        y = linear(p, f'{name}.proj_in', y, c)
    for i in range(o['depth']):
        b = f'{name}.transformer_blocks.{i}'
        s = layer(p, f'{b}.norm1', y)
        y = y + attention(p, f'{b}.attn1', s, s, heads)
        y = y + attention(p, f'{b}.attn2', layer(p, f'{b}.norm2', y), tokens, heads)
        a, gate = linear(p, f'{b}.ff.net.0.proj', layer(p, f'{b}.norm3', y), 8 * c).chunk(2, dim=-1)
        y = y + linear(p, f'{b}.ff.net.2', a * F.gelu(gate), c)
    if o['linear']:
        y = linear(p, f'{name}.proj_out', y, c)
    y = y.reshape(n, h, w, c).permute(0, 3, 1, 2)
    return x + (y if o['linear'] else conv(p, f'{name}.proj_out', y, c, 1))


def network(p, x, t, tokens, o):
    widths, layers = o['widths'], o['layers']
    half = widths[0] // 2
    angles = t[:, None] * torch.exp(-np.log(10000) * torch.arange(half, dtype=torch.float64) / half)
    emb = torch.cat([angles.cos(), angles.sin()], dim=1)
    emb = linear(p, 'time_embedding.linear_2', F.silu(linear(p, 'time_embedding.linear_1', emb, 4 * widths[0])), 4 * widths[0])
    x = conv(p, 'conv_in', x, widths[0])
    skips = [x]
    for i, width in enumerate(widths):
        for j in range(layers):
            x = resnet(p, f'down_blocks.{i}.resnets.{j}', x, emb, width, o)
            if o['down'][i]:
                x = transformer(p, f'down_blocks.{i}.attentions.{j}', x, tokens, o['heads'][i], o)
            skips.append(x)
        if i < len(widths) - 1:
            x = conv(p, f'down_blocks.{i}.downsamplers.0.conv', x, width, stride=2)
            skips.append(x)
    x = resnet(p, 'mid_block.resnets.0', x, emb, widths[-1], o)
    x = transformer(p, 'mid_block.attentions.0', x, tokens, o['heads'][-1], o)
    x = resnet(p, 'mid_block.resnets.1', x, emb, widths[-1], o)
    for k, i in enumerate(reversed(range(len(widths)))):
        for j in range(layers + 1):
            x = resnet(p, f'up_blocks.{k}.resnets.{j}', torch.cat([x, skips.pop()], dim=1), emb, widths[i], o)
            if o['down'][i]:
                x = transformer(p, f'up_blocks.{k}.attentions.{j}', x, tokens, o['heads'][i], o)
        if i > 0:
            x = conv(p, f'up_blocks.{k}.upsamplers.0.conv', F.interpolate(x, scale_factor=2, mode='nearest'), widths[i])
    return conv(p, 'conv_out', F.silu(group(p, 'conv_norm_out', x, o['groups'], 1e-5)), o['channels'])


CASES = {
    'one': dict(widths=[4, 8], layers=1, down=[1, 0], heads=[2, 2], depth=1, linear=False, groups=2, channels=3, tokens=6),
    'two': dict(widths=[4, 8], layers=1, down=[0, 1], heads=[1, 4], depth=2, linear=True, groups=4, channels=1, tokens=5),
}


def main():
    file = {}
    for name, o in CASES.items():
        n, c = 2, o['channels']
        x = array((n, c, 4, 4), 1001).requires_grad_()
        t = torch.tensor([3.0, 700.0], dtype=torch.float64)
        tokens = array((n, 3, o['tokens']), 1002).requires_grad_()
        p = Parameters()
        network(p, x, t, tokens, o)
        p.draw()
        y = network(p, x, t, tokens, o)
        names = sorted(p.shapes)
        grads = torch.autograd.grad(y, [x, tokens, *(p.values[q] for q in names)], array((n, c, 4, 4), 1003))
        file[f'{name}/out'], file[f'{name}/grad_x'], file[f'{name}/grad_tokens'] = y, grads[0], grads[1]
        for q, g in zip(names, grads[2:]):
            if 'attentions' in q:  # the rest is that of networks without tokens
                file[f'{name}/grad.{q}'] = g
        print(name, sum(int(np.prod(s)) for s in p.shapes.values()), 'parameters,', float(y.abs().max()))
    arrays = {q: np.asarray(x.detach().contiguous().numpy(), dtype='<f4') for q, x in file.items()}
    FILE.write_bytes(safetensors.save(arrays, {}))
    print(FILE.stat().st_size, 'bytes')


main()

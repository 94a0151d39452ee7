"""Reference values of lucidrains' blocks over one axis and over three, with the gradient of every parameter: python3 axes.py > axes.json

The network of unet.py with convolutions of other axes. Needs numpy and torch (1.13); computes in float64.
"""
import json, math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import unet as flat


def noise(count, seed):
    x = np.arange(count, dtype=np.uint32) + np.uint32(seed << 20)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return x / 2.0**31 - 1


def conv(d, i, o, k, **rest): return (nn.Conv1d, None, nn.Conv3d)[d - 1](i, o, k, **rest)


class Norm(nn.Module):
    def __init__(s, d, c): super().__init__(); s.g = nn.Parameter(torch.ones(1, c, *[1] * d)); s.scale = c**.5
    def forward(s, x): return F.normalize(x, dim=1) * s.g * s.scale
class Block(nn.Module):
    def __init__(s, d, i, o): super().__init__(); s.proj = conv(d, i, o, 3, padding=1); s.norm = Norm(d, o)
    def forward(s, x, ss=None):
        x = s.norm(s.proj(x))
        return F.silu(x if ss is None else x * (ss[0] + 1) + ss[1])
class Res(nn.Module):
    def __init__(s, d, i, o, t):
        super().__init__(); s.d = d; s.mlp = nn.Sequential(nn.SiLU(), nn.Linear(t, 2 * o)); s.block1 = Block(d, i, o); s.block2 = Block(d, o, o)
        if i != o: s.res_conv = conv(d, i, o, 1)
    def forward(s, x, t):
        ss = s.mlp(t); ss = ss.reshape(*ss.shape, *[1] * s.d).chunk(2, dim=1)
        return s.block2(s.block1(x, ss)) + (s.res_conv(x) if hasattr(s, 'res_conv') else x)
class Attn(nn.Module):
    def __init__(s, d, c, full, heads=2, width=4, memory=3):
        super().__init__(); s.full, s.h, s.w = full, heads, width; s.norm = Norm(d, c)
        s.mem_kv = nn.Parameter(torch.zeros(*((2, heads, memory, width) if full else (2, heads, width, memory))))
        s.to_qkv = conv(d, c, 3 * heads * width, 1, bias=False); o = conv(d, heads * width, c, 1)
        s.to_out = o if full else nn.Sequential(o, Norm(d, c))
    def forward(s, x):
        b, q_k_v = x.shape[0], s.to_qkv(s.norm(x))
        q, k, v = [z.reshape(b, s.h, s.w, -1) for z in q_k_v.chunk(3, dim=1)]  # all places in one row
        mk, mv = [z[None].expand(b, -1, -1, -1) for z in s.mem_kv]
        if s.full: mk, mv = mk.transpose(2, 3), mv.transpose(2, 3)
        k, v = torch.cat([mk, k], 3), torch.cat([mv, v], 3)
        if s.full: o = torch.einsum('bhnm,bhem->bhen', torch.einsum('bhdn,bhdm->bhnm', q, k).mul(s.w**-.5).softmax(-1), v)
        else: o = torch.einsum('bhde,bhdn->bhen', torch.einsum('bhdn,bhen->bhde', k.softmax(3), v), q.softmax(2) * s.w**-.5)
        return s.to_out(o.reshape(b, -1, *x.shape[2:]))
class Unshuffle(nn.Module):
    """Of each frame: [N, C, T, H, W] to [N, 4C, T, H/2, W/2]."""
    def forward(s, x):
        b, c, t, h, w = x.shape
        return x.reshape(b, c, t, h // 2, 2, w // 2, 2).permute(0, 1, 4, 6, 2, 3, 5).reshape(b, 4 * c, t, h // 2, w // 2)
class Up(nn.Module):
    def __init__(s, d): super().__init__(); s.d = d
    def forward(s, x): return F.interpolate(x, scale_factor=2 if s.d == 1 else (1, 2, 2), mode='nearest')


def down(d, i, o):
    return nn.Sequential(nn.Identity(), conv(1, i, o, 4, stride=2, padding=1)) if d == 1 else nn.Sequential(Unshuffle(), conv(3, 4 * i, o, 1))


class Unet(nn.Module):
    def __init__(s, d, channels, dim=8, mults=(1, 2)):
        super().__init__(); n, td = len(mults), 4 * dim; dims = [dim] + [dim * m for m in mults]; st = list(zip(dims, dims[1:]))
        s.init_conv = conv(d, channels, dim, 7, padding=3); m = dims[-1]
        s.time_mlp = nn.Sequential(flat.Pos(dim), nn.Linear(dim, td), nn.GELU(), nn.Linear(td, td))
        s.downs = nn.ModuleList([nn.ModuleList([Res(d, i, i, td), Res(d, i, i, td), Attn(d, i, k == n - 1), conv(d, i, o, 3, padding=1) if k == n - 1 else down(d, i, o)]) for k, (i, o) in enumerate(st)])
        s.mid_block1 = Res(d, m, m, td); s.mid_attn = Attn(d, m, True); s.mid_block2 = Res(d, m, m, td)
        s.ups = nn.ModuleList([nn.ModuleList([Res(d, i + o, o, td), Res(d, i + o, o, td), Attn(d, o, k == 0), conv(d, o, i, 3, padding=1) if k == n - 1 else nn.Sequential(Up(d), conv(d, o, i, 3, padding=1))]) for k, (i, o) in enumerate(reversed(st))])
        s.final_res_block = Res(d, 2 * dim, dim, td); s.final_conv = conv(d, dim, channels, 1)
    forward = flat.Unet.forward


def kind(name):
    return 'memory' if name.endswith('mem_kv') else 'gain' if name.endswith('.g') else 'bias' if name.endswith('bias') else 'weight'


def make(shape, seed, kind):
    v = noise(math.prod(shape), seed).reshape(shape)
    scale = {'memory': 1, 'gain': 0.25, 'bias': 0.1, 'weight': 1 / math.sqrt(math.prod(shape[1:]))}[kind]
    return torch.from_numpy(v * scale + (1 if kind == 'gain' else 0)).float()


def numbers(t): return [float('%.7g' % v) for v in t.detach().flatten().tolist()]


def reference(name, d, shape):
    u = Unet(d, shape[1]); named = sorted(u.named_parameters())
    u.load_state_dict({k: make(tuple(p.shape), i, kind(k)) for i, (k, p) in enumerate(named)})
    x, cotangent = (torch.from_numpy(noise(math.prod(shape), seed)).float().reshape(shape).double() for seed in (1001, 1002))
    u, x = u.double(), x.requires_grad_()
    y = u(x, torch.tensor([3.0, 700.0]).double())
    (y * cotangent).sum().backward()
    product = lambda g, seed: (g.flatten() * torch.from_numpy(noise(g.numel(), seed))).sum()
    rows = {k: {'shape': list(p.shape), 'norm': numbers(p.grad.norm())[0], 'product': numbers(product(p.grad, i))[0]} for i, (k, p) in enumerate(named)}
    return {'name': name, 'shape': list(shape), 'output': numbers(y), 'grad_sample': numbers(x.grad), 'gradients': rows}


print(json.dumps([reference('sequences', 1, (2, 2, 12)), reference('frames', 3, (2, 2, 3, 4, 6))]))

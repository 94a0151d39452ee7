"""A DiT and a U-ViT in PyTorch, by their papers: images NCHW, patches by a convolution, positions from a mesh of coordinates, heads by einsum.

Parameters have the names of ours; axes are PyTorch's.
"""
import math

import torch
from torch import nn
import torch.nn.functional as F


def timestep_embedding(t, width):
    """Cosines first; frequencies 10000 ** (-i / half)."""
    half = width // 2
    args = t[:, None] * torch.exp(-math.log(10000) * torch.arange(half, dtype=t.dtype) / half)[None]
    return torch.cat([args.cos(), args.sin()], 1)


def positions(rows, columns, width):
    """The column in the first half of the channels, the row in the second; sines first in each."""
    y, x = torch.meshgrid(torch.arange(rows, dtype=torch.float64), torch.arange(columns, dtype=torch.float64), indexing='ij')
    omega = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width / 4))
    half = lambda place: torch.cat([torch.sin(place.flatten()[:, None] * omega), torch.cos(place.flatten()[:, None] * omega)], 1)
    return torch.cat([half(x), half(y)], 1)


def unpatchify(tokens, rows, columns, patch):
    n, _, length = tokens.shape
    x = tokens.reshape(n, rows, columns, patch, patch, length // patch ** 2)
    return torch.einsum('nhwpqc->nchpwq', x).reshape(n, -1, rows * patch, columns * patch)


class Attention(nn.Module):
    def __init__(self, width, heads, bias=True):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width, bias=bias) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, x):
        n, length, width = x.shape
        split = lambda y: y.view(n, length, self.heads, width // self.heads)
        logits = torch.einsum('nqhd,nkhd->nhqk', split(self.query(x)), split(self.key(x))) / math.sqrt(width // self.heads)
        return self.out(torch.einsum('nhqk,nkhd->nqhd', logits.softmax(-1), split(self.value(x))).reshape(n, length, width))


class Mlp(nn.Module):
    def __init__(self, widths, activation):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(widths, widths[1:])])
        self.activation = activation

    def forward(self, x):
        return self.layers[1](self.activation(self.layers[0](x)))


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def modulate(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]


class DitBlock(nn.Module):
    def __init__(self, width, heads, ratio):
        super().__init__()
        self.modulation = nn.Linear(width, 6 * width)
        self.attention = Attention(width, heads)
        self.mlp = Mlp([width, int(ratio * width), width], gelu_tanh)

    def forward(self, x, c):
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(F.silu(c)).chunk(6, 1)
        x = x + gate1[:, None] * self.attention(modulate(x, shift1, scale1))
        return x + gate2[:, None] * self.mlp(modulate(x, shift2, scale2))


class Dit(nn.Module):
    def __init__(self, channels, patch, width, depth, heads, ratio, conditions):
        super().__init__()
        self.patch, self.width = patch, width
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.time = Mlp([256, width, width], F.silu)
        self.condition = nn.Linear(conditions, width, bias=False)
        self.blocks = nn.ModuleList([DitBlock(width, heads, ratio) for _ in range(depth)])
        self.modulation = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, patch ** 2 * channels)

    def forward(self, x, t, condition):
        rows, columns = x.shape[2] // self.patch, x.shape[3] // self.patch
        tokens = self.patches(x).flatten(2).transpose(1, 2) + positions(rows, columns, self.width).to(x)
        c = self.time(timestep_embedding(t, 256)) + self.condition(condition)
        for block in self.blocks:
            tokens = block(tokens, c)
        shift, scale = self.modulation(F.silu(c)).chunk(2, 1)
        return unpatchify(self.head(modulate(tokens, shift, scale)), rows, columns, self.patch)


class UvitBlock(nn.Module):
    def __init__(self, width, heads, ratio, skip=False):
        super().__init__()
        self.skip = nn.Linear(2 * width, width) if skip else None
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, bias=False)
        self.mlp = Mlp([width, int(ratio * width), width], F.gelu)

    def forward(self, x, skip=None):
        if self.skip is not None:
            x = self.skip(torch.cat([x, skip], -1))
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Uvit(nn.Module):
    def __init__(self, channels, patch, width, depth, heads, ratio, conditions, size):
        super().__init__()
        self.patch, self.width, self.size = patch, width, size
        places = 2 + (0 if size is None else size[0] * size[1] // patch ** 2)
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.condition = nn.Linear(conditions, width, bias=False)
        self.positions = nn.Parameter(torch.zeros(places, width))
        half = depth // 2
        self.down = nn.ModuleList([UvitBlock(width, heads, ratio) for _ in range(half)])
        self.middle = UvitBlock(width, heads, ratio)
        self.up = nn.ModuleList([UvitBlock(width, heads, ratio, skip=True) for _ in range(half)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, patch ** 2 * channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, t, condition):
        rows, columns = x.shape[2] // self.patch, x.shape[3] // self.patch
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        told = [timestep_embedding(t, self.width)[:, None], self.condition(condition)[:, None]]
        places = self.positions if self.size else torch.cat([self.positions, positions(rows, columns, self.width).to(x)])
        x = torch.cat([*told, tokens], 1) + places
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.middle(x)
        for block in self.up:
            x = block(x, skips.pop())
        return self.conv(unpatchify(self.head(self.norm(x))[:, 2:], rows, columns, self.patch))

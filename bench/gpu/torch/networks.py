"""The networks of bench/gpu/networks.ts in PyTorch, with the same parameters under the same names, and their losses."""
import math, sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'test' / 'golden' / 'lucidrains-unet'))
from unet import Unet


def conv3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, padding=1, stride=stride, bias=False)


class Block(nn.Module):
    """Norm, SiLU, convolution, twice; and the input, through a 1×1 convolution where the widths differ."""

    def __init__(self, inputs, outputs, groups):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, inputs), conv3(inputs, outputs)
        self.norm2, self.conv2 = nn.GroupNorm(groups, outputs), conv3(outputs, outputs)
        if inputs != outputs:
            self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.same = inputs == outputs

    def forward(self, x):
        h = self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        return h + (x if self.same else self.skip(x))


class Published(nn.Module):
    """The U-Net of kvark/inferena's benchmark: no biases of convolutions, no attention, no time."""

    def __init__(self, width, multipliers, groups=16):
        super().__init__()
        widths = [width * m for m in multipliers]
        last, deepest = len(widths) - 1, widths[-1]
        self.stem = conv3(4, width)
        self.down = nn.ModuleList(Block(widths[i - 1] if i else width, w, groups) for i, w in enumerate(widths))
        self.halve = nn.ModuleList(conv3(w, w, 2) for w in widths[:-1])
        self.middle = Block(deepest, deepest, groups)
        above = [deepest] + widths[::-1][:-1]
        self.up = nn.ModuleList(Block(w + a, w, groups) for w, a in zip(widths[::-1], above))
        self.norm, self.head, self.last = nn.GroupNorm(groups, width), conv3(width, 4), last

    def forward(self, x):
        x, skips = self.stem(x), []
        for i, stage in enumerate(self.down):
            x = stage(x)
            skips.append(x)
            if i < self.last:
                x = self.halve[i](x)
        x = self.middle(x)
        for i, stage in enumerate(self.up):
            if i > 0:
                x = F.interpolate(x, scale_factor=2, mode='nearest')
            x = stage(torch.cat((x, skips[self.last - i]), 1))
        return self.head(F.silu(self.norm(x)))


class Times(nn.Module):
    """Sinusoids of the time, on the time's device."""

    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, t):
        half = self.width // 2
        e = torch.exp(torch.arange(half, dtype=t.dtype, device=t.device) * -(math.log(10000) / (half - 1)))
        e = t[:, None] * e[None]
        return torch.cat((e.sin(), e.cos()), -1)


def build(name, case):
    if name == 'published':
        return Published(case['width'], case['multipliers'])
    model = Unet(case['width'], tuple(case['multipliers']))
    model.time_mlp[0] = Times(case['width'])
    return model


def arguments(name, inputs):
    """What the network is given, and what it is to give: functions of the inputs that a step computes, too."""
    if name == 'published':
        return (inputs['x'],), inputs['target']
    x0, epsilon, signal, noise = (inputs[k] for k in ('x0', 'epsilon', 'signal', 'noise'))
    return (signal * x0 + noise * epsilon, inputs['t']), signal * epsilon - noise * x0

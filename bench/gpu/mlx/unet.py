"""NEVER RUN: written without a Mac. The forward and the backward pass of the published U-Net in MLX, from fathom's weights on the same images.

    python3 unet.py CASES.json
"""
import json, sys, time
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn

from kernels import given, measure, say


def conv3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, padding=1, stride=stride, bias=False)


def group_norm(groups, channels):
    return nn.GroupNorm(groups, channels, pytorch_compatible=True)


class Block(nn.Module):
    def __init__(self, inputs, outputs, groups):
        super().__init__()
        self.norm1, self.conv1 = group_norm(groups, inputs), conv3(inputs, outputs)
        self.norm2, self.conv2 = group_norm(groups, outputs), conv3(outputs, outputs)
        if inputs != outputs:
            self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.same = inputs == outputs

    def __call__(self, x):
        h = self.conv2(nn.silu(self.norm2(self.conv1(nn.silu(self.norm1(x))))))
        return h + (x if self.same else self.skip(x))


class Published(nn.Module):
    def __init__(self, width, multipliers, groups=16):
        super().__init__()
        widths = [width * m for m in multipliers]
        self.last, deepest = len(widths) - 1, widths[-1]
        self.stem = conv3(4, width)
        self.down = [Block(widths[i - 1] if i else width, w, groups) for i, w in enumerate(widths)]
        self.halve = [conv3(w, w, 2) for w in widths[:-1]]
        self.middle = Block(deepest, deepest, groups)
        above = [deepest] + widths[::-1][:-1]
        self.up = [Block(w + a, w, groups) for w, a in zip(widths[::-1], above)]
        self.norm, self.head = group_norm(groups, width), conv3(width, 4)

    def __call__(self, x):
        x, skips = self.stem(x), []
        for i, stage in enumerate(self.down):
            x = stage(x)
            skips.append(x)
            if i < self.last:
                x = self.halve[i](x)
        x = self.middle(x)
        for i, stage in enumerate(self.up):
            if i > 0:
                x = mx.repeat(mx.repeat(x, 2, axis=1), 2, axis=2)
            x = stage(mx.concatenate([x, skips[self.last - i]], axis=-1))
        return self.head(nn.silu(self.norm(x)))


def main():
    case, folder = given['published'], Path(given['exchange'])
    if not (folder / 'published.json').exists():
        raise SystemExit('fathom left no weights for the published U-Net: its own stage must go well first')
    left = json.loads((folder / 'published.json').read_text())
    model = Published(case['width'], case['multipliers'])
    weights = mx.load(str(folder / 'published.weights.safetensors'))
    # PyTorch's filters are [out, in, h, w], MLX's [out, h, w, in].
    model.load_weights([(k, v.transpose(0, 2, 3, 1) if v.ndim == 4 else v) for k, v in weights.items()])
    inputs = {k: v.transpose(0, 2, 3, 1) for k, v in mx.load(str(folder / 'published.inputs.safetensors')).items()}
    parameters = sum(v.size for v in weights.values())

    def loss(x, target):
        return (model(x) - target).square().mean()

    step = nn.value_and_grad(model, loss)
    for mode, run in (('eager', step), ('compiled', mx.compile(step, inputs=model.state))):
        start = time.perf_counter()
        value, gradients = run(inputs['x'], inputs['target'])
        mx.eval(value, gradients)
        first = time.perf_counter() - start
        row = measure(lambda: run(inputs['x'], inputs['target']))
        say('step', name=left['name'], precision='f32', mode=mode, batch=left['batch'], parameters=parameters, firstSeconds=first, losses=[value.item()], **row)


main()

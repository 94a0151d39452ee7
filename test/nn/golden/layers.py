"""Results of PyTorch's layers and losses (torch 1.13, float64) in NHWC / HWIO order: python3 layers.py > layers.json

Values are sin(1), sin(2), ... in PyTorch's order of axes; the test moves the axes of `inputs` and `weight` back to ours.
"""
import json, math
import torch
import torch.nn.functional as F


def wave(*shape, start=1):
    return torch.sin(torch.arange(start, start + math.prod(shape), dtype=torch.float64)).reshape(shape)


def case(y):
    y = y.permute(0, 2, 3, 1) if y.dim() == 4 else y
    return {'shape': list(y.shape), 'values': [float('%.10g' % v) for v in y.flatten().tolist()]}


x, w, b = wave(2, 4, 5, 6), wave(6, 2, 3, 2, start=300), wave(6, start=900)
v, u, c = wave(3, 4), wave(5, 4, start=50), wave(5, start=80)
wt, labels = wave(4, 3, 3, 2, start=400), torch.tensor([0, 3, 1])
z = 3 * wave(3, 4, start=20)
results = {
    'linear': F.linear(v, u, c),
    'conv2d': F.conv2d(x, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2),
    'convTranspose2d': F.conv_transpose2d(x, wt, wave(3, start=70), stride=2, padding=1, output_padding=(1, 0)),
    'groupNorm': F.group_norm(x, 2, wave(4, start=30), wave(4, start=40)),
    'layerNorm': F.layer_norm(v, (4,), wave(4, start=30), wave(4, start=40)),
    'pixelUnshuffle': F.pixel_unshuffle(wave(1, 3, 4, 2), 2),
    'mse': F.mse_loss(v, z),
    'l1': F.l1_loss(v, z, reduction='sum'),
    'huber': F.huber_loss(v, z, delta=0.7),
    'crossEntropy': F.cross_entropy(z, labels),
    'crossEntropyNone': F.cross_entropy(z, labels, reduction='none'),
    'binaryCrossEntropy': F.binary_cross_entropy_with_logits(z, v.abs()),
}
print(json.dumps({name: case(y) for name, y in results.items()}))

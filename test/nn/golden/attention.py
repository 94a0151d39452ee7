"""PyTorch's multi-head attention with masks (torch 1.13, float64): /usr/bin/python3 attention.py > attention.json

Values are sin(1), sin(2), ... in [N, T, width] and [in, out]; PyTorch's masks are True where a key is hidden, ours where it is seen.
"""
import json, math
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
N, T, S, width, heads = 2, 3, 4, 4, 2


def wave(*shape, start=1):
    return torch.sin(torch.arange(start, start + math.prod(shape), dtype=torch.float64)).reshape(shape)


def numbers(x):
    return [float('%.12g' % v) for v in x.detach().flatten().tolist()]


layer = nn.MultiheadAttention(width, heads, batch_first=True)
weights = [wave(width, width, start=100 * i).T for i in range(4)]
layer.in_proj_weight.data = torch.cat(weights[:3])
layer.in_proj_bias.data = torch.cat([wave(width, start=500 + 10 * i) for i in range(3)])
layer.out_proj.weight.data, layer.out_proj.bias.data = weights[3].contiguous(), wave(width, start=530)
seen = wave(T, S, start=7) > -0.5
every = wave(N * heads, T, S, start=20) > -0.6
seen[:, 0] = every[..., 0] = True  # a query that sees nothing is NaN in PyTorch 1.13
there = torch.tensor([[True] * S, [True, True, False, False]])
x, context = wave(N, T, width), wave(N, S, width, start=60)
square = torch.ones(T, T, dtype=torch.bool).tril()

cases = {
    'plain': dict(),
    'mask': dict(attn_mask=~seen),
    'heads': dict(attn_mask=~every),
    'keys': dict(key_padding_mask=~there),
    'both': dict(attn_mask=~seen, key_padding_mask=~there),
    'added': dict(attn_mask=wave(T, S, start=90)),
    'causal': dict(attn_mask=~square),
}
results = {}
for name, options in cases.items():
    query = x.clone().requires_grad_()
    other = query if name == 'causal' else context
    layer.zero_grad()
    y, _ = layer(query, other, other, need_weights=False, **options)
    (y * wave(N, T, width, start=300)).sum().backward()
    results[name] = {'output': numbers(y), 'x': numbers(query.grad), 'key': numbers(layer.in_proj_weight.grad[width:2 * width].T)}
print(json.dumps(results))

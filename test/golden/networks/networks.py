"""The reference values of networks.json: small ResNets, ViTs and GPTs, written here with PyTorch's own functions, in f64.
Parameters are a formula of their paths in fathom, which the test knows too. `/usr/bin/python3 networks.py > networks.json`."""
import json, math, sys
import numpy as np
import torch
import torch.nn.functional as F
torch.set_default_dtype(torch.float64)

def fill(path, *shape):
    """The parameter at a path: sines, as large as its axes suggest; norms about 1."""
    n = int(np.prod(shape)); phase = 0.1 * sum(map(ord, path))
    wave = np.sin(1.7 * np.arange(1, n + 1) + phase)
    if len(shape) > 1: x = 1.6 / math.sqrt(n / shape[-1]) * wave
    elif path.endswith('weight'): x = 1 + 0.2 * wave
    else: x = 0.2 * wave
    return torch.tensor(x.reshape(shape), requires_grad=True)

class Params(dict):
    def __call__(self, path, *shape):
        if path not in self: self[path] = fill(path, *shape)
        return self[path]
flat = lambda t: t.detach().flatten().tolist()
def picture(*shape):
    n = int(np.prod(shape)); return torch.tensor(np.sin(0.9 * np.arange(n)).reshape(shape))

# --- residual networks: NHWC pictures and HWIO filters come from fathom and are turned
def conv(p, path, x, i, o, k, stride):
    return F.conv2d(x, p(path + '.weight', k, k, i, o).permute(3, 2, 0, 1), stride=stride, padding=(k - 1) // 2)
class Norms:
    def __init__(self, kind, train): self.kind, self.train, self.state = kind, train, {}
    def __call__(self, p, path, x):
        c = x.shape[1]; w, b = p(path + '.weight', c), p(path + '.bias', c)
        if self.kind == 'group': return F.group_norm(x, min(32, c), w, b)
        mean, var = torch.full((c,), 0.1), torch.full((c,), 1.5)   # running statistics before the pass
        y = F.batch_norm(x, mean, var, w, b, training=self.train, momentum=0.1)
        self.state[path] = (mean, var)
        return y
def resnet(p, norms, x, blocks, kind, width, stem, classes):
    x = x.permute(0, 3, 1, 2)
    k, s = (7, 2) if stem == 'large' else (3, 1)
    x = F.relu(norms(p, 'stem.norm', conv(p, 'stem.conv', x, x.shape[1], width, k, s)))
    if stem == 'large': x = F.max_pool2d(x, 3, 2, 1)
    e = 1 if kind == 'basic' else 4
    n = 0; inputs = width
    for stage, count in enumerate(blocks):
        w = width * 2 ** stage
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            at = f'blocks.{n}'; n += 1
            def normed(j, y, a, b, k, s): return norms(p, f'{at}.convolutions.{j}.norm', conv(p, f'{at}.convolutions.{j}.conv', y, a, b, k, s))
            if kind == 'basic':
                y = normed(1, F.relu(normed(0, x, inputs, w, 3, stride)), w, w, 3, 1)
            else:
                y = F.relu(normed(0, x, inputs, w, 1, 1)); y = F.relu(normed(1, y, w, w, 3, stride)); y = normed(2, y, w, 4 * w, 1, 1)
            if stride != 1 or inputs != e * w: x = norms(p, at + '.shortcut.norm', conv(p, at + '.shortcut.conv', x, inputs, e * w, 1, stride))
            x = F.relu(y + x); inputs = e * w
    return x.mean((2, 3)) @ p('out.weight', inputs, classes) + p('out.bias', classes)

# --- transformers
def ln(p, path, x, eps):
    c = x.shape[-1]; return F.layer_norm(x, (c,), p(path + '.weight', c), p(path + '.bias', c), eps)
def linear(p, path, x, o, bias=True):
    y = x @ p(path + '.weight', x.shape[-1], o); return y + p(path + '.bias', o) if bias else y
def turn(x, base=10000.0):  # Su et al. 2021, eq. 34: pairs of neighbours
    t, d = x.shape[-2:]
    angle = torch.arange(t, dtype=torch.float64)[:, None] * base ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()), -1).flatten(-2)
def block(p, at, x, heads, gelu, eps, causal, rotary=False):
    n, t, c = x.shape; d = c // heads
    h = ln(p, at + '.norm1', x, eps)
    q, k, v = (linear(p, f'{at}.attention.{m}', h, c).view(n, t, heads, d).transpose(1, 2) for m in ('query', 'key', 'value'))
    if rotary: q, k = turn(q), turn(k)
    s = q @ k.transpose(2, 3) / math.sqrt(d)
    if causal: s = s.masked_fill(torch.ones(t, t).triu(1).bool(), -math.inf)
    y = (s.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c)
    x = x + linear(p, at + '.attention.out', y, c)
    h = linear(p, at + '.mlp.expand', ln(p, at + '.norm2', x, eps), 4 * c)
    return x + linear(p, at + '.mlp.contract', gelu(h), c)
tanh_gelu = lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))
def vit(p, x, patch, width, depth, heads, classes, pooling):
    n, h, w, c = x.shape
    weight = p('patches.weight', patch * patch * c, width)
    x = F.conv2d(x.permute(0, 3, 1, 2), weight.view(patch, patch, c, width).permute(3, 2, 0, 1), p('patches.bias', width), stride=patch).flatten(2).transpose(1, 2)
    if pooling == 'token': x = torch.cat([p('token', 1, 1, width).expand(n, -1, -1), x], 1)
    x = x + p('positions', x.shape[1], width)
    for i in range(depth): x = block(p, f'blocks.{i}', x, heads, F.gelu, 1e-6, False)
    x = ln(p, 'norm', x, 1e-6)
    return linear(p, 'out', x[:, 0] if pooling == 'token' else x.mean(1), classes)
def gpt(p, ids, vocabulary, context, width, depth, heads, positions, tied):
    table = p('tokens', vocabulary, width)
    x = table[ids]
    if positions == 'learned': x = x + p('places.weight', context, width)[: ids.shape[1]]
    for i in range(depth): x = block(p, f'blocks.{i}', x, heads, tanh_gelu, 1e-5, True, positions == 'rotary')
    x = ln(p, 'norm', x, 1e-5)
    return x @ table.T if tied else linear(p, 'out', x, vocabulary, bias=False)

def case(options, run, sizes):
    """Logits, and the sum of squares of the gradient of each parameter, of sum(logits * wave)."""
    p = Params(); y = run(p)
    wave = torch.tensor(np.cos(np.arange(y.numel())).reshape(y.shape))
    (y * wave).sum().backward()
    return {'options': options, 'logits': flat(y), 'gradients': {k: float((v.grad ** 2).sum()) for k, v in p.items()}, **sizes}

out = {}
small = dict(blocks=[1, 2], width=4, classes=3)
for name, kind, stem, norm, train, shape in [
    ('resnet-basic-batch-train', 'basic', 'large', 'batch', True, (3, 18, 21, 2)),
    ('resnet-basic-batch', 'basic', 'large', 'batch', False, (2, 16, 16, 2)),
    ('resnet-bottleneck-batch-train', 'bottleneck', 'small', 'batch', True, (2, 9, 8, 2)),
    ('resnet-bottleneck-group', 'bottleneck', 'small', 'group', False, (2, 9, 8, 2)),
]:
    norms = Norms(norm, train)
    out[name] = case({**small, 'block': kind, 'stem': stem, 'norm': norm, 'channels': 2},
                     lambda p: resnet(p, norms, picture(*shape), small['blocks'], kind, small['width'], stem, 3), {'shape': shape})
    out[name]['train'] = train
    out[name]['state'] = {k: [flat(m), flat(v)] for k, (m, v) in norms.state.items()}
for pooling in ('token', 'mean'):
    o = dict(patch=4, width=12, depth=2, heads=3, classes=5, pooling=pooling)
    out['vit-' + pooling] = case({**o, 'size': [8, 12], 'channels': 2}, lambda p: vit(p, picture(2, 8, 12, 2), **o), {'shape': (2, 8, 12, 2)})
ids = torch.tensor([[1, 4, 0, 6, 2, 2, 5], [3, 3, 6, 0, 1, 5, 4]])
for name, positions, tied in [('gpt', 'learned', True), ('gpt-rotary', 'rotary', True), ('gpt-untied', 'learned', False)]:
    o = dict(vocabulary=7, context=9, width=12, depth=2, heads=3, positions=positions, tied=tied)
    out[name] = case(o, lambda p: gpt(p, ids, **o), {'ids': ids.tolist()})
json.dump({'reference': 'torch ' + torch.__version__ + ' CPU float64', 'cases': out}, sys.stdout)

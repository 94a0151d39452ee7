"""Matrix products and convolutions in PyTorch, for bench/peers/main.ts: for each line, a case and how often to run it, its seconds a run, and those of all its threads."""
import json, sys, time

import torch

torch.set_num_threads(json.loads(sys.argv[1])['threads'])
torch.manual_seed(0)


def top_p(logits):
    ordered, order = logits.sort(descending=True)
    probabilities = ordered.softmax(-1)
    kept = probabilities.cumsum(-1) - probabilities < 0.9
    return order[torch.where(kept, probabilities, torch.zeros(())).multinomial(1)]


def both_passes(f, *inputs):
    """f, summed, forwards and backwards to inputs that stay."""
    leaves = [x.requires_grad_() for x in inputs]

    def run():
        with torch.enable_grad():
            return torch.autograd.grad(f(*leaves), leaves)

    return run


def prepare_function(c):
    of, shape = c['of'], c['shape']
    if of == 'depthwise 3×3, both passes':
        n, h, w, channels = shape
        x, f = torch.randn(n, channels, h, w), torch.randn(channels, 1, 3, 3)
        return both_passes(lambda x, f: torch.conv2d(x, f, padding=1, groups=channels).square().sum(), x, f)
    if of in ('gather', 'embedding, both passes'):
        table, index = torch.randn(20000, 128), torch.randint(0, 20000, shape)
        if of == 'gather':
            return lambda: table[index]
        return both_passes(lambda t: torch.nn.functional.embedding(index, t).square().sum(), table)
    x = torch.randn(shape)
    y = torch.randn(shape)
    if of == 'gelu, both passes':
        return both_passes(lambda x: torch.nn.functional.gelu(x).sum(), x)
    return {
        'cumsum': lambda: x.cumsum(-1),
        'argsort': lambda: x.argsort(),
        'top-p': lambda: top_p(x),
        'softmax': lambda: x.softmax(-1),
        'transpose': lambda: x.t().contiguous(),
        'products of matrices': lambda: x @ y,
        'normal': lambda: torch.randn(shape),
    }[of]


def prepare(c):
    if c['kind'] == 'function':
        return prepare_function(c)
    if c['kind'] == 'gemm':
        x, y = torch.randn(c['n'], c['n']), torch.randn(c['n'], c['n'])
        return lambda: x @ y
    shape = (c['batch'], c['channels'], c['size'], c['size'])
    x, w, y = torch.randn(shape), torch.randn(c['channels'], c['channels'], 3, 3), torch.randn(shape)
    if c['pass'] == 'forward':
        return lambda: torch.conv2d(x, w, padding=1)
    none = [1, 1], [1, 1], [1, 1], False, [0, 0], 1
    return lambda: torch.ops.aten.convolution_backward(y, x, w, None, *none, [True, True, False])


def say(**values):
    print(json.dumps(values), flush=True)


prepared = {}
say(about=f'PyTorch {torch.__version__}, {torch.get_num_threads()} threads')
for line in sys.stdin:
    asked = json.loads(line)
    name = json.dumps(asked['case'])
    run = prepared.setdefault(name, None) or prepare(asked['case'])
    prepared[name] = run
    with torch.no_grad():
        start, before = time.perf_counter(), time.process_time()
        for _ in range(asked['times']):
            run()
        times = asked['times']
        say(seconds=(time.perf_counter() - start) / times, cpu=(time.process_time() - before) / times)

"""Matrix products and convolutions in PyTorch, for bench/peers/main.ts: for each line, a case and how often to run it, its seconds a run."""
import json, sys, time

import torch

torch.set_num_threads(json.loads(sys.argv[1])['threads'])
torch.manual_seed(0)


def prepare(c):
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
        start = time.perf_counter()
        for _ in range(asked['times']):
            run()
        say(seconds=(time.perf_counter() - start) / asked['times'])

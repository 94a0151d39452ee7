"""Matrix products and convolutions in PyTorch: strict f32, TF32 and f16, in its usual layout and in channels_last.

    python3 kernels.py CASES.json
"""
import torch

from common import about, allow_tf32, cases, find_device, measure, say

given = cases()
device = find_device(given)
about(device)
torch.backends.cudnn.benchmark = True
torch.manual_seed(0)
precisions = {'cuda': ('f32', 'tf32', 'f16'), 'mps': ('f32', 'f16'), 'cpu': ('f32',)}[device]


def timed(name, precision, mode, flops, run):
    with torch.no_grad():
        run()
        row = measure(run, device, given)
    say('time', name=name, precision=precision, mode=mode, gflops=flops / row['ms'] / 1e6, **row)


def gemm(case, precision, dtype):
    n = case['n']
    x, y = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    timed(case['name'], precision, 'eager', 2 * n ** 3, lambda: x @ y)


def conv(case, precision, dtype, layout):
    batch, size, channels = case['batch'], case['size'], case['channels']
    form = {'memory_format': torch.channels_last} if layout == 'channels_last' else {}
    mode = 'eager, channels_last' if form else 'eager'
    x, y = (torch.randn(batch, channels, size, size, device=device).to(dtype).to(**form) for _ in range(2))
    w = torch.randn(channels, channels, 3, 3, device=device).to(dtype).to(**form)
    flops = 2 * 9 * batch * size ** 2 * channels ** 2
    passes = {'forward': lambda: torch.conv2d(x, w, padding=1)}
    for name, mask in (('inputGradient', [True, False, False]), ('filterGradient', [False, True, False])):
        none = [1, 1], [1, 1], [1, 1], False, [0, 0], 1
        passes[name] = lambda mask=mask: torch.ops.aten.convolution_backward(y, x, w, None, *none, mask)
    for name, run in passes.items():
        timed(case[name], precision, mode, flops, run)


for precision in precisions:
    allow_tf32(precision == 'tf32')
    dtype = torch.float16 if precision == 'f16' else torch.float32
    for case in given['gemms']:
        gemm(case, precision, dtype)
    for case in given['convs']:
        for layout in ('usual', 'channels_last'):
            conv(case, precision, dtype, layout)

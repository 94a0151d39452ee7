"""NEVER RUN: written without a Mac. Matrix products and convolutions in MLX.

    python3 kernels.py CASES.json
"""
import json, sys, time

import mlx.core as mx

sys.dont_write_bytecode = True
with open(sys.argv[1]) as f:
    given = json.load(f)


def say(kind, **values):
    print(json.dumps({'kind': kind, 'side': 'mlx', **values}), flush=True)


def quantile(values, q):
    values = sorted(values)
    place = (len(values) - 1) * q
    low, high = values[int(place)], values[min(int(place) + 1, len(values) - 1)]
    return low + (high - low) * (place - int(place))


def measure(run):
    """The milliseconds of one run: many are evaluated one after the other, for MLX is lazy."""
    mx.eval(run())
    start = time.perf_counter()
    mx.eval(run())
    once = max(time.perf_counter() - start, 1e-6)
    rounds = given['rounds']
    times = min(500, max(1, -int(-given['seconds'] / rounds / once // 1)))
    whole = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            mx.async_eval(run())
        mx.eval(run())
        mx.synchronize()
        whole.append(1000 * (time.perf_counter() - start) / (times + 1))
    ms = quantile(whole, 0.5)
    return {'ms': ms, 'spread': (quantile(whole, 0.75) - quantile(whole, 0.25)) / 2 / ms, 'runs': (times + 1) * rounds}


def timed(name, precision, flops, run):
    row = measure(run)
    say('time', name=name, precision=precision, mode='mlx', gflops=flops / row['ms'] / 1e6, **row)


def conv(case, precision, dtype):
    batch, size, channels = case['batch'], case['size'], case['channels']
    x, y = (mx.random.normal((batch, size, size, channels)).astype(dtype) for _ in range(2))
    w = mx.random.normal((channels, 3, 3, channels)).astype(dtype)
    mx.eval(x, y, w)
    flops = 2 * 9 * batch * size ** 2 * channels ** 2
    forward = lambda x, w: mx.conv2d(x, w, padding=1)
    timed(case['forward'], precision, flops, lambda: forward(x, w))
    loss = lambda x, w: (forward(x, w) * y).sum()
    timed(case['inputGradient'], precision, flops, lambda: mx.grad(loss, argnums=0)(x, w))
    timed(case['filterGradient'], precision, flops, lambda: mx.grad(loss, argnums=1)(x, w))


if __name__ == '__main__':
    say('fact', name='MLX', value=f'{mx.__version__} on {mx.default_device()}')
    for precision, dtype in (('f32', mx.float32), ('f16', mx.float16)):
        for case in given['gemms']:
            n = case['n']
            x, y = (mx.random.normal((n, n)).astype(dtype) for _ in range(2))
            mx.eval(x, y)
            timed(case['name'], precision, 2 * n ** 3, lambda: x @ y)
        for case in given['convs']:
            conv(case, precision, dtype)

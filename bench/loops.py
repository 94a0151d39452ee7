"""A training step of PyTorch's nn.LSTM, in milliseconds of wall and of processor: python3 bench/loops.py TURNS THREADS ROUNDS."""
import sys
import time

import torch

turns, threads, rounds = (int(a) for a in sys.argv[1:4])
torch.set_num_threads(threads)
layer = torch.nn.LSTM(128, 128, batch_first=True)
x = torch.randn(64, turns, 128)
times = []
for _ in range(rounds + 1):
    start, before = time.perf_counter(), time.process_time()
    layer.zero_grad(set_to_none=True)
    y, _ = layer(x)
    y.square().mean().backward()
    times.append((time.perf_counter() - start, time.process_time() - before))
middle = [sorted(t[i] for t in times[1:])[rounds // 2] * 1000 for i in (0, 1)]
print(f"{middle[0]:.1f} {middle[1]:.1f}")

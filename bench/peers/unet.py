"""The training step of lucidrains' U-Net in PyTorch, for bench/peers/main.ts: one JSON line in, one out.

    python3 unet.py '{"width": 32, "multipliers": [1, 2, 4], "size": 32, "batch": 16, "threads": 2, "folder": "/tmp/x"}'

Writes weights and inputs as safetensors into the folder, says that it is ready, and then runs a step for each line that it reads: noise the images,
forward, backward, clip by the global norm, Adam, moving average. PyTorch's own joined updates (foreach) are used.
"""
import json, math, resource, struct, sys, time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / 'test' / 'golden' / 'lucidrains-unet'))
sys.dont_write_bytecode = True
from unet import Unet


def write(path, tensors):
    """A safetensors file of float32 tensors."""
    header, offset = {}, 0
    for name, t in tensors.items():
        end = offset + 4 * t.numel()
        header[name] = {'dtype': 'F32', 'shape': list(t.shape), 'data_offsets': [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text)
        for t in tensors.values():
            f.write(t.detach().contiguous().float().numpy().tobytes())


def say(**values):
    print(json.dumps(values), flush=True)


def main(width, multipliers, size, batch, threads, folder, rate, decay):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Unet(width, tuple(multipliers))
    params = [p for p in model.parameters()]
    average = [p.detach().clone() for p in params]
    x0, epsilon = torch.rand(batch, 3, size, size) * 2 - 1, torch.randn(batch, 3, size, size)
    t = torch.randint(0, 1000, (batch,)).float()
    angle = (t / 1000 * math.pi / 2)[:, None, None, None]
    signal, noise = angle.cos(), angle.sin()
    write(Path(folder) / 'weights.safetensors', model.state_dict())
    write(Path(folder) / 'inputs.safetensors', {'x0': x0, 'epsilon': epsilon, 't': t, 'signal': signal, 'noise': noise})
    optimizer = torch.optim.Adam(params, lr=rate, betas=(0.9, 0.99), foreach=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        xt, target = signal * x0 + noise * epsilon, signal * epsilon - noise * x0
        loss = (model(xt, t) - target).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_mul_(average, decay)
            torch._foreach_add_(average, params, alpha=1 - decay)
        return loss.item()

    say(about=f'PyTorch {torch.__version__}, {torch.get_num_threads()} threads', parameters=sum(p.numel() for p in params))
    for line in sys.stdin:
        times, start = int(line), time.perf_counter()
        for _ in range(times):
            loss = step()
        say(seconds=(time.perf_counter() - start) / times, loss=loss, peakBytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


main(**json.loads(sys.argv[1]))

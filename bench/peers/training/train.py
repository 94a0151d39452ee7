"""Trains lucidrains' U-Net in PyTorch as `fathom train` would: the same pictures, split, schedule, objective, optimizer and average.

    python3 train.py FILE CURVE.json [--steps 3] [--threads 2] [--seed 0]

FILE is export.ts's. Random numbers are PyTorch's own, but for the measurement on held-out pictures, whose times and noise are in FILE. Writes the losses
of all steps and of the measurements: {"config", "steps": [{"step", "loss", "heldOut"?}]}.
"""
import argparse, json, struct, sys, time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[3] / 'test' / 'golden' / 'lucidrains-unet'))
sys.dont_write_bytecode = True
from unet import Unet


def read(path):
    """The tensors of a safetensors file, and its metadata."""
    b = Path(path).read_bytes()
    n = struct.unpack('<Q', b[:8])[0]
    header = json.loads(b[8:8 + n])
    meta = header.pop('__metadata__', {})
    part = lambda v: np.frombuffer(b, {'F32': '<f4', 'U8': 'u1'}[v['dtype']], int(np.prod(v['shape'])), 8 + n + v['data_offsets'][0])
    return {k: torch.from_numpy(part(v).reshape(v['shape']).copy()) for k, v in header.items()}, meta


def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


def normalise(x):
    return nchw(x).float() / 127.5 - 1


def column(values):
    return values[:, None, None, None]


def main(given):
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    tensors, meta = read(given.file)
    config = json.loads(meta['config'])
    steps, batch, size = given.steps or config['steps'], config['batch'] * config['accumulate'], config['model']
    signal, noise, weight = tensors['signal'], tensors['noise'], tensors['weight']
    training, held = normalise(tensors['training']), normalise(tensors['heldOut.images'])
    held_t, held_noise = tensors['heldOut.t'].long(), nchw(tensors['heldOut.noise'])

    model = Unet(size['width'], tuple(size['multipliers']), heads=size['heads'], d=size['headWidth'])
    params = list(model.parameters())
    average = [p.detach().clone() for p in params]
    optimizer = torch.optim.Adam(params, lr=0, betas=(0.9, 0.99), foreach=True)

    def target(x0, epsilon, a, s):
        return {'v': a * epsilon - s * x0, 'epsilon': epsilon, 'x0': x0}[config['objective']]

    def losses(x0, t, epsilon):
        """Of each picture: its weight times the mean squared error."""
        a, s = column(signal[t]), column(noise[t])
        error = model(a * x0 + s * epsilon, t.float()) - target(x0, epsilon, a, s)
        return error.square().flatten(1).mean(1) * weight[t]

    def measure():
        with torch.no_grad():
            parts = [losses(*(x[i:i + batch] for x in (held, held_t, held_noise))) for i in range(0, len(held), batch)]
        return torch.cat(parts).double().mean().item()

    def pictures():
        """Every picture once in each epoch, mirrored at random; a batch may begin in one epoch and end in the next."""
        queue = torch.empty(0, dtype=torch.long)
        while True:
            while len(queue) < batch:
                queue = torch.cat((queue, torch.randperm(len(training))))
            x, queue = training[queue[:batch]], queue[batch:]
            flip = column(torch.rand(batch) < (0.5 if config['flip'] else 0))
            yield torch.where(flip, x.flip(3), x)

    curve, stream, start = [], pictures(), time.perf_counter()
    for step in range(1, steps + 1):
        x0 = next(stream)
        optimizer.param_groups[0]['lr'] = tensors['rate'][step - 1].item()
        optimizer.zero_grad(set_to_none=True)
        loss = losses(x0, torch.randint(0, config['timesteps'], (batch,)), torch.randn_like(x0)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        decay = tensors['decay'][step - 1].item()
        with torch.no_grad():
            torch._foreach_mul_(average, decay)
            torch._foreach_add_(average, params, alpha=1 - decay)
        row = {'step': step, 'loss': loss.item()}
        if step % config['heldOutEvery'] == 0 or step == steps:
            row['heldOut'] = measure()
            print(f"step {step}/{steps}  loss {row['loss']:.4f}  held-out {row['heldOut']:.4f}  {time.perf_counter() - start:.0f} s", flush=True)
        curve.append(row)
    Path(given.curve).write_text(json.dumps({'torch': torch.__version__, 'config': config, 'steps': curve}))


arguments = argparse.ArgumentParser()
arguments.add_argument('file')
arguments.add_argument('curve')
arguments.add_argument('--steps', type=int)
arguments.add_argument('--threads', type=int, default=2)
arguments.add_argument('--seed', type=int, default=0)
main(arguments.parse_args())

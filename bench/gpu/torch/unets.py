"""The training steps of bench/gpu/training.ts in PyTorch, from the same weights on the same images.

    python3 unets.py CASES.json eager       strict f32, TF32, and f16 by autocast with GradScaler
    python3 unets.py CASES.json compiled    the same by torch.compile: reduce-overhead (CUDA graphs), then max-autotune
"""
import contextlib, json, sys, time
from pathlib import Path

import torch

from common import about, allow_tf32, cases, find_device, measure, read_safetensors, say, settle
from networks import arguments, build

given = cases()
device = find_device(given)
torch.backends.cudnn.benchmark = True
updates = {'published': False, 'lucidrains': True}
compared_steps = 3


def autocast(precision):
    return torch.autocast(device, dtype=torch.float16) if precision == 'mixed' else contextlib.nullcontext()


def stepper(name, model, inputs, precision):
    """A function that does one step and gives its loss."""
    params, rates = list(model.parameters()), given['rates']
    forward = model
    average = [p.detach().clone() for p in params]
    options = {'fused': True} if device == 'cuda' and torch.__version__ >= '2' else {'foreach': True}
    optimizer = torch.optim.Adam(params, lr=rates['learningRate'], betas=(rates['beta1'], rates['beta2']), **options)
    scales = precision == 'mixed' and device == 'cuda'
    scaler = torch.amp.GradScaler('cuda', enabled=scales) if hasattr(torch.amp, 'GradScaler') else torch.cuda.amp.GradScaler(enabled=scales)

    def step():
        for p in params:
            p.grad = None
        with autocast(precision):
            xs, target = arguments(name, inputs)
            loss = (step.forward(*xs).float() - target).square().mean()
        if not updates[name]:
            (loss * 4096 if precision == 'mixed' else loss).backward()
            return loss
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        scaler.step(optimizer)
        scaler.update()
        with torch.no_grad():
            torch._foreach_mul_(average, rates['decay'])
            torch._foreach_add_(average, params, alpha=1 - rates['decay'])
        return loss

    step.forward = forward
    return step


def timed(name, case, precision, mode, options=None):
    """One row: a network from its weights, in a precision and a mode."""
    folder = Path(given['exchange'])
    if not (folder / f'{name}.json').exists():
        say('fact', name=f'{case["name"]}, {precision}, {mode}', value='not run: fathom left no weights for it')
        return
    left = json.loads((folder / f'{name}.json').read_text())
    allow_tf32(precision == 'tf32')
    model = build(name, case)
    model.load_state_dict(read_safetensors(folder / f'{name}.weights.safetensors'))
    model = model.to(device)
    inputs = {k: v.to(device) for k, v in read_safetensors(folder / f'{name}.inputs.safetensors').items()}
    if device == 'cuda':
        torch.cuda.reset_peak_memory_stats()
    step = stepper(name, model, inputs, precision)
    if options is not None:
        torch._dynamo.reset()  # each mode compiles for itself
        step.forward = torch.compile(model, **options)
        plain = step

        def marked():
            if hasattr(torch.compiler, 'cudagraph_mark_step_begin'):
                torch.compiler.cudagraph_mark_step_begin()
            return plain()

        step = marked
    start = time.perf_counter()
    losses = [step().item()]
    settle(device)
    first = time.perf_counter() - start
    losses += [step().item() for _ in range(compared_steps - 1 if updates[name] else 0)]
    for _ in range(2):  # CUDA graphs are recorded by the first steps
        step()
    row = measure(step, device, given)
    memory = {'bytes': torch.cuda.max_memory_allocated()} if device == 'cuda' else {}
    parameters = sum(p.numel() for p in model.parameters())
    say('step', name=left['name'], precision=precision, mode=mode, batch=left['batch'], parameters=parameters, firstSeconds=first, losses=losses, **memory, **row)


def attempt(*args):
    """What fails, as for lack of memory or of a compiler, is told, and the rest goes on; the script fails at its end."""
    try:
        timed(*args)
        return True
    except Exception as e:
        name, case, precision, mode = args[:4]
        say('check', name=f'{case["name"]}, {precision}, {mode}', ok=False, detail=f'{type(e).__name__}: {e}'[:500])
        return False


def main(kind):
    about(device)
    precisions = {'cuda': ('f32', 'tf32', 'mixed'), 'mps': ('f32',), 'cpu': ('f32',)}[device]
    networks = [(name, given[name]) for name in updates]
    if kind == 'eager':
        done = [attempt(name, case, precision, 'eager') for name, case in networks for precision in precisions]
    elif not hasattr(torch, 'compile') or device == 'cpu':
        say('fact', name='torch.compile', value=f'not run: PyTorch {torch.__version__} on {device} has none')
        done = []
    else:
        modes = {'reduce-overhead': {'mode': 'reduce-overhead'}, 'max-autotune': {'mode': 'max-autotune'}}
        done = [
            attempt(name, case, precision, mode, options)
            for mode, options in modes.items()
            for name, case in networks
            for precision in precisions
        ]
    sys.exit(0 if all(done) else 1)


main(sys.argv[2] if len(sys.argv) > 2 else 'eager')

#!/usr/bin/env python3
"""Values and gradients of fathom's operations and layers, computed by PyTorch in float64: values.safetensors.

    python3 make.py            computes everything and writes the file
    python3 make.py --check    computes everything and compares with the file

Names are `subject/case/role/name`: `in` an input, `out` a result, `cotangent` what its gradient begins with, `grad` the gradient of
Σ cotangent · result with respect to an input. Inputs and cotangents are float32 (see subjects.py), results and gradients float64.
The metadata has, for each subject, the attributes of its cases and its bar, and how far PyTorch's own float32 is from the truth.
Needs torch and numpy (Debian: python3-torch).
"""
import sys

sys.dont_write_bytecode = True

import json
from pathlib import Path

import numpy as np
import torch

import contractions, elementwise, layers, losses, neural, shapes, training, transforms, vocabulary  # noqa: E401, F401  they fill the register
import safetensors
from subjects import SUBJECTS, Draw

torch.set_num_threads(1)
FILE = Path(__file__).with_name('values.safetensors')


def to_torch(x, dtype):
    t = torch.from_numpy(np.array(x))
    return t.to(dtype).requires_grad_() if x.dtype == np.float64 else t


def evaluate(subject, case, inputs, cotangents, dtype):
    """Results and gradients of one case, everything of `dtype`."""
    arguments = {k: to_torch(v, dtype) for k, v in inputs.items()}
    found = subject.function(**arguments, **case.attrs)
    outputs = found if isinstance(found, dict) else {'': found}
    flows = {k: y for k, y in outputs.items() if y.is_floating_point()} if subject.gradients else {}
    sources = {k: x for k, x in arguments.items() if x.requires_grad and len(flows) > 0}
    connected = {k: y for k, y in flows.items() if y.requires_grad}
    gradients = [None] * len(sources)
    if sources and connected:
        seeds = [torch.from_numpy(cotangents(k, y)).to(y.dtype) for k, y in connected.items()]
        gradients = torch.autograd.grad(list(connected.values()), list(sources.values()), seeds, allow_unused=True)
    zero = {k: torch.zeros_like(x) for k, x in sources.items()}
    return outputs, flows, {k: zero[k] if g is None else g for k, g in zip(sources, gradients)}


def error(found, expected):
    """The largest |found − expected| in units of |expected| + max |expected| / 10, where the truth is finite in float32."""
    truth = expected.astype(np.float32).astype(np.float64)
    finite = np.isfinite(truth)
    if not finite.any():
        return 0.0
    found, truth = found[finite], truth[finite]
    scale = np.abs(truth) + np.abs(truth).max() / 10
    return float((np.abs(found - truth) / np.where(scale > 0, scale, 1)).max())


def numpy_of(y):
    x = y.detach().numpy()
    return x.astype(np.float64) if x.dtype == np.float32 else x


def compute_case(subject, i):
    """The tensors of one case, and the error of PyTorch's float32."""
    case, prefix = subject.cases[i], f'{subject.name}/{i}'
    inputs = {k: draw.make(f'{prefix}/{k}') for k, draw in case.inputs.items()}

    def cotangent(k, y):
        return Draw(tuple(y.shape), low=-1, high=1).make(f'{prefix}/cotangent/{k}')

    outputs, flows, gradients = evaluate(subject, case, inputs, cotangent, torch.float64)
    tensors = {f'{prefix}/in/{k}': x.astype(np.float32) if x.dtype == np.float64 else x for k, x in inputs.items()}
    tensors.update({f'{prefix}/out/{k}': numpy_of(y) for k, y in outputs.items()})
    if gradients:
        tensors.update({f'{prefix}/cotangent/{k}': cotangent(k, y).astype(np.float32) for k, y in flows.items()})
    tensors.update({f'{prefix}/grad/{k}': numpy_of(g) for k, g in gradients.items()})
    worst = 0.0
    if any(x.dtype == np.float64 for x in inputs.values()):
        rounded, _, rounded_gradients = evaluate(subject, case, inputs, cotangent, torch.float32)
        pairs = [(rounded[k], outputs[k]) for k in flows or outputs if outputs[k].is_floating_point()]
        pairs += [(rounded_gradients[k], gradients[k]) for k in gradients]
        worst = max([error(numpy_of(a), numpy_of(b)) for a, b in pairs], default=0.0)
    return tensors, worst


def compute():
    tensors, metadata = {}, {'torch': torch.__version__}
    for name, subject in sorted(SUBJECTS.items()):
        found = [compute_case(subject, i) for i in range(len(subject.cases))]
        for part, _ in found:
            tensors.update(part)
        about = {'bar': subject.bar, 'cases': [c.attrs for c in subject.cases], 'torchFloat32': float(f'{max(w for _, w in found):.1e}')}
        metadata[name] = json.dumps(about, separators=(',', ':'), allow_nan=False)
    return tensors, metadata


def compare(tensors, metadata, old_tensors, old_metadata):
    """What differs: inputs must be equal, results agree to 1e-12 (another machine's PyTorch may sum in another order)."""
    attrs = lambda m: {k: {**json.loads(v), 'torchFloat32': 0} for k, v in m.items() if k != 'torch'}  # noqa: E731
    if attrs(metadata) != attrs(old_metadata) or tensors.keys() != old_tensors.keys():
        return ['the subjects, their cases or their tensors are others']
    exact = lambda name: name.split('/')[2] in ('in', 'cotangent')  # noqa: E731
    return [
        name
        for name, x in tensors.items()
        if x.dtype != old_tensors[name].dtype
        or not np.allclose(
            x, old_tensors[name], rtol=0 if exact(name) else 1e-12, atol=0 if exact(name) else 1e-12, equal_nan=True
        )
    ]


def main():
    tensors, metadata = compute()
    cases = sum(len(s.cases) for s in SUBJECTS.values())
    print(f'{len(SUBJECTS)} subjects, {cases} cases, {len(tensors)} tensors, torch {torch.__version__}')
    if '--check' in sys.argv:
        different = compare(tensors, metadata, *safetensors.load(FILE.read_bytes()))
        print('equal' if not different else '\n'.join(['different:', *different]))
        sys.exit(1 if different else 0)
    data = safetensors.save(tensors, metadata)
    FILE.write_bytes(data)
    print(f'{FILE.name}: {len(data):,} bytes')


main()

"""The reference values of moreOptimizers.json: ten steps in f64, of torch.optim where PyTorch 1.13 has the optimizer, else of the papers'
pseudo-code written here in numpy; and rates of its schedules. `/usr/bin/python3 moreOptimizers.py > moreOptimizers.json`."""
import json, math, sys
import numpy as np
import torch
torch.set_default_dtype(torch.float64)

SHAPES = {'a': (3,), 'b': (2, 3), 'c': (1, 2, 2, 3)}  # a bias, a matrix, and a filter [H, W, I, O]
def fill(shape, phase):
    n = int(np.prod(shape))
    return (1.5 * np.sin(np.arange(1, n + 1) * 1.7 + phase)).reshape(shape)
START = {k: fill(s, 0.3 * i) for i, (k, s) in enumerate(SHAPES.items())}
TARGET = {k: fill(s, 2 + 0.5 * i) for i, (k, s) in enumerate(SHAPES.items())}
def gradient(k, x):  # of 1/2 (x - t)^2 + 0.075 x^4
    return x - TARGET[k] + 0.3 * x ** 3

def of_torch(cls, **options):
    p = {k: torch.tensor(v, requires_grad=True) for k, v in START.items()}
    opt = getattr(torch.optim, cls)(p.values(), **options)
    seen = []
    for i in range(10):
        for k in p: p[k].grad = torch.tensor(gradient(k, p[k].detach().numpy()))
        opt.step()
        seen.append({k: p[k].detach().numpy().copy() for k in p})
    return seen

def of_numpy(step):
    """step(k, p, g, state, t) returns the next parameter; state is a dict of its own for each parameter."""
    p = {k: v.copy() for k, v in START.items()}
    states = {k: {} for k in p}
    seen = []
    for t in range(1, 11):
        p = {k: step(k, p[k], gradient(k, p[k]), states[k], t) for k in p}
        seen.append(p)
    return seen

def lion(lr=0.02, b1=0.9, b2=0.99, wd=0.1):  # Chen et al. 2023, program 1
    def step(k, p, g, s, t):
        m = s.get('m', np.zeros_like(p))
        u = np.sign(b1 * m + (1 - b1) * g)
        s['m'] = b2 * m + (1 - b2) * g
        return p - lr * (u + wd * p)
    return of_numpy(step)

def lamb(lr=0.05, b1=0.9, b2=0.999, eps=1e-6, wd=0.1):  # You et al. 2020, algorithm 2
    def step(k, p, g, s, t):
        s['m'] = b1 * s.get('m', 0) + (1 - b1) * g
        s['v'] = b2 * s.get('v', 0) + (1 - b2) * g ** 2
        r = (s['m'] / (1 - b1 ** t)) / (np.sqrt(s['v'] / (1 - b2 ** t)) + eps) + wd * p
        return p - lr * math.sqrt((p ** 2).sum()) / math.sqrt((r ** 2).sum()) * r
    return of_numpy(step)

def nadam(lr=0.05, b1=0.9, b2=0.999, eps=1e-8, psi=4e-3):  # Dozat 2016, algorithm 8; 1.13's own has mu twice in the next product
    def step(k, p, g, s, t):
        mu = b1 * (1 - 0.5 * 0.96 ** (t * psi)); nxt = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))
        s['prod'] = s.get('prod', 1) * mu
        s['m'] = b1 * s.get('m', 0) + (1 - b1) * g
        s['v'] = b2 * s.get('v', 0) + (1 - b2) * g ** 2
        bar = (1 - mu) * g / (1 - s['prod']) + nxt * s['m'] / (1 - s['prod'] * nxt)
        return p - lr * bar / (np.sqrt(s['v'] / (1 - b2 ** t)) + eps)
    return of_numpy(step)

def newton_schulz(G):  # Jordan et al. 2024; G is [out, in] as in PyTorch
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G / (np.linalg.norm(G) + 1e-7)
    flip = G.shape[0] > G.shape[1]
    if flip: X = X.T
    for _ in range(5):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X.T if flip else X

def muon(lr=0.02, mu=0.95, nesterov=True, wd=0.0, scale='spectral'):
    def step(k, p, g, s, t):
        if p.ndim < 2: return p - 0.1 * g  # the rest: plain descent
        s['v'] = mu * s.get('v', 0) + g
        ahead = g + mu * s['v'] if nesterov else s['v']
        G = ahead.reshape(-1, p.shape[-1]).T  # [out, in * h * w]
        O = newton_schulz(G)
        out, inn = G.shape
        O = O * (max(1, out / inn) ** 0.5 if scale == 'spectral' else 0.2 * max(out, inn) ** 0.5)
        return p - lr * (O.T.reshape(p.shape) + wd * p)
    return of_numpy(step)

def adafactor(lr=None, scale_parameter=True, b1=0.0, wd=0.0, d=1.0, eps1=1e-30, eps2=1e-3):  # Shazeer & Stern 2018, algorithms 4 and 5
    rms = lambda x: math.sqrt((x ** 2).mean())
    def step(k, p, g, s, t):
        beta = 1 - t ** -0.8
        sq = g ** 2 + eps1
        if p.ndim < 2:
            s['v'] = beta * s.get('v', 0) + (1 - beta) * sq
            v = s['v']
        else:
            m = sq.reshape(-1, p.shape[-1])
            s['r'] = beta * s.get('r', 0) + (1 - beta) * m.sum(1)   # the paper's sums
            s['c'] = beta * s.get('c', 0) + (1 - beta) * m.sum(0)
            v = (np.outer(s['r'], s['c']) / s['r'].sum()).reshape(p.shape)
        u = g / np.sqrt(v)
        u = u / max(1, rms(u) / d)
        if b1: s['m'] = u = b1 * s.get('m', 0) + (1 - b1) * u
        alpha = (lr if lr is not None else min(1e-2, 1 / math.sqrt(t))) * (max(eps2, rms(p)) if scale_parameter else 1)
        return p - alpha * (u + wd * p)
    return of_numpy(step)

RUNS = {
    'rmsProp': of_torch('RMSprop', lr=0.02),
    'rmsProp-centred-momentum': of_torch('RMSprop', lr=0.005, alpha=0.9, momentum=0.8, centered=True, eps=1e-6),
    'rmsProp-weight-decay': of_torch('RMSprop', lr=0.02, weight_decay=0.1, momentum=0.5),
    'adagrad': of_torch('Adagrad', lr=0.1),
    'adagrad-initial': of_torch('Adagrad', lr=0.1, initial_accumulator_value=0.5, eps=1e-4),
    'adadelta': of_torch('Adadelta'),
    'adadelta-options': of_torch('Adadelta', lr=0.5, rho=0.95, eps=1e-3),
    'radam': of_torch('RAdam', lr=0.05),
    'radam-short': of_torch('RAdam', lr=0.05, betas=(0.8, 0.9), eps=1e-4),
    'nadam': nadam(),
    'nadam-options': nadam(lr=0.02, b1=0.8, b2=0.95, eps=1e-4, psi=0.5),
    'lion': lion(),
    'lamb': lamb(),
    'muon': muon(),
    'muon-plain-rms-decay': muon(lr=0.05, mu=0.9, nesterov=False, wd=0.1, scale='rms'),
    'adafactor': adafactor(),
    'adafactor-rate-mean-decay': adafactor(lr=0.05, scale_parameter=False, b1=0.9, wd=0.1, d=0.5),
}

def rates(make, n):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = make(opt)
    found = []
    for _ in range(n):
        found.append(opt.param_groups[0]['lr']); opt.step(); schedule.step()
    return found
L = torch.optim.lr_scheduler
SCHEDULES = {
    'oneCycle': rates(lambda o: L.OneCycleLR(o, max_lr=0.5, total_steps=50), 50),
    'oneCycle-options': rates(lambda o: L.OneCycleLR(o, max_lr=0.5, total_steps=40, pct_start=0.45, anneal_strategy='linear', div_factor=10, final_div_factor=100), 40),
}

LOSSES = [5, 4, 4.2, 4.1, 3.9999, 4, 4, 4, 3, 3, 3, 3, 3, 2.9999, 2.5, 2.5, float('nan'), 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5]
def plateau(values, **options):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = L.ReduceLROnPlateau(opt, **options)
    found = []
    for v in values:
        schedule.step(v); found.append(opt.param_groups[0]['lr'])
    return found
PLATEAUS = {
    'usual': plateau(LOSSES, patience=2),
    'options': plateau(LOSSES, factor=0.5, patience=1, threshold=0.01, cooldown=2, min_lr=0.2),
    'score': plateau([-v for v in LOSSES], mode='max', patience=0, factor=0.9),
    'rising': plateau([1, 2, 2, 2.0001, 3, 3, 3, 3], mode='max', patience=1, factor=0.1),
}
json.dump({'reference': 'torch ' + torch.__version__ + ' CPU float64, and numpy ' + np.__version__,
           'start': {k: v.flatten().tolist() for k, v in START.items()},
           'target': {k: v.flatten().tolist() for k, v in TARGET.items()},
           'runs': {n: [{'step': i + 1, **{k: v.flatten().tolist() for k, v in seen[i].items()}} for i in (0, 1, 9)] for n, seen in RUNS.items()},
           'schedules': SCHEDULES,
           'losses': [None if v != v else v for v in LOSSES],
           'plateaus': PLATEAUS}, sys.stdout)

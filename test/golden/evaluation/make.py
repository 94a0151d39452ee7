"""Writes scores.json: the scores of two small samples by numpy alone, each straight from its formula. `python3 make.py`."""
import itertools
import json
import math
import os

import numpy as np

rng = np.random.default_rng(7)
x = np.round(rng.normal(size=(11, 3)), 4)
y = np.round(rng.normal(size=(9, 3)) * 1.2 + 0.3, 4)


def kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def mmd(a, b):
    m, n = len(a), len(b)
    kaa, kbb, kab = kernel(a, a), kernel(b, b), kernel(a, b)
    return (
        (kaa.sum() - np.trace(kaa)) / (m * (m - 1)) + (kbb.sum() - np.trace(kbb)) / (n * (n - 1)) - 2 * kab.mean()
    )


def jackknife(a, b):
    va = [mmd(np.delete(a, i, 0), b) for i in range(len(a))]
    vb = [mmd(a, np.delete(b, i, 0)) for i in range(len(b))]
    part = lambda v: (len(v) - 1) / len(v) * np.sum((np.array(v) - np.mean(v)) ** 2)
    return part(va) + part(vb)


def distances(a, b):
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))


def prdc(real, fake, k):
    radius = lambda a: np.sort(distances(a, a), 1)[:, k]  # the point itself is at 0
    rr, fr, d = radius(real), radius(fake), distances(real, fake)
    return {
        "precision": float((d < rr[:, None]).any(0).mean()),
        "recall": float((d < fr[None]).any(1).mean()),
        "density": float((d < rr[:, None]).sum(0).mean() / k),
        "coverage": float((d.min(1) < rr).mean()),
    }


def one_nearest(a, b):
    z = np.concatenate([a, b])
    label = np.array([1] * len(a) + [0] * len(b))
    d = distances(z, z)
    np.fill_diagonal(d, np.inf)
    own = label[d.argmin(1)] == label
    return {"value": float(own.mean()), "real": float(own[label == 1].mean()), "generated": float(own[label == 0].mean())}


def fisher(a, n, b, m):
    return sum(
        math.comb(n, i) * math.comb(m, a + b - i) / math.comb(n + m, a + b)
        for i in range(a, min(n, a + b) + 1)
        if a + b - i <= m
    )


value, deviation = mmd(x, y), math.sqrt(jackknife(x, y))
out = {
    "x": x.tolist(),
    "y": y.tolist(),
    "mmd": {"value": value, "interval": [value - 1.96 * deviation, value + 1.96 * deviation]},
    "manifold": prdc(x, y, 3),
    "oneNearest": one_nearest(x, y),
    "fisher": [[a, n, b, m, fisher(a, n, b, m)] for a, n, b, m in [(3, 10, 1, 20), (0, 5, 2, 9), (26, 256, 0, 320), (4, 4, 4, 4)]],
}
with open(os.path.join(os.path.dirname(__file__), "scores.json"), "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")

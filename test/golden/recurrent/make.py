"""What PyTorch's nn.LSTM and nn.GRU compute, and their gradients: python3 test/golden/recurrent/make.py writes recurrent.json."""
import json
from pathlib import Path

import torch

N, T, IN, H = 2, 4, 3, 2

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def drawn(*shape):
    return torch.randn(*shape).float().double().requires_grad_()


def numbers(x):
    return {"shape": list(x.shape), "values": x.detach().flatten().tolist()}


def case(make, cell):
    layer = make(IN, H, batch_first=True, bidirectional=True)
    names = [n for n, _ in layer.named_parameters()]
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn_like(p).float().double())
    x = drawn(N, T, IN)
    states = [drawn(2, N, H) for _ in range(2 if cell else 1)]
    y, last = layer(x, tuple(states) if cell else states[0])
    lasts = list(last) if cell else [last]
    weights = [torch.randn_like(v).float().double() for v in [y, *lasts]]
    sum((v * w).sum() for v, w in zip([y, *lasts], weights)).backward()
    return {
        "parameters": {n: numbers(p) for n, p in zip(names, layer.parameters())},
        "x": numbers(x),
        "states": [numbers(s) for s in states],
        "y": numbers(y),
        "last": [numbers(s) for s in lasts],
        "cotangents": [numbers(w) for w in weights],
        "gradients": {
            "parameters": {n: numbers(p.grad) for n, p in zip(names, layer.parameters())},
            "x": numbers(x.grad),
            "states": [numbers(s.grad) for s in states],
        },
    }


golden = {"torch": torch.__version__, "lstm": case(torch.nn.LSTM, True), "gru": case(torch.nn.GRU, False)}
Path(__file__).with_name("recurrent.json").write_text(json.dumps(golden))

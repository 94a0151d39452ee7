"""Training steps of the cookbook's programs in PyTorch, for bench/peers/main.ts: one JSON line in, one out.

    python3 programs.py '{"program": "gpt", "sizes": {"layers": 3, "width": 96, "heads": 4, "context": 64}, "batch": 16, "threads": 2, "folder": "/tmp/x"}'

Writes weights and inputs as safetensors into the folder, under fathom's names and with its axes, says that it is ready, and then makes as many steps
as each line that it reads asks for: seconds are those of one of them. Networks are written as one writes them in PyTorch: queries, keys and values in one product, nn.LSTM, channels first; PyTorch's own
joined updates (foreach) are used.
"""
import json, resource, struct, sys, time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


def write(path, tensors):
    """A safetensors file of float32 and int32 tensors."""
    header, offset = {}, 0
    tensors = {name: t.detach().contiguous() for name, t in tensors.items()}
    for name, t in tensors.items():
        end = offset + 4 * t.numel()
        header[name] = {'dtype': 'F32' if t.is_floating_point() else 'I32', 'shape': list(t.shape), 'data_offsets': [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text)
        for t in tensors.values():
            f.write((t.float() if t.is_floating_point() else t.int()).numpy().tobytes())


class Attention(nn.Module):
    """Of a sequence with itself; queries, keys and values by one product."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        logits = (q * (c // self.heads) ** -0.5) @ k.transpose(-1, -2)
        if self.causal:
            later = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
            logits = logits.masked_fill(later, float('-inf'))
        return self.out((logits.softmax(-1) @ v).transpose(1, 2).reshape(n, t, c))


class Block(nn.Module):
    def __init__(self, width, heads, causal):
        super().__init__()
        self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(width, heads, causal), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({'expand': nn.Linear(width, 4 * width), 'contract': nn.Linear(4 * width, width)})

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp['contract'](F.gelu(self.mlp['expand'](self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary, context, width, heads, layers):
        super().__init__()
        self.characters = nn.Parameter(0.1 * torch.randn(vocabulary, width))
        self.places = nn.Embedding(context, width)
        self.blocks = nn.ModuleList([Block(width, heads, True) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        y = F.embedding(x, self.characters) + self.places.weight[: x.shape[1]]
        for block in self.blocks:
            y = block(y)
        return self.norm(y) @ self.characters.t()


class Vit(nn.Module):
    def __init__(self, width, heads, layers):
        super().__init__()
        self.patches = nn.Conv2d(1, width, 4, 4)
        self.answer, self.places = nn.Parameter(torch.zeros(1, 1, width)), nn.Parameter(0.02 * torch.randn(50, width))
        self.blocks = nn.ModuleList([Block(width, heads, False) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.answer.expand(x.shape[0], -1, -1), x], 1) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.firstNorm = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.second, self.secondNorm = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        if stride > 1:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        y = self.secondNorm(self.second(F.relu(self.firstNorm(self.first(x)))))
        return F.relu(y + (self.shortcut(x) if hasattr(self, 'shortcut') else x))


class Resnet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.blocks = nn.ModuleList([Residual(width, width, 1), Residual(width, 2 * width, 2), Residual(2 * width, 4 * width, 2)])
        self.head = nn.Linear(4 * width, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean([2, 3]))


class Into(nn.Linear):
    """A linear layer whose outputs become a picture [C, 7, 7]: fathom's are [7, 7, C]."""

    def __init__(self, inputs, channels):
        super().__init__(inputs, 49 * channels)
        self.channels = channels

    def forward(self, x):
        return super().forward(x).reshape(-1, self.channels, 7, 7)


class From(nn.Linear):
    """A linear layer of a flattened picture [C, 7, 7]."""

    def __init__(self, channels, outputs):
        super().__init__(49 * channels, outputs)
        self.channels = channels

    def forward(self, x):
        return super().forward(x.flatten(1))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Conv2d(1, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1), From(32, 16)

    def forward(self, x):
        return self.out(F.silu(self.second(F.silu(self.first(x)))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.into = Into(8, 32)
        self.first, self.second = nn.ConvTranspose2d(32, 16, 4, 2, 1), nn.ConvTranspose2d(16, 1, 4, 2, 1)

    def forward(self, z):
        return self.second(F.silu(self.first(F.silu(self.into(z)))))


class Vae(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.norm = Into(32, 48), nn.GroupNorm(8, 48)
        self.first, self.firstNorm = nn.ConvTranspose2d(48, 24, 4, 2, 1), nn.GroupNorm(8, 24)
        self.second = nn.ConvTranspose2d(24, 1, 4, 2, 1)

    def forward(self, z):
        return self.second(F.relu(self.firstNorm(self.first(F.relu(self.norm(self.into(z))))))).tanh()


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Conv2d(1, 24, 4, 2, 1), nn.Conv2d(24, 48, 4, 2, 1), From(48, 1)

    def forward(self, x):
        return self.out(F.leaky_relu(self.second(F.leaky_relu(self.first(x), 0.2)), 0.2))


class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.g, self.d = Generator(), Discriminator()


class Lstm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.memory, self.out = nn.LSTM(2, width, batch_first=True), nn.Linear(width, 1)

    def forward(self, x):
        return self.out(self.memory(x)[0][:, -1])


def ours(module, prefix=''):
    """Parameters by fathom's paths, with its axes."""
    found = {prefix + name: p for name, p in module.named_parameters(recurse=False)}
    weight = found.get(prefix + 'weight')
    if isinstance(module, nn.Conv2d):
        found[prefix + 'weight'] = weight.permute(2, 3, 1, 0)
    elif isinstance(module, nn.ConvTranspose2d):
        found[prefix + 'weight'] = weight.permute(2, 3, 0, 1)
    elif isinstance(module, Into):
        c = module.channels
        found[prefix + 'weight'] = weight.reshape(c, 49, -1).permute(2, 1, 0).flatten(1)
        found[prefix + 'bias'] = module.bias.reshape(c, 49).t().flatten()
    elif isinstance(module, From):
        found[prefix + 'weight'] = weight.reshape(-1, module.channels, 49).permute(2, 1, 0).flatten(0, 1)
    elif isinstance(module, nn.Linear):
        found[prefix + 'weight'] = weight.t()
    elif isinstance(module, nn.LSTM):
        for theirs, name in (('ih', 'input'), ('hh', 'hidden')):
            found[f'{prefix}{name}.weight'] = found.pop(f'{prefix}weight_{theirs}_l0').t()
            found[f'{prefix}{name}.bias'] = found.pop(f'{prefix}bias_{theirs}_l0')
    for name, child in module.named_children():
        if name == 'qkv':
            for part, w, b in zip(('query', 'key', 'value'), child.weight.chunk(3), child.bias.chunk(3)):
                found[f'{prefix}{part}.weight'], found[f'{prefix}{part}.bias'] = w.t(), b
        else:
            found.update(ours(child, f'{prefix}{name}.'))
    return found


def nhwc(x):
    return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def supervised(model, loss, inputs, optimizer, clip):
    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss(**inputs)
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return value.item()

    return step


def adamw(model, **options):
    decays = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{'params': decays, 'weight_decay': 0.1}, {'params': others, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, foreach=True, **options)


def gan_step(model, images, noiseD, noiseG):
    g, d = model.g, model.d
    for_g = torch.optim.Adam(g.parameters(), lr=5e-4, betas=(0.5, 0.999), foreach=True)
    for_d = torch.optim.Adam(d.parameters(), lr=5e-4, betas=(0.5, 0.999), foreach=True)
    average = [p.detach().clone() for p in g.parameters()]

    def step():
        for_d.zero_grad(set_to_none=True)
        real = images.clone().requires_grad_()
        with torch.no_grad():
            made = g(noiseD)
        judged = d(real)
        (slopes,) = torch.autograd.grad(judged.sum(), real, create_graph=True)
        penalty = slopes.square().sum() / len(real)
        loss = 0.5 * (F.softplus(-judged).mean() + F.softplus(d(made)).mean()) + 0.05 * penalty
        loss.backward()
        for_d.step()
        for_g.zero_grad(set_to_none=True)
        for p in d.parameters():
            p.requires_grad_(False)
        value = F.softplus(-d(g(noiseG))).mean()
        value.backward()
        for p in d.parameters():
            p.requires_grad_(True)
        for_g.step()
        with torch.no_grad():
            torch._foreach_mul_(average, 0.99)
            torch._foreach_add_(average, list(g.parameters()), alpha=0.01)
        return value.item()

    return step


def build(program, sizes, batch):
    """The model, its inputs by name, and a function that makes a step."""
    pictures, labels = torch.rand(batch, 1, 28, 28), torch.randint(0, 10, (batch,))
    if program == 'gpt':
        model = Gpt(**sizes)
        text = torch.randint(0, sizes['vocabulary'], (batch, sizes['context'] + 1))
        loss = lambda text: F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
        return model, {'text': text}, supervised(model, loss, {'text': text}, adamw(model, betas=(0.9, 0.95)), True)
    if program == 'vit' or program == 'resnet':
        model = Vit(**sizes) if program == 'vit' else Resnet(**sizes)
        inputs = {'images': pictures, 'labels': labels}
        loss = lambda images, labels: F.cross_entropy(model(images), labels)
        optimizer = adamw(model) if program == 'vit' else torch.optim.SGD(
            [{'params': [p for p in model.parameters() if p.dim() > 1], 'weight_decay': 5e-4}, {'params': [p for p in model.parameters() if p.dim() == 1]}],
            lr=0.01, momentum=0.9, nesterov=True, foreach=True)
        return model, inputs, supervised(model, loss, inputs, optimizer, program == 'vit')
    if program == 'vae':
        model = Vae()
        inputs = {'images': pictures, 'noise': torch.randn(batch, 8)}

        def loss(images, noise):
            mean, log_variance = model.encoder(images).chunk(2, -1)
            logits = model.decoder(mean + (0.5 * log_variance).exp() * noise)
            pixels = F.binary_cross_entropy_with_logits(logits, images, reduction='none').sum([1, 2, 3])
            return (pixels + 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)).mean()

        return model, inputs, supervised(model, loss, inputs, torch.optim.Adam(model.parameters(), lr=1e-3, foreach=True), False)
    if program == 'gan':
        model = Gan()
        inputs = {'images': 2 * pictures - 1, 'noiseD': torch.randn(batch, 32), 'noiseG': torch.randn(batch, 32)}
        return model, inputs, gan_step(model, **inputs)
    model = Lstm(sizes['width'])
    inputs = {'x': torch.rand(batch, sizes['length'], 2), 'sum': torch.rand(batch, 1)}
    loss = lambda x, sum: F.mse_loss(model(x), sum)
    return model, inputs, supervised(model, loss, inputs, torch.optim.Adam(model.parameters(), lr=1e-3, foreach=True), True)


def say(**values):
    print(json.dumps(values), flush=True)


def main(program, sizes, batch, threads, folder):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model, inputs, step = build(program, sizes, batch)
    write(Path(folder) / 'weights.safetensors', ours(model))
    write(Path(folder) / 'inputs.safetensors', {name: nhwc(x) for name, x in inputs.items()})
    say(about=f'PyTorch {torch.__version__}, {torch.get_num_threads()} threads', parameters=sum(p.numel() for p in model.parameters()))
    for line in sys.stdin:
        times, start, busy = int(line), time.perf_counter(), time.process_time()
        for _ in range(times):
            loss = step()
        say(seconds=(time.perf_counter() - start) / times, cpu=(time.process_time() - busy) / times, loss=loss, peakBytes=1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


main(**json.loads(sys.argv[1]))

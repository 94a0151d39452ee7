"""What the scripts of this folder share: rows as lines of JSON, the device, and how something is timed. Needs PyTorch from 1.13 on, and nothing else."""
import json, struct, sys, time

import torch

sys.dont_write_bytecode = True


def cases():
    """What is measured: the file that run.ts writes."""
    with open(sys.argv[1]) as f:
        return json.load(f)


def say(kind, **values):
    print(json.dumps({'kind': kind, 'side': 'torch', **values}), flush=True)


def find_device(given):
    """CUDA, or a Mac's GPU. The processor only where a run is tried out on a program that plays a GPU."""
    if torch.cuda.is_available():
        return 'cuda'
    if getattr(torch.backends, 'mps', None) is not None and torch.backends.mps.is_available():
        return 'mps'
    if given['software']:
        return 'cpu'
    raise SystemExit('PyTorch sees no GPU: install a version for the driver of this machine (torch.cuda.is_available() is False)')


def about(device):
    name = torch.cuda.get_device_name() if device == 'cuda' else device
    say('fact', name='PyTorch', value=f'{torch.__version__} on {name}')


def settle(device):
    if device == 'cuda':
        torch.cuda.synchronize()
    elif device == 'mps':
        torch.mps.synchronize()


def allow_tf32(allowed):
    """Strict f32, or products of operands that are rounded to 19 bits."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def quantile(values, q):
    values = sorted(values)
    place = (len(values) - 1) * q
    low, high = values[int(place)], values[min(int(place) + 1, len(values) - 1)]
    return low + (high - low) * (place - int(place))


def measure(run, device, given):
    """The milliseconds of one run, as bench/gpu/measure.ts takes them."""
    settle(device)
    start = time.perf_counter()
    run()
    settle(device)
    once = max(time.perf_counter() - start, 1e-6)
    rounds = given['rounds']
    times = min(500, max(1, -int(-given['seconds'] / rounds / once // 1)))
    whole = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            run()
        settle(device)
        whole.append(1000 * (time.perf_counter() - start) / times)
    ms = quantile(whole, 0.5)
    spread = (quantile(whole, 0.75) - quantile(whole, 0.25)) / 2 / ms
    return {'ms': ms, 'spread': spread, 'runs': times * rounds}


def read_safetensors(path):
    """The f32 tensors of a safetensors file, by name."""
    with open(path, 'rb') as f:
        b = bytearray(f.read())
    n = struct.unpack('<Q', b[:8])[0]
    header = json.loads(b[8:8 + n])
    header.pop('__metadata__', None)
    tensors = {}
    for name, about in header.items():
        start, end = about['data_offsets']
        if about['dtype'] != 'F32':
            raise SystemExit(f'{path}: {name} is {about["dtype"]}, not F32')
        tensors[name] = torch.frombuffer(b, dtype=torch.float32, count=(end - start) // 4, offset=8 + n + start).reshape(about['shape']).clone()
    return tensors

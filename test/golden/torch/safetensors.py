"""The safetensors format: a header of JSON, then the bytes. Written deterministically: widest elements first, then by name."""
import json
import struct

import numpy as np

NAMES = {'<f8': 'F64', '<f4': 'F32', '<i4': 'I32', '|u1': 'U8', '|b1': 'BOOL'}
TYPES = {name: np.dtype(code) for code, name in NAMES.items()}


def save(tensors, metadata):
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header, at = {'__metadata__': metadata}, 0
    for name, x in ordered:
        header[name] = {'dtype': NAMES[x.dtype.str], 'shape': list(x.shape), 'data_offsets': [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text + b''.join(np.ascontiguousarray(x).tobytes() for _, x in ordered)


def load(data):
    length = struct.unpack('<Q', data[:8])[0]
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    metadata = header.pop('__metadata__')

    def array(entry):
        begin, end = entry['data_offsets']
        return np.frombuffer(body[begin:end], TYPES[entry['dtype']]).reshape(entry['shape'])

    return {name: array(entry) for name, entry in header.items()}, metadata

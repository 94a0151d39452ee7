"""The register of what is computed: subjects, each with cases, each with inputs that can be made again from their names.

Every float input is a number that float32 holds exactly, so that one set of float64 results is the truth for both dtypes: a float32
program gets the very same inputs, and is judged against what it should have computed, not against another's rounding.
"""
import random
from dataclasses import dataclass

import numpy as np

NUMPY = {'float': np.float64, 'i32': np.int32, 'u8': np.uint8, 'bool': np.bool_}


@dataclass(frozen=True)
class Draw:
    """How an input is made: uniform numbers in [low, high], or the given ones."""

    shape: tuple
    dtype: str = 'float'
    low: float = -2
    high: float = 2
    values: tuple = None

    def make(self, name):
        rng = random.Random(name)  # seeded by the name: a new case moves no other
        n = int(np.prod(self.shape))
        if self.values is not None:
            numbers = list(self.values)
        elif self.dtype == 'float':
            numbers = [self.low + (self.high - self.low) * rng.random() for _ in range(n)]
        else:
            numbers = [rng.randint(self.low, self.high) for _ in range(n)]
        if self.dtype == 'float':
            numbers = np.array(numbers, np.float64).astype(np.float32)
        return np.array(numbers).astype(NUMPY[self.dtype]).reshape(self.shape)


def floats(*shape, low=-2, high=2):
    return Draw(shape, 'float', low, high)


def integers(*shape, low=0, high=9):
    return Draw(shape, 'i32', low, high)


def booleans(*shape):
    return Draw(shape, 'bool', 0, 1)


def given(*values, dtype='float', shape=None):
    return Draw((len(values),) if shape is None else shape, dtype, values=values)


@dataclass
class Case:
    inputs: dict
    attrs: dict


@dataclass
class Subject:
    """`function` takes a case's inputs and attributes by name; `bar` says how near float32 has to come, `gradients` whether there are any."""

    name: str
    function: object
    cases: list
    bar: str = 'elementwise'
    gradients: bool = True


SUBJECTS = {}


def case(**arguments):
    """Draws are inputs, everything else is an attribute."""
    inputs = {k: v for k, v in arguments.items() if isinstance(v, Draw)}
    return Case(inputs, {k: v for k, v in arguments.items() if k not in inputs})


def subject(name, function, *cases, bar='elementwise', gradients=True):
    if name in SUBJECTS:
        raise ValueError(f'{name} comes twice')
    if len(cases) < 4:
        raise ValueError(f'{name} has {len(cases)} cases; at least 4 are asked for')
    SUBJECTS[name] = Subject(name, function, list(cases), bar, gradients)


# ── layouts: fathom's images are NHWC and its filters HWIO, PyTorch's are NCHW, OIHW and (transposed) IOHW ───────────────────────
def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


def nhwc(x):
    return x.permute(0, 2, 3, 1).contiguous()


def oihw(w):
    return w.permute(3, 2, 0, 1).contiguous()


def iohw(w):
    return w.permute(2, 3, 0, 1).contiguous()

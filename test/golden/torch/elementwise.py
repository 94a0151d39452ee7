"""Elementwise primitives and activations."""
import torch
import torch.nn.functional as F

from subjects import booleans, case, floats, given, integers, subject

INF = float('inf')


def unary(name, function, low=-3, high=3, edges=(-2, -1, -0.5, 0, 0.5, 1, 2), **options):
    """Five shapes: a vector, a matrix over a wide domain, three axes near 0 or the domain's start, the edges, one number."""
    middle = low + (high - low) / 8 if low >= 0 else 0.25
    subject(
        name,
        lambda x: function(x),
        case(x=floats(7, low=low, high=high)),
        case(x=floats(3, 4, low=max(low, -8) if low >= 0 else 2 * low, high=2 * high)),
        case(x=floats(2, 1, 3, low=low if low >= 0 else -middle, high=middle)),
        case(x=given(*edges)),
        case(x=floats(low=low, high=high)),
        **options,
    )


def binary(name, function, *more, low=-3, high=3, divisor=None):
    """Equal shapes, two kinds of broadcasting, no axes against one, and a number for the second operand."""
    second = dict(low=low, high=high) if divisor is None else dict(low=divisor[0], high=divisor[1])
    first = dict(low=low, high=high)
    subject(
        name,
        function,
        case(x=floats(2, 3, **first), y=floats(2, 3, **second)),
        case(x=floats(3, 4, **first), y=floats(4, **second)),
        case(x=floats(2, 1, 3, **first), y=floats(4, 1, **second)),
        case(x=floats(**first), y=floats(3, **second)),
        case(x=floats(2, 3, **first), y=1.75),
        *more,
    )


def like(x, y):
    return y if torch.is_tensor(y) else torch.full_like(x, y)


# ── primitives ────────────────────────────────────────────────────────────────────────────────────────────────────────────────
unary('neg', torch.neg)
unary('exp', torch.exp, edges=(-1000, -80, -0.0, 0, 1e-6, 80, 1000))
unary('log', torch.log, 0.01, 4, edges=(1, 0, -1, 1e-30, 1e30, 0.999, 1.001))
unary('sqrt', torch.sqrt, 0.01, 4, edges=(1, 0, 1e-30, 1e30, 4, 2))
unary('sin', torch.sin, -6, 6, edges=(0, 1e-6, 3.14159274, -3.14159274, 100, 1000, 12345))
unary('cos', torch.cos, -6, 6, edges=(0, 1e-6, 1.57079637, -1.57079637, 100, 1000, 12345))
unary('tanh', torch.tanh, edges=(0, 1e-6, -1e-3, 9, -9, 30, -1000, 1000))
unary('sigmoid', torch.sigmoid, edges=(0, 1e-6, 17, -17, 80, -80, 1000))
unary('erf', torch.erf, edges=(0, 1e-6, 2.5, -2.5, 3.9, -5.5, 20))
unary('floor', torch.floor, edges=(-1, -0.5, 0, 0.99, 1, 1.5, 1e6))
unary('square', torch.square)
unary('abs', torch.abs, edges=(0, -1e-6, 1e-6, -5, 5))
subject(
    'pow',
    lambda x, n: torch.pow(x, n),
    case(x=floats(5), n=2),
    case(x=floats(2, 3), n=3),
    case(x=floats(4), n=0),
    case(x=floats(4), n=1),
    case(x=floats(2, 2, low=0.5, high=2), n=-1),
    case(x=floats(2, 2, low=0.5, high=2), n=-4),
    case(x=given(0, 1, -1, 2, -2), n=7),
    case(x=given(0, 0.25, 1, 2, 9), n=2.5),
    case(x=floats(2, 3, low=0.1, high=4), n=0.5),
    case(x=floats(5, low=0.1, high=4), n=-1.75),
)

binary('add', lambda x, y: x + y)
binary('sub', lambda x, y: x - y)
binary('mul', lambda x, y: x * y, case(x=integers(6, low=-9, high=9), y=given(1 << 30, -7, 3, 0, 1 << 20, 5, dtype='i32')))
binary(
    'div',
    lambda x, y: torch.div(x, y) if x.is_floating_point() else torch.div(x, y, rounding_mode='trunc'),
    case(x=given(-7, 7, -7, 7, 6, 0, dtype='i32'), y=given(2, 2, -2, -2, 3, 5, dtype='i32')),
    case(x=floats(4), y=floats(4, low=-4, high=-0.25)),
    divisor=(0.25, 4),
)
binary(
    'rem',
    lambda x, y: torch.fmod(x, like(x, y)),
    case(x=given(-7, 7, -7, 7, 6, 0, dtype='i32'), y=given(2, 2, -2, -2, 3, 5, dtype='i32')),
    case(x=floats(6, low=-9, high=9), y=floats(6, low=-4, high=-1)),
    divisor=(0.5, 2),
    low=-8,
    high=8,
)
ties = dict(x=given(0, 1, -1, 2, 3, -0.5), y=given(0, 1, -1, 3, 2, -0.5))
binary('maximum', lambda x, y: torch.maximum(x, like(x, y)), case(**ties))
binary('minimum', lambda x, y: torch.minimum(x, like(x, y)), case(**ties))
binary('less', lambda x, y: x < y, case(**ties))
binary('greater', lambda x, y: x > y, case(**ties))
binary('equal', lambda x, y: x == y, case(**ties))


def bitwise(name, function):
    subject(
        name,
        lambda x, y: function(x, y),
        case(x=booleans(2, 4), y=booleans(2, 4)),
        case(x=booleans(3, 1), y=booleans(4)),
        case(x=integers(6, low=-(2**31), high=2**31 - 1), y=integers(6, low=-(2**31), high=2**31 - 1)),
        case(x=integers(2, 3, low=-9, high=9), y=integers(3, low=-9, high=9)),
    )


bitwise('and', torch.bitwise_and)
bitwise('or', torch.bitwise_or)
bitwise('xor', torch.bitwise_xor)
subject(
    'not',
    lambda x: torch.bitwise_not(x),
    case(x=booleans(5)),
    case(x=booleans(2, 3)),
    case(x=integers(2, 3, low=-(2**31), high=2**31 - 1)),
    case(x=given(0, -1, 2**31 - 1, -(2**31), dtype='i32')),
)


def shift(name, function):
    subject(
        name,
        lambda x, y: function(x, y),
        case(x=integers(6, low=-(2**31), high=2**31 - 1), y=integers(6, low=0, high=31)),
        case(x=integers(2, 3, low=-99, high=99), y=integers(3, low=0, high=8)),
        case(x=integers(5, low=-99, high=99), y=given(0, 1, 16, 30, 31, dtype='i32')),
        case(x=integers(5, low=0, high=2**31 - 1), y=3),
    )


shift('shiftLeft', torch.bitwise_left_shift)
shift('shiftRight', torch.bitwise_right_shift)
subject(
    'select',
    lambda c, x, y: torch.where(c, x, like(x, y)),
    case(c=booleans(2, 3), x=floats(2, 3), y=floats(2, 3)),
    case(c=booleans(3), x=floats(2, 3), y=floats(2, 1)),
    case(c=booleans(2, 1, 2), x=floats(3, 1), y=floats()),
    case(c=booleans(5), x=floats(5), y=0.5),
    case(c=booleans(6), x=integers(6), y=integers(6)),
)
DTYPES = {'f16': torch.float16, 'f32': torch.float32, 'i32': torch.int32, 'u8': torch.uint8, 'bool': torch.bool}
subject(
    'cast',
    lambda x, to: x.to(DTYPES[to]).to(x.dtype),
    case(x=floats(3, 4, low=-9, high=9), to='f16'),
    case(x=given(0, 65504, 65519, 65520, 6e-8, 6e-5, -1.00048828125, 1 / 3), to='f16'),
    case(x=floats(5), to='f32'),
    case(x=given(-2.9, -1.1, -0.5, 0, 0.5, 1.9, 1e6), to='i32'),
    case(x=given(0, 1.5, 200.9, 255), to='u8'),
    case(x=given(0, -0.0, 0.25, -3), to='bool'),
    case(x=integers(5, low=-(2**24), high=2**24), to='f32'),
)
subject(
    'bitcast',
    lambda x: x.view(torch.float32),
    case(x=given(0, 0x3F800000, 0x40490FDB, -0x40800000, dtype='i32')),
    case(x=integers(2, 3, low=1 << 29, high=1 << 30)),
    case(x=integers(4, low=-(1 << 30), high=-(1 << 29))),
    case(x=given(1, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x7F800000, -0x800000, dtype='i32')),
)
subject(
    'stopGradient',
    lambda x: x.detach() * x,
    case(x=floats(4)),
    case(x=floats(2, 3)),
    case(x=floats()),
    case(x=given(0, 1, -1)),
)

# ── activations ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
far = (0, 1e-6, -1e-3, 4, -4, 30, -30, 1)
unary('relu', F.relu, edges=far)
unary('silu', F.silu, edges=far)
unary('gelu', F.gelu, edges=far)
unary('geluTanh', lambda x: F.gelu(x, approximate='tanh'), edges=far)
# PyTorch gives x from `threshold` on, by default 20, where log(1 + eˣ) − x is still 2e-9.
unary('softplus', lambda x: F.softplus(x, threshold=700 if x.dtype == torch.float64 else 80), edges=(*far, 300, -300))
subject(
    'leakyRelu',
    lambda x, slope: F.leaky_relu(x, slope),
    case(x=floats(6), slope=0.01),
    case(x=floats(2, 3), slope=0.25),
    case(x=given(*far), slope=0.01),
    case(x=floats(), slope=0.5),
)

/** Bugs at the ends: NaN that is swallowed, infinities that spread, numbers that wrap. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { ends, errors, inFile } from './suites.ts'

const layer = 'functions and layers'
const torch = inFile('proof/ends', 'has the values and gradients of PyTorch')

/** Bugs in src/tensor that only show at NaN, infinities, equal elements, large offsets, in bytes and halves. */
export const endMutants: readonly Mutant[] = [
  ...mutantsOf(layer, 'src/tensor/activations.ts', torch, [
    [
      'relu: NaN becomes 0',
      'wrong operation',
      'x.less(0).or(x.equal(0)).select(0, x)',
      'x.greater(0).select(x, 0)',
      ends('relu'),
    ],
    ['relu: the gradient at 0 is 1', 'wrong tie', 'x.less(0).or(x.equal(0)).select(0, x)', 'x.less(0).select(0, x)'],
  ]),
  ...mutantsOf(layer, 'src/tensor/softmax.ts', torch, [
    [
      'logSoftmax: the logarithm is added to the large maximum, and rounded away',
      'wrong operation',
      'return z.sub(logSumOf(z, a))',
      'return wide.sub(logSumOf(z, a).add(offsetOf(wide, a)))',
      ends('logSoftmax'),
    ],
    [
      'logSumExp: of −∞ alone it is NaN',
      'missing check',
      'largest.abs().equal(Infinity).select(0, largest)',
      'largest',
      ends('logSumExp'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/activations.ts', torch, [
    [
      'softplus: of ∞ it is NaN',
      'missing clamp',
      'x.abs().neg().exp()',
      'x.sub(relu(x).mul(2)).exp()',
      ends('softplus'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/cumsum.ts', torch, [
    ['cumsum: bytes wrap at 256', 'wrong dtype', "x.dtype === 'u8' ? x.cast('i32') : x", 'x'],
  ]),
  ...mutantsOf(layer, 'src/tensor/tensor.ts', torch, [
    [
      'variance: halves are squared as halves, and 300² is none',
      'wrong dtype',
      "return this.cast('f32').variance(axes, keepDims, correction).cast('f16')",
      'this.cast(this.dtype)',
      inFile('tensor/ends', 'halves'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/tensor.ts', torch, [
    [
      'abs: NaN becomes 0',
      'wrong operation',
      'this.greater(0).select(1, this))',
      'this.greater(0).select(1, 0))',
      ends('abs'),
    ],
    ['sum: bytes wrap at 256', 'wrong dtype', "this.dtype === 'u8' ? 'i32' : this.dtype", 'this.dtype'],
    [
      'mean: halves are summed as halves, and 70,000 is none',
      'wrong dtype',
      "this.dtype === 'f16' ? 'f32' : this.dtype",
      'this.dtype',
      inFile('tensor/ends', 'halves'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/tensor.ts', inFile('tensor/vocabulary'), [
    ['argmax: a NaN is never the largest', 'missing check', 'isBest.or(this.notEqual(this))', 'isBest'],
  ]),
  ...mutantsOf(layer, 'src/tensor/broadcast.ts', errors('full'), [
    ['a number beyond an integer dtype wraps', 'missing check', 'value < least || value > largest', 'false'],
  ]),
  ...mutantsOf('shape and dtype inference', 'src/graph/infer.ts', errors('conv'), [
    [
      'conv: half a pixel of padding passes',
      'missing check',
      '[...a.padLow, ...a.padHigh].every(Number.isInteger)',
      'true',
    ],
  ]),
]

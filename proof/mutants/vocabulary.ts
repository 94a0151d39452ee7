/** Bugs in the vocabulary of tensors: rounding, elementary functions, reductions, orders, parts, triangles. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'functions and layers'
const vocabulary = inFile('tensor/vocabulary')

/** Bugs in the words that a tensor has. */
export const vocabularyMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/tensor/tensor.ts', vocabulary, [
    ['round: halves go up', 'wrong tie', 'over.equal(0.5).and(isOdd)', 'over.equal(0.5)'],
    ['clamp: a bound that is NaN is no bound', 'missing check', 'is.or(this.equal(this).and(b.notEqual(b)))', 'is'],
    [
      'min: the least integer is its own negative',
      'wrong operation',
      'return this.not().max(axes, keepDims).not()',
      'return this.neg().max(axes, keepDims).neg()',
    ],
    [
      'std: the root of a variance of 0 has an infinite slope',
      'missing check',
      'v.equal(0).select(0, v.equal(0).select(1, v).sqrt())',
      'v.sqrt()',
    ],
    [
      'variance: the correction is added to the count',
      'sign',
      'count / Math.max(0, count - correction)',
      'count / Math.max(0, count + correction)',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/product.ts', vocabulary, [
    ['prod: the odd element out is lost', 'missing term', 'n % 2 === 0 ? pairs', 'n % 2 < 2 ? pairs'],
  ]),
  ...mutantsOf(area, 'src/tensor/matmul.ts', vocabulary, [
    [
      'matmul: the axis of a vector stays',
      'axis',
      'x.shape.length === 1 ? [] : z.shape.slice(-2, -1)',
      'z.shape.slice(-2, -1)',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/einsumFormula.ts', vocabulary, [
    ['einsum: the axes of an ellipsis are counted from their start', 'axis', '`…${count - 1 - i}`', '`…${i}`'],
  ]),
  ...mutantsOf(area, 'src/tensor/logarithms.ts', vocabulary, [
    ['log1p: the series stops after two terms', 'missing term', 'single: 8, double: 17', 'single: 2, double: 2'],
    ['log10: 1000 has not quite three digits', 'missing call', '.equal(x).select(k, y)', '.equal(x).select(y, y)'],
  ]),
  ...mutantsOf(area, 'src/tensor/trigonometry.ts', vocabulary, [
    ['atan2: the left half plane is the right one', 'missing term', 'inQuadrant.neg().add(Math.PI)', 'inQuadrant'],
  ]),
  ...mutantsOf(area, 'src/tensor/powers.ts', vocabulary, [
    [
      'power: an odd power of a negative number is positive',
      'sign',
      'isOdd.and(isNegative(x)).select(power.neg(), power)',
      'power',
    ],
    [
      'power: the slope in x lacks the exponent',
      'factor',
      'g.mul(y).mul(power(x, y.sub(1)))',
      'g.mul(power(x, y.sub(1)))',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/division.ts', vocabulary, [
    ['mod: the sign is that of x', 'sign', 'isOther(remainder, y).select(remainder.add(y), remainder)', 'remainder'],
  ]),
  ...mutantsOf(area, 'src/tensor/orders.ts', vocabulary, [
    ['topK: the last of equal elements stands first', 'wrong order', 'argsort(x.reverse(a), a)', 'argsort(x, a)'],
    ['quantile: no line between neighbours', 'missing term', 'weight === 0 ? below', 'weight < 1 ? below'],
  ]),
  ...mutantsOf(area, 'src/tensor/cumulative.ts', vocabulary, [
    [
      'cummax: each element is the maximum so far',
      'missing check',
      'isNew.select(iota(x.shape, a), 0)',
      'iota(x.shape, a)',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/dynamicSlice.ts', vocabulary, [
    [
      'a slice that begins late is cut, and not moved',
      'missing clamp',
      'start.clamp(0, room)',
      'start.clamp(0, room + 9)',
    ],
    [
      'an update is put one place too far',
      'off by one',
      'place.greaterEqual(0).and(place.less(size))',
      'place.greater(0).and(place.lessEqual(size))',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/triangles.ts', vocabulary, [
    ['diagonal: below the main one it begins at the column', 'axis', '-offset * columns', '-offset'],
    [
      'tril: the diagonal itself goes',
      'off by one',
      '.lessEqual(diagonal).select(x, 0)',
      '.less(diagonal).select(x, 0)',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/indexing.ts', vocabulary, [
    [
      'takeAlongAxis: rows are those of the result',
      'axis',
      'const strides = rowMajor(x.shape)\n  const place',
      'const strides = rowMajor(shape)\n  const place',
    ],
  ]),
]

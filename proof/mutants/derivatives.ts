/** Bugs in derivatives: the table of rules, the walk that applies them, and the check that they are held to. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { gradients, inFile, type Tests } from './suites.ts'

const rules = 'src/autograd/vjp.ts'
const backward = 'src/autograd/backward.ts'
const grad = 'src/autograd/grad.ts'

const grads = (pattern: string): Tests => inFile('autograd/grad', pattern)

const elementwise = mutantsOf('derivative rules', rules, gradients('exp'), [
  [
    'exp: the cotangent is multiplied by x, not by eˣ',
    'swapped operands',
    '[g.mul(t(y))],',
    '[g.mul(t(y.inputs[0]))],',
  ],
  [
    'log: the cotangent is multiplied by x',
    'wrong operation',
    'log: (g, { inputs: [x] }) => [g.div(t(x))]',
    'log: (g, { inputs: [x] }) => [g.mul(t(x))]',
    gradients('log'),
  ],
  [
    'sqrt: the derivative is twice what it should be',
    'factor',
    'g.mul(0.5).div(t(y))',
    'g.div(t(y))',
    gradients('sqrt'),
  ],
  ['sin: the derivative is −cos', 'sign', '[g.mul(t(x).cos())]', '[g.mul(t(x).cos()).neg()]', gradients('sin')],
  ['cos: the derivative is +sin', 'sign', '[g.mul(t(x).sin()).neg()]', '[g.mul(t(x).sin())]', gradients('cos')],
  [
    'tanh: 1 − y where 1 − y² belongs',
    'wrong operation',
    't(y).square().neg().add(1)',
    't(y).neg().add(1)',
    gradients('tanh'),
  ],
  [
    'logistic: the factor y is missing',
    'missing term',
    'g.mul(t(y)).mul(t(y).neg().add(1))',
    'g.mul(t(y).neg().add(1))',
    gradients('logistic'),
  ],
  [
    'erf: 1/√π where 2/√π belongs',
    'wrong constant',
    '2 / Math.sqrt(Math.PI)',
    '1 / Math.sqrt(Math.PI)',
    gradients('erf'),
  ],
  [
    'erf: the exponent has the wrong sign',
    'sign',
    't(x).square().neg().exp()',
    't(x).square().exp()',
    gradients('erf'),
  ],
  ['neg: the cotangent keeps its sign', 'sign', 'neg: (g) => [g.neg()]', 'neg: (g) => [g]', gradients('neg')],
  ['floor: the cotangent passes', 'wrong operation', 'floor: () => [null]', 'floor: (g) => [g]', gradients('floor')],
  [
    'cast: the cotangent keeps the dtype of the result',
    'wrong dtype',
    'isFloat(x.dtype) ? g.cast(x.dtype) : null',
    'isFloat(x.dtype) ? g : null',
    grads('dtype of its argument'),
  ],
  [
    'stopGradient: the cotangent passes',
    'wrong operation',
    'stopGradient: () => [null]',
    'stopGradient: (g) => [g]',
    gradients('stopGradient'),
  ],
  [
    'alias: the cotangent ends there',
    'missing term',
    'alias: (g) => [g]',
    'alias: () => [null]',
    grads('derivatives of derivatives'),
  ],
  [
    'barrier: what it waits for gets the cotangent too',
    'wrong operation',
    'barrier: (g) => [g, null]',
    'barrier: (g) => [g, g]',
    inFile('proof/adjoints', 'barrier passes'),
  ],
  ['add: the second operand is subtracted', 'sign', 'add: (g) => [g, g]', 'add: (g) => [g, g.neg()]', gradients('add')],
  [
    'mul: each operand gets its own value as factor',
    'swapped operands',
    '[g.mul(t(y)), g.mul(t(x))]',
    '[g.mul(t(x)), g.mul(t(y))]',
    gradients('mul'),
  ],
  [
    'div: the denominator’s cotangent has the wrong sign',
    'sign',
    'g.mul(t(node)).div(t(node.inputs[1])).neg()',
    'g.mul(t(node)).div(t(node.inputs[1]))',
    gradients('div'),
  ],
  [
    'div: the denominator’s cotangent is divided once, not twice',
    'missing term',
    'g.mul(t(node)).div(t(node.inputs[1])).neg()',
    'g.mul(t(node)).neg()',
    gradients('div'),
  ],
  [
    'rem: the quotient is rounded down, not towards zero',
    'wrong operation',
    'quotient.less(0).select(quotient.neg().floor().neg(), quotient.floor())',
    'quotient.floor()',
    grads('the remainder of negative numbers'),
  ],
  [
    'max: of equal elements the first takes the whole cotangent',
    'wrong tie',
    'select(g.mul(0.5), g)',
    'select(g, g)',
    grads('integers and kinks'),
  ],
  [
    'max: the smaller one gets the cotangent',
    'swapped operands',
    '[t(x).less(t(y)).select(0, shared), t(y).less(t(x)).select(0, shared)]',
    '[t(y).less(t(x)).select(0, shared), t(x).less(t(y)).select(0, shared)]',
    gradients('max'),
  ],
  [
    'where: both branches get the other’s cotangent',
    'swapped operands',
    't(c).select(g, 0), t(c).select(g.operand(0), g)',
    't(c).select(g.operand(0), g), t(c).select(g, 0)',
    gradients('where'),
  ],
])

const movement = mutantsOf('derivative rules', rules, gradients('pad'), [
  [
    'reduceSum: the cotangent keeps the dtype of the sum',
    'wrong dtype',
    '{ shape: x.shape, axes }, [g.cast(x.dtype).node]',
    '{ shape: x.shape, axes }, [g.node]',
    grads('dtype of its argument'),
  ],
  [
    'reduceMax: equal elements get the whole cotangent each',
    'wrong tie',
    'spread(g.div(isMax.sum(axes)).node)',
    'spread(g.node)',
    grads('integers and kinks'),
  ],
  [
    'broadcast: the cotangents of the copies are averaged, not summed',
    'missing sum',
    '[g.sum(axes)]',
    '[g.mean(axes)]',
    gradients('broadcast'),
  ],
  [
    'transpose: the cotangent goes through the same permutation, not the inverse',
    'axis',
    'g.transpose(inversePermutation(permutation))',
    'g.transpose(permutation)',
    gradients('transpose'),
  ],
  [
    'reverse: the cotangent is not reversed',
    'missing term',
    '[g.reverse(axes)]',
    '[g.reverse(axes.slice(1))]',
    gradients('reverse'),
  ],
  [
    'pad: the cotangent is read without steps over the zeros between',
    'off by one',
    'interior.map((n) => n + 1)',
    'interior.map(() => 1)',
  ],
  [
    'slice: the cotangent gets its zeros at the other end',
    'swapped operands',
    '{ low: start, high, interior }',
    '{ low: high, high: start, interior }',
    gradients('slice'),
  ],
  [
    'concatenate: every part gets the beginning of the cotangent',
    'off by one',
    'sliceAlong(g, axis, start(i), start(i + 1))',
    'sliceAlong(g, axis, 0, start(i + 1) - start(i))',
    gradients('concatenate'),
  ],
  [
    'gather: the cotangent is added along the first axis',
    'axis',
    'scatterAdd(t(index), g, at(table.shape, axis), axis)',
    'scatterAdd(t(index), g, at(table.shape, axis), 0)',
    gradients('gather'),
  ],
  [
    'scatterAdd: the updates get no cotangent',
    'missing term',
    '[null, gather(g, t(index), axis)]',
    '[null, t(index) === g ? gather(g, t(index), axis) : null]',
    gradients('scatterAdd'),
  ],
])

const contractions = mutantsOf('derivative rules', rules, gradients('conv'), [
  [
    'dotGeneral: contracted axes come back in the order of the wrong operand',
    'axis',
    '.toSorted((a, b) => a - b)',
    '.toSorted((a, b) => b - a)',
    gradients('dotGeneral'),
  ],
  [
    'dotGeneral: the cotangent’s axes are permuted, not permuted back',
    'axis',
    'product.transpose(inversePermutation(plain))',
    'product.transpose(plain)',
    gradients('dotGeneral'),
  ],
  [
    'dotGeneral: the free axes of the wrong operand are contracted',
    'swapped operands',
    'side === 0 ? ownFree.length : 0',
    'side === 1 ? ownFree.length : 0',
    gradients('dotGeneral'),
  ],
  ['conv: the filter is reversed in its rows only', 'axis', '.reverse([0, 1])', '.reverse([0])'],
  ['conv: the transposed filter mixes groups and channels', 'axis', '[0, 1, 4, 3, 2]', '[0, 1, 4, 2, 3]'],
  [
    'conv: the input’s cotangent is padded by what the other end had',
    'off by one',
    '.k - 1 - a.padLow[i])',
    '.k - 1 - a.padHigh[i])',
  ],
  [
    'conv: the cotangent of the input ignores the stride',
    'stale value',
    'stride: a.inputDilation,\n    inputDilation: a.stride,',
    'stride: a.stride,\n    inputDilation: a.inputDilation,',
  ],
  [
    'conv: the cotangent of the filter ignores the stride',
    'stale value',
    'stride: a.filterDilation, filterDilation: a.stride,',
    'stride: a.stride, filterDilation: a.filterDilation,',
  ],
  [
    'conv: the cotangent’s rows and columns are exchanged for the filter’s',
    'axis',
    'g.cast(x.dtype).transpose([1, 2, 0, 3])',
    'g.cast(x.dtype).transpose([2, 1, 0, 3])',
  ],
  ['conv: the filter’s cotangent mixes images and groups', 'axis', '[4, 1, 2, 3, 0]', '[4, 1, 2, 0, 3]'],
])

const joining = mutantsOf(
  'reverse and forward mode',
  'src/autograd/addCotangents.ts',
  inFile('autograd/addCotangents'),
  [
    [
      'cotangents of overlapping parts are joined as if they touched',
      'off by one',
      'at(x.attrs.low, axis) + at(window.shape, axis) === at(y.attrs.low, axis)',
      'at(x.attrs.low, axis) + at(window.shape, axis) >= at(y.attrs.low, axis)',
    ],
    [
      'parts that touch in one axis are joined though they differ in another',
      'missing check',
      'differing.length > 1',
      'differing.length > 2',
    ],
    [
      'a part with zeros between its elements is joined as a window',
      'missing check',
      'node.attrs.interior.every((n) => n === 0)',
      'node.attrs.interior.every((n) => n >= 0)',
    ],
    [
      'the second of two joined parts comes first',
      'swapped operands',
      'return joined(y.node, x.node, before)',
      'return joined(x.node, y.node, before)',
    ],
  ],
)

const walk = mutantsOf('reverse and forward mode', backward, grads('grad on cpu'), [
  [
    'a value used twice keeps only its last cotangent',
    'missing sum',
    'sum === undefined ? g : addCotangents(sum, g)',
    'sum === undefined ? g : addCotangents(g, g.mul(0))',
  ],
  [
    'the walk applies rules in the order of the program',
    'swapped operands',
    'of nodes.toReversed()',
    'of nodes.slice()',
  ],
])

const transforms = mutantsOf('reverse and forward mode', grad, grads('derivatives of derivatives'), [
  [
    'arguments get no names of their own, so that nested derivatives are confused',
    'stale value',
    "new Tensor(makeNode('alias', {}, [x.node])))",
    'new Tensor(x.node))',
  ],
  [
    'a leaf that the function does not use has gradient 1',
    'wrong constant',
    'found[i] ?? zerosLike(x)',
    'found[i] ?? zerosLike(x).add(1)',
    grads('does not use a leaf'),
  ],
  [
    'the seed of a gradient is 2',
    'factor',
    'cotangentsOf(sources, value, onesLike(value))',
    'cotangentsOf(sources, value, onesLike(value).add(1))',
  ],
  [
    'hvp takes the direction for the point',
    'swapped operands',
    'jvp(grad(f), [params], [direction])',
    'jvp(grad(f), [direction], [params])',
  ],
  [
    'a custom rule that is not linear in its cotangent passes through jvp',
    'missing check',
    'used.some((n) => names.has(n))',
    'used.every((n) => names.has(n))',
    inFile('autograd/annotate', 'not linear in its cotangent'),
  ],
])

const jacobians = mutantsOf('reverse and forward mode', 'src/autograd/jacobian.ts', inFile('autograd/jacobian'), [
  ['a Jacobian’s columns are stacked as if they were rows', 'axis', '{ out: -1 }', '{ out: 0 }'],
  [
    'every row of a Jacobian is the first',
    'stale value',
    'eye(x.size, x.dtype)',
    'eye(x.size, x.dtype).slice([0, 1]).broadcastTo([x.size, x.size])',
  ],
  ['a Jacobian by rows takes the blocks of the first leaf', 'stale value', 'at(rows, j)', 'at(rows, 0 * j)'],
])

const checker = mutantsOf('the check of gradients', 'src/autograd/check.ts', inFile('autograd/check'), [
  ['the stencil has the sign of one point wrong', 'sign', '[2, -1 / 12]', '[2, 1 / 12]'],
  [
    'all elements of a result weigh alike, so that exchanged elements pass',
    'wrong constant',
    '[i, 0])[0] / 2 ** 31 - 1)',
    '[i * 0, 0])[0] / 2 ** 31 - 1)',
  ],
  ['an error of a thousandth passes', 'wrong constant', 'relative = 1e-7', 'relative = 1e-3'],
  ['a derivative that is not a number passes', 'missing check', '!(worst <= 1)', 'worst > 1 && worst < Infinity'],
  [
    'arguments in f32 are skipped without a word',
    'missing check',
    "isFloat(x.dtype) && x.dtype !== 'f64')",
    "isFloat(x.dtype) && x.dtype === 'f16')",
  ],
])

/** Bugs in src/autograd. */
export const derivativeMutants: readonly Mutant[] = [
  ...elementwise,
  ...movement,
  ...contractions,
  ...joining,
  ...walk,
  ...transforms,
  ...jacobians,
  ...checker,
]

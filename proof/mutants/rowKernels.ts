/** Bugs in kernels that go along rows and lines: running sums, orders by digits, scattered rows, depthwise windows, words in pairs. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { gradients, inFile, values, type Tests } from './suites.ts'

const moving = (title: string): Tests => inFile('backends/wasm/movement', title)
const convolving = inFile('backends/wasm/conv', 'a depthwise convolution')
const onGpu = inFile('backends/webgpu/kernelForms', 'up along its middle axis')

/** Bugs in kernels of rows. */
export const rowKernelMutants: readonly Mutant[] = [
  ...mutantsOf('derivative rules', 'src/autograd/vjp.ts', gradients('cumsum'), [
    [
      'cumsum: the cotangent is summed from the same end',
      'swapped operands',
      "makeNode('cumsum', { axis, reverse: !reverse }",
      "makeNode('cumsum', { axis, reverse }",
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/cpu/run.ts', values('cumsum'), [
    ['cumsum: a line goes on with the sum of the one before', 'stale value', 'sum[0] = 0\n', 'sum[0] += 0\n'],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/move/cumsumCode.ts', moving('adds in the order of the axis'), [
    ['wasm, cumsum: the lines left over begin again', 'missing clamp', 'own, last))', 'own, own))'],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/move/cumsum.ts', moving('adds in the order of the axis'), [
    [
      'wasm, cumsum: from the end, columns begin one row too far',
      'off by one',
      'first: reverse ? (length - 1) * inner : 0',
      'first: reverse ? length * inner : 0',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/move/gatherCode.ts', moving('short rows four at a time'), [
    [
      'wasm, gather: of four rows the second two are the first two',
      'off by one',
      "apply('i32x4.extract_lane', [kept], k)",
      "apply('i32x4.extract_lane', [kept], k % 2)",
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/cumsum.ts', onGpu, [
    [
      'WGSL, cumsum: a part begins with its own sum',
      'wrong order',
      "${bitsOf(shader, 'sum', type)};`, 'sum += own;')",
      "${bitsOf(shader, '(sum + own)', type)};`, 'sum += own;')",
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/move/sortDigitsCode.ts', moving('^argsort '), [
    [
      'wasm, sort by digits: −0 stands before 0',
      'missing term',
      "apply('f32.add', [x, f32(0)])",
      "apply('f32.add', [x, f32(-0)])",
    ],
    [
      'wasm, sort by digits: what is no number is the first',
      'sign',
      'xor(bits, sign), i32(-1))',
      'xor(bits, sign), i32(0))',
    ],
    [
      'wasm, sort by digits: a pass is left out where the first two digits are equal',
      'missing check',
      "apply('i32.ne', [ofFirst, length])",
      "apply('i32.eq', [ofFirst, i32(1)])",
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/move/scatterRowsCode.ts', moving('scatter of long rows|adds in order'), [
    [
      'wasm, scatter: rows without updates keep what memory held',
      'stale value',
      '[fill(target, i32(0), bytes)]',
      '[fill(target, i32(0), i32(0))]',
    ],
    [
      'wasm, scatter: the picks of a row are those of the next',
      'off by one',
      "store('i32.store', own, get(sum), 8)",
      "store('i32.store', own, get(sum), 4)",
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/conv/depthwiseCode.ts', convolving, [
    [
      'wasm, depthwise: the last channels are a block of their own',
      'missing clamp',
      'get(channel), last)))',
      'get(channel), get(channel))))',
    ],
    [
      'wasm, depthwise: the last part of a filter’s gradient ends behind the pixels',
      'missing clamp',
      "select(apply('i32.lt_s', [next, w.lines]), next, w.lines)",
      "select(apply('i32.lt_s', [next, w.lines]), next, next)",
    ],
  ]),
  ...mutantsOf(
    'kernels',
    'src/backends/wasm/elementwise/elementwise.ts',
    inFile('backends/wasm/elementwise', 'in pairs'),
    [
      [
        'wasm: words are paired from an odd one on',
        'off by one',
        '(leaf.view.offset + offset) % 2 === 0',
        '(leaf.view.offset + offset) % 1 === 0',
      ],
    ],
  ),
  ...mutantsOf('kernels', 'src/backends/wasm/emit/pairs.ts', inFile('backends/wasm/elementwise', 'in pairs'), [
    [
      'wasm: what depends on an element itself is taken for shared',
      'missing check',
      'same.has(k) || shared.has(k))',
      'same.has(k) || shared.has(k) || shared.size > 0)',
    ],
  ]),
]

/** Bugs in kernels: both forms of cpu, and halves. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, values } from './suites.ts'

const agreement = inFile('backends/cpu/agreement')

const gemm = mutantsOf('kernels', 'src/backends/cpu/gemm.ts', values('dotGeneral'), [
  ['gemm: one of the twelve sums reads the row before its own', 'off by one', 's21 += x2 * y1', 's21 += x1 * y1'],
  [
    'gemm: the last columns of a row are written over the next row',
    'missing clamp',
    'Math.min(tileColumns, columns - n)',
    'Math.min(tileColumns, columns)',
  ],
  ['gemm: the third row of a panel is the second', 'off by one', 'Math.min(m + 2, last)', 'Math.min(m + 1, last)'],
])

const conv = mutantsOf('kernels', 'src/backends/cpu/conv.ts', values('conv'), [
  [
    'conv: padding of rows and columns is exchanged',
    'axis',
    'rows.at * dense[1] + columns.at * dense[2]',
    'columns.at * dense[1] + rows.at * dense[2]',
  ],
  [
    'conv: cropping starts one element early',
    'off by one',
    'Math.ceil(-low / dilation)',
    'Math.floor(-low / dilation)',
  ],
  [
    'conv: one element beyond a cropped end is read',
    'off by one',
    'Math.floor((padded - 1 - low) / dilation)',
    'Math.floor((padded - low) / dilation)',
  ],
  [
    'conv: an image that is only moved is taken for one that is not padded',
    'missing check',
    '      n === geometry.inside.shape[a] &&\n',
    '',
    agreement,
  ],
  [
    'conv: every group reads the channels of the first',
    'stale value',
    'offset: group * perGroup, rows: g.rows',
    'offset: 0 * group * perGroup, rows: g.rows',
  ],
  [
    'conv: dilation of rows and columns is exchanged',
    'axis',
    'dense[1] * attrs.filterDilation[0], dense[2] * attrs.filterDilation[1]',
    'dense[1] * attrs.filterDilation[1], dense[2] * attrs.filterDilation[0]',
  ],
])

const evaluate = mutantsOf('kernels', 'src/backends/cpu/evaluate.ts', agreement, [
  [
    'an index in f16 is not rounded',
    'wrong dtype',
    "instruction.dtype === 'f16' // indices",
    "instruction.dtype === 'f32' // indices",
  ],
  [
    'a kernel reads the buffers of its first run for ever',
    'stale value',
    'if (start === 0) source = asNumbers(bufferOf(buffer))',
    'if (start === 0 && source === none.array) source = asNumbers(bufferOf(buffer))',
    inFile('tensor/device'),
  ],
  ['every block is written to the beginning', 'stale value', 'last(start, n, out, start)', 'last(start, n, out, 0)'],
])

const walk = mutantsOf('kernels', 'src/backends/cpu/walk.ts', inFile('compiler/view', 'walks'), [
  [
    'a block that begins inside a row reads from the row’s beginning',
    'off by one',
    'let within = start - row * inner\n  for (let done = 0; done < n; row++, within = 0) {\n    const count = Math.min(inner - within, n - done)\n    const address',
    'let within = 0 * start\n  for (let done = 0; done < n; row++, within = 0) {\n    const count = Math.min(inner - within, n - done)\n    const address',
  ],
  [
    'the outer axes of a view are walked in the wrong order',
    'axis',
    'runs.shape.slice(0, Math.max(last, 0)).toReversed()',
    'runs.shape.slice(0, Math.max(last, 0)).slice()',
  ],
])

const interpret = mutantsOf('kernels', 'src/backends/cpu/interpret.ts', values('conv'), [
  [
    'specification: the maximum begins at 0',
    'wrong constant',
    'fill(-Infinity), Math.max',
    'fill(0), Math.max',
    values('reduceMax'),
  ],
  ['specification, conv: rows move by the stride of columns', 'axis', 'oy * stride[0] + ky', 'oy * stride[1] + ky'],
  [
    'specification, dotGeneral: every term is rounded to f32',
    'wrong dtype',
    'sum = plus(sum, times(load(xs as TypedArray, xo + dx), load(ys as TypedArray, yo + dy)))',
    'sum = Math.fround(plus(sum, times(load(xs as TypedArray, xo + dx), load(ys as TypedArray, yo + dy))))',
    values('dotGeneral'),
  ],
])

const run = mutantsOf('kernels', 'src/backends/cpu/run.ts', values('gather'), [
  [
    'reduceMax: the maximum begins at 0',
    'wrong constant',
    'new Float64Array(size).fill(-Infinity)',
    'new Float64Array(size)',
    values('reduceMax'),
  ],
  [
    'reduceSum: sums are kept in f32',
    'wrong dtype',
    'new Int32Array(size) : new Float64Array(size)',
    'new Int32Array(size) : new Float32Array(size)',
    agreement,
  ],
  [
    'gather: an index beyond the table reads the next row of memory',
    'missing clamp',
    'i < 0 ? 0 : i >= rows ? rows - 1 : i',
    'i < 0 && rows > 0 ? 0 : i',
  ],
  [
    'pad: what memory held before shows through the zeros',
    'stale value',
    'out.fill(0)',
    'out.fill(0, out.length)',
    inFile('compiler/lower', 'zeros of a pad'),
  ],
  ['argsort: equal elements change their order', 'wrong tie', '|| a - b,', '|| b - a,', values('argsort')],
  [
    'scatterAdd: the last update replaces the others',
    'missing sum',
    '(sums[target + k] as number) + (from[source + k] as number)',
    '0 * (sums[target + k] as number) + (from[source + k] as number)',
    values('scatterAdd'),
  ],
])

const scalar = mutantsOf('kernels', 'src/backends/cpu/scalar.ts', values('cast'), [
  [
    'logistic: e^|x| where e^−|x| belongs',
    'sign',
    'Math.exp(-Math.abs(x))',
    'Math.exp(Math.abs(x))',
    values('logistic'),
  ],
  ['cast: to an integer rounds to the nearest', 'wrong operation', 'Math.trunc(x) : x)', 'Math.round(x) : x)'],
  ['integer division rounds down', 'wrong operation', 'Math.trunc(x / y)', 'Math.floor(x / y)', values('div')],
  [
    'not: of a bool flips all its bits',
    'wrong dtype',
    "dtype === 'bool' ? 1 - x : ~x",
    "dtype === 'f16' ? 1 - x : ~x",
    values('not'),
  ],
])

const erf = mutantsOf('kernels', 'src/prelude/erf.ts', values('erf'), [
  ['erf: a digit of the tail’s constant is wrong', 'wrong constant', '-z * z - 0.5625)', '-z * z - 0.5626)'],
  ['erf: negative numbers keep the sign of positive ones', 'sign', 'x < 0 ? -y : y', 'x < 0 ? y : y'],
])

const lanes = mutantsOf('kernels', 'src/backends/cpu/lanes.ts', values('where'), [
  [
    'shiftRight: signed and unsigned are exchanged',
    'wrong dtype',
    "dtype === 'i32' ? shiftRightSigned : shiftRight",
    "dtype === 'i32' ? shiftRight : shiftRightSigned",
    values('shiftRight'),
  ],
  [
    'where: the branches are exchanged',
    'swapped operands',
    'const where: Loop = (out, o, { array: c, start: r }, { array: x, start: p }, { array: y, start: q }, n)',
    'const where: Loop = (out, o, { array: c, start: r }, { array: y, start: q }, { array: x, start: p }, n)',
  ],
  [
    'a result in f16 is rounded twice, through f32',
    'wrong dtype',
    'const wide = new Float64Array(blockSize)',
    'const wide = new Float32Array(blockSize)',
    agreement,
  ],
])

const halves = mutantsOf('kernels', 'src/graph/half.ts', inFile('graph/dtype'), [
  ['f16: a tie is rounded up', 'wrong tie', 'd === 0.5 && f % 2 === 1', 'd === 0.5 && f >= 0'],
  ['f16: the largest subnormals are rounded like normal numbers', 'wrong constant', 'a < 2 ** -14', 'a < 2 ** -15'],
  ['f16: numbers round to infinity from 65504 on', 'off by one', 'a >= 65520', 'a > 65504'],
])

const launchedRows = mutantsOf('kernels', 'src/backends/wasm/launch/rows.ts', inFile('compiler/rows'), [
  [
    'rows begin where those before them begin',
    'off by one',
    'const begin = mul(get(first), units)',
    'const begin = get(first)',
  ],
  ['of each unit of rows one unit is missing', 'off by one', 'units: p.units / units,', 'units: p.units / units - 1,'],
])

const launchedGroups = mutantsOf('kernels', 'src/backends/wasm/launch/group.ts', inFile('compiler/group'), [
  ['a member begins with the units of the one before', 'off by one', 'sub(get(first), get(begin)),', 'get(first),'],
  [
    'a member ends where all units end',
    'missing clamp',
    "select(apply('i32.lt_s', [behind, get(last)]), behind, get(last))",
    'get(last)',
  ],
  ['members share scratch memory', 'missing term', 'offset: p.offset + bytes', 'offset: p.offset + bytes * 0'],
])

const sharedCode = mutantsOf('kernels', 'src/backends/wasm/once.ts', inFile('backends/wasm/once'), [
  [
    'stages of rows that share code keep the buffers of those who had it first',
    'missing call',
    'words: parameter.words.map(word)',
    'words: parameter.words',
  ],
])

/** Bugs in src/backends/cpu, in how wasm puts kernels together, and in the rounding of halves. */
export const kernelMutants: readonly Mutant[] = [
  ...gemm,
  ...conv,
  ...evaluate,
  ...walk,
  ...interpret,
  ...run,
  ...scalar,
  ...erf,
  ...lanes,
  ...halves,
  ...launchedRows,
  ...launchedGroups,
  ...sharedCode,
]

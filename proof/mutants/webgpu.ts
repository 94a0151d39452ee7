/** Bugs in the webgpu backend: the functions of WGSL, the text of shaders, kernels, contractions, and what runs them. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, type Tests } from './suites.ts'

/** The tests of a function of WGSL. */
const fn = (name: string): Tests => inFile('backends/webgpu/functions', `${name}'? is `)

/** The test of an operation's values. */
const op = (name: string): Tests => inFile('backends/webgpu/values', ` computes (primitives|functions) ${name} as `)

/** Tests of kernels, by their titles. */
const kernel = (title: string): Tests => inFile('backends/webgpu/kernels', title)

/** Tests of a kernel in the form for a kind of GPU. */
const formOn = (gpu: 'a program' | 'a GPU without' | 'a GPU with', title: string): Tests =>
  inFile('backends/webgpu/kernelForms', `on '?${gpu} .*${title}`)

/** A contraction in one of its forms. */
const form = (n: number, title: string): Tests =>
  inFile('backends/webgpu/forms', `the form ${n} of those that are possible of ${title} gives`)

/** The memory of a GPU that is none. */
const heap = inFile('backends/webgpu/memory', 'the memory of a GPU')

/** Tests of what is run, by their titles. */
const program = (title: string): Tests => inFile('backends/webgpu/program', title)

const tuned = (title: string): Tests => inFile('backends/webgpu/tuning', title)

/** Functions of f32, and conversions. */
const functionMutants: readonly Mutant[] = [
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/bits.ts', fn('floor_f32'), [
    [
      'WGSL, floor: numbers between −1 and 0 become 0',
      'missing term',
      'let below = select(0u, 0xbf800000u, negative);',
      'let below = select(0u, 0x80000000u, negative);',
    ],
    [
      'WGSL, max: a NaN on the left is passed over',
      'missing check',
      'return bitcast<f32>(select(other, bitcast<u32>(x), is_nan(x)));',
      'return bitcast<f32>(other);',
      fn('max_f32'),
    ],
    [
      'WGSL, sort: −0 comes before 0',
      'wrong tie',
      'select(b | 0x80000000u, ~b, b > 0x80000000u)',
      'select(b | 0x80000000u, ~b, b >= 0x80000000u)',
      formOn('a program', 'sorts the middle axis'),
    ],
    [
      'WGSL, less: −0 is less than 0',
      'wrong tie',
      '!(zeros || is_nan(x) || is_nan(y))',
      '!(is_nan(x) || is_nan(y))',
      fn('less_f32'),
    ],
    [
      'WGSL, powers of 2: what is subnormal is cut, not rounded',
      'missing call',
      'return sign | shift_rounded((b & 0x7fffffu) | 0x800000u, u32(min(1 - exponent, 31)));',
      'return sign | (((b & 0x7fffffu) | 0x800000u) >> u32(min(1 - exponent, 31)));',
      fn('div_f32'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/math.ts', fn('exp_f32'), [
    [
      'WGSL, exp: the low digits of ln 2 are left out',
      'missing term',
      ') - n * ${number(expLn2.low)};',
      ') - n * 0.0;',
    ],
    [
      'WGSL, exp: NaN is e⁸⁹',
      'missing check',
      'bitcast<u32>(x), is_nan(x)));\n}`,\n\n  log_f32',
      'bitcast<u32>(x), false));\n}`,\n\n  log_f32',
    ],
    [
      'WGSL, log: the logarithm of −0 is NaN',
      'missing check',
      '(b & 0x7fffffffu) == 0u);\n  return select(outside',
      'b == 0u);\n  return select(outside',
      fn('log_f32'),
    ],
    [
      'WGSL, log: a mantissa that is halved keeps its exponent',
      'off by one',
      'exponent_of(x) + select(0, 1, isLarge)',
      'exponent_of(x) + select(0, 0, isLarge)',
      fn('log_f32'),
    ],
    [
      'WGSL, logistic: far below 0 it is a quotient of numbers that may be subnormal',
      'missing check',
      'isSmall || is_nan(x)',
      'is_nan(x)',
      fn('logistic_f32'),
    ],
    [
      'WGSL, tanh: NaN is 1',
      'missing check',
      'if (a < 0x39800000u || a > 0x7f800000u) {',
      'if (a < 0x39800000u) {',
      fn('tanh_f32'),
    ],
    [
      'WGSL, erf: it is even',
      'sign',
      'return bitcast<f32>(bitcast<u32>(y) | sign);',
      'return bitcast<f32>(bitcast<u32>(y) | (sign & 1u));',
      fn('erf_f32'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/trigonometry.ts', fn('sin_f32'), [
    [
      'WGSL, sin: the carry of the product’s low digits is lost',
      'missing term',
      'multiply_high(digits, middle) + carry, sum)',
      'multiply_high(digits, middle) + 0u * carry, sum)',
    ],
    [
      'WGSL, sin: quarters of negative numbers turn the same way',
      'sign',
      'select(nearest, 0u - nearest, isNegative)',
      'select(nearest, nearest, isNegative)',
    ],
    ['WGSL, sin: what is below a multiple of π/2 keeps its sign', 'sign', 'isBelow != isNegative', 'isNegative'],
    [
      'WGSL, cos: cos is sin three quarters on',
      'wrong constant',
      'return reduced_sin(x, 1u);',
      'return reduced_sin(x, 3u);',
      fn('cos_f32'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/arithmetic.ts', fn('div_f32'), [
    ['WGSL, div: ∞ / ∞ is ∞', 'missing check', '(a == b && (a == 0u || a == 0x7f800000u))', '(a == b && a == 0u)'],
    [
      'WGSL, div: quotients of numbers that are far apart are left to the GPU',
      'missing check',
      ' && abs(difference) < 125) {',
      ' && abs(difference) < 255) {',
    ],
    [
      'WGSL, sqrt: odd powers of 2 lose a factor 2',
      'factor',
      'f32(1 + (n & 1))',
      'f32(1 + 0 * (n & 1))',
      fn('sqrt_f32'),
    ],
    [
      'WGSL, rem: the remainder has no sign',
      'sign',
      'return bitcast<f32>(sign | (((least',
      'return bitcast<f32>((sign & 1u) | (((least',
      fn('rem_f32'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/integers.ts', fn('rem_u32'), [
    [
      'WGSL, rem of u32: x modulo 0 is what the GPU gives',
      'missing check',
      'select(x % y, 0u, y == 0u)',
      'select(x % y, x, y == 0u)',
    ],
    [
      'WGSL, floats as whole numbers: what is above 2³² does not wrap',
      'wrong constant',
      'select(moved, 0u, shift > 31)',
      'select(moved, 0u, shift > 8)',
      fn('u32_of_f32'),
    ],
    [
      'WGSL, whole numbers as floats: −2³¹ and all below 0 are positive',
      'sign',
      'return select(magnitude, -magnitude, x < 0);',
      'return select(magnitude, magnitude, x < 0);',
      fn('f32_of_i32'),
    ],
    [
      'WGSL, whole numbers as floats: the GPU rounds the large ones',
      'missing call',
      'f32(shift_rounded(x, more)) * f32(1u << more)',
      'f32(x >> more) * f32(1u << more)',
      fn('f32_of_u32'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/half.ts', inFile('backends/webgpu/functions', 'halves in WGSL'), [
    ['WGSL, halves: the largest half is infinite', 'off by one', 'if (a >= 0x477ff000u)', 'if (a >= 0x477fe000u)'],
    [
      'WGSL, halves: subnormal ones are 2¹⁰ too large',
      'factor',
      'select(0x0c000000u, 0u, magnitude == 0u)',
      'select(0x07000000u, 0u, magnitude == 0u)',
    ],
    [
      'WGSL, halves: the sign of 0 is lost',
      'sign',
      'return bitcast<f32>(((bits & 0x8000u) << 16u) | value);',
      'return bitcast<f32>(select(((bits & 0x8000u) << 16u) | value, 0u, magnitude == 0u));',
    ],
  ]),
]

/** The text of shaders: operations, elements in memory, literals, indices. */
const textMutants: readonly Mutant[] = [
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/ops.ts', op('where'), [
    [
      'WGSL, where: the branches are exchanged',
      'swapped operands',
      'select(${z}, ${y}, ${x} != 0u)',
      'select(${y}, ${z}, ${x} != 0u)',
    ],
    [
      'WGSL, not: false is the complement of all bits',
      'wrong dtype',
      "(from === 'bool' ? `1u - ${x}` : `~${x}`)",
      "(from === 'u8' ? `1u - ${x}` : `~${x}`)",
      op('not'),
    ],
    [
      'WGSL: shifts go by the distance modulo 16',
      'wrong constant',
      '(u32(${y}) & 31u)',
      '(u32(${y}) & 15u)',
      op('shiftLeft'),
    ],
    [
      'WGSL, cast: whole numbers with a sign are taken for some without',
      'wrong dtype',
      "return from === 'i32' ? `${shader.use('f32_of_i32')}",
      "return from === 'u8' ? `${shader.use('f32_of_i32')}",
      op('cast'),
    ],
    [
      'WGSL: a halves’ result in the middle of a kernel is not rounded',
      'missing call',
      "if (dtype === 'f16') return `${shader.use('round_half')}(${value})`",
      "if (dtype === 'f64') return `${shader.use('round_half')}(${value})`",
      kernel('rounds each step of halves'),
    ],
    [
      'WGSL: bytes in the middle of a kernel do not wrap',
      'missing clamp',
      'return `(${value}) & 255u`',
      'return `(${value}) & 65535u`',
      kernel('rounds each step of halves'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/value.ts', op('add'), [
    [
      'WGSL: halves in a word are eight bits apart',
      'factor',
      'const [log, bits] = n === 2 ? [1, 4] : [2, 3]',
      'const [log, bits] = n === 2 ? [1, 3] : [2, 3]',
    ],
    [
      'WGSL: a word of memory is stored before its last element',
      'off by one',
      '& ${u32(n - 1)}) == ${u32(n - 1)})`',
      '& ${u32(n - 1)}) == ${u32(n - 2)})`',
    ],
    [
      'WGSL: new elements of a word come in from below',
      'wrong order',
      '(${operand(bits)} << ${u32(32 - width)})',
      '(${operand(bits)} << ${u32(0 * width)})',
    ],
    [
      'WGSL: the second half of a word lies over the first',
      'missing term',
      '(${own} << ${u32(i * width)})',
      '(${own} << ${u32(0 * i * width)})',
      form(0, 'products of halves'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/literal.ts', kernel('keeps what literals are'), [
    [
      'WGSL: 0 stands in the text, where a factor 0 makes NaN vanish',
      'missing check',
      'Number.isFinite(x) && Math.abs(x) >= smallestNormal',
      'Number.isFinite(x) && Math.abs(x) >= 0 * smallestNormal',
    ],
    [
      'WGSL: a literal is not rounded to its dtype',
      'missing call',
      'const x = roundTo[dtype](value)',
      'const x = roundTo.f32(value) + 0 * dtype.length',
    ],
    ['WGSL: whole literals above 2³¹ have a sign', 'wrong dtype', '`${x >>> 0}u`\n', '`${Math.abs(x | 0)}u`\n'],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/body.ts', op('transpose'), [
    [
      'WGSL: coordinates come out in the order in which they are found',
      'axis',
      'found.unshift(name)',
      'found.push(name)',
      op('broadcast'),
    ],
    [
      'WGSL: a view begins at the beginning of its buffer',
      'missing term',
      "offset === 0 ? '0u' : u32(offset)",
      "offset >= 0 ? '0u' : u32(offset)",
      op('slice'),
    ],
    [
      'WGSL: an operand has the dtype of the first instruction',
      'wrong dtype',
      'at(body.instructions, i.inputs[0] ?? 0).dtype',
      'at(body.instructions, 0 * (i.inputs[0] ?? 0)).dtype',
      kernel('casts in the middle'),
    ],
    [
      'WGSL: an index is where the first operand lies',
      'stale value',
      'x: operand(at(places, next++))',
      'x: operand(at(places, 0 * next++))',
      kernel('numbers elements'),
    ],
    [
      'WGSL: axes that cross are walked in the order of the view before it is joined',
      'wrong operation',
      'coordinatesOf(shader, index, shape))',
      'coordinatesOf(shader, index, shape.toReversed()))',
      formOn('a program', 'axes cross'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/text.ts', op('reverse'), [
    ['WGSL: steps backwards go forwards', 'sign', '`${x >>> 0}u`', '`${Math.abs(x)}u`'],
    [
      'WGSL: the remainder by 1 is the number',
      'wrong operation',
      "(k === 1 ? '0u' : `${operand(x)} % ${u32(k)}`)",
      '(k === 1 ? x : `${operand(x)} % ${u32(k)}`)',
      op('gather'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/wgsl/shader.ts', kernel('side by side'), [
    [
      'WGSL: members of a group have the sizes of the first',
      'stale value',
      'value: numbers[m]?.[n] ?? 0',
      'value: numbers[0 * m]?.[n] ?? 0',
    ],
    [
      'WGSL: the first workgroup of a member is the last of the one before',
      'off by one',
      '  if (group >= word(${u32(headWords)}',
      '  if (group > word(${u32(headWords)}',
    ],
    [
      'WGSL: workgroups of a member are counted from that of the group',
      'missing term',
      '`if (low > 0u) { group -= word(row - ${u32(words + 2)}); }`',
      '`if (low > 0u) { group -= 0u * word(row - ${u32(words + 2)}); }`',
    ],
    [
      'WGSL: a pointer leads to the first memory',
      'stale value',
      'memory_${memories[Number(pointer)] ?? 0}',
      'memory_${memories[0 * Number(pointer)] ?? 0}',
      op('add'),
    ],
    [
      'WGSL: workgroups in the second row of a dispatch do the work of the first',
      'missing term',
      'id.x + id.y * size.x',
      'id.x + 0u * id.y * size.x',
      program('more workgroups'),
    ],
  ]),
]

/** Kernels but contractions. */
const kernelMutants: readonly Mutant[] = [
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/lanes.ts', op('add'), [
    [
      'WGSL: the elements of a word are those of the whole output’s beginning',
      'missing term',
      'let ${element} = ${turn} * ${u32(lanes)} + ${k};',
      'let ${element} = ${turn} + ${k};',
    ],
    [
      'WGSL: an invocation has the elements of its widest result, not of its narrowest',
      'swapped operands',
      'Math.max(...dtypes.map(perWord))',
      'Math.min(...dtypes.map(perWord))',
      kernel('several results'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/elementwise.ts', kernel('several results'), [
    [
      'WGSL: a kernel’s first result is its last value',
      'wrong order',
      '[...further.map((r) => r.instruction), body.instructions.length - 1]',
      '[body.instructions.length - 1, ...further.map((r) => r.instruction)]',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/accumulate.ts', kernel('long sums'), [
    [
      'WGSL: a block of a sum is not begun anew',
      'stale value',
      '`${total} += ${part};`, `${part} = 0.0f;`',
      '`${total} += ${part};`',
    ],
    [
      'WGSL: what a long sum has behind its last block is left out',
      'missing term',
      'total: () => `(${total} + ${part})`',
      'total: () => `(${total} + 0.0f * ${part})`',
    ],
    [
      'WGSL: the maximum begins at 0',
      'wrong constant',
      "dtype === 'f32' ? -Infinity : dtype",
      "dtype === 'f32' ? 0 : dtype",
      op('reduceMax'),
    ],
    [
      'WGSL: whole numbers are summed as floats where they become whole numbers',
      'wrong dtype',
      "isFloat(to) || isFloat(from) ? 'f32'",
      "isFloat(to) || isFloat(from) || to === 'u32' ? 'f32'",
      kernel('sums of whole numbers'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/reduction.ts', op('reduceSum'), [
    ['WGSL: the reduced axes come before those that are kept', 'axis', '[...outer, ...inner]', '[...inner, ...outer]'],
    [
      'WGSL: the inner reduced axis is taken for the outer one',
      'axis',
      'nested(axis + 1, [...coordinates, r])',
      'nested(axis + 1, [r, ...coordinates])',
      formOn('a program', 'short axes'),
    ],
    [
      'WGSL: a reduction over axes that cross reads in the order of its result',
      'axis',
      'addressOf(0, strides, c)',
      'addressOf(0, strides.toReversed(), c)',
      formOn('a program', 'axes cross'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/move.ts', op('pad'), [
    [
      'WGSL, place: one element behind a part is taken for its last',
      'off by one',
      'tests.push(`${i} < ${u32(length)}`)',
      'tests.push(`${i} <= ${u32(length)}`)',
    ],
    [
      'WGSL, place: the zeros between the elements of a part are the element before',
      'missing check',
      'tests.push(`${operand(distance)} % ${u32(step)} == 0u`)',
      'tests.push(`${operand(distance)} % ${u32(step)} >= 0u`)',
    ],
    [
      'WGSL, gather: a row behind the last is read',
      'missing clamp',
      'u32(clamp(${value}, 0i, ${rows - 1}i))',
      'u32(max(${value}, 0i) + 0i * ${rows - 1}i)',
      op('gather'),
    ],
    [
      'WGSL, gather: tables lie as far apart as results',
      'factor',
      'sum([times(sum([times(o, rows), row]), inner), k])',
      'sum([times(sum([times(o, picks), row]), inner), k])',
      op('gather'),
    ],
  ]),
]

/** Kernels that have one form for GPUs and another for programs that play one. */
const teamMutants: readonly Mutant[] = [
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/team.ts', formOn('a GPU without', 'longer ones than'), [
    [
      'WGSL, teams: distances in a tree are added, where they are multiplied',
      'wrong operation',
      'across ? half * results : half',
      'across ? half + results : half',
    ],
    [
      'WGSL, teams: nobody waits for the halves of a tree',
      'missing call',
      "    main.add('workgroupBarrier();')\n  }\n  const first",
      '  }\n  const first',
    ],
    [
      'WGSL, teams: the second subgroup is left out',
      'off by one',
      'var ${n} = 1u;',
      'var ${n} = 2u;',
      formOn('a GPU with', 'a softmax of '),
    ],
    [
      'WGSL, teams: only the first of a workgroup’s teams is put together',
      'stale value',
      "team.size === team.workgroup ? '0u'",
      "team.size <= team.workgroup ? '0u'",
      formOn('a GPU without', 'rows of stages'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/reduceTeams.ts', formOn('a GPU without', 'longer ones than'), [
    [
      'WGSL, teams: each member takes the terms of those behind it too',
      'factor',
      '${term} += ${u32(division.each)})`',
      '${term} += ${u32(division.each / 2)})`',
    ],
    [
      'WGSL, teams: parts of a sum overlap',
      'off by one',
      'let ${begin} = ${part} * ${u32(length)};',
      'let ${begin} = ${part} * ${u32(length - 1)};',
      formOn('a GPU without', 'so many terms'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/reduce.ts', formOn('a program', 'so many terms'), [
    [
      'WGSL, reduce: the last part goes on behind the end',
      'missing clamp',
      'min(${begin} + ${u32(length)}, ${u32(at(lengths, axis))})',
      '${begin} + ${u32(length)}',
    ],
    [
      'WGSL, reduce: the last part is not added',
      'off by one',
      '${part} < ${u32(count)}; ${part}++',
      '${part} < ${u32(count - 1)}; ${part}++',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/rows.ts', formOn('a program', 'rows of stages'), [
    [
      'WGSL, rows: what is read backwards begins at the front',
      'missing term',
      'along(cut.runs, v, offset, outer)',
      'along(cut.runs, v, 0 * offset, outer)',
    ],
    [
      'WGSL, rows: every row is written to the first one’s place',
      'stale value',
      'let ${place} = ${sum([first, element])};',
      'let ${place} = ${sum([element])};',
    ],
    [
      'WGSL, rows: a second stage does not wait for the first',
      'missing call',
      'if (i > 0) waitForStored',
      'if (i > 1) waitForStored',
      formOn('a GPU without', 'rows of stages'),
    ],
    [
      'WGSL, rows: teams of a workgroup have one row',
      'missing term',
      'group * ${u32(each)} + lane / ${u32(size)}',
      'group * ${u32(each)} + 0u * lane / ${u32(size)}',
      formOn('a GPU without', 'rows of stages'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/order.ts', formOn('a program', 'sorts the middle axis'), [
    [
      'WGSL, sort: of equal elements the last comes first',
      'wrong tie',
      '(another == key && other < element)',
      '(another == key && other > element)',
    ],
    [
      'WGSL, sort: merging gives equal elements one place',
      'wrong tie',
      '(other == key && !isFirst)',
      '(other == key && isFirst)',
    ],
    [
      'WGSL, sort: what is merged is written over while it is read',
      'stale value',
      '2 * bytes * (pass % 2)',
      '2 * bytes * ((0 * pass) % 2)',
    ],
    [
      'WGSL, sort: the last run ends where a whole one would',
      'missing clamp',
      'let end = min(middle + ${size}, ${own});',
      'let end = middle + ${size};',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/sort.ts', op('argsort'), [
    [
      'WGSL, sort: numbers below 0 come last',
      'missing term',
      'bitcast<u32>(${value}) ^ 0x80000000u',
      'bitcast<u32>(${value}) ^ 0u',
    ],
    [
      'WGSL, sort: the axis that is sorted is the last one',
      'axis',
      '[divided(line, inner), element, modulo(line, inner)]',
      '[modulo(line, inner), element, divided(line, inner)]',
      formOn('a program', 'sorts the middle axis'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/kernels/scatter.ts', formOn('a program', 'sorted by merging'), [
    ['WGSL, scatter: a row’s picks begin behind its own', 'off by one', '+ half] < ${turn})', '+ half] <= ${turn})'],
    [
      'WGSL, scatter: updates are taken in the order of the rows',
      'stale value',
      'inside(pick)\n      })\n    }\n  }',
      'inside(place)\n      })\n    }\n  }',
    ],
  ]),
]

/** Contractions in all their forms. */
const contractionMutants: readonly Mutant[] = [
  ...mutantsOf('kernels', 'src/backends/webgpu/contraction/axes.ts', kernel('that is padded'), [
    [
      'WGSL, axes: neighbours are joined that are none in the filter',
      'missing check',
      '  outer.y === inner.y * inner.length &&\n',
      '',
      kernel('by that operand’s steps'),
    ],
    [
      'WGSL, conv: a border above and to the left is not tested',
      'missing check',
      'return base >= 0 && base',
      'return base',
    ],
    [
      'WGSL, conv: an image that ends one pixel early is not tested',
      'off by one',
      '(taps - 1) * tapStep < limit',
      '(taps - 1) * tapStep <= limit',
    ],
    [
      'WGSL, conv: rows of the image are taken for its columns',
      'axis',
      '(side) => phase[side].step, 1)',
      '(side) => phase[side].step, 0)',
    ],
    [
      'WGSL, conv: an image inside a buffer begins at the buffer’s beginning',
      'missing term',
      'x: found.first.x + view.offset',
      'x: found.first.x + 0 * view.offset',
      kernel('convolution of a part'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/contraction/walk.ts', kernel('that is padded'), [
    [
      'WGSL, conv: the pixel behind the last is read',
      'off by one',
      '< ${u32(border.limit)}`',
      '<= ${u32(border.limit)}`',
    ],
    [
      'WGSL, conv: the pixel before the first is the first',
      'sign',
      '`${border.base}i`',
      '`${Math.max(0, border.base)}i`',
    ],
    [
      'WGSL, conv: the right border is tested by the steps of the rows',
      'axis',
      'const steps = [row[side], term[side]]',
      'const steps = [row[0 * side], term[side]]',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/contraction/plain.ts', kernel('contractions of whole numbers'), [
    [
      'WGSL, plain gemm: the batches of y are those of x',
      'axis',
      'partAt(shader, y, axes.batch[1], batch)',
      'partAt(shader, y, axes.batch[0], batch)',
    ],
    [
      'WGSL, plain conv: columns move by the stride of rows',
      'axis',
      'times(output, attrs.stride[axis])',
      'times(output, attrs.stride[0])',
    ],
    [
      'WGSL, plain conv: columns are padded as rows are',
      'axis',
      'String(attrs.padLow[axis])',
      'String(attrs.padLow[0])',
    ],
    [
      'WGSL, plain conv: taps between the pixels of a dilated image meet one',
      'missing check',
      "dilation === 1 ? '' : ` && u32",
      "dilation >= 1 ? '' : ` && u32",
    ],
    [
      'WGSL, plain conv: every group reads the channels of the first',
      'stale value',
      "attrs.groups === 1 ? '0u'",
      "attrs.groups >= 1 ? '0u'",
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/contraction/results.ts', form(0, 'a product that is ended'), [
    [
      'WGSL, parts: the first part of each sum is left out',
      'off by one',
      'for (var ${part} = 0u;',
      'for (var ${part} = 1u;',
    ],
    [
      'WGSL, parts: results are numbered by columns, then rows',
      'axis',
      'coordinatesOf(shader, index, [batch, rows, columns])',
      'coordinatesOf(shader, index, [batch, columns, rows])',
    ],
    [
      'WGSL, parts: the second half of a pair is the first',
      'off by one',
      "`${part} * ${u32(results)}`, index, i === 0 ? '0u' : u32(i)])",
      "`${part} * ${u32(results)}`, index, i >= 0 ? '0u' : u32(i)])",
      kernel('halves in parts'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/contraction/direct.ts', form(5, 'a product'), [
    [
      'WGSL, direct: the last row of a tile is not stored',
      'off by one',
      'min(${u32(side)}, ${u32(rows)} - ${m0})',
      'min(${u32(side - 1)}, ${u32(rows)} - ${m0})',
    ],
    [
      'WGSL, direct: a tile is as far from the next as its results are wide',
      'factor',
      '`((${turn} / ${u32(tilesN)}) % ${u32(tilesM)}) * ${u32(side)}`',
      '`((${turn} / ${u32(tilesN)}) % ${u32(tilesM)}) * ${u32(tilesM)}`',
      form(5, 'a product'),
    ],
    [
      'WGSL, direct: taps move through columns as through rows',
      'axis',
      'own.pixel?.side === 1 ? step : pixels[1]',
      'own.pixel?.side === 0 ? step : pixels[1]',
      kernel('that is padded'),
    ],
    [
      'WGSL, direct: parts of sums lie as if the matrix were transposed',
      'axis',
      '`(${b} * ${u32(rows)} + ${m}) * ${u32(columns)}`',
      '`(${b} * ${u32(rows)} + ${m}) * ${u32(rows)}`',
      form(0, 'a product that is ended'),
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/webgpu/contraction/shared.ts', form(0, 'a product'), [
    [
      'WGSL, shared: nobody waits until a strip is there',
      'missing call',
      "    main.add('workgroupBarrier();')\n    multiply(",
      '    multiply(',
    ],
    [
      'WGSL, shared: the term behind the last is brought too',
      'off by one',
      '`${k} < ${end}`].filter',
      '`${k} <= ${end}`].filter',
    ],
    [
      'WGSL, shared: rows of the last tile reach into the next batch',
      'missing check',
      'if (${m} < ${u32(rows)})',
      'if (${m} <= ${u32(rows)})',
      form(0, 'products of halves'),
    ],
    [
      'WGSL, shared: an invocation’s rows begin where its columns do',
      'swapped operands',
      '`${firstRow} + ${tileRow} * ${u32(shape.eachRows)}`',
      '`${firstRow} + ${tileColumn} * ${u32(shape.eachRows)}`',
    ],
    [
      'WGSL, shared: the border of the filter is tested, not of the image',
      'swapped operands',
      "strip.name === 'xs' ? insideTest",
      "strip.name === 'ys' ? insideTest",
      form(0, 'a convolution'),
    ],
    [
      'WGSL, shared: a part goes on into the next one',
      'off by one',
      'min((${part} + 1u) * ${u32(each)}, ${u32(depth)})',
      'min((${part} + 2u) * ${u32(each)}, ${u32(depth)})',
      form(0, 'a product that is ended'),
    ],
  ]),
]

/** Memory, and what runs kernels in it. */
const runMutants: readonly Mutant[] = [
  ...mutantsOf('devices', 'src/backends/webgpu/memory.ts', heap, [
    [
      'GPU memory: a range takes the whole units below its size',
      'off by one',
      'Math.ceil(bytes / alignment) * alignment)',
      'Math.floor(bytes / alignment) * alignment)',
    ],
    [
      'GPU memory: what was given back is where its buffer begins',
      'stale value',
      'found?.free.give(offset, size)',
      'found?.free.give(0 * offset, size)',
    ],
    [
      'GPU memory: a buffer is never filled to its end',
      'off by one',
      'found.end + size > found.size',
      'found.end + size >= found.size',
    ],
    [
      'GPU memory: one buffer more than kernels can bind',
      'off by one',
      'chunks.length >= maxStorageBuffersPerShaderStage',
      'chunks.length > maxStorageBuffersPerShaderStage',
    ],
    [
      'GPU memory: buffers do not grow',
      'missing term',
      'Math.min(largest, Math.max(first, total))',
      'Math.min(largest, Math.max(first, 0 * total))',
    ],
    ['GPU memory: what is refused counts as in use', 'off by one', 'showBytes(total - size)', 'showBytes(total)'],
    [
      'GPU memory: what is used after it was given back is not noticed',
      'missing call',
      '        chunks[chunk] = undefined\n',
      '',
    ],
    [
      'GPU memory: what was given back stays in the sum of what is in use',
      'missing term',
      'used -= size',
      'used -= 0 * size',
    ],
  ]),
  ...mutantsOf('devices', 'src/backends/webgpu/arrangement.ts', program('in any memory'), [
    [
      'GPU programs: members of a group share their scratch memory',
      'missing term',
      'offset: pointer.offset }',
      'offset: 0 * pointer.offset }',
      kernel('side by side'),
    ],
    [
      'GPU programs: literals lie in the scratch memory',
      'wrong constant',
      "slot === 'literals' ? literals : slot, offset }",
      "slot === 'literals' ? scratch : slot, offset }",
    ],
    [
      'GPU programs: work that is cut begins again with its first workgroup',
      'stale value',
      'const [first, end] = [i * each, ',
      'const [first, end] = [0 * i * each, ',
      program('takes long'),
    ],
    [
      'GPU programs: the last piece of work that is cut is left out',
      'off by one',
      'length: Math.ceil(launch.groups / each)',
      'length: Math.floor(launch.groups / each)',
      program('takes long'),
    ],
    [
      'GPU programs: work is never cut',
      'missing check',
      'Math.max(1, Math.ceil(flops / operationsPerBatch))',
      'Math.max(1, Math.ceil(0 * flops / operationsPerBatch))',
      program('takes long'),
    ],
  ]),
  ...mutantsOf('devices', 'src/backends/webgpu/launch.ts', kernel('side by side'), [
    [
      'GPU programs: a member’s workgroups are counted from its own beginning',
      'missing sum',
      '    groups += own\n',
      '    groups = own\n',
    ],
    [
      'GPU programs: members are launched together though their memory lies elsewhere',
      'missing check',
      '`${all.join()} ${phases',
      '`${all.length} ${phases',
      program('in a buffer each'),
    ],
  ]),
  ...mutantsOf('devices', 'src/backends/webgpu/program.ts', program('in any memory'), [
    [
      'GPU programs: addresses are those of the first run',
      'stale value',
      'bound.written.length === count && offsets.every((offset, slot) => offset === bound.written[slot])',
      'bound.written.length === count',
    ],
    [
      'GPU programs: temporaries lie over each other',
      'missing term',
      '(at(offsets, slot) + offset) / 4',
      '(at(offsets, slot) + 0 * offset) / 4',
    ],
    [
      'GPU programs: all kernels are the first one',
      'stale value',
      'if (pipeline !== current) pass',
      'if (current === undefined) pass',
    ],
    [
      'GPU programs: shared memory does not grow',
      'missing check',
      'memory !== undefined && memory.bytes >= bytes)',
      'memory !== undefined && memory.bytes >= 0)',
    ],
    [
      'GPU programs: what is bound last is dropped first',
      'wrong order',
      'drop(kept.splice(0, kept.length - mostKept))',
      'drop(kept.splice(mostKept))',
      program('in a buffer each'),
    ],
    [
      'GPU programs: memory is where it was expected',
      'stale value',
      'key === likely.join() ? expected',
      'key.length > 0 ? expected',
      program('in a buffer each'),
    ],
    [
      'GPU programs: the last workgroups of a large dispatch are left out',
      'off by one',
      'pass.dispatchWorkgroups(Math.ceil((end - first) / rows), rows)',
      'pass.dispatchWorkgroups(Math.floor((end - first) / rows), rows)',
      program('more workgroups'),
    ],
    [
      'GPU programs: a kernel’s last launch is not in its time',
      'off by one',
      'findLastIndex((launch) => launch.kernel === kernel) + 1',
      'findLastIndex((launch) => launch.kernel === kernel)',
      program('a profile'),
    ],
  ]),
  ...mutantsOf('devices', 'src/backends/webgpu/timing.ts', program('times'), [
    ['GPU times: nanoseconds are taken for microseconds', 'factor', '/ 1e6)', '/ 1e3)'],
    [
      'GPU times: the end is subtracted from the beginning',
      'sign',
      '(stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n)',
      '(stamps[2 * i] ?? 0n) - (stamps[2 * i + 1] ?? 0n)',
    ],
    [
      'GPU times: the first kernels are timed again and again',
      'stale value',
      'all.slice(i, i + together)',
      'all.slice(0 * i, together)',
    ],
  ]),
  ...mutantsOf(
    'devices',
    'src/backends/webgpu/adapter.ts',
    inFile('backends/webgpu/opening', 'opening a GPU takes no program'),
    [
      [
        'GPU: the environment goes over what a program says',
        'swapped operands',
        "!(software ?? wish === 'software')",
        "!(wish === 'software' || software === true)",
      ],
      [
        'GPU: a program on the processor is taken for a GPU',
        'missing check',
        'if (found.isSoftware && ',
        "if (found.info.vendor === '' && ",
      ],
    ],
  ),
  ...mutantsOf('devices', 'src/backends/webgpu/backend.ts', program('reads and writes'), [
    [
      'GPU: the padding of memory is read as values',
      'off by one',
      'getMappedRange().slice(0, bytes)',
      'getMappedRange().slice(0, size)',
    ],
    [
      'GPU: a part of an array is written from the array’s beginning',
      'stale value',
      'new Uint8Array(values.buffer, values.byteOffset, values.byteLength)',
      'new Uint8Array(values.buffer, 0, values.byteLength)',
    ],
    [
      'GPU: the scratch memory of kernels is not in what a program needs',
      'missing term',
      'return own + padded(scratch)',
      'return own + 0 * padded(scratch)',
      program('needs'),
    ],
    [
      'GPU: a kernel binds as many memories as it likes',
      'missing check',
      'memories: apart ? memories : Infinity',
      'memories: apart ? 4 * memories : Infinity',
      program('in a buffer each'),
    ],
  ]),
]

/** The choice of forms. */
const tuningMutants: readonly Mutant[] = [
  ...mutantsOf('devices', 'src/backends/webgpu/tuning.ts', tuned('the fastest of the forms that are right'), [
    ['GPU forms: the slowest is kept', 'swapped operands', 'time < best.time', 'time > best.time'],
    [
      'GPU forms: one that leaves results out is right',
      'missing check',
      'written !== count ? Infinity',
      'written > count ? Infinity',
    ],
    [
      'GPU forms: one that computes something else is right',
      'missing check',
      'difference >= 0 ? Math.max(worst, difference)',
      'difference >= 0 ? Math.min(worst, difference)',
    ],
    [
      'GPU forms: one that errs in a single result of many is right',
      'factor',
      'worst === 0 ? 0 : worst / scale',
      'worst === 0 ? 0 : worst / scale / expected.length',
    ],
    [
      'GPU forms: the slowest of its runs is the time of a form',
      'wrong operation',
      'best = Math.min(best, milliseconds)',
      'best = Math.max(i === 0 ? 0 : best, milliseconds)',
    ],
    [
      'GPU forms: what is left of another form’s results counts as written',
      'stale value',
      '      bench.write(memories.output, unwritten(output))\n',
      '',
    ],
    [
      'GPU forms: a form of another version is known',
      'missing check',
      "!forms.includes(known[shapeClass] ?? '')",
      'known[shapeClass] === undefined',
      tuned('measures again'),
    ],
  ]),
  ...mutantsOf('devices', 'src/backends/webgpu/tuner.ts', tuned('a device that measures forms'), [
    [
      'GPU forms: what was found here goes over what the run has chosen',
      'swapped operands',
      'asked ?? device.choose?.(shapeClass, forms) ?? known[shapeClass]',
      'known[shapeClass] ?? device.choose?.(shapeClass, forms) ?? asked',
    ],
    [
      'GPU forms: a guess is not in the run’s choices',
      'missing check',
      'forms.length > 1) used[shapeClass] = form',
      'found === form) used[shapeClass] = form',
    ],
    [
      'GPU forms: what was measured is not kept',
      'missing call',
      '      await store?.save(known)\n',
      '      await store?.load()\n',
    ],
    [
      'GPU forms: a run’s form that is none here is passed over',
      'missing check',
      'asked !== undefined && !forms.includes(asked)',
      "asked === '' && !forms.includes(asked)",
    ],
  ]),
  ...mutantsOf('devices', 'src/backends/webgpu/tuned.node.ts', tuned('the file of a GPU'), [
    [
      'GPU forms: what other programs have measured is written over',
      'stale value',
      '{ ...(await load()), ...forms }',
      '{ ...forms }',
    ],
    [
      'GPU forms: what was kept long ago goes over what was measured',
      'swapped operands',
      'const all = { ...(await load()), ...forms }',
      'const all = { ...forms, ...(await load()) }',
    ],
  ]),
  ...mutantsOf('devices', 'src/backends/webgpu/contraction/forms.ts', tuned('computes what cpu does'), [
    [
      'GPU forms: a contraction without terms has no part',
      'missing clamp',
      'parts: Math.max(1, Math.min(partsFor',
      'parts: Math.max(0, Math.min(partsFor',
      program('binds no memory'),
    ],
    [
      'GPU forms: halves and floats are one class',
      'missing term',
      '${depth} ${dtypes}, by',
      '${depth} ${dtypes.length}, by',
    ],
  ]),
]

/** All of them. */
export const webgpuMutants: readonly Mutant[] = [
  ...functionMutants,
  ...textMutants,
  ...kernelMutants,
  ...teamMutants,
  ...contractionMutants,
  ...runMutants,
  ...tuningMutants,
]

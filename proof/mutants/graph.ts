/** Bugs in the graph and the compiler: inference, literals, rewriting, fusion, lowering, views, plans. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { errors, inFile, values } from './suites.ts'

const messages = inFile('tensor/errors')
const plans = inFile('compiler/plan', '^(?!large graphs)')
const canonical = inFile('compiler/canonicalise')

const inference = mutantsOf('shape and dtype inference', 'src/graph/infer.ts', messages, [
  [
    'a dilated axis is as long as if a gap followed its last element',
    'off by one',
    '(n - 1) * dilation + 1',
    'n * dilation',
    values('conv'),
  ],
  [
    'conv: a filter that does not fit once more gives one more output',
    'off by one',
    'Math.floor((padded - filter)',
    'Math.ceil((padded - filter)',
    values('conv'),
  ],
  [
    'conv: the padding behind is taken as long as that in front',
    'swapped operands',
    '+ a.padLow[axis] + a.padHigh[axis]',
    '+ a.padLow[axis] + a.padLow[axis]',
    values('conv'),
  ],
  [
    'conv: any multiple of the filter’s channels is taken',
    'missing check',
    'channels === perGroup * a.groups',
    'channels % perGroup === 0',
  ],
  [
    'slice: the last element of a stride that does not divide is lost',
    'off by one',
    'Math.ceil((at(limit, i) - s)',
    'Math.floor((at(limit, i) - s)',
    values('slice'),
  ],
  [
    'pad: the zeros behind are as many as those in front',
    'swapped operands',
    '+ at(high, i))',
    '+ at(low, i))',
    values('pad'),
  ],
  [
    'concatenate: one part of the right dtype is enough',
    'missing check',
    'inputs.every((x) => x.dtype === first.dtype)',
    'inputs.some((x) => x.dtype === first.dtype)',
    errors('concatenate'),
  ],
  [
    'gather: the axes of the index come first',
    'axis',
    '[...table.shape.slice(0, axis), ...index.shape, ...table.shape.slice(axis + 1)]',
    '[...index.shape, ...table.shape.slice(0, axis), ...table.shape.slice(axis + 1)]',
    values('gather'),
  ],
  [
    'scatterAdd: only one axis of the updates belongs to the index',
    'axis',
    'size, ...updates.shape.slice(axis + rank)',
    'size, ...updates.shape.slice(axis + 1)',
    values('scatterAdd'),
  ],
  [
    'argsort: the indices have the dtype of the values',
    'wrong dtype',
    "{ shape: x.shape, dtype: 'i32' }",
    '{ shape: x.shape, dtype: x.dtype }',
    inFile('graph/infer'),
  ],
  [
    'a comparison has the dtype of its operands',
    'wrong dtype',
    "binary(name, () => true, 'anything', 'bool')",
    "binary(name, () => true, 'anything')",
    inFile('graph/infer'),
  ],
  [
    'two different dtypes are added',
    'missing check',
    'requireDType(x.dtype === y.dtype, () => `${name}: dtypes',
    'requireDType(takes(y.dtype), () => `${name}: dtypes',
    errors('add'),
  ],
  ['an axis may be named twice', 'missing check', 'axes.indexOf(a) === i', 'axes.indexOf(a) <= i', errors('reduceSum')],
  [
    'dotGeneral: axes of different lengths are contracted',
    'missing check',
    'agree(xc, yc),',
    'xc.length === yc.length,',
  ],
])

const shapes = mutantsOf('shape and dtype inference', 'src/graph/shape.ts', inFile('graph/shape'), [
  [
    'an axis of length 0 against one of length 1 becomes 1',
    'wrong operation',
    'return x === 1 ? y : x',
    'return Math.max(x, y)',
  ],
  [
    'negative axes count from one behind the end',
    'off by one',
    'axis < 0 ? axis + rank : axis',
    'axis < 0 ? axis + rank - 1 : axis',
  ],
  ['shapes are aligned at the left', 'axis', 'const y = b[i - rank + b.length] ?? 1', 'const y = b[i] ?? 1'],
])

const rewriting = mutantsOf('compiler', 'src/compiler/canonicalise.ts', canonical, [
  [
    '1 · x becomes 1',
    'swapped operands',
    'uniformValue(n.inputs[0]) === 1 ? n.inputs[1] : n',
    'uniformValue(n.inputs[0]) === 1 ? n.inputs[0] : n',
  ],
  [
    'x / 1 becomes 1',
    'swapped operands',
    'div: (n) => (uniformValue(n.inputs[1]) === 1 ? n.inputs[0] : n)',
    'div: (n) => (uniformValue(n.inputs[1]) === 1 ? n.inputs[1] : n)',
  ],
  ['−(−x) becomes −x', 'sign', '? n.inputs[0].inputs[0] : n),\n  mul', '? n.inputs[0] : n),\n  mul'],
  [
    'two transposes are joined in the wrong order',
    'axis',
    'permute(inner.attrs.permutation, n.attrs.permutation)',
    'permute(n.attrs.permutation, inner.attrs.permutation)',
  ],
  ['the bits of a literal half are taken for its value', 'wrong dtype', " && source.dtype !== 'f16'", ''],
  [
    'a / b and b / a are merged into one',
    'swapped operands',
    "memory.ids.get(x) ?? 'x').join()",
    "memory.ids.get(x) ?? 'x').toSorted().join()",
  ],
])

const keys = mutantsOf('compiler', 'src/graph/key.ts', canonical, [
  [
    'literals 0 and −0 are merged into one',
    'sign',
    "Object.is(x, -0) ? '-0' : String(x)",
    'String(x)',
    inFile('tensor/device', 'the sign of a zero'),
  ],
  [
    'literals that begin alike are merged into one',
    'stale value',
    'for (const byte of bytes)',
    'for (const byte of bytes.subarray(0, 16))',
  ],
  [
    'literals of one value in two dtypes are merged into one',
    'wrong dtype',
    'constant ${node.dtype}[${',
    'constant [${',
  ],
])

const fusion = mutantsOf('compiler', 'src/compiler/fuse.ts', plans, [
  [
    'a value with users in two kernels is computed inside the first alone',
    'missing check',
    'roots.size === 1 ? [...roots][0] : undefined',
    '[...roots][0]',
  ],
  [
    'a result is computed inside its user and never written',
    'missing check',
    'outputs.has(node) || forced.has(node) ? undefined',
    'forced.has(node) ? undefined',
  ],
  ['a kernel may read one buffer too many', 'off by one', '!keeps(root, loads))', '!keeps(root, [...loads].slice(1)))'],
])

const lowering = mutantsOf('compiler', 'src/compiler/lower.ts', values('reduceSum'), [
  [
    'reduce: the axes that are kept are written in reverse order',
    'axis',
    'at(kept, free.indexOf(a))',
    'at(kept, kept.length - 1 - free.indexOf(a))',
  ],
  [
    'pad: zeros between elements are one fewer',
    'off by one',
    'node.attrs.interior.map((n) => n + 1)',
    'node.attrs.interior.map((n) => Math.max(1, n))',
    values('pad'),
  ],
  [
    'gather: a row is as long as the table from its axis on',
    'off by one',
    'inner: product(table.shape.slice(axis + 1)),',
    'inner: product(table.shape.slice(axis)),',
    values('gather'),
  ],
])

const operands = mutantsOf('compiler', 'src/compiler/operand.ts', inFile('compiler/lower'), [
  [
    'an indexed kernel reads a slice from the beginning of its buffer',
    'stale value',
    'isContiguous(o.view) && o.view.offset === 0',
    'isContiguous(o.view)',
  ],
])

const places = mutantsOf('compiler', 'src/compiler/place.ts', values('pad'), [
  [
    'pad, concatenate: the start of a window is counted in its own steps',
    'stale value',
    'sum + s * at(dense, a), 0)',
    'sum + s * at(stride, a), 0)',
  ],
])

const views = mutantsOf('compiler', 'src/compiler/view.ts', inFile('compiler/view'), [
  [
    'broadcast: the strides are those of neighbouring axes',
    'axis',
    'at(v.strides, source.indexOf(a))',
    'at(v.strides, source.length - 1 - source.indexOf(a))',
    values('broadcast'),
  ],
  [
    'slice: the stride is ignored',
    'stale value',
    'v.strides.map((s, a) => s * at(stride, a))',
    'v.strides.map((s, a) => s * Math.min(1, at(stride, a)))',
    values('slice'),
  ],
  [
    'reverse: the walk begins one element behind the end',
    'off by one',
    '(at(v.shape, a) - 1) * at(v.strides, a)',
    'at(v.shape, a) * at(v.strides, a)',
    values('reverse'),
  ],
  [
    'a reversed view counts as contiguous',
    'sign',
    'n === 1 || view.strides[a] === dense[a]',
    'n === 1 || Math.abs(view.strides[a] ?? 0) === dense[a]',
  ],
  [
    'axes with a gap between them are walked as one',
    'missing check',
    'last.stride === stride * length',
    'last.stride >= stride * length',
  ],
  [
    'a reshape that needs a copy is made a view',
    'missing check',
    'if (left % length !== 0) return undefined',
    'if (left % length !== 0 && run < 0) return undefined',
  ],
])

const planning = mutantsOf('compiler', 'src/compiler/arena.ts', plans, [
  [
    'a temporary is put into a gap that is too small',
    'missing check',
    'block.start - start >= bytes',
    'block.start - start >= Math.min(bytes, alignment)',
  ],
  [
    'memory is given away one kernel before its last reader',
    'off by one',
    'block.death < birth)',
    'block.death <= birth)',
  ],
  [
    'a temporary counts as read by its first reader only',
    'stale value',
    'reuse ? deathOf(timeline, buffer)',
    'reuse ? Math.min(birth + 1, deathOf(timeline, buffer))',
  ],
  [
    'memory is not used again when its readers are through',
    'missing check',
    'const death = reuse ?',
    'const death = reuse && birth < 0 ?',
  ],
  [
    'buffers take the bytes below the alignment',
    'off by one',
    'Math.ceil((buffer.length * bytesPerElement[buffer.dtype]) / alignment)',
    'Math.floor((buffer.length * bytesPerElement[buffer.dtype]) / alignment)',
  ],
])

const overwriting = mutantsOf('compiler', 'src/compiler/overwrite.ts', inFile('compiler/overwrite'), [
  [
    'an argument that is read out of step is written over while it is read',
    'missing check',
    'o.buffer !== buffer || isWhole(o.view, body.size)',
    'o.buffer !== buffer || isWhole(o.view, body.size) || body.size > 0',
  ],
  [
    'narrow elements are written over by wide ones before they are read',
    'missing check',
    'step.body.size === length &&',
    'step.body.size <= length &&',
  ],
  [
    'a result is written over an argument that a later result needs',
    'off by one',
    '.slice(which + 1)',
    '.slice(which + 9)',
  ],
  [
    'an argument is written over by a kernel before its last reader',
    'off by one',
    'lastRead < place',
    'lastRead < place + 2',
  ],
  [
    'what was not donated is written over',
    'missing check',
    '|| !donated.has(b.placement.index)) return',
    '|| donated.size > 99) return',
  ],
  ['an argument has two results', 'missing check', 'candidates.splice(found, 1)', 'candidates.slice(found, found + 1)'],
  [
    'a later stage reads what its row has written over',
    'wrong order',
    'stages.findIndex((s) => s === other) < stages.findIndex((s) => s === written)',
    'stages.some((s) => s === other)',
    inFile('compiler/rows'),
  ],
  [
    'a stage reads rows that others have written over',
    'missing check',
    'isBefore && operandsOf(other).every((o) => o.buffer !== buffer || readsOwnRow(o, length, rows))',
    'isBefore && rows > 0 && length > 0',
    inFile('compiler/rows'),
  ],
])

const epilogues = mutantsOf('compiler', 'src/compiler/epilogue.ts', inFile('compiler/epilogue'), [
  ['an epilogue in another dtype works in place', 'wrong dtype', 'dtype === kernel.dtype &&', 'dtype !== undefined &&'],
  [
    'a contraction that others read too is not written',
    'missing check',
    'readers.get(output)?.size === 1',
    '(readers.get(output)?.size ?? 0) > 0',
  ],
])

const joining = mutantsOf('compiler', 'src/compiler/join.ts', inFile('compiler/join'), [
  [
    'a joined kernel reads another element than the one just computed',
    'missing check',
    '!written.has(o.buffer) || isWhole(o.view, second.body.size)',
    '!written.has(o.buffer) || o.view.shape.length > 0',
  ],
  [
    'a result of the plan that a joined kernel reads itself is not written',
    'missing check',
    "placement.kind !== 'temporary' ||",
    "placement.kind === 'literal' ||",
  ],
])

const rows = mutantsOf('compiler', 'src/compiler/rows.ts', inFile('compiler/rows'), [
  [
    'a stage reads the row of another',
    'missing check',
    'if (count * stride !== length) return 1',
    'if (count < 0) return 1',
  ],
  [
    'a stage reads beyond its row',
    'off by one',
    'offset + reach(1) < stride ? count : 1',
    'offset + reach(1) < 2 * stride ? count : 1',
  ],
  ['a stage reads before its row', 'missing check', 'return offset - reach(-1) >= 0 && ', 'return offset >= 0 && '],
  [
    'rows suit the last stage alone',
    'missing check',
    '.reduce(gcd, gcd(rowsOf(first), rowsOf(second)))',
    '.reduce(gcd, rowsOf(second))',
  ],
  [
    'rows are as long as they come',
    'missing check',
    'return rows >= limits.few ? length <= limits.longest :',
    'return rows >= limits.few ? length > 0 :',
  ],
  ['few rows are a kernel, however large', 'missing check', ': length * rows <= limits.small', ': length * rows > 0'],
])

const groups = mutantsOf('compiler', 'src/compiler/group.ts', inFile('compiler/group'), [
  [
    'a member moves before what it reads',
    'off by one',
    'to > lowest(grouping, member, place)',
    'to >= lowest(grouping, member, place)',
  ],
  ['a member moves behind who reads it', 'missing check', 'to < highest(grouping, member, place)', 'to > place'],
  [
    'a member moves behind what is written over what it reads',
    'missing check',
    'return writer === undefined || writer === place ? Infinity : writer',
    'return writer === undefined || writer >= 0 ? Infinity : writer',
  ],
  [
    'a member is written over what others have yet to read',
    'missing check',
    'return Math.max(-1, ...written, ...over)',
    'return Math.max(-1, ...written)',
  ],
  [
    'kernels with other numbers are of one structure',
    'missing check',
    "return `${i.dtype} ${Object.is(i.value, -0) ? '-0' : i.value}`",
    'return i.dtype',
  ],
  [
    'large values live longer for a group',
    'missing check',
    'if (bytesExtended(timeline, extensions) > fewBytes) return false',
    'if (bytesExtended(timeline, extensions) < 0) return false',
  ],
])

const moving = mutantsOf('compiler', 'src/compiler/timeline.ts', inFile('compiler/group'), [
  [
    'who stays behind a member that moves reads nothing any more',
    'missing call',
    'for (const other of staying) enter(timeline, other, from)',
    'for (const other of staying) lifeOf(timeline, other.output)',
  ],
  [
    'a kernel moves behind others that read what it writes',
    'missing check',
    '.every((r) => r >= j)',
    '.every((r) => r >= 0)',
    plans,
  ],
])

/** Bugs in src/graph and src/compiler. */
export const graphMutants: readonly Mutant[] = [
  ...inference,
  ...shapes,
  ...rewriting,
  ...keys,
  ...fusion,
  ...lowering,
  ...operands,
  ...places,
  ...views,
  ...planning,
  ...overwriting,
  ...epilogues,
  ...joining,
  ...rows,
  ...groups,
  ...moving,
]

/** Bugs in vmap: its rules, the walk that applies them, and the axes that it is told. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, type Tests } from './suites.ts'

const about = (name: string): Tests => inFile('proof/vmap', ` (primitives|functions|layers) ${name}: `)
const axes = inFile('autograd/vmap')
const transforms = inFile('autograd/vmapTransforms')

const rules = mutantsOf('vmap', 'src/autograd/vmap/rules.ts', about('reduceSum'), [
  [
    'vmap: a sum is along the axes of a slice, in a whole that has one more in front',
    'axis',
    "makeNode('reduceSum', { ...attrs, axes: shifted(attrs.axes) }, [mapped(x)])",
    "makeNode('reduceSum', { ...attrs, axes: attrs.axes }, [mapped(x)])",
  ],
  [
    'vmap: parts are put together along an axis too far in front',
    'off by one',
    "makeNode('concatenate', { axis: axis + 1 }, inputs.map(mapped))",
    "makeNode('concatenate', { axis }, inputs.map(mapped))",
    about('concatenate'),
  ],
])

const contractions = mutantsOf('vmap', 'src/autograd/vmap/contraction.ts', about('dotGeneral'), [
  [
    'vmap: where only the second operand of a contraction is mapped, the batch axis is looked for before the free axes of the first',
    'axis',
    'attrs.batch[0].length + (own === 0 ? 0 : free[0].length)',
    'attrs.batch[0].length',
  ],
  [
    'vmap: slices of filters lie outside the groups of a convolution, not inside each',
    'wrong order',
    'moveAxis(t.reshape([size, ...lead, attrs.groups, each]), 0, 4)',
    'moveAxis(t.reshape([size, ...lead, attrs.groups, each]), 0, 3)',
    about('conv'),
  ],
])

const indices = mutantsOf('vmap', 'src/autograd/vmap/indexing.ts', axes, [
  [
    'vmap: an index outside its table names a row of another slice’s table',
    'missing clamp',
    'index.maximum(0).minimum(Math.max(0, rows - 1))',
    'index',
  ],
  [
    'vmap: every slice is gathered from the table of the first',
    'missing term',
    'inside.add(iota(index.shape, 0, index.dtype).mul(rows))',
    'inside',
  ],
])

const walk = mutantsOf('vmap', 'src/autograd/vmap/batch.ts', transforms, [
  [
    'vmap: by a derivative of its own, what slices share gets the cotangent of a slice, not the sum',
    'missing sum',
    'new Tensor(all).sum(0).node',
    'new Tensor(all).slice([0, 1]).reshape(all.shape.slice(1)).node',
  ],
  [
    'vmap: a derivative of its own does not see what is mapped around it',
    'stale value',
    'const inside = new Map(wholes)',
    'const inside = new Map<Node, Node>()',
  ],
  [
    'vmap: what a checkpoint shares is repeated for each slice, as it waits for something mapped',
    'missing check',
    "node.op === 'barrier' ? node.inputs.slice(0, 1) : node.inputs",
    'node.inputs',
  ],
  [
    'vmap: with a derivative of its own, a result that depends on nothing mapped is no batch, and its cotangent counts for every slice',
    'factor',
    'vjp === undefined || y.isMapped ?',
    'outputs.length > 0 ?',
  ],
])

const moves = mutantsOf('vmap', 'src/autograd/vmap/batching.ts', transforms, [
  [
    'vmap: the cast to a half is not the last thing done to an operand, so that its gradient is rounded to a half',
    'wrong dtype',
    'f(new Tensor(x.inputs[0])).cast(x.dtype).node',
    'f(new Tensor(x)).node',
  ],
])

/** All of them. */
export const vmapMutants: readonly Mutant[] = [...rules, ...contractions, ...indices, ...walk, ...moves]

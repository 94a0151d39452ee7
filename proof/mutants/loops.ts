/** Bugs in loops: the derivative, what is kept for it, the kernel, its turns on each backend; and in recurrent layers. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, values } from './suites.ts'

const loops = inFile('tensor/scan')
const uses = inFile('tensor/scanUse')
const whiles = inFile('tensor/whileLoop')
const recurrent = inFile('nn/recurrent')

const derivatives = mutantsOf('derivative rules', 'src/autograd/scan.ts', loops, [
  ['scan: the loop backwards goes forwards', 'wrong order', 'reverse: !loop.reverse', 'reverse: loop.reverse'],
  [
    'scan: the gradient of a constant is that of the first turn alone',
    'missing sum',
    'next: new Tensor(parameter).add(g.cast(initial.dtype)).node',
    'next: g.cast(initial.dtype).node',
  ],
  [
    'scan: the cotangent of the last carry is forgotten where there is one of a stack',
    'missing term',
    'last.get(i) ?? zerosLike',
    '(arriving.length > 1 ? undefined : last.get(i)) ?? zerosLike',
  ],
  [
    'scan: a sum of halves keeps f32 where nothing was rounded',
    'wrong dtype',
    'isNarrower(x.dtype, x.inputs[0].dtype) ? sum : sum.cast(x.dtype)',
    'isNarrower(x.dtype, x.inputs[0].dtype) ? sum : sum',
    inFile('tensor/scanUse', 'halves'),
  ],
])

const products = mutantsOf('derivative rules', 'src/autograd/scanProducts.ts', loops, [
  [
    'scan: the product over all turns keeps the turns apart in one factor',
    'axis',
    '[0, ...behind(contract[1])],\n      ],',
    '[1, ...contract[1].map((axis) => axis + 1 + Number(axis === 0))],\n      ],',
    inFile('nn/recurrent'),
  ],
])

const residuals = mutantsOf('derivative rules', 'src/autograd/residuals.ts', loops, [
  [
    'scan: what takes many operations is made again as well',
    'wrong constant',
    'const fewOperations = 8',
    'const fewOperations = Infinity',
  ],
])

const order = mutantsOf('reverse and forward mode', 'src/autograd/backward.ts', uses, [
  [
    'a loop is differentiated when the last of what is asked of it is met',
    'wrong order',
    'if (node !== family[0]) return undefined',
    'if (node !== family.at(-1)) return undefined',
  ],
])

const forward = mutantsOf('reverse and forward mode', 'src/autograd/unbarred.ts', uses, [
  [
    'jvp does not free a checkpoint from waiting for the cotangent',
    'missing term',
    'waiting.has(node.inputs[1])',
    'waiting.has(node.inputs[0])',
    inFile('autograd/annotate', 'gradients of gradients, jvp and Hessians'),
  ],
  [
    'jvp: a loop keeps those parts that depend on dummies',
    'missing check',
    'own.filter((result) => isFree(whole, result, dummies))',
    'own.filter((result) => !isFree(whole, result, dummies))',
  ],
  [
    'jvp: what waits in a loop is taken for a dummy',
    'stale value',
    'unbarred(body, dummies, waiting)',
    'unbarred(body, waiting, waiting)',
  ],
])

const bodies = mutantsOf('functions and layers', 'src/tensor/scan.ts', uses, [
  [
    'scan: segments of a loop backwards begin with the first elements',
    'off by one',
    'const from = reverse ? rest : 0',
    'const from = 0',
  ],
  [
    'scan: the results of the last segment stand in front',
    'wrong order',
    'reverse ? joined(more, ys) : joined(ys, more)',
    'reverse ? joined(ys, more) : joined(more, ys)',
  ],
])

const plans = mutantsOf('compiler', 'src/compiler/turn.ts', loops, [
  [
    'a loop: the last turn writes its carry where no one looks for it',
    'off by one',
    'const isSpare = (turns - turn) % 2 === 0',
    'const isSpare = (turns - turn) % 2 === 1',
  ],
  [
    'a loop: elements of a loop backwards are one too early',
    'off by one',
    'const i = reverse ? turns - 1 - turn : turn\n  const isSpare',
    'const i = reverse ? Math.max(0, turns - 2 - turn) : turn\n  const isSpare',
  ],
])

const kernels = mutantsOf('compiler', 'src/compiler/loop.ts', loops, [
  [
    'a loop: elements of a stack lie close, whatever vectors write behind them',
    'missing check',
    'const each = alignment / bytesPerElement[dtype]',
    'const each = 1 + 0 * (alignment / bytesPerElement[dtype])',
  ],
  [
    'a loop: a carry is always written over itself',
    'missing check',
    'if (plan.overwrites.get(i) === constants.length + i) return carry',
    'if (plan.overwrites.get(i) !== -1) return carry',
  ],
])

const layers = [
  ...mutantsOf('functions and layers', 'src/nn/lstm.ts', recurrent, [
    [
      'lstm: input and forget gate change places',
      'swapped operands',
      'f.sigmoid().mul(c).add(i.sigmoid()',
      'i.sigmoid().mul(c).add(f.sigmoid()',
    ],
  ]),
  ...mutantsOf('functions and layers', 'src/nn/gru.ts', recurrent, [
    [
      'gru: the update gate takes the new state where it keeps the old',
      'swapped operands',
      'n.add(z.mul(h.sub(n)))',
      'h.add(z.mul(n.sub(h)))',
    ],
  ]),
]

const unknown = mutantsOf('functions and layers', 'src/tensor/whileLoop.ts', whiles, [
  [
    'whileLoop: turns that come too many change the state',
    'missing check',
    'go.select(x, before[i] ?? x)',
    'go.select(x, x)',
  ],
])

/** All of them. */
export const loopMutants: readonly Mutant[] = [
  ...derivatives,
  ...products,
  ...residuals,
  ...order,
  ...forward,
  ...bodies,
  ...plans,
  ...kernels,
  ...layers,
  ...unknown,
  ...mutantsOf('kernels', 'src/backends/cpu/interpret.ts', values('scan'), [
    [
      'interpret: what a loop backwards stacks lies in the order of the turns',
      'wrong order',
      'stack.set(at(results, carries.length + k), (i * stack.length) / turn.length)',
      'stack.set(at(results, carries.length + k), (t * stack.length) / turn.length)',
    ],
  ]),
]

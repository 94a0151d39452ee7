/** Bugs in devices: what is traced, what is kept, what is given back, and when. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const devices = inFile('tensor/device')
const compiled = inFile('tensor/compiled', 'on cpu ')
const loops = inFile('tensor/memory', 'loop in the style|expression with another number|is given back behind')
const memory = inFile('tensor/memory', 'given to a device|memory is short|by hand')

const area = 'devices'

/** Bugs in src/tensor, in what has an effect. */
export const deviceMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/tensor/compiled.ts', devices, [
    [
      'an argument that is kept is given up with one that is donated',
      'missing check',
      'if (isDonated(i) && !kept.has(storage))',
      'if (isDonated(i))',
    ],
    [
      'a result is written over an argument that is kept at another place too',
      'missing check',
      'if (!twice.has(storage)) taken.set',
      'if (once.has(storage)) taken.set',
    ],
    [
      'a number is brought as the first one of its function',
      'stale value',
      'numberIn(x, dtype, path)',
      "numberIn(path === '1.rate' ? 0 : x, dtype, path)",
      compiled,
    ],
    [
      'what is computed for one call stays until the collector finds it',
      'missing call',
      'for (const storage of storages) brought.set(storage, storage)',
      'for (const storage of storages) brought.delete(storage)',
      memory,
    ],
    [
      'a call that fails gives nothing back',
      'missing call',
      '  } finally {\n    giveBackBrought(session, brought)\n  }\n}\n\n/** The code',
      '  } finally {\n    giveBackBrought(session, new Map())\n  }\n}\n\n/** The code',
      memory,
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/session.ts', devices, [
    [
      'a donated tensor can be used again',
      'missing check',
      'holding.end = end\n',
      "holding.end = end.kind === 'donated' ? undefined : end\n",
    ],
    [
      'memory is counted as held after it was given back',
      'missing term',
      'session.bytes.held -= holding.memory.bytes',
      'session.bytes.held -= 0',
      memory,
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/storage.ts', devices, [
    [
      'values from the host cannot be given again after they were given back',
      'stale value',
      'if (known !== undefined && known.holding.end === undefined) return known',
      'if (known !== undefined) return known',
      memory,
    ],
    [
      'a tensor of another device is read as if it lay here',
      'missing check',
      '|| storage.owner !== session)',
      '|| storage.owner === undefined)',
    ],
    ['an upload is never given back', 'missing call', 'brought.set(node, storage)', 'seen.add(node)', loops],
    [
      'an upload is brought anew for every call',
      'stale value',
      'if (!seen.has(node)) {',
      'if (kept.size >= 0) {',
      memory,
    ],
    [
      'outputs that were allocated before one failed stay',
      'missing call',
      '    return { outputs, fresh }\n  } catch (e) {\n    for (const memory of fresh)',
      '    return { outputs, fresh }\n  } catch (e) {\n    for (const memory of fresh.slice(1))',
      memory,
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/turn.ts', memory, [
    [
      'work that comes while memory is short overtakes what waits',
      'wrong order',
      'while (session.relief !== undefined) await session.relief',
      'if (session.isClosed) await session.relief',
    ],
    [
      'the collector is not let run when memory is short',
      'missing call',
      'await relieve(session)\n    try',
      'await Promise.resolve()\n    try',
    ],
    [
      'a loop of awaited calls starves timers',
      'missing call',
      'performance.now() - session.lastMacrotask > longest',
      'performance.now() - session.lastMacrotask > 1e9',
      inFile('tensor/memory', 'lets timers run'),
    ],
    [
      'the collector is let run only when memory is short',
      'missing check',
      'bytes.held > bytes.enough ||',
      'bytes.held > 1e12 ||',
      inFile('tensor/memory', 'without donation'),
    ],
    [
      'small results are never collected by number',
      'missing check',
      '|| held.size > bytes.manyHoldings',
      '|| held.size < 0',
      inFile('tensor/memory', 'by their number'),
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/scope.ts', memory, [
    [
      'a scope keeps the tensors that it returns, but not those that a lazy one needs',
      'missing term',
      'reachable(leaves(tree).map((x) => x.node))',
      'leaves(tree).map((x) => x.node)',
    ],
    [
      'what an inner scope keeps is lost to the outer one',
      'missing call',
      'around?.add(holding)',
      'around?.delete(holding)',
    ],
    ['scopes may overlap', 'missing check', 'if (!isInnermost)', 'if (place > 64)'],
  ]),
  ...mutantsOf(area, 'src/tensor/trace.ts', compiled, [
    ['data from outside is frozen into the plan', 'missing check', 'node.id < firstId ||', 'node.id < 0 ||'],
    ['a key that was folded from one of outside is frozen', 'missing check', 'data.map(originOf).find', 'data.find'],
    ['donated positions are not looked at', 'missing check', 'position >= count', 'position > 64'],
  ]),
  ...mutantsOf(area, 'src/tensor/treedef.ts', devices, [
    ['a plan for one dtype runs arguments of another', 'stale value', '`${treedef.dtype}${showShape', '`${showShape'],
    ['a number is part of the structure', 'stale value', "return 'number'", 'return String(Math.random())', compiled],
  ]),
  ...mutantsOf(area, 'src/tensor/tracedNumber.ts', compiled, [
    ['a number is rounded to f32 whatever it meets', 'wrong dtype', '(forms.get(node)?.(dtype) ?? node)', 'node'],
  ]),
  ...mutantsOf(area, 'src/tensor/create.ts', memory, [
    [
      'a typed array that was given is used as it is',
      'stale value',
      'copy ? values.slice() : values',
      'copy ? values : values',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/realize.ts', loops, [
    [
      'a number is part of the plan that realize keeps',
      'stale value',
      "node.op === 'constant' && node.shape.length === 0",
      "node.op === 'constant' && node.shape.length > 9",
    ],
  ]),
  ...mutantsOf(area, 'src/backends/cpu/backend.ts', devices, [
    ['what was read changes with the next run', 'stale value', 'memory.bytes).slice())', 'memory.bytes))'],
  ]),
  ...mutantsOf(area, 'src/backends/wasm/library.ts', inFile('backends/wasm/later'), [
    [
      'what writes seldom kernels is loaded again for each plan that waits',
      'missing check',
      'loading ??= loadWriters(source)',
      'loading = loadWriters(source)',
    ],
    [
      'a plan does not wait for functions that another waits for',
      'missing check',
      '!all.some(({ key }) => late.has(key))',
      '![...unknown.keys()].some((key) => late.has(key))',
    ],
    [
      'a load that failed leaves functions that nobody compiles',
      'stale value',
      'for (const key of late.keys()) indices.delete(key)',
      "for (const key of late.keys()) indices.delete('')",
    ],
    [
      'a load that failed is what every later plan waits for',
      'stale value',
      '      late.clear()\n      loading = undefined',
      '      late.clear()',
    ],
    [
      'every plan loads what writes seldom kernels',
      'missing check',
      "typeof source !== 'function' || !all.some",
      "typeof source !== 'function' || all.some",
    ],
  ]),
]

/** Bugs in what keeps a run: its lock, its checkpoints, its metrics, and the judgement of what it has learned. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const kept = 'data order and resume'

/** Bugs in src/io and src/train, of runs that stop, are killed, diverge, or are worked on by two. */
export const keptRunMutants: readonly Mutant[] = [
  ...mutantsOf(kept, 'src/io/runLock.node.ts', inFile('io/runLock'), [
    [
      'a holder in another container is looked for by its number',
      'missing check',
      'holder.place !== (await processes.place())',
      "holder.place === ''",
    ],
    [
      'a holder that was taken for dead writes on',
      'missing check',
      'end.text === text ? TE.right',
      'end.text !== "" ? TE.right',
    ],
    [
      'a silent holder is waited for without end',
      'wrong operation',
      'silence.right >= longSilence',
      'silence.right < 0',
    ],
    [
      'of two that create after the same dead lock both hold the run',
      'missing check',
      'TE.chain(() => create(ports, end.next, text)),',
      'TE.chain(() => create(ports, `${ports.path}.after-${text.length}${Math.random()}`, text)),',
    ],
  ]),
  ...mutantsOf(kept, 'src/io/signsOfLife.node.ts', inFile('io/runLock', 'signs of life'), [
    ['a sign is given to a lock that is another’s', 'missing check', '!== text) return', "=== '') return"],
  ]),
  ...mutantsOf(kept, 'src/io/newestCheckpoint.node.ts', inFile('io/checkpoint'), [
    [
      'what its judge refuses is resumed from',
      'stale value',
      'judge({ name, step, files })',
      'judge({ name, step: 0, files })',
    ],
    [
      'a checkpoint that was removed meanwhile counts as damaged',
      'missing check',
      'if (await isGone(store, candidate))',
      'if (candidate.step < 0 && (await isGone(store, candidate)))',
    ],
    ['latest names what it named', 'sign', '(right) => (right ?', '(right) => (!right ?'],
  ]),
  ...mutantsOf(kept, 'src/io/durableDirectory.node.ts', inFile('io/durableDirectory'), [
    [
      'a new directory is synced, not its name',
      'swapped operands',
      'fileSystem.syncDirectory(above)',
      'fileSystem.syncDirectory(path)',
    ],
  ]),
  ...mutantsOf(kept, 'src/io/metricRecord.ts', inFile('io/metricsLog'), [
    ['the last step that stays is forgotten', 'off by one', 'record.step <= step', 'record.step < step'],
  ]),
  ...mutantsOf(kept, 'src/train/finite.ts', inFile('train/diverged', 'values that are no numbers'), [
    ['infinite weights count as numbers', 'missing check', '!Number.isFinite(x)', 'Number.isNaN(x)'],
  ]),
  ...mutantsOf(kept, 'src/train/pictures/changedPictures.ts', inFile('train/tasks/diffusion/changedPictures'), [
    ['other pictures go unnoticed', 'missing check', 'if (then === now)', 'if (then.length > 0)'],
  ]),
  ...mutantsOf(kept, 'src/train/tasks/diffusion/source.ts', inFile('train/tasks/diffusion/changedPictures'), []),
  ...mutantsOf(
    kept,
    'src/train/tasks/fitting.node.ts',
    inFile('train/tasks/diffusion/leastMemory', 'is held against'),
    [['a batch of any size is tried', 'missing check', 'return needed > limit', 'return needed > limit * 1e9']],
  ),
  ...mutantsOf(kept, 'src/prelude/printable.ts', inFile('prelude/printable'), [
    ['a line end in a name begins a line', 'missing check', "lines && c === '\\n'", "c === '\\n'"],
  ]),
]

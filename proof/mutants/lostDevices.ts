/** Bugs in what happens when a device is lost: who is told, and how a run goes on. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, type Tests } from './suites.ts'

const told = inFile('tensor/lostDevice')
/** Tests of runs, by their titles. */
const run = (title: string): Tests => inFile('train/lostDevice', title)

/** Bugs in src/tensor, of a device that is lost while somebody works on it. */
const toldMutants: readonly Mutant[] = [
  ...mutantsOf('devices', 'src/tensor/lost.ts', told, [
    [
      'the reason of a loss is not waited for behind what fails',
      'missing call',
      'await macrotask()',
      'await Promise.resolve()',
    ],
  ]),
  ...mutantsOf('devices', 'src/tensor/turn.ts', told, [
    [
      'work that fails because its device is lost fails in the backend’s words',
      'missing call',
      'throw await lossOr(session, last)',
      'throw last',
    ],
  ]),
  ...mutantsOf('devices', 'src/tensor/session.ts', told, [
    [
      'what lay on a lost device is given back to it',
      'missing check',
      'if (session.lost === undefined) session.backend',
      'session.backend',
    ],
  ]),
  ...mutantsOf('devices', 'src/tensor/device.ts', told, [
    ['a lost device cannot be closed', 'missing check', 'if (session.lost === undefined) throw e', 'throw e'],
  ]),
]

/** Bugs in src/train, of a run that goes on after a loss. */
const goingOnMutants: readonly Mutant[] = [
  ...mutantsOf('data order and resume', 'src/train/recovery.ts', run('three times an hour'), [
    ['losses of long ago count', 'missing check', 'now - then < hour', 'now - then < Infinity'],
    ['a run ends at the third loss', 'off by one', 'losses.length > mostLosses', 'losses.length >= mostLosses'],
    [
      'a device that could not be opened at first is tried again',
      'missing check',
      "code === 'DEVICE' && losses.length > 0",
      "code === 'DEVICE' && losses.length >= 0",
      run('never opened'),
    ],
    [
      'a run that was told to stop opens its device again',
      'missing check',
      'if (signal?.aborted === true && from',
      'if (signal === null && from',
      run('told to stop'),
    ],
  ]),
  ...mutantsOf('data order and resume', 'src/train/lead.node.ts', run('at any call'), [
    [
      'steps that are made again are in the metrics twice',
      'missing call',
      'settle(store, state),',
      'TE.right<TrainError, readonly string[]>([]),',
    ],
    [
      'data are opened for each device',
      'stale value',
      '(lasting.source = source)',
      'source',
      run('opens the data once'),
    ],
    [
      'a device is opened again with choices of its own',
      'missing term',
      'hooks.deviceOptions, found?.progress)',
      'hooks.deviceOptions, undefined)',
      run('from which checkpoint'),
    ],
  ]),
  ...mutantsOf('data order and resume', 'src/train/train.node.ts', run('leaves nothing behind'), [
    [
      'a run that has not begun stays where it was given up',
      'missing check',
      '(begun ? held',
      '(held.before.size >= 0 ? held',
    ],
  ]),
  ...mutantsOf('data order and resume', 'src/train/sinks/checkpoints.ts', run('leaves nothing behind'), [
    [
      'a device that is lost while a checkpoint is written is a full disk',
      'missing term',
      'deviceErrorOf(reason, device.name) ??',
      '',
    ],
  ]),
]

/** All of them. */
export const lostDeviceMutants: readonly Mutant[] = [...toldMutants, ...goingOnMutants]

/** Bugs in what survives: what is synced, in which order, and which file is read again. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'order of files'
const durability = inFile('io/durability')
const pack = inFile('data/folder/pack')

/** Bugs in src/io, and wherever else files are made to last. */
export const fileMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/io/fileSystem.node.ts', durability, [
    [
      'a file is not synced after it is written',
      'missing term',
      '      await file.sync()\n',
      '      await file.stat()\n',
    ],
    [
      'a directory is not synced',
      'missing term',
      '(directory) => directory.sync()',
      '(directory) => directory.stat().then(() => undefined)',
    ],
    [
      'a file that cannot be replaced is removed',
      'swapped operands',
      "if (mode === 'exclusive') await rm",
      "if (mode !== 'exclusive') await rm",
    ],
    [
      'names come in the order of the disk',
      'missing term',
      '(await readdir(path)).toSorted()',
      '(await readdir(path)).toReversed()',
    ],
    [
      'a file is replaced where it must be new',
      'missing check',
      "mode === 'exclusive' ? 'wx' : 'w'",
      "mode === 'exclusive' ? 'w' : 'w'",
    ],
  ]),
  ...mutantsOf(area, 'src/io/replaceFile.node.ts', durability, [
    [
      'the name of a replaced file is not synced',
      'missing term',
      'fileSystem.syncDirectory(dirname(path))',
      'fileSystem.syncDirectory(dirname(dirname(path)))',
    ],
    [
      'what could not be renamed stays',
      'missing term',
      'TE.orElseFirst(() => fileSystem.remove(temporary))',
      'TE.orElseFirst(() => TE.right(undefined))',
    ],
  ]),
  ...mutantsOf(area, 'src/io/checkpoint.node.ts', durability, [
    [
      'the names in a checkpoint are not synced before it is published',
      'missing term',
      'TE.chain(() => fs.syncDirectory(temporary))',
      'TE.chain(() => fs.makeDirectory(temporary))',
    ],
    [
      'the name of a checkpoint is not synced',
      'missing term',
      'TE.chainFirst(() => fs.syncDirectory(root))',
      'TE.chainFirst(() => fs.makeDirectory(root))',
    ],
    [
      'the newest checkpoint is the last by name',
      'wrong operation',
      'b.step - a.step || b.attempt - a.attempt',
      'a.name < b.name ? 1 : -1',
    ],
    ['of a step that was saved again the first is read', 'sign', 'b.attempt - a.attempt', 'a.attempt - b.attempt'],
  ]),
  ...mutantsOf(area, 'src/io/metricRecord.ts', inFile('io/metricsLog'), [
    ['a run that goes on forgets its last step', 'off by one', ' <= step)', ' < step)'],
  ]),
  ...mutantsOf(area, 'src/io/metricsLog.node.ts', inFile('io/metricsLog'), [
    [
      'a line that was torn takes the end of the one before',
      'off by one',
      'file.truncate(start + last + 1)',
      'file.truncate(start + last)',
    ],
  ]),
  ...mutantsOf(area, 'src/train/store.node.ts', inFile('train/reports', 'on the disk before each checkpoint'), [
    [
      'metrics are not synced before a checkpoint',
      'missing term',
      '    await file.sync()\n',
      '    await file.stat()\n',
    ],
  ]),
  ...mutantsOf(area, 'src/data/folder/packedCache.node.ts', pack, [
    [
      'the pixels of a pack are not synced',
      'missing term',
      '    await handle.sync()\n  } finally {\n    await handle.close()\n  }\n  ',
      '    await handle.stat()\n  } finally {\n    await handle.close()\n  }\n  ',
    ],
    ['the manifest of a pack is not synced', 'missing term', 'flush: true', 'flush: false'],
    [
      'the names in a pack are not synced before it is published',
      'missing term',
      '    await syncFolder(temporary)\n',
      '',
    ],
    ['the name of a pack is not synced', 'missing term', '    await syncFolder(cacheDirectory)\n', ''],
    [
      'a damaged pack goes before there is a new one',
      'swapped operands',
      '  await mkdir(temporary, { mode: 0o700 })\n',
      '  await mkdir(temporary, { mode: 0o700 })\n  if (replace) await rm(target, { recursive: true, force: true })\n',
    ],
  ]),
]

import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { appendMetric, readMetrics, salvageMetrics, truncateMetricsAfter } from '../../src/io/metricsLog.node.ts'
import { E } from '../../src/prelude/fp.ts'
import { temporaryFolders } from '../support/temporaryFolder.ts'

const folder = temporaryFolders()
const fresh = (): string => join(folder(), 'metrics.jsonl')

const read = async (path: string): Promise<readonly unknown[]> => {
  const records = await readMetrics(path)()
  if (E.isLeft(records)) throw new Error(records.left.message)
  return records.right
}

const filled = async (steps: number): Promise<string> => {
  const path = fresh()
  for (let step = 1; step <= steps; step++) await appendMetric(path, { step, loss: 1 / step })()
  return path
}

describe('the metrics log', () => {
  it('has no records where there is no file', async () => {
    const path = fresh()
    expect(await read(path)).toEqual([])
    expect(await truncateMetricsAfter(path, 3)()).toEqual(E.right({ records: [], unreadable: 0 }))
  })

  it('reads back what was appended, NaN and infinities too', async () => {
    const path = fresh()
    const record = { step: 1, loss: NaN, high: Infinity, low: -Infinity, phase: 'train', done: false, none: null }
    await appendMetric(path, record)()
    expect(await read(path)).toEqual([record])
    expect(await readFile(path, 'utf8')).toBe(
      '{"step":1,"loss":"NaN","high":"Infinity","low":"-Infinity","phase":"train","done":false,"none":null}\n',
    )
  })

  it('reads the whole records of a file that was cut at any byte, and appends to it', async () => {
    const whole = await readFile(await filled(3), 'utf8')
    for (let size = 0; size <= whole.length; size++) {
      const path = fresh()
      await writeFile(path, whole)
      await truncate(path, size)
      const complete = whole.slice(0, size).split('\n').length - 1
      expect(await read(path)).toHaveLength(complete)
      await appendMetric(path, { step: 9 })()
      expect((await read(path)).slice(complete)).toEqual([{ step: 9 }])
    }
  })

  it('removes a torn line that is longer than one block', async () => {
    const path = await filled(2)
    await appendFile(path, `{"step":3,"text":"${'x'.repeat(10_000)}`)
    await appendMetric(path, { step: 3 })()
    expect(await read(path)).toMatchObject([{ step: 1 }, { step: 2 }, { step: 3 }])
  })

  it('names the line that is not a record', async () => {
    const path = await filled(1)
    await appendFile(path, 'oops\n{"step":2}\n')
    expect(await readMetrics(path)()).toMatchObject({ left: { _tag: 'MetricsError', line: 2 } })
    await writeFile(path, '{"loss":2}\n')
    expect(await readMetrics(path)()).toMatchObject({ left: { line: 1 } })
  })

  it('truncates after a step, so that a resumed run has each step once', async () => {
    const path = await filled(5)
    await truncateMetricsAfter(path, 3)()
    await appendMetric(path, { step: 4, loss: 7 })()
    expect(await read(path)).toEqual([
      { step: 1, loss: 1 },
      { step: 2, loss: 0.5 },
      { step: 3, loss: 1 / 3 },
      { step: 4, loss: 7 },
    ])
  })

  it.each([
    ['a blank line', '\n', 1],
    ['zeros, as after a power failure', '\0\0\0\0\n', 1],
    ['a line of something else', 'oops\n[1]\n', 2],
  ])('goes on without %s, which it counts and removes', async (_, text, unreadable) => {
    const path = await filled(2)
    await appendFile(path, `${text}{"step":3}\n`)
    expect(await salvageMetrics(path)()).toMatchObject({
      right: { records: [{ step: 1 }, { step: 2 }, { step: 3 }], unreadable },
    })
    expect(await truncateMetricsAfter(path, 3)()).toMatchObject({
      right: { records: [{ step: 1 }, { step: 2 }, { step: 3 }], unreadable },
    })
    expect(await readFile(path, 'utf8')).toBe('{"step":1,"loss":1}\n{"step":2,"loss":0.5}\n{"step":3}\n')
  })
})

import { describe, expect, it } from 'vitest'
import { dataOfSeas, dataOfSet, folderLabels, seaLabels, seas, type ImageSet } from '../../src/data/index.ts'
import { range } from '../../src/prelude/array.ts'

describe('labels of a folder', () => {
  it('are the first folders below it, in the order of their names; what is beside them has none', () => {
    const { names, indices, of } = folderLabels(['b/x/1.png', 'a/2.png', 'b/3.png', '4.png'])
    expect(names).toEqual(['a', 'b'])
    expect(indices).toEqual([1, 0, 1, -1])
    expect(range(4).map((i) => [...of(i)])).toEqual([
      [0, 1],
      [1, 0],
      [0, 1],
      [0, 0],
    ])
  })

  it('are none where there are no folders', () => {
    expect(folderLabels(['1.png', '2.png'])).toMatchObject({ names: [], indices: [-1, -1] })
  })

  it('are those of the pictures of a stream, held out or not', () => {
    const paths = range(30).map((i) => `${['boats', 'bridges', 'waves'][i % 3] ?? ''}/${i}.png`)
    const set: ImageSet = { name: 'set', height: 1, width: 1, channels: 1, count: 30, pixels: (i) => Uint8Array.of(i) }
    const data = dataOfSet(set, 2, { labels: folderLabels(paths) })
    const oneHot = (i: number): Float32Array => Float32Array.from([0, 1, 2], (k) => (k === i % 3 ? 1 : 0))
    expect(data.conditions).toBe(3)
    expect(data.conditionNames).toEqual(['boats', 'bridges', 'waves'])
    for (const i of range(60)) expect(data.condition?.(i)).toEqual(oneHot(data.picture(i)[0] ?? NaN))
    for (const i of range(3)) expect(data.heldOutCondition?.(i)).toEqual(oneHot(data.heldOut(i)[0] ?? NaN))
  })

  it('are not in the stream of those who do not ask', () => {
    expect(Object.keys(dataOfSeas({ seed: 0, size: 4 }))).not.toContain('condition')
  })
})

describe('labels of seas', () => {
  const sea = seas({ seed: 6, size: 4 })
  const { names, of } = seaLabels(sea)
  const told = (i: number): readonly string[] => names.filter((_, k) => of(i)[k] === 1)

  it('are what the scene holds: its objects, a coast, the part of the day and the weather', () => {
    for (const i of range(80)) {
      const { objects, coast, dayPart, weather } = sea.factors(i)
      const kinds = ['boat', 'bridge', 'stone', 'buoy'].filter((kind) => objects.some((object) => object.kind === kind))
      expect(told(i)).toEqual([...kinds, ...(coast > 0 ? ['coast'] : []), dayPart, weather])
    }
  })

  it('can be several of one kind, and each comes', () => {
    const seen = new Set(range(200).flatMap(told))
    expect([...seen].toSorted()).toEqual([...names].toSorted())
    expect(range(200).some((i) => told(i).includes('boat') && told(i).includes('bridge'))).toBe(true)
  })

  it('are those of the stream', () => {
    const data = dataOfSeas({ seed: 6, size: 4 }, { labels: true })
    for (const i of range(10)) expect(data.condition?.(i)).toEqual(of(i))
    expect(data.heldOutCondition?.(3)).toEqual(of(2 ** 40 + 3))
  })
})

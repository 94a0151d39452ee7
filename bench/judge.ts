/**
 * `npm run bench:judge`: the judge is judged. Real pictures against real ones must raise no alarm, planted faults must raise the one that is meant
 * for them, planted copies must be found and held-out pictures not be called copies.
 *
 *     npm run bench:judge -- --folder photos --size 64 --count 256 --splits 20
 *     npm run bench:judge -- --folder photos --size 64 --only copies --vae runs/vae
 *     npm run bench:judge -- --folder photos --size 64 --features mobilenet
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { spacesOf } from '../src/cli/featureSpaces.ts'
import { openImageFolder, seas } from '../src/data/index.ts'
import { judge, type Judgement, type Pictures, type Test } from '../src/evaluation/index.ts'
import { shuffle } from '../src/evaluation/permutations.ts'
import { pick } from '../src/evaluation/pictures.ts'
import { openDevice } from '../src/index.ts'
import { at, range } from '../src/prelude/array.ts'
import { hostFold, hostKey } from '../src/prelude/threefry.ts'
import { faults } from '../test/evaluation/faults.ts'
import { copyRows, withGroups } from './judgeCopies.ts'
import { table } from './report.ts'

flags.set()

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    size: { type: 'string', default: '32' },
    count: { type: 'string', default: '256' },
    splits: { type: 'string', default: '20' },
    seed: { type: 'string', default: '0' },
    permutations: { type: 'string', default: '999' },
    only: { type: 'string' },
    vae: { type: 'string' },
    features: { type: 'string' },
  },
})
const [size, count, splits, seed, permutations] = [
  values.size,
  values.count,
  values.splits,
  values.seed,
  values.permutations,
].map(Number) as [number, number, number, number, number]

/** All pictures: of the folder, or as many seas as are needed. */
const all = async (): Promise<Pictures> => {
  const shape = { height: size, width: size, channels: 3 } as const
  if (values.folder === undefined) {
    const data = seas({ seed, size })
    return { ...shape, pictures: range(6 * count).map((i) => data.image(i)) }
  }
  const opened = await openImageFolder(values.folder, shape)()
  if (opened._tag === 'Left') throw new Error(opened.left.message)
  const set = opened.right
  return { ...shape, pictures: range(set.count).map((i) => set.pixels(i)) }
}

/** The roles of the pictures in one split. */
interface Split {
  readonly real: Pictures
  readonly spare: Pictures
  readonly heldOut: Pictures
  readonly training: Pictures
}

const splitOf = (set: Pictures, number: number): Split => {
  // Group by group, so that what is held out is not in training as well.
  const groups = set.groups ?? range(set.pictures.length)
  const places = new Map<number, number[]>()
  groups.forEach((group, i) => places.set(group, [...(places.get(group) ?? []), i]))
  const all = [...places.values()]
  const order = shuffle(hostFold(hostKey(seed), number), all.length).flatMap((i) => at(all, i))
  const take = (from: number, to?: number): Pictures => pick(set, order.slice(from, to))
  return {
    real: take(0, count),
    spare: take(count, 2 * count),
    heldOut: take(2 * count, 2 * count + 64),
    training: take(2 * count + 64),
  }
}

const show = (p: number): string => p.toFixed(3)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

const spaces = await spacesOf(values.features)()
if (spaces._tag === 'Left') throw new Error(spaces.left.message)
const device = await openDevice('wasm')
const pictures = withGroups(await all())
const judged = (generated: Pictures, { training, heldOut }: Split): Promise<Judgement> =>
  judge(device, { generated, training, heldOut, spaces: spaces.right, seed, permutations, anchors: false })

print(
  `${pictures.pictures.length} pictures of ${size}×${size} · ${count} against ${count} · ${permutations} permutations\n`,
)

const whole = async (): Promise<void> => {
  const start = performance.now()
  const honest: (readonly Test[])[] = []
  for (const number of range(splits)) {
    const split = splitOf(pictures, number)
    honest.push((await judged(split.real, split)).tests)
  }
  const names = (honest[0] ?? []).map(({ name }) => name)
  const below = (tests: readonly number[], bar: number): number => tests.filter((p) => p < bar).length
  print(
    table([
      [`real against real, ${splits} splits`, 'p < .05', 'p < .5', 'least p'],
      ...names.map((name, i) => {
        const ps = honest.map((tests) => at(tests, i).p)
        return [name, String(below(ps, 0.05)), String(below(ps, 0.5)), show(Math.min(...ps))]
      }),
    ]),
  )
  const alarms = honest.filter((tests) => tests.some(({ adjusted }) => adjusted < 0.05)).length
  print(`\nsplits with an alarm (any adjusted p < .05): ${alarms} of ${splits}`)
  print(`${((performance.now() - start) / 1000 / Math.max(1, splits)).toFixed(1)} s a judgement\n`)

  const split = splitOf(pictures, 0)
  const rows: (readonly string[])[] = []
  for (const { name, plant, foundBy } of faults) {
    const { tests } = await judged(plant(split.real, split), split)
    const meant = tests.filter((test) => foundBy(test.name)).toSorted((a, b) => a.p - b.p)
    const others = tests.filter((test) => test.adjusted < 0.05).map((test) => test.name)
    rows.push([name, meant[0]?.name ?? '', show(meant[0]?.p ?? NaN), others.join(', ')])
  }
  print(table([['fault', 'meant for it', 'p', 'all alarms (adjusted p < .05)'], ...rows]))
}

if (values.only !== 'copies') await whole()
print(`\n${table(await copyRows(device, pictures, seed, values.vae))}`)
await device.close()

/**
 * Trains the network of fathom/evaluation on procedural seas and writes its weights: `node scripts/node24.mjs scripts/train-judge.ts [steps]`.
 *
 * From a picture it learns the scene that the picture was painted with, and what was done to it afterwards. The weights go into
 * src/evaluation/features/trainedWeights.ts as f16, because numbers of one version must be the same on every machine; whoever changes them
 * must raise the version there.
 */
import { writeFileSync } from 'node:fs'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { seas, type SeaFactors } from '../src/data/index.ts'
import { dayParts, weathers } from '../src/data/seas/factors.ts'
import { judgeWithHead } from '../src/evaluation/features/network.ts'
import { quantile } from '../src/evaluation/statistics.ts'
import { foldIn, key, mapTree, openDevice, scalar, tensor, valueAndGrad, type Tensor } from '../src/index.ts'
import { recordsOf, writeSafetensors } from '../src/io/index.ts'
import { adam, applyUpdates, chain, clipByGlobalNorm, cosineDecay } from '../src/optim/index.ts'
import { at, range } from '../src/prelude/array.ts'
import { hostFold, hostKey, hostUniform, type HostKey } from '../src/prelude/threefry.ts'
import { blurred } from '../src/evaluation/blur.ts'

flags.set()

const steps = Number(process.argv[2] ?? 3000)
const sizes = [32, 32, 64] as const
const [batchSize, pool] = [64, 3072] as const

/** What was done to a picture, each as a number of about unit size. */
type Damage = Readonly<Record<'blur' | 'noise' | 'contrast' | 'light' | 'hue' | 'saturation', number>>

const damageOf = (k: HostKey): Damage => {
  const u = (i: number): number => hostUniform(k, i)
  const sometimes = (i: number, value: number): number => (u(i) < 0.5 ? value : 0)
  return {
    blur: sometimes(0, 1.5 * u(10)),
    noise: sometimes(1, u(11)),
    contrast: sometimes(2, 2 * u(12) - 1),
    light: sometimes(3, 2 * u(13) - 1),
    hue: sometimes(4, 2 * u(14) - 1),
    saturation: sometimes(5, 2 * u(15) - 1),
  }
}

/** Turns a colour about the grey axis: Rodrigues' rotation. */
const turned = ([r, g, b]: readonly [number, number, number], angle: number): readonly [number, number, number] => {
  const [c, s] = [Math.cos(angle), Math.sin(angle) / Math.sqrt(3)]
  const grey = ((r + g + b) / 3) * (1 - c)
  return [c * r + s * (b - g) + grey, c * g + s * (r - b) + grey, c * b + s * (g - r) + grey]
}

const damaged = (pixels: Uint8Array, size: number, d: Damage, k: HostKey): Uint8Array => {
  const soft = d.blur > 0 ? blurred({ height: size, width: size }, pixels, d.blur) : pixels
  const result = new Uint8ClampedArray(soft.length)
  const middle = soft.reduce((sum, x) => sum + x, 0) / soft.length
  for (let p = 0; p < soft.length; p += 3) {
    const [r, g, b] = turned([soft[p] ?? 0, soft[p + 1] ?? 0, soft[p + 2] ?? 0], d.hue * 0.5)
    const grey = (r + g + b) / 3
    ;[r, g, b].forEach((x, c) => {
      const colour = grey + (x - grey) * 2 ** d.saturation
      const noise = d.noise > 0 ? 16 * d.noise * 3.46 * (hostUniform(k, 100 + p + c) - 0.5) : 0
      result[p + c] = middle + (colour - middle) * 2 ** (0.7 * d.contrast) + 40 * d.light + noise
    })
  }
  return new Uint8Array(result.buffer)
}

const oneHot = (names: readonly string[], name: string): readonly number[] => names.map((n) => (n === name ? 1 : 0))

const targetsOf = (f: SeaFactors, d: Damage): readonly number[] => [
  ...oneHot(Object.keys(dayParts), f.dayPart),
  ...oneHot(Object.keys(weathers), f.weather),
  f.hue / 22,
  4 * (f.horizon - 0.46),
  2 * (f.sun.x - 0.5),
  f.sun.altitude,
  f.clouds,
  f.waves.amplitude,
  f.waves.frequency,
  f.foam,
  4 * f.coast,
  ...['boat', 'bridge', 'stone', 'buoy'].map((kind) => (f.objects.some((o) => o.kind === kind) ? 1 : 0)),
  ...Object.values(d),
]

const pools = [32, 64].map((size) => {
  const data = seas({ seed: 4242, size })
  return { size, data, images: range(pool).map((i) => data.image(i)) }
})

const batchAt = (step: number): { readonly x: Tensor; readonly y: Tensor } => {
  const size = at(sizes, step % sizes.length)
  const { data, images } = at(pools, size === 32 ? 0 : 1)
  const all = range(size === 32 ? batchSize : batchSize / 2).map((i) => {
    const k = hostFold(hostFold(hostKey(99), step), i)
    const place = Math.floor(hostUniform(k, 0) * pool)
    const damage = damageOf(hostFold(k, 1))
    return { pixels: damaged(at(images, place), size, damage, k), targets: targetsOf(data.factors(place), damage) }
  })
  return {
    x: tensor(
      Float32Array.from(
        all.flatMap(({ pixels }) => [...pixels]),
        (b) => b / 127.5 - 1,
      ),
      {
        shape: [all.length, size, size, 3],
      },
    ),
    y: tensor(Float32Array.from(all.flatMap(({ targets }) => targets)), {
      shape: [all.length, at(all, 0).targets.length],
    }),
  }
}

const device = await openDevice('wasm')
const model = judgeWithHead(batchAt(0).y.shape[1] ?? 0)
const optimizer = chain(clipByGlobalNorm(1), adam())
const rate = cosineDecay({ learningRate: 2e-3, warmupSteps: 100, steps: steps + 1 })
type Params = ReturnType<typeof model.init>
const loss = (params: Params, x: Tensor, y: Tensor): Tensor => model.apply(params, x).sub(y).square().mean()
const step = device.compile(
  (
    state: { params: Params; optimizer: ReturnType<typeof optimizer.init> },
    x: Tensor,
    y: Tensor,
    learningRate: Tensor,
  ) => {
    const [value, gradients] = valueAndGrad(loss)(state.params, x, y)
    const [updates, next] = optimizer.update(gradients, state.optimizer, state.params, { learningRate })
    return { state: { params: applyUpdates(state.params, updates), optimizer: next }, value }
  },
  { donate: [0] },
)
const initial = model.init(foldIn(key(1), 'judge'))
let state = { params: initial, optimizer: optimizer.init(initial) }
const losses: number[] = []
for (let i = 0; i < steps; i++) {
  const { x, y } = batchAt(i)
  const next = await step(state, x, y, scalar(rate(i)))
  state = next.state
  losses.push(...(await device.read(next.value)))
  if (i % 250 === 249)
    console.log(
      `${i + 1}: loss ${quantile(losses.slice(-250), 0.5).toFixed(4)} · ${(performance.now() / 1000).toFixed(0)} s`,
    )
}
const f16 = await device.realize(mapTree(state.params.network, (x) => x.cast('f16')))
const bytes = writeSafetensors(await recordsOf(device, f16))
const text =
  Buffer.from(bytes)
    .toString('base64')
    .match(/.{1,2000}/g) ?? []
writeFileSync(
  new URL('../src/evaluation/features/trainedWeights.ts', import.meta.url),
  [
    '/** The weights of `network.ts` as safetensors in base64, written by scripts/train-judge.ts; do not edit. */',
    'export const trainedWeights =',
    ...text.map((line, i) => `  '${line}'${i + 1 < text.length ? ' +' : ''}`),
    '',
  ].join('\n'),
)
console.log(`${bytes.length} bytes of weights`)
await device.close()

/** Makes the pictures of the documentation: `node scripts/node24.mjs docs/images/make.ts`. Same seed, same bytes. */
import { writeFileSync } from 'node:fs'
import { key, normal, open, tensor } from 'fathom'
import { seas } from 'fathom/data'
import { cosineSchedule, qSample } from 'fathom/diffusion'
import { encodePng, imageGrid } from 'fathom/io'
import { gradientErrorChart } from './gradientError.ts'
import { samplerLayout, samplerPictures } from './samplers.ts'

const size = 64
const layout = { height: size, width: size, channels: 3, scale: 1, gap: 2 } as const
const save = (name: string, images: readonly Uint8Array[], columns: number): void =>
  writeFileSync(new URL(name, import.meta.url), encodePng(imageGrid(images, { ...layout, columns })))

const sea = seas({ seed: 4, size })
save(
  'seas.png',
  Array.from({ length: 24 }, (_, i) => sea.image(i)),
  8,
)

const opened = await open('cpu')()
if (opened._tag === 'Left') throw new Error(opened.left.message)
const device = opened.right
const times = [0, 100, 200, 350, 500, 650, 800, 999]
const x0 = tensor(
  Float32Array.from(sea.image(5), (byte) => byte / 127.5 - 1),
  { shape: [1, size, size, 3] },
)
const batch = x0.broadcastTo([times.length, size, size, 3])
const xt = await device.read(
  qSample(cosineSchedule(1000), batch, tensor(Int32Array.from(times)), normal(key(0), batch.shape)),
)
const bytes = Uint8Array.from(xt, (v) => Math.round(Math.min(1, Math.max(-1, v)) * 127.5 + 127.5))
const each = size * size * 3
save(
  'noising.png',
  times.map((_, i) => bytes.subarray(i * each, (i + 1) * each)),
  times.length,
)

writeFileSync(new URL('gradient-error.svg', import.meta.url), await gradientErrorChart(device))

const { size: side, columns } = samplerLayout
writeFileSync(
  new URL('samplers.png', import.meta.url),
  encodePng(imageGrid(await samplerPictures(device), { ...layout, height: side, width: side, scale: 2, columns })),
)

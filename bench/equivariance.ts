/**
 * How well the decoders of runs take latents that were shrunk or turned for the latents of shrunk and turned pictures:
 *
 *     node scripts/node24.mjs bench/equivariance.ts runs/vae-with runs/vae-without
 *
 * For each run of `train-vae`, on its held-out pictures, decibels of decode(z) against x, and of decode(τz) against τx for halves, quarters and a right
 * angle.
 */
import process from 'node:process'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { decibels } from '../src/data/quality/psnr.ts'
import { averagePool, openDevice, type Device, type Tensor } from '../src/index.ts'
import { at } from '../src/prelude/array.ts'
import { E, type TE } from '../src/prelude/fp.ts'
import { loadAutoencoder } from '../src/train/index.ts'
import { readConfig } from '../src/train/configFile.ts'
import { openPictures } from '../src/train/pictures/openPictures.node.ts'
import { normalise } from '../src/train/pictures/pixels.ts'
import { storeIn } from '../src/train/store.node.ts'
import { eachPicture, heldOutOf } from '../src/train/tasks/autoencoder/reconstructing.ts'
import { table } from './report.ts'

flags.set()

const changes: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  plain: (x) => x,
  half: (x) => averagePool(x, 2),
  quarter: (x) => averagePool(x, 4),
  turned: (x) => x.transpose([0, 2, 1, 3]).reverse(1),
}

const done = async <A>(task: TE.TaskEither<{ readonly message: string }, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** Decibels of numbers in [−1, 1], whose peak to peak is 2. */
const psnrOf = (made: readonly Float32Array[], wanted: readonly Float32Array[]): number => {
  let [sum, count] = [0, 0]
  for (const [i, picture] of wanted.entries())
    picture.forEach((x, p) => {
      sum += (Math.min(1, Math.max(-1, at(made, i)[p] ?? NaN)) - x) ** 2
      count++
    })
  return decibels(sum / count, 2)
}

const measured = async (device: Device, run: string): Promise<readonly string[]> => {
  const config = await done(readConfig(storeIn(run)))
  if (config.task !== 'autoencoder') throw new Error(`${run} is no run of an autoencoder`)
  const { encoderOn, decoderOn } = await done(loadAutoencoder(run))
  const { data } = await done(openPictures(config))
  const pictures = heldOutOf(data)
  const encode = encoderOn(device)
  const ratios: string[] = []
  for (const change of Object.values(changes)) {
    const [changed, decode] = [device.compile((z: Tensor) => change(z).add(0)), decoderOn(device)]
    const wanted = device.compile((batch: Tensor) => change(normalise(batch)))
    const made = await eachPicture(device, data, pictures, async (batch) => decode(await changed(await encode(batch))))
    ratios.push(psnrOf(made, await eachPicture(device, data, pictures, wanted)).toFixed(2))
  }
  return ratios
}

const device = await openDevice('wasm')
const rows: (readonly string[])[] = []
for (const run of process.argv.slice(2)) rows.push([run, ...(await measured(device, run))])
console.log(table([['run', ...Object.keys(changes)], ...rows]))
await device.close()

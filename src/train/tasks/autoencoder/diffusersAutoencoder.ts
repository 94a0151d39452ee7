/** The autoencoder of a run as diffusers keeps one. */
import { recordsOf, treeFrom } from '../../../io/params.ts'
import { readSafetensors } from '../../../io/safetensors.ts'
import type { ArrayRecord } from '../../../io/arrayRecord.ts'
import { encodeDiffusersAutoencoder } from '../../../models/index.ts'
import { autoencoderOf, type BuiltAutoencoder } from '../../../models/autoencoder/registry.ts'
import type { Fault } from '../../../prelude/decode.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import type { Device } from '../../../tensor/device.ts'
import { key } from '../../../tensor/random.ts'
import { descriptionIn } from './trainedAutoencoder.ts'

/** A model as diffusers has it: its config.json, and its tensors by name. */
export interface DiffusersModel {
  readonly config: Readonly<Record<string, unknown>>
  readonly tensors: ReadonlyMap<string, ArrayRecord>
}

/**
 * The autoencoder of a file that a run keeps, by the names of diffusers.
 *
 * @param file that `encodeAutoencoder` has made
 * @returns Left with the first setting that diffusers has no word for
 */
export const diffusersAutoencoder = async (
  device: Device,
  file: Uint8Array,
): Promise<E.Either<Fault, DiffusersModel>> => {
  const found = pipe(
    readSafetensors(file),
    E.mapLeft(({ message }): Fault => ({ expected: message })),
    E.bindTo('read'),
    E.bind('description', ({ read }) =>
      pipe(
        descriptionIn(read),
        E.mapLeft((expected): Fault => ({ expected })),
      ),
    ),
    E.bind('config', ({ description: { config, scaling } }) => encodeDiffusersAutoencoder(config, scaling)),
  )
  if (E.isLeft(found)) return found
  const {
    read: { tensors },
    description,
    config,
  } = found.right
  return autoencoderOf(description.config)(async <Enc, Dec>({ autoencoder, names }: BuiltAutoencoder<Enc, Dec>) => {
    const template = { encoder: autoencoder.encoder.init(key(0)), decoder: autoencoder.decoder.init(key(1)) }
    const params = treeFrom(template, tensors)
    if (E.isLeft(params)) return E.left({ expected: params.left.message })
    const records = await recordsOf(device, await device.realize(params.right), names['diffusers']?.(template) ?? {})
    return E.right({ config, tensors: new Map(records) })
  })
}

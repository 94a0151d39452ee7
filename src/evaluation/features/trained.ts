/**
 * The features of a small network that was trained on procedural seas (`network.ts`): frozen and shipped, because numbers compare only where
 * the space is the same. It has seen no photograph, and no model is made to please it, unless a run of `train-vae` asks for that by `--features seas`:
 * then `eval` says so.
 */
import { E } from '../../prelude/fp.ts'
import { readSafetensors } from '../../io/safetensors.ts'
import { treeFrom } from '../../io/params.ts'
import { key } from '../../tensor/random.ts'
import { judgeNetwork, type JudgeParams } from './network.ts'
import { pointsOf, type FeatureSpace } from './space.ts'
import { trainedWeights } from './trainedWeights.ts'

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))

/** The shipped weights, f16 in the file and f32 in the network. */
export const trainedParams = (): JudgeParams => {
  const file = readSafetensors(bytesOf(trainedWeights))
  if (E.isLeft(file)) throw new Error(`the judge's weights cannot be read: ${file.left.message}`)
  const template = judgeNetwork.init(key(0))
  const params = treeFrom(template, file.right.tensors)
  if (E.isLeft(params)) throw new Error(`the judge's weights are not its network's: ${params.left.message}`)
  return params.right
}

/** Features of the network that was trained on procedural seas. */
export const trainedSpace: FeatureSpace = {
  name: 'trained',
  version: 1,
  about: 'a small network that learned to tell procedural seas and what was done to them',
  features: (device, pictures) => pointsOf(trainedParams(), judgeNetwork.apply)(device, pictures),
}

/**
 * Whether what a run has learned is numbers. Weights that are NaN or infinite are never saved and never drawn from: a checkpoint of them
 * would be the newest, and would end every resume.
 */
import { toFloat32, type ArrayRecord } from '../io/arrayRecord.ts'
import { readSafetensors } from '../io/safetensors.ts'
import { E } from '../prelude/fp.ts'
import { printable } from '../prelude/printable.ts'
import type { RunConfig } from './runConfig.ts'
import { trainError, type TrainError } from './trainError.ts'

/** The first value that is not finite, as people call it; undefined when all are. */
export const nonFinite = (values: Iterable<number>): string | undefined => {
  for (const x of values) if (!Number.isFinite(x)) return String(x)
  return undefined
}

/** The first tensor of a file whose values are not finite, in words. */
export const nonFiniteAmong = (file: string, tensors: ReadonlyMap<string, ArrayRecord>): string | undefined => {
  for (const [name, record] of tensors) {
    const values = toFloat32(record)
    const found = E.isRight(values) ? nonFinite(values.right) : undefined
    if (found !== undefined) return `'${printable(name.slice(0, 80))}' in ${file} holds ${found}`
  }
  return undefined
}

/** The same of a safetensors file's bytes. */
const nonFiniteTensor = (file: string, bytes: Uint8Array): string | undefined => {
  const read = readSafetensors(bytes)
  return E.isLeft(read) ? undefined : nonFiniteAmong(file, read.right.tensors) // what cannot be read is another error's business
}

/** What is not finite in the files of a checkpoint, in words; undefined when all tensors are numbers. */
export const nonFiniteIn = (files: ReadonlyMap<string, Uint8Array>): string | undefined => {
  for (const [file, bytes] of files) {
    const found = file.endsWith('.safetensors') ? nonFiniteTensor(file, bytes) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * The error of a run that has diverged.
 *
 * @param what for instance `the loss is NaN`
 * @param step after how many, where that is known
 */
export const diverged = ({ out, learningRate }: RunConfig, what: string, step?: number): TrainError =>
  trainError(
    'DIVERGED',
    `${what}${step === undefined ? ' in' : ` at step ${step} of`} ${out}: the run has diverged and is stopped, its checkpoints from before are untouched; start another with a lower --lr than ${learningRate}`,
  )

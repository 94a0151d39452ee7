/**
 * Where a run keeps what it leaves: bytes by name, and checkpoints. In Node it is a directory (store.node.ts); a page brings its own, and tests
 * one in memory.
 */
import type { E, TE } from '../prelude/fp.ts'
import { trainError, type TrainError } from './trainError.ts'

/** A checkpoint that was read. */
export interface StoredCheckpoint {
  readonly name: string
  /** The step it was saved after. */
  readonly step: number
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Newer ones that cannot be used, and why. */
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
}

/** Left, with the reason, for a checkpoint that is passed over. */
export type Judge = (checkpoint: Omit<StoredCheckpoint, 'skipped'>) => E.Either<string, unknown>

/** Sets of files that are kept together, each by the step it was saved after. */
export interface CheckpointStore {
  /** Keeps all files or none, and older checkpoints until it has. @returns where a person finds it */
  readonly save: (step: number, files: ReadonlyMap<string, Uint8Array>) => TE.TaskEither<TrainError, string>
  /** The newest that is whole and that `judge` does not pass over; Left when there is none. */
  readonly newest: (judge: Judge) => TE.TaskEither<TrainError, StoredCheckpoint>
  /** Makes the one before that of this step the newest, if it is not the only one. */
  readonly withdraw: (step: number) => TE.TaskEither<TrainError, unknown>
}

/** The store of one run. */
export interface Store {
  /** What a person calls it: the path of the directory. */
  readonly place: string
  /** Where a person finds the bytes of this name. */
  readonly pathOf: (name: string) => string
  /** The bytes of this name; undefined where there are none. */
  readonly read: (name: string) => TE.TaskEither<TrainError, Uint8Array | undefined>
  /** Keeps these bytes instead of those that were there, all or nothing. */
  readonly replace: (name: string, bytes: Uint8Array) => TE.TaskEither<TrainError, void>
  /** Adds a line to those of this name; it may be lost with the power until {@link sync}. @param line with its newline */
  readonly append: (name: string, line: string) => TE.TaskEither<TrainError, void>
  /** Returns when what was appended is kept for certain. */
  readonly sync: (name: string) => TE.TaskEither<TrainError, void>
  readonly checkpoints: CheckpointStore
}

/** A step in a name, so that names sort by it. */
export const padded = (step: number): string => String(step).padStart(6, '0')

/** The names of what a run leaves. */
export const names = {
  config: 'config.json',
  metrics: 'metrics.jsonl',
  chart: 'loss.svg',
  preview: 'first-batch',
  samples: 'samples',
  checkpoints: 'checkpoints',
  /** The autoencoder whose latents a run works on, or that it trains. */
  autoencoder: 'autoencoder.safetensors',
  /** The network by whose features an autoencoder is trained. */
  features: 'features.safetensors',
  /** The averaged weights that were best on held-out examples, and those of early in the run. */
  best: 'best.safetensors',
  early: 'early.safetensors',
  /** The run that trains it, where it is the first stage of another. */
  stage: 'autoencoder',
} as const

/** A text as bytes. */
export const encoded = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What cannot be kept in a store, or read from it. */
export const storeError = (message: string): TrainError => trainError('RUN-IO', message)

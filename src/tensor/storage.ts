/** Values on a device: brought from the host, computed by plans, given to tensors. */
import { at } from '../prelude/array.ts'
import { DTypeError } from '../prelude/errors.ts'
import { bytesPerElement, type DType, type TypedArray } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { NodeOf } from '../graph/ops.ts'
import { showShape, sizeOf, type Shape } from '../graph/shape.ts'
import type { Plan } from '../compiler/plan.ts'
import type { Memory } from '../backends/backend.ts'
import { giveBack, hold, passOn, requireHeld, Storage, untilForgotten, type Ready, type Session } from './session.ts'
import { orLost } from './lost.ts'
import { Tensor } from './tensor.ts'

/** What is in a storage. */
interface Typing {
  readonly shape: Shape
  readonly dtype: DType
}

const labelOf = ({ dtype, shape }: Typing, maker: string): string => `${dtype}${showShape(shape)} of ${maker}`

/** The storage of a leaf whose values are on the device. @param name the leaf in words, for errors */
const deviceStorage = (session: Session, storage: object, name: string): Storage => {
  if (!(storage instanceof Storage) || storage.owner !== session)
    throw new DTypeError(`${name} lives on another device; read it there and make a tensor of its values`)
  requireHeld(storage.holding, name)
  return storage
}

const bring = (session: Session, values: TypedArray, label: string): Storage => {
  const memory = session.backend.allocate(values.byteLength)
  session.backend.write(memory, values)
  return hold(session, memory, label)
}

/** A storage with the values of a leaf of the host, brought now. */
export const bringValues = (session: Session, node: NodeOf<'buffer'>): Storage => {
  const { source } = node.attrs
  if (source.kind === 'device') throw new TypeError('storage: these values are on a device already')
  return bring(session, source.values, labelOf(node, 'tensor()'))
}

/** What one call needs only for itself: storages that are given back behind it, by the leaf or number that they are of. */
export type Brought = Map<object, Storage>

/**
 * The values of a leaf for one call. Those of the host are brought for it, and given back behind it; a leaf that is used a second time is kept,
 * as it will be used again. Memory stays flat in a loop that makes a tensor a turn, and weights that are loaded lie in memory once.
 */
export const storageFor = (session: Session, node: NodeOf<'buffer'>, name: string, brought: Brought): Storage => {
  const { source } = node.attrs
  if (source.kind === 'device') return deviceStorage(session, source.storage, name)
  const { of, kept, seen } = session.uploads
  const known = brought.get(node) ?? of.get(node)
  if (known !== undefined && known.holding.end === undefined) return known
  const storage = bringValues(session, node)
  if (!seen.has(node)) {
    seen.add(node)
    brought.set(node, storage)
    return storage
  }
  of.set(node, storage)
  kept.add(storage.holding)
  untilForgotten(session, storage)
  return storage
}

/** A number for one call. */
export const bringNumber = (session: Session, value: TypedArray, brought: Brought): Storage => {
  const storage = bring(session, value, 'a number')
  brought.set(storage, storage)
  return storage
}

/** Gives back what a call has brought for itself. */
export const giveBackBrought = (session: Session, brought: Brought): void => {
  for (const { holding } of brought.values()) giveBack(session, holding, { kind: 'behind the call' })
}

/** The tensor of a storage. It belongs to the innermost open scope. */
export const leafTensor = (session: Session, storage: Storage, { shape, dtype }: Typing): Tensor => {
  session.scopes.at(-1)?.add(storage.holding)
  untilForgotten(session, storage)
  return new Tensor(makeNode('buffer', { source: { kind: 'device', storage }, shape, dtype }, []))
}

/** A donated storage that an output is written over, and its place in words. */
export interface Taken {
  readonly storage: Storage
  readonly as: string
}

/** A run: its inputs, and what outputs are written over. */
export interface Run {
  readonly inputs: readonly Storage[]
  readonly taken?: ReadonlyMap<number, Taken>
}

/** Memory for outputs, that which they take over or their own; none at all when there is too little. */
const outputsFor = (
  { backend }: Session,
  { bytes }: Ready,
  taken: ReadonlyMap<number, Taken>,
): { readonly outputs: readonly Memory[]; readonly fresh: readonly Memory[] } => {
  const [outputs, fresh]: readonly [Memory[], Memory[]] = [[], []]
  try {
    bytes.forEach((size, i) => {
      const over = taken.get(i)
      const memory = over === undefined ? backend.allocate(size) : over.storage.holding.memory
      outputs.push(memory)
      if (over === undefined) fresh.push(memory)
    })
    return { outputs, fresh }
  } catch (e) {
    for (const memory of fresh) backend.release(memory)
    throw e
  }
}

const none: ReadonlyMap<number, Taken> = new Map()

/** Runs a plan: the storages of its outputs. What outputs are written over ends as donated. */
export const run = (session: Session, ready: Ready, { inputs, taken = none }: Run): readonly Storage[] => {
  const { executable, labels } = ready
  const { outputs, fresh } = outputsFor(session, ready, taken)
  try {
    executable.run(
      inputs.map((s) => s.holding.memory),
      outputs,
    )
  } catch (e) {
    for (const memory of fresh) session.backend.release(memory)
    throw e
  }
  for (const { storage, as } of taken.values()) passOn(session, storage.holding, { kind: 'donated', as })
  return outputs.map((memory, i) => hold(session, memory, at(labels, i)))
}

/** A plan as this device runs it. @param maker who asks for it, in words */
export const ready = (session: Session, plan: Plan, maker: string): Ready => {
  const executable = session.backend.prepare(plan)
  const made: Ready = {
    plan,
    executable,
    pending: undefined,
    bytes: plan.outputs.map(({ shape, dtype }) => sizeOf(shape) * bytesPerElement[dtype]),
    labels: plan.outputs.map((output) => labelOf(output, maker)),
  }
  if (executable.ready === undefined) return made
  const compiled = async (code: Promise<void>): Promise<void> => {
    await orLost(session, code, `the code of ${maker}`)
    made.pending = undefined
  }
  made.pending = compiled(executable.ready)
  made.pending.catch(() => undefined) // whoever runs it is told
  return made
}

/** Every holding that the device can bring again from the host. */
export const evictUploads = (session: Session): void => {
  for (const holding of session.uploads.kept) giveBack(session, holding, { kind: 'behind the call' })
}

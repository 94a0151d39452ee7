/**
 * What a device keeps: storages of memory, and plans made ready to run on them. A storage gives its memory back once, when it is donated or when
 * no tensor reaches it any more.
 */
import { at } from '../prelude/array.ts'
import { DTypeError, UseAfterDonate } from '../prelude/errors.ts'
import { bytesPerElement, type DType, type TypedArray } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { NodeOf } from '../graph/ops.ts'
import { sizeOf, type Shape } from '../graph/shape.ts'
import type { Passes } from '../compiler/passes.ts'
import type { Plan } from '../compiler/plan.ts'
import type { Backend, Executable, Memory } from '../backends/backend.ts'
import { Tensor } from './tensor.ts'

/** Memory that a storage has until it is given back: once, by a donation, behind the run that borrowed it, or when nothing refers to the storage any more. */
export interface Holding {
  readonly memory: Memory
  donatedAs: string | undefined
}

/** Values that a device keeps: the state of a leaf. */
export class Storage {
  readonly owner: object
  readonly holding: Holding

  constructor(owner: object, holding: Holding) {
    this.owner = owner
    this.holding = holding
  }
}

/** What a device knows while it is open. */
export interface Session {
  /** Gives memory back when no tensor can reach its storage any more. */
  readonly forgotten: FinalizationRegistry<Holding>
  readonly backend: Backend
  readonly passes: Passes
  readonly uploads: WeakMap<TypedArray, Storage>
  readonly realizations: Map<string, Ready>
}

/** A plan made ready. */
export interface Ready {
  readonly plan: Plan
  readonly executable: Executable
  /** Bytes of each output. */
  readonly bytes: readonly number[]
}

const named = (path: string): string => (path === '' ? 'the tensor' : `the tensor '${path}'`)

/** The values of a leaf, which come from the host when they are not here. @param path the leaf's place, for errors */
export const storageOf = (session: Session, node: NodeOf<'buffer'>, path: string): Storage => {
  const { source } = node.attrs
  if (source.kind === 'host') return upload(session, source.values)
  const { storage } = source
  if (!(storage instanceof Storage) || storage.owner !== session)
    throw new DTypeError(`${named(path)} lives on another device; read it there and make a tensor of its values`)
  const { donatedAs } = storage.holding
  if (donatedAs !== undefined)
    throw new UseAfterDonate(
      `${named(path)} was donated as '${donatedAs}' to a compiled function; use the value that the function returned`,
    )
  return storage
}

/** A storage of memory that nothing else holds. */
const hold = (session: Session, memory: Memory): Storage => {
  const holding: Holding = { memory, donatedAs: undefined }
  const storage = new Storage(session, holding)
  session.forgotten.register(storage, holding)
  return storage
}

/** A storage of fresh memory. */
const allocate = (session: Session, bytes: number): Storage => hold(session, session.backend.allocate(bytes))

/** Where values of the host are kept here already. */
const uploaded = (session: Session, values: TypedArray): Storage | undefined => {
  const known = session.uploads.get(values)
  return known !== undefined && known.holding.donatedAs === undefined ? known : undefined
}

const upload = (session: Session, values: TypedArray): Storage => {
  const known = uploaded(session, values)
  if (known !== undefined) return known
  const storage = allocate(session, values.byteLength)
  session.backend.write(storage.holding.memory, values)
  session.uploads.set(values, storage)
  return storage
}

/**
 * The values of leaves for one run, which is given to `use`. What has to be brought from the host only for that is given back behind it, and is
 * not kept until nothing refers to the leaf: a model that is loaded would else lie in memory twice.
 */
export const borrow = <R>(
  session: Session,
  nodes: readonly NodeOf<'buffer'>[],
  use: (storages: readonly Storage[]) => R,
): R => {
  const brought = new Set<Storage>()
  const storages = nodes.map((node) => {
    const { source } = node.attrs
    const isNew = source.kind === 'host' && uploaded(session, source.values) === undefined
    const storage = storageOf(session, node, 'a captured tensor')
    if (isNew) brought.add(storage)
    return storage
  })
  const result = use(storages)
  for (const { holding } of brought) {
    holding.donatedAs = 'values of the host'
    session.backend.release(holding.memory)
  }
  return result
}

/** The tensor of a storage. */
export const leafTensor = (storage: Storage, shape: Shape, dtype: DType): Tensor =>
  new Tensor(makeNode('buffer', { source: { kind: 'device', storage }, shape, dtype }, []))

/** Runs the plan; the outputs in `taken` are written where those inputs lie, which the caller then marks as donated. */
export const run = (
  session: Session,
  { plan, executable, bytes }: Ready,
  inputs: readonly Storage[],
  taken: ReadonlyMap<number, Storage> = new Map(),
): readonly Tensor[] => {
  const outputs = bytes.map((n, i) => taken.get(i) ?? allocate(session, n))
  executable.run(
    inputs.map((s) => s.holding.memory),
    outputs.map((s) => s.holding.memory),
  )
  return outputs.map((written, i) => {
    const storage = taken.has(i) ? hold(session, written.holding.memory) : written
    return leafTensor(storage, at(plan.outputs, i).shape, at(plan.outputs, i).dtype)
  })
}

/** A plan as this device runs it. */
export const ready = (session: Session, plan: Plan): Ready => ({
  plan,
  executable: session.backend.prepare(plan),
  bytes: plan.outputs.map(({ shape, dtype }) => sizeOf(shape) * bytesPerElement[dtype]),
})

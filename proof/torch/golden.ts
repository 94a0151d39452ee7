/** The golden values of test/golden/torch: subjects with their cases, as make.py wrote them. */
import { fileURLToPath } from 'node:url'
import { E, pipe } from '../../src/prelude/fp.ts'
import { viewAs, type DType, type TypedArray } from '../../src/graph/dtype.ts'
import type { ArrayRecord } from '../../src/io/arrayRecord.ts'
import { readSafetensorsFile } from '../../src/io/safetensors.node.ts'
import type { Safetensors } from '../../src/io/safetensors.ts'
import { product } from '../../src/prelude/array.ts'
import { groupBy } from './row.ts'

/** Numbers as the file holds them. */
export interface Values {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: TypedArray
}

type Named = ReadonlyMap<string, Values>

/** One case: attributes and arrays by name. Gradients are of Σ cotangent · result; without cotangents there are none. */
export interface Case {
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: Named
  readonly results: Named
  readonly cotangents: Named
  readonly gradients: Named
}

/** A subject: how near f32 has to come, how near PyTorch's own f32 came, and the cases. */
export interface Subject {
  readonly name: string
  readonly bar: 'elementwise' | 'contraction'
  readonly torchFloat32: number
  readonly cases: readonly Case[]
}

const file = fileURLToPath(new URL('../../test/golden/torch/values.safetensors', import.meta.url))

const values = ({ shape, dtype, bytes }: ArrayRecord): Values => {
  const copy = new Uint8Array(bytes) // aligned
  return { shape, dtype: dtype as DType, data: viewAs(dtype as DType, copy.buffer, 0, product(shape)) }
}

/** The arrays of one role of a case, by name. */
const named = (tensors: Safetensors['tensors'], prefix: string): Named =>
  new Map(
    [...tensors].flatMap(([name, record]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), values(record)] as const] : [],
    ),
  )

interface About {
  readonly bar: Subject['bar']
  readonly torchFloat32: number
  readonly cases: readonly Readonly<Record<string, unknown>>[]
}

const subjectOf = (name: string, text: string, tensors: Safetensors['tensors']): Subject => {
  const { bar, torchFloat32, cases } = JSON.parse(text) as About
  return {
    name,
    bar,
    torchFloat32,
    cases: cases.map((attrs, i) => ({
      attrs,
      inputs: named(tensors, `${name}/${i}/in/`),
      results: named(tensors, `${name}/${i}/out/`),
      cotangents: named(tensors, `${name}/${i}/cotangent/`),
      gradients: named(tensors, `${name}/${i}/grad/`),
    })),
  }
}

/** The arrays of each subject, so that none is looked for among all. */
const bySubject = (tensors: Safetensors['tensors']): ReadonlyMap<string, Safetensors['tensors']> => {
  const groups = groupBy(tensors, ([name]) => name.slice(0, name.indexOf('/')))
  return new Map([...groups].map(([name, entries]) => [name, new Map(entries)]))
}

/** All subjects, and the version of PyTorch that computed them. */
export const readGolden = async (): Promise<{ readonly torch: string; readonly subjects: readonly Subject[] }> => {
  const { tensors, metadata } = pipe(
    await readSafetensorsFile(file)(),
    E.getOrElseW((error) => {
      throw new Error(error.message)
    }),
  )
  const groups = bySubject(tensors)
  return {
    torch: metadata.get('torch') ?? 'unknown',
    subjects: [...metadata].flatMap(([name, text]) =>
      name === 'torch' ? [] : [subjectOf(name, text, groups.get(name) ?? new Map())],
    ),
  }
}

/**
 * A shader while it is written: pieces of memory as arrays of words, a block of numbers in a uniform, and functions, of which the text holds those that
 * are used.
 *
 * All numbers that are not part of the text are words of the block: where buffers begin, how many elements there are, literals that WGSL cannot
 * write. So kernels of one structure share a pipeline, whatever their places.
 */
import { bytesPerElement, type DType } from '../../../graph/dtype.ts'
import { functionsText, type FunctionName } from './functions.ts'
import { lines, u32, type Lines } from './text.ts'

/** What a kernel reaches: a buffer of the plan, or scratch memory of its own, at an offset in bytes. */
export type Pointer =
  | { readonly kind: 'buffer'; readonly buffer: number }
  | { readonly kind: 'scratch'; readonly offset: number }

/** A word of a phase's block. */
export type Word = Pointer | { readonly kind: 'number'; readonly value: number }

/** The place of a pointer among those of a phase, and among the words of its block. */
export interface Address {
  readonly pointer: number
  /** Name of the variable with the first element, in words of memory. */
  readonly name: string
}

/** How elements of a dtype are held in a shader's variables. Halves are computed with as f32, and rounded. */
export const laneType = (dtype: DType): 'f32' | 'i32' | 'u32' =>
  dtype === 'f32' || dtype === 'f16' ? 'f32' : dtype === 'i32' ? 'i32' : 'u32'

/** Elements in a word of memory. */
export const perWord = (dtype: DType): number => Math.max(1, 4 / bytesPerElement[dtype])

/** A shader that is being written. */
export interface Shader {
  /** The body of its entry point. */
  readonly main: Lines
  /** A pointer of the block. */
  readonly address: (pointer: Pointer) => Address
  /** The name of a number of the block. */
  readonly number: (value: number) => string
  /** Notes that the text calls a function; its name. */
  readonly use: (name: FunctionName) => string
  /** The memory that a pointer leads to, as an array of u32; which of the bound ones that is, is known later ({@link bind}). */
  readonly memory: (address: Address) => string
  /** A declaration of the module, workgroup memory; the same one again is none. */
  readonly declare: (declaration: string) => void
  /** Notes that the text uses subgroups: it then has `subgroup`, the number of the invocation's own, `subgroup_lane`, its place in it, and `subgroup_count`. */
  readonly useSubgroups: () => void
  /** A name that no other variable has. */
  readonly fresh: (name: string) => string
}

/** A shader that is written: its memories are named by pointers. */
export interface Written {
  readonly body: string
  readonly words: readonly Word[]
  /** Invocations in a workgroup. */
  readonly workgroup: number
  /** What the text asks of the device besides, in the form of directives. */
  readonly directives: string
}

const header = (words: number): string => `struct Block { words: array<vec4u, ${words / 4}> }
@group(0) @binding(0) var<uniform> block: Block;`

const wordFunction = 'fn word(i: u32) -> u32 { return block.words[i >> 2u][i & 3u]; }'

const subgroupBuiltins = [
  '@builtin(subgroup_id) subgroup: u32',
  '@builtin(subgroup_invocation_id) subgroup_lane: u32',
  '@builtin(num_subgroups) subgroup_count: u32',
]

/** Words before those of the first member: the first workgroup of this dispatch, the one behind its last, and how many members there are. */
export const headWords = 3

/**
 * What a kernel's own text is, over the workgroup's number `group` and the invocation's number in it, `lane`.
 *
 * @param workgroup invocations in a workgroup
 */
export const writeShader = (workgroup: number, write: (shader: Shader) => void): Written => {
  const main = lines(1)
  const [words, names, declarations] = [[] as Word[], [] as string[], new Set<string>()]
  const builtins = [
    '@builtin(workgroup_id) id: vec3u',
    '@builtin(num_workgroups) size: vec3u',
    '@builtin(local_invocation_index) lane: u32',
  ]
  let directives = ''
  const used = new Set<FunctionName>()
  let [pointers, count] = [0, 0]
  const wordNamed = (name: string, word: Word): string => {
    words.push(word)
    names.push(name)
    return name
  }
  write({
    main,
    address: (pointer) => {
      const name = wordNamed(`at${pointers}`, pointer)
      return { pointer: pointers++, name }
    },
    number: (value) => wordNamed(`number_${words.length}`, { kind: 'number', value }),
    use: (name) => {
      used.add(name)
      return name
    },
    memory: ({ pointer }) => `memory_of_${pointer}`,
    declare: (declaration) => {
      declarations.add(declaration)
    },
    useSubgroups: () => {
      if (directives === '') builtins.push(...subgroupBuiltins)
      directives = 'enable subgroups;'
    },
    fresh: (name) => `${name}${count++}`,
  })
  const body = [
    ...declarations,
    wordFunction,
    functionsText(used),
    `@compute @workgroup_size(${workgroup})`,
    `fn main(${builtins.join(', ')}) {`,
    '  var group = word(0u) + id.x + id.y * size.x;',
    '  if (group >= word(1u)) { return; }',
    '  $MEMBER',
    ...names.map((name, i) => `  let ${name} = word(row + ${u32(i)});`),
    '  $SIZES',
    main.text(),
    '}',
  ].filter((part) => part !== '')
  return { body: `${body.join('\n')}\n`, words, workgroup, directives }
}

/** Finds the member to which a workgroup belongs, by bisection: each has the workgroup behind its last as the first word of its row. */
const findMember = (words: number): string =>
  [
    'var low = 0u;',
    'var high = word(2u);',
    'while (low < high) {',
    '  let middle = (low + high) / 2u;',
    `  if (group >= word(${u32(headWords)} + middle * ${u32(words + 1)})) { low = middle + 1u; } else { high = middle; }`,
    '}',
    `let row = ${u32(headWords + 1)} + low * ${u32(words + 1)};`,
    `if (low > 0u) { group -= word(row - ${u32(words + 2)}); }`,
  ].join('\n  ')

/** A number without a sign, as it stands in a text. */
const numeral = /\b\d+u\b/g

/** The text without its numbers: shaders that have it in common do the same, over other sizes. */
export const skeletonOf = ({ body }: Written): string => body.replaceAll(numeral, 'u')

/**
 * Shaders of one skeleton with one text: numbers in which they differ become words of their blocks. So members of a group are launched together whose
 * sizes and strides are not the same.
 */
export const inOneText = (all: readonly Written[]): readonly Written[] => {
  const numbers = all.map(({ body }) => (body.match(numeral) ?? []).map((n) => Number.parseInt(n, 10)))
  const first = numbers[0] ?? []
  const differing = [...first.keys()].filter((i) => numbers.some((own) => own[i] !== first[i]))
  const nameAt = new Map(differing.map((i, k) => [i, `size_${k}`]))
  const [one] = all
  if (one === undefined || differing.length === 0) return all
  let i = 0
  const sizes = differing.map((_, k) => `let size_${k} = word(row + ${u32(one.words.length + k)});`)
  const body = one.body.replaceAll(numeral, (text) => nameAt.get(i++) ?? text).replace('$SIZES', sizes.join('\n  '))
  return all.map((written, m) => ({
    ...written,
    body,
    words: [...written.words, ...differing.map((n) => ({ kind: 'number', value: numbers[m]?.[n] ?? 0 }) as const)],
  }))
}

/** How a shader is completed: where its memory lies, and what its block is. */
export interface Binding {
  /** For each pointer, which of the bound pieces of memory it leads to. */
  readonly memories: readonly number[]
  /** Whether the block is a table of members, each with a run of workgroups and a row of words. */
  readonly many: boolean
  /** Words of the block, a multiple of 4. */
  readonly words: number
}

/** The text of a shader. */
export const bind = ({ body, words, directives }: Written, { memories, many, words: size }: Binding): string => {
  const bound = [...new Set(memories)].toSorted((a, b) => a - b)
  const declared = bound.map((b) => `@group(0) @binding(${b + 1}) var<storage, read_write> memory_${b}: array<u32>;`)
  const named = body
    .replace('$MEMBER', many ? findMember(words.length) : `let row = ${u32(headWords)};`)
    .replace('  $SIZES\n', '')
    .replaceAll(/memory_of_(\d+)/g, (_, pointer: string) => `memory_${memories[Number(pointer)] ?? 0}`)
  return [...(directives === '' ? [] : [directives]), header(size), ...declared, named].join('\n')
}

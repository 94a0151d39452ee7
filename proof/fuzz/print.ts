/** A failing graph as code: a test that stands alone, to be pasted into a file of tests. */
import { decodeHalf } from '../../src/graph/half.ts'
import { roundTo, type DType, type TypedArray } from '../../src/graph/dtype.ts'
import type { Definition, Node, NodeOf, OpName } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import type { Check } from './checks.ts'

/** The shortest decimal that a dtype stores as `x`. */
const literal = (x: number, dtype: DType): string => {
  if (Object.is(x, -0)) return '-0'
  if (!Number.isFinite(x) || (dtype !== 'f32' && dtype !== 'f16')) return String(x)
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(x.toPrecision(digits))
    if (roundTo[dtype](short) === x) return String(short)
  }
  return String(x)
}

const list = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`

const layout = ({ shape, dtype }: Node): string =>
  [shape.length === 1 ? '' : `shape: ${list(shape)}`, dtype === 'f32' ? '' : `dtype: '${dtype}'`]
    .filter((s) => s !== '')
    .join(', ')

const dataCode = (name: 'tensor' | 'constant', node: Node, values: TypedArray): string => {
  const numbers = Array.from(values, (v) => literal(node.dtype === 'f16' ? decodeHalf(v) : v, node.dtype))
  const options = layout(node)
  return `${name}([${numbers.join(', ')}]${options === '' ? '' : `, { ${options} }`})`
}

/** An attribute as TypeScript spells it. */
const value = (x: unknown): string => {
  if (Array.isArray(x)) return `[${x.map(value).join(', ')}]`
  if (typeof x === 'string') return `'${x}'`
  if (typeof x !== 'object' || x === null) return String(x)
  return Object.keys(x).length === 0
    ? '{}'
    : `{ ${Object.entries(x)
        .map(([k, v]) => `${k}: ${value(v)}`)
        .join(', ')} }`
}

/** Names of nodes, lines of code, and what the code imports. */
interface Page {
  readonly names: Map<Node, string>
  readonly lines: string[]
  readonly imports: Map<string, string>
  readonly counter: { next: number }
}

const letters = 'abcdefghijklmnopqrstuvwxyz'

const fresh = (page: Page): string => {
  const i = page.counter.next++
  return i < 26 ? (letters[i] as string) : `x${i}`
}

const imported = (page: Page, name: string, path: string): string => {
  page.imports.set(name, path)
  return name
}

type Writers = {
  readonly [K in OpName]?: (node: NodeOf<K>, xs: readonly string[], page: Page) => string | undefined
}

const method =
  (name: string) =>
  (_: Node, [x, ...rest]: readonly string[]): string =>
    `${x}.${name}(${rest.join(', ')})`

const isIdentity = (permutation: readonly number[]): boolean => permutation.every((a, i) => a === i)

const tensorPath = (file: string): string => `src/tensor/${file}.ts`

/** How each primitive is written by hand; undefined where no method makes exactly this node. */
const writers: Writers = {
  stopGradient: method('stopGradient'),
  neg: method('neg'),
  exp: method('exp'),
  log: method('log'),
  sqrt: method('sqrt'),
  sin: method('sin'),
  cos: method('cos'),
  tanh: method('tanh'),
  logistic: method('sigmoid'),
  erf: method('erf'),
  floor: method('floor'),
  not: method('not'),
  add: method('add'),
  mul: method('mul'),
  div: method('div'),
  rem: method('rem'),
  max: method('maximum'),
  and: method('and'),
  or: method('or'),
  xor: method('xor'),
  shiftLeft: method('shiftLeft'),
  shiftRight: method('shiftRight'),
  less: method('less'),
  equal: method('equal'),
  where: method('select'),
  cast: (n, [x]) => (n.dtype === n.inputs[0].dtype ? undefined : `${x}.cast('${n.dtype}')`),
  bitcast: (n, [x]) => `${x}.bitcast('${n.dtype}')`,
  reduceSum: (n, [x]) =>
    n.dtype === n.inputs[0].dtype && n.attrs.axes.length > 0 ? `${x}.sum(${list(n.attrs.axes)})` : undefined,
  reduceMax: (n, [x]) => (n.attrs.axes.length > 0 ? `${x}.max(${list(n.attrs.axes)})` : undefined),
  reshape: (n, [x]) => (n.shape.join() === n.inputs[0].shape.join() ? undefined : `${x}.reshape(${list(n.shape)})`),
  transpose: (n, [x]) => (isIdentity(n.attrs.permutation) ? undefined : `${x}.transpose(${list(n.attrs.permutation)})`),
  reverse: (n, [x]) => `${x}.reverse(${list(n.attrs.axes)})`,
  pad: ({ attrs: { low, high, interior } }, [x]) =>
    `${x}.pad(${list(low)}, ${list(high)}${interior.some((i) => i > 0) ? `, ${list(interior)}` : ''})`,
  slice: ({ attrs: { start, limit, stride } }, [x]) =>
    `${x}.slice(${start.map((s, a) => list([s, limit[a] as number, ...(stride[a] === 1 ? [] : [stride[a] as number])])).join(', ')})`,
  concatenate: (n, xs, page) =>
    xs.length < 2
      ? undefined
      : `${imported(page, 'concatenate', tensorPath('combine'))}([${xs.join(', ')}], ${n.attrs.axis})`,
  gather: (n, xs, page) => `${imported(page, 'gather', tensorPath('combine'))}(${xs.join(', ')}, ${n.attrs.axis})`,
  scatterAdd: (n, xs, page) =>
    `${imported(page, 'scatterAdd', tensorPath('combine'))}(${xs.join(', ')}, ${n.attrs.size}, ${n.attrs.axis})`,
  cumsum: (n, [x], page) =>
    n.attrs.reverse ? undefined : `${imported(page, 'cumsum', tensorPath('cumsum'))}(${x}, ${n.attrs.axis})`,
  argsort: (n, xs, page) => `${imported(page, 'argsort', tensorPath('combine'))}(${xs.join(', ')}, ${n.attrs.axis})`,
  iota: (n, _, page) =>
    `${imported(page, 'iota', tensorPath('create'))}(${list(n.shape)}, ${n.attrs.axis}, '${n.dtype}')`,
  constant: (n, _, page) => {
    imported(page, 'constant', tensorPath('create'))
    return dataCode('constant', n, n.attrs.values)
  },
  dotGeneral: ({ attrs: { contract, batch }, dtype, inputs }, xs, page) =>
    dtype === inputs[0].dtype
      ? `${imported(page, 'dotGeneral', tensorPath('functions'))}(${xs.join(', ')}, ${value({ contract, batch })})`
      : undefined,
}

const write = (node: Node, page: Page): string => {
  const xs = node.inputs.map((x) => page.names.get(x) as string)
  const writer = writers[node.op] as ((n: Node, xs: readonly string[], page: Page) => string | undefined) | undefined
  const found = writer?.(node, xs, page)
  if (found !== undefined) return found
  imported(page, 'Tensor', tensorPath('tensor'))
  imported(page, 'makeNode', 'src/graph/node.ts')
  return `new Tensor(makeNode('${node.op}', ${value(node.attrs)}, [${xs.map((x) => `${x}.node`).join(', ')}]))`
}

/** A call as the function that it was: results used get names, in one pattern. */
const writeCall = (calls: readonly NodeOf<'call'>[], page: Page, indent: string): void => {
  const [first] = calls as readonly [NodeOf<'call'>]
  const { definition } = first.attrs
  const given = first.inputs.map((x) => page.names.get(x) as string).join(', ')
  if (definition.vjp !== undefined) {
    const name = fresh(page)
    page.names.set(first, name)
    page.lines.push(
      `${indent}const ${name} = ${imported(page, 'steepSine', 'proof/fuzz/operations/annotated.ts')}(${given})`,
    )
    return
  }
  const inner: Page = { ...page, names: new Map(), lines: [] }
  const parameters = definition.parameters.map((p) => {
    const name = fresh(page)
    inner.names.set(p, name)
    return name
  })
  writeNodes(definition.outputs, inner, `${indent}  `)
  const results = definition.outputs.map((o) => inner.names.get(o) as string)
  const pattern = definition.outputs.map((_, i) => {
    const node = calls.find((c) => c.attrs.output === i)
    if (node === undefined) return ''
    const name = fresh(page)
    page.names.set(node, name)
    return name
  })
  imported(page, 'Tensor', tensorPath('tensor'))
  page.lines.push(
    `${indent}const [${pattern.join(', ')}] = ${opening(definition, page)}(${parameters.map((p) => `${p}: Tensor`).join(', ')}) => {`,
    ...inner.lines,
    `${indent}  return [${results.join(', ')}] as const`,
    `${indent}})(${given})`,
  )
}

const opening = (definition: Definition, page: Page): string => {
  const path = tensorPath('annotate')
  return definition.checkpoint
    ? `${imported(page, 'checkpoint', path)}(`
    : `${imported(page, 'call', path)}(${value(definition.name)}, `
}

const writeNodes = (outputs: readonly Node[], page: Page, indent: string): void => {
  const nodes = reachable(outputs)
  for (const node of nodes) {
    if (page.names.has(node)) continue
    if (node.op === 'call') {
      const siblings = nodes.filter((n) => n.op === 'call' && n.inputs === node.inputs)
      writeCall(siblings as readonly NodeOf<'call'>[], page, indent)
      continue
    }
    const code = write(node, page)
    const name = fresh(page)
    page.names.set(node, name)
    page.lines.push(`${indent}const ${name} = ${code}`)
  }
}

/** The names of the primitives of a graph that compute something, in order. */
export const primitivesOf = (outputs: readonly Node[]): readonly OpName[] =>
  reachable(outputs).flatMap((n) => (n.inputs.length > 0 ? [n.op] : []))

const importLines = (imports: ReadonlyMap<string, string>, root: string): readonly string[] => {
  const paths = [...new Set(imports.values())].toSorted()
  return paths.map((path) => {
    const names = [...imports].flatMap(([name, from]) => (from === path ? [name] : []))
    return `import { ${names.toSorted().join(', ')} } from '${root}${path}'`
  })
}

/**
 * A test that runs `check` on the graph of `outputs`, whose leaves are data.
 *
 * @param root what leads from the test's folder to the repository: `../../`
 */
export const printTest = (outputs: readonly Node[], check: Check, root = '../../'): string => {
  const page: Page = { names: new Map(), lines: [], imports: new Map(), counter: { next: 0 } }
  const buffers = reachable(outputs).flatMap((n) => (n.op === 'buffer' ? [n] : []))
  const tensors = buffers.map((b) => {
    page.names.set(b, fresh(page))
    if (b.attrs.source.kind !== 'host') throw new Error('printTest: the data of a leaf lies on a device')
    return `    ${dataCode('tensor', b, b.attrs.source.values)},`
  })
  if (buffers.length > 0) imported(page, 'tensor', tensorPath('create'))
  writeNodes(outputs, page, '    ')
  imported(page, 'Tensor', tensorPath('tensor'))
  for (const { name, path } of check.code.imports) imported(page, name, path)
  const parameters = buffers.map((b) => page.names.get(b) as string)
  return [
    `import { expect, it } from 'vitest'`,
    ...importLines(page.imports, root),
    '',
    `it('${check.name}: ${primitivesOf(outputs).join(' ')}', async () => {`,
    '  const inputs = [',
    ...tensors,
    '  ] as const',
    `  const f = (${parameters.map((p) => `${p}: Tensor`).join(', ')}): readonly Tensor[] => {`,
    ...page.lines,
    `    return [${outputs.map((o) => page.names.get(o) as string).join(', ')}]`,
    '  }',
    `  expect(await ${check.code.expression}.run(f, inputs)).toBeUndefined()`,
    '})',
    '',
  ].join('\n')
}

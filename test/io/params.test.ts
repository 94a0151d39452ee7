/** Parameters to files and back: names, axes, dtypes, and what is said when they do not fit. */
import fc from 'fast-check'
import { mkdtemp, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DType } from '../../src/graph/dtype.ts'
import { encodeHalf } from '../../src/graph/half.ts'
import type { ArrayRecord, RecordDType } from '../../src/io/arrayRecord.ts'
import { loadParams, loadTensors, saveParams } from '../../src/io/params.node.ts'
import { recordsOf, tensorsOf, treeFrom } from '../../src/io/params.ts'
import { readSafetensors } from '../../src/io/safetensors.ts'
import { conv2d } from '../../src/nn/conv2d.ts'
import { linear } from '../../src/nn/linear.ts'
import { compose } from '../../src/nn/module.ts'
import { E } from '../../src/prelude/fp.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { placesOf, torchLayouts, type NameMap } from '../../src/tensor/nameMap.ts'
import { key } from '../../src/tensor/random.ts'
import { lucidrainsNames, unet } from '../../src/models/index.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'
import { right } from '../train/tinyRun.ts'

const device = cpuDevice()
const folder = await mkdtemp(join(tmpdir(), 'fathom-params-'))

const bytesOf = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

const record = (dtype: RecordDType, values: ArrayBufferView, shape: readonly number[]): ArrayRecord => ({
  dtype,
  shape,
  bytes: bytesOf(values),
})

/** The message of a Left. */
const messageOf = (result: E.Either<{ readonly message: string }, unknown>): string =>
  E.isLeft(result) ? result.left.message : ''

/** Names with their bytes, in an order of their own. */
const bits = async (tree: unknown): Promise<readonly (readonly [string, ArrayRecord])[]> => recordsOf(device, tree)

const net = compose(
  { conv: conv2d(3, 4, 3), out: linear(4, 2), blocks: [linear(2, 2), linear(2, 3)] },
  ({ conv }, x: Parameters<ReturnType<typeof linear>['apply']>[1]) => conv(x),
)

describe('a tree of parameters', () => {
  const maps: readonly (readonly [string, NameMap])[] = [
    ['our own names', {}],
    ['a prefix', { rename: [{ prefix: '', to: 'model.' }] }],
    ['PyTorch’s axes', { layout: torchLayouts }],
    [
      'renames in order, of beginnings, ends and patterns',
      {
        rename: [
          { prefix: 'conv.', to: 'stem.' },
          { suffix: '.weight', to: '.w' },
          { pattern: /blocks\.(\d)/, to: 'layer$1' },
          { prefix: 'stem.w', to: 'first' },
        ],
        layout: [{ layout: 'HWIO->O1HIW', pattern: /^conv/ }, { layout: 'C->1C11' }],
      },
    ],
  ]

  it.each(maps)('comes back from a file with the same bits under %s', async (name, map) => {
    const params = await device.realize(net.init(key(1)))
    const path = join(folder, `${name.replaceAll(/\W/g, '-')}.safetensors`)
    right(await saveParams(device, path, params, map)())
    expect(await bits(right(await loadParams(path, net.init(key(2)), map)()))).toEqual(await bits(params))
  })

  it('comes back whatever its names, shapes, axes and numbers', async () => {
    const leaf = fc
      .record({
        shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
        dtype: fc.constantFrom<DType>('f16', 'f32', 'f64', 'i32', 'u32', 'u8', 'bool'),
        order: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
        ones: fc.nat(2),
        seed: fc.nat(),
      })
      .map(({ shape, dtype, order, ones, seed }) => {
        const letters = [...'HWIO'].slice(0, shape.length)
        const theirs = [...letters, ...Array<string>(ones).fill('1')]
          .map((axis, i) => [axis, order[i] ?? 0] as const)
          .toSorted(([, a], [, b]) => a - b)
          .map(([axis]) => axis)
        const size = shape.reduce((a, b) => a * b, 1)
        const values = Float64Array.from(
          { length: size },
          (_, i) => ((seed + 37 * i) % 251) * (dtype === 'bool' ? 0 : 1),
        )
        return {
          x: tensor(Array.from(values), { shape, dtype }),
          layout: `${letters.join('')}->${theirs.join('')}`,
        }
      })
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 4 }),
        fc.array(leaf, { minLength: 4, maxLength: 4 }),
        fc.stringMatching(/^[a-z.]{0,5}$/),
        async (names, made, prefix) => {
          const own = names.map((name, i) => [name, made[i]] as const)
          const tree = { net: Object.fromEntries(own.map(([name, one]) => [name, one?.x])) }
          const map: NameMap = {
            rename: [
              { prefix: 'net.', to: prefix },
              { suffix: 'e', to: 'ee' },
            ],
            layout: own.map(([name, one]) => ({ layout: one?.layout ?? '->', pattern: new RegExp(`^net\\.${name}$`) })),
          }
          const records = new Map(await recordsOf(device, tree, map))
          for (const { name, shape } of placesOf(tree, map)) expect(records.get(name)?.shape).toEqual(shape)
          expect(await bits(right(treeFrom(tree, records, map)))).toEqual(await bits(tree))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('of a U-Net comes back from lucidrains’ names and axes', async () => {
    const model = unet({ width: 4, multipliers: [1, 2], heads: 2, headWidth: 3 })
    const params = await device.realize(model.init(key(3)))
    const names = lucidrainsNames(params)
    const records = new Map(await recordsOf(device, params, names))
    expect(records.get('init_conv.weight')?.shape).toEqual([4, 3, 7, 7])
    expect(records.get('downs.0.2.mem_kv')?.shape).toEqual([2, 2, 3, 4]) // of linear attention: channels before memory
    expect(records.get('downs.1.2.mem_kv')?.shape).toEqual([2, 2, 4, 3])
    expect(await bits(right(treeFrom(model.init(key(0)), records, names)))).toEqual(await bits(params))
  })

  it('has its tensors in PyTorch’s order under torchLayouts', async () => {
    const weight = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { dtype: 'u8' },
    )
    const [[, written] = []] = await recordsOf(device, { weight }, { layout: torchLayouts })
    expect(written).toEqual(record('u8', Uint8Array.of(1, 4, 2, 5, 3, 6), [3, 2]))
  })

  it('says that it is fathom’s, unless another text is given', async () => {
    const path = join(folder, 'metadata.safetensors')
    right(await saveParams(device, path, net.init(key(0)))())
    expect([...right(readSafetensors(await readFile(path))).metadata]).toEqual([['format', 'fathom']])
    right(await saveParams(device, path, net.init(key(0)), { metadata: { format: 'pt' } })())
    expect([...right(readSafetensors(await readFile(path))).metadata]).toEqual([['format', 'pt']])
  })
})

describe('dtypes', () => {
  const into = (dtype: DType, found: ArrayRecord, round = false) =>
    treeFrom({ x: zeros(found.shape, dtype) }, new Map([['x', found]]), { round })
  const numbers = async (dtype: DType, found: ArrayRecord, round = false): Promise<number[]> => {
    const [x] = leaves(right(into(dtype, found, round)))
    expect(x?.dtype).toBe(dtype)
    return x === undefined ? [] : Array.from(await device.read(x))
  }

  it('an f16 tensor is written as F16 with its bits: both zeros, subnormals, infinities and the largest', async () => {
    const halves = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i).filter((h) => (h & 0x7fff) <= 0x7c00)
    const [[, written] = []] = await recordsOf(device, { x: tensor(halves) })
    expect(written?.dtype).toBe('f16')
    expect(written?.bytes).toEqual(bytesOf(halves))
    const [read] = leaves(
      right(treeFrom({ x: zeros([halves.length], 'f16') }, new Map([['x', record('f16', halves, [halves.length])]]))),
    )
    const [[, again] = []] = await recordsOf(device, { read })
    expect(again?.bytes).toEqual(bytesOf(halves))
  })

  it('floats that are narrower become the same numbers in f32', async () => {
    expect(await numbers('f32', record('BF16', Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x8000), [4]))).toEqual([
      1,
      -2,
      Infinity,
      -0,
    ])
    expect(await numbers('f32', record('f16', Uint16Array.of(0x3c00, 0x0001), [2]))).toEqual([1, 2 ** -24])
    const e4m3 = Uint8Array.of(0x38, 0xb8, 0x7e, 0x01, 0x08, 0x80, 0x7f)
    expect(await numbers('f32', record('F8_E4M3', e4m3, [7]))).toEqual([1, -1, 448, 2 ** -9, 2 ** -6, -0, NaN])
    expect(await numbers('f32', record('F8_E5M2', Uint8Array.of(0x3c, 0x7b, 0x7c, 0x01), [4]))).toEqual([
      1,
      57344,
      Infinity,
      2 ** -16,
    ])
    expect(await numbers('f32', record('F8_E8M0', Uint8Array.of(127, 0, 254, 255), [4]))).toEqual([
      1,
      2 ** -127,
      2 ** 127,
      NaN,
    ])
  })

  it('floats that are wider must be held exactly, or are rounded where that is asked for', async () => {
    expect(await numbers('f32', record('f64', Float64Array.of(0.5, -0, NaN, Infinity), [4]))).toEqual([
      0.5,
      -0,
      NaN,
      Infinity,
    ])
    const tenth = record('f64', Float64Array.of(1, 0.1), [2])
    expect(messageOf(into('f32', tenth))).toBe(
      "the weights do not fit the model: 'x' is F64 and holds 0.1, which f32 cannot hold exactly; with round: true it is rounded",
    )
    expect(await numbers('f32', tenth, true)).toEqual([1, Math.fround(0.1)])
    const third = record('f32', Float32Array.of(1 / 3), [1])
    expect(messageOf(into('f16', third))).toContain("'x' is F32 and holds 0.3333")
    const [rounded] = leaves(right(into('f16', third, true)))
    const [[, written] = []] = await recordsOf(device, { rounded })
    expect(written?.bytes).toEqual(bytesOf(Uint16Array.of(encodeHalf(Math.fround(1 / 3)))))
  })

  it('whole numbers become the same whole numbers or floats, or are an error', async () => {
    expect(await numbers('i32', record('I8', Int8Array.of(-128, 127), [2]))).toEqual([-128, 127])
    expect(await numbers('i32', record('I16', Int16Array.of(-32768), [1]))).toEqual([-32768])
    expect(await numbers('u32', record('U16', Uint16Array.of(65535), [1]))).toEqual([65535])
    expect(await numbers('i32', record('I64', BigInt64Array.of(-(2n ** 31n)), [1]))).toEqual([-(2 ** 31)])
    expect(await numbers('f32', record('I64', BigInt64Array.of(1000n), [1]))).toEqual([1000])
    expect(messageOf(into('i32', record('I64', BigInt64Array.of(2n ** 31n), [1])))).toContain(
      "'x' is I64 and holds 2147483648, which i32 cannot hold exactly",
    )
    expect(messageOf(into('f64', record('I64', BigInt64Array.of(2n ** 53n + 1n), [1]), true))).toContain(
      'holds 9007199254740993, which f64 cannot hold exactly',
    )
    expect(messageOf(into('u8', record('I8', Int8Array.of(-1), [1])))).toContain('is I8 and holds -1')
  })

  it('booleans become 0 and 1, and nothing becomes a boolean', async () => {
    expect(await numbers('f32', record('bool', Uint8Array.of(0, 1), [2]))).toEqual([0, 1])
    expect(messageOf(into('bool', record('u8', Uint8Array.of(1), [1])))).toContain(
      "'x' is U8, where the model has bool",
    )
  })

  it('floats never become whole numbers, and what no dtype holds is named', () => {
    expect(messageOf(into('i32', record('f32', Float32Array.of(1), [1])))).toContain(
      "'x' is F32, where the model has i32",
    )
    expect(messageOf(into('f32', record('C64', Float32Array.of(1, 2), [1])))).toContain(
      "'x' is C64, which no dtype of fathom holds",
    )
    expect(messageOf(into('f32', record('F4', Uint8Array.of(1), [2])))).toContain("'x' is F4, which no dtype")
  })

  it('without a template each keeps its own, or the nearest that holds it, and all that do not fit are named', async () => {
    const found = new Map<string, ArrayRecord>([
      ['a', record('f64', Float64Array.of(0.1), [1])],
      ['b', record('BF16', Uint16Array.of(0x3f80), [])],
      ['c', record('I64', BigInt64Array.of(7n), [1])],
      ['d', record('bool', Uint8Array.of(1), [1])],
    ])
    const read = right(tensorsOf(found))
    expect([...read].map(([name, x]) => [name, x.dtype, x.shape])).toEqual([
      ['a', 'f64', [1]],
      ['b', 'f32', []],
      ['c', 'i32', [1]],
      ['d', 'bool', [1]],
    ])
    found.set('e', record('C64', Float32Array.of(1, 2), [1]))
    found.set('f', record('U64', BigUint64Array.of(2n ** 32n), [1]))
    const message = messageOf(tensorsOf(found))
    expect(message).toContain("'e' is C64, which no dtype of fathom holds")
    expect(message).toContain("'f' is U64 and holds 4294967296, which u32 cannot hold exactly")
  })
})

describe('what does not fit', () => {
  it('is named all together: missing, superfluous and misshapen, with the file and the nearest name', async () => {
    const path = join(folder, 'other.safetensors')
    right(await saveParams(device, path, { conv: { weight: zeros([2, 3]), bais: zeros([3]) }, head: zeros([4]) })())
    const template = { conv: { weight: zeros([3, 2]), bias: zeros([3]) }, last: { gain: zeros([1]) } }
    const result = await loadParams(path, template)()
    const message = messageOf(result)
    expect(message.startsWith(`${path}: the weights do not fit the model: `)).toBe(true)
    expect(message).toContain("'conv.bias' [3] is missing; did you mean 'conv.bais'?")
    expect(message).toContain("'last.gain' [1] is missing")
    expect(message).toContain(
      "'conv.weight' is [2,3] where the model has [3,2]: are its axes in another order? a layout says so",
    )
    expect(message).toContain("'conv.bais' is not in the model")
    expect(message).toContain("'head' is not in the model")
    const kinds =
      E.isLeft(result) && result.left._tag === 'ParamsError' ? result.left.misfits.map(({ kind }) => kind) : []
    expect(kinds).toEqual(['missing', 'missing', 'misshapen', 'superfluous', 'superfluous'])
  })

  it('is named without what a terminal would obey', () => {
    expect(messageOf(treeFrom({}, new Map([['\u001b[2J', record('u8', Uint8Array.of(1), [1])]])))).toContain(
      String.raw`'\u{1b}[2J' is not in the model`,
    )
  })

  it('is a file that is not there, or is no safetensors file', async () => {
    expect(messageOf(await loadTensors(join(folder, 'nowhere.safetensors'))())).toContain('nowhere.safetensors')
  })

  it('is a file whose format neither its bytes nor its name say; the name of safetensors says which rule is broken', async () => {
    const [other, broken] = [join(folder, 'weights.bin'), join(folder, 'broken.safetensors')]
    for (const path of [other, broken]) await writeFile(path, 'no weights')
    const unknown = await loadTensors(other)()
    expect(unknown).toMatchObject({ left: { _tag: 'FormatError' } })
    expect(messageOf(unknown)).toContain(
      `${other}: neither its bytes nor its name are those of a format that is read: safetensors (.safetensors)`,
    )
    expect(await loadTensors(broken)()).toMatchObject({ left: { _tag: 'SafetensorsError', code: 'ST-HEADER-LIMIT' } })
    expect(messageOf(await loadTensors(broken)())).toMatch(/broken\.safetensors: (?!.*broken\.safetensors)/u)
  })

  it('is metadata that is no text: nothing is written', async () => {
    const path = join(folder, 'never-written.safetensors')
    const metadata = { step: 3 } as unknown as Readonly<Record<string, string>>
    expect(messageOf(await saveParams(device, path, { w: zeros([1]) }, { metadata })())).toBe(
      `${path}: the metadata 'step' is 3, and not a text: write it as one`,
    )
    expect(messageOf(await loadTensors(path)())).toContain('ENOENT')
  })

  it('is not a name without a format’s extension: the file is safetensors', async () => {
    const path = join(folder, 'weights')
    await saveParams(device, path, { w: zeros([1]) })()
    expect(await loadTensors(path)()).toMatchObject({ right: new Map([['w', {}]]) })
  })

  it('is no file under another name: its bytes say what it is', async () => {
    const [path, moved] = [join(folder, 'moved.safetensors'), join(folder, 'moved.bin')]
    right(await saveParams(device, path, { w: tensor([7]) })())
    await rename(path, moved)
    expect(await values(right(await loadParams(moved, { w: zeros([1]) })()).w, device)).toEqual([7])
  })

  it('is a value that no file of tensors holds: a number in the tree is refused with its path, and nothing is written', async () => {
    const path = join(folder, 'number.safetensors')
    const refused = (tree: unknown) => expect(saveParams(device, path, tree)()).rejects
    await refused({ head: { gain: 0.5, weight: zeros([2]) } }).toThrow(
      "recordsOf: 'head.gain' in the tree is 0.5, and a file of parameters holds tensors alone: make one of it, scalar(0.5), or take it out of the tree",
    )
    await refused({ layers: [zeros([1]), Float32Array.of(1)] }).toThrow(
      "'layers.1' in the tree is a Float32Array, and a file of parameters holds tensors alone: make one of it, tensor(…)",
    )
    await refused({ count: 2n }).toThrow("'count' in the tree is the bigint 2n")
    await refused(3).toThrow('the tree is 3')
    expect(messageOf(await loadTensors(path)())).toContain('number.safetensors')
  })

  it('is a count: a whole number is kept exactly, as one of I64, and comes back as a number', async () => {
    const path = join(folder, 'count.safetensors')
    const tree = (step: number) => ({ run: { step }, w: tensor([step]) })
    for (const step of [0, -3, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      right(await saveParams(device, path, tree(step))())
      const read = right(await loadParams(path, tree(7))())
      expect(read.run.step).toBe(step)
    }
    expect(await recordsOf(device, tree(3))).toMatchObject([
      ['run.step', { dtype: 'I64', shape: [] }],
      ['w', {}],
    ])
    right(await saveParams(device, path, { w: tensor([1]) })())
    expect(messageOf(await loadParams(path, tree(7))())).toContain("'run.step' [] is missing")
    right(await saveParams(device, path, { run: { step: tensor(0.5) }, w: tensor([1]) })())
    expect(right(await loadParams(path, tree(7))()).run.step).toBe(0.5)
  })

  it('is no label: texts, booleans and what is absent stay with the model, whose template gives them back', async () => {
    const path = join(folder, 'labels.safetensors')
    const tree = (value: number) => ({ kind: 'conv', causal: true, bias: undefined, scale: null, w: tensor([value]) })
    right(await saveParams(device, path, tree(7))())
    const read = right(await loadParams(path, tree(0))())
    expect(read).toMatchObject({ kind: 'conv', causal: true, bias: undefined, scale: null })
    expect(Array.from(await device.read(read.w))).toEqual([7])
  })

  it('is a map that gives two tensors one name, or a layout that cannot be read', () => {
    const params = linear(2, 3).init(key(0))
    expect(() => placesOf(params, { rename: [{ pattern: /.+/, to: 'w' }] })).toThrow(
      "'bias' and 'weight' would both be 'w': give renames that tell them apart",
    )
    for (const layout of ['HWIO', 'IO->OO', 'IO->O', '1O->O1', 'II->II', 'IO->OIX'])
      expect(() => placesOf(params, { layout: [{ layout }] })).toThrow(`the layout '${layout}' cannot be read`)
  })
})

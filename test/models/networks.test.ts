/** Networks for pictures and texts, against PyTorch's own functions put together anew (test/golden/networks/networks.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import {
  classifierDefaults,
  classifierKinds,
  classifierOf,
  decodeClassifier,
  decodeLanguage,
  generateOn,
  gpt,
  gptFamily,
  gptSizes,
  languageModelOf,
  mlpFamily,
  resnet,
  resnetFamily,
  resnetSizes,
  vit,
  vitFamily,
  vitSizes,
} from '../../src/models/index.ts'
import type { GptOptions, ResnetOptions, VitOptions } from '../../src/models/index.ts'
import { applyWithState, evaluate, relu, stateOf, type Mode, type Module, type ModelState } from '../../src/nn/index.ts'
import { at, product, range } from '../../src/prelude/array.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { countElements, leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

interface Case {
  readonly options: object
  readonly logits: readonly number[]
  /** The sum of squares of each parameter's gradient. */
  readonly gradients: Readonly<Record<string, number>>
  readonly shape?: Shape
  readonly ids?: readonly (readonly number[])[]
  readonly train?: boolean
  readonly state?: Readonly<Record<string, readonly [readonly number[], readonly number[]]>>
}
const golden = JSON.parse(readFileSync(new URL('../golden/networks/networks.json', import.meta.url), 'utf8')) as {
  readonly cases: Readonly<Record<string, Case>>
}
const caseOf = (name: string): Case => golden.cases[name] ?? { options: {}, logits: [], gradients: {} }

const device = cpuDevice()

/** The parameters of the golden values, by a formula of their paths. */
const filled = <P>(params: P): P =>
  mapTree<P>(params, ({ shape, size }, path) => {
    const phase = 0.1 * [...path].reduce((sum, c) => sum + (c.codePointAt(0) ?? 0), 0)
    const wave = range(size).map((i) => Math.sin(1.7 * (i + 1) + phase))
    const scaled = (w: number): number => {
      if (shape.length > 1) return (1.6 / Math.sqrt(size / at(shape, shape.length - 1))) * w
      return path.endsWith('weight') ? 1 + 0.2 * w : 0.2 * w
    }
    return tensor(wave.map(scaled), { shape, dtype: 'f64' })
  })
const picture = (shape: Shape): Tensor =>
  tensor(
    range(product(shape)).map((i) => Math.sin(0.9 * i)),
    { shape, dtype: 'f64' },
  )

/** Running statistics before the pass. */
const begun = (state: ModelState): ModelState =>
  mapTree<ModelState>(state, (x, path) => {
    if (path.endsWith('mean')) return x.mul(0).add(0.1)
    return path.endsWith('variance') ? x.mul(0).add(1.5) : x
  })

const expectClose = (found: readonly number[], expected: readonly number[], tolerance: number): void => {
  expect(found).toHaveLength(expected.length)
  found.forEach((x, i) =>
    expect(Math.abs(x - at(expected, i))).toBeLessThan(tolerance * (1 + Math.abs(at(expected, i)))),
  )
}

/** Logits and gradients of a model, and the state after the pass. */
const expectGolden = async <P>(name: string, model: Module<P>, x: Tensor): Promise<ModelState> => {
  const { logits, gradients, train = false } = caseOf(name)
  const params = filled(model.init(key(0)))
  const mode: Mode = train ? { train: true, key: key(0) } : evaluate
  const of = (p: P) => applyWithState(model, p, begun(stateOf(model)), x, mode)
  const [y, next] = of(params)
  expectClose(await values(y, device), logits, 1e-6) // statistics are f32
  const waved = (p: P): Tensor => {
    const [out] = of(p)
    return out.mul(tensor(range(out.size).map(Math.cos), { shape: out.shape, dtype: 'f64' })).sum()
  }
  const squares = mapTree<P, object>(grad(waved)(params), (g) => g.square().sum())
  const found = await Promise.all(
    leavesWithPaths(squares).map(async ([path, g]) => [path, at(await values(g, device), 0)] as const),
  )
  expect(found.map(([path]) => path).toSorted()).toEqual(Object.keys(gradients).toSorted())
  for (const [path, square] of found) {
    const expected = gradients[path] ?? NaN
    expect(Math.abs(square - expected), path).toBeLessThan(1e-5 * (1e-3 + expected))
  }
  return next
}

const build = {
  resnet: (options: object) => resnet(options as ResnetOptions),
  vit: (options: object) => vit(options as VitOptions),
  gpt: (options: object) => gpt(options as GptOptions),
}

describe('residual networks', () => {
  const cases = ['basic-batch-train', 'basic-batch', 'bottleneck-batch-train', 'bottleneck-group']

  it.each(cases)('%s: logits, every gradient and running statistics are those of PyTorch', async (kind) => {
    const { options, shape = [], state = {} } = caseOf(`resnet-${kind}`)
    const next = Object.fromEntries(
      leavesWithPaths(await expectGolden(`resnet-${kind}`, build.resnet(options), picture(shape))),
    )
    for (const [path, [mean, variance]] of Object.entries(state)) {
      expectClose(await values(next[`${path}.mean`] ?? zeros([]), device), mean, 1e-6)
      expectClose(await values(next[`${path}.variance`] ?? zeros([]), device), variance, 1e-6)
    }
    expect(Object.keys(next)).toHaveLength(3 * Object.keys(state).length)
  })

  it('have the parameters of torchvision', () => {
    const count = (n: 18 | 34 | 50) => countElements(resnet(resnetSizes[n]).init(key(0)))
    expect([count(18), count(34), count(50)]).toEqual([11_689_512, 21_797_672, 25_557_032])
  })

  it('what cannot be meant is refused', () => {
    expect(() => resnet({ blocks: [] })).toThrow('blocks must be a list of counts, one for each stage')
    expect(() => resnet({ blocks: [1], norm: 'layer' as never })).toThrow("norm is 'layer'; it must be batch or group")
    expect(() => resnet({ blocks: [1, 0] })).toThrow('a count of blocks is 0')
    const small = resnet({ blocks: [1], width: 4, norm: 'group' })
    expect(() => small.apply(small.init(key(0)), zeros([2, 8, 8, 1]))).toThrow(
      'resnet: takes pictures [N, H, W, 3], got [2,8,8,1]',
    )
    expect(resnetFamily.decode({ blocks: [1, 1], widht: 3 })).toMatchObject({
      _tag: 'Left',
      left: { hint: expect.stringContaining('width') },
    })
  })
})

describe('vision transformers', () => {
  it.each(['token', 'mean'])('%s: logits and every gradient are those of PyTorch', async (pooling) => {
    const { options, shape = [] } = caseOf(`vit-${pooling}`)
    await expectGolden(`vit-${pooling}`, build.vit(options), picture(shape))
  })

  it('ViT-B/16 has the parameters of torchvision', () => {
    expect(countElements(vit({ size: [224, 224], patch: 16, ...vitSizes.B }).init(key(0)))).toBe(86_567_656)
  })

  it('what cannot be meant is refused', () => {
    expect(() => vit({ size: [30, 32] })).toThrow('vit: patches of 16×16 do not tile pictures of 30×32')
    expect(() => vit({ size: [32, 32], heads: 5 })).toThrow('heads')
    expect(() => vit({ size: [32, 32], pooling: 'max' as never })).toThrow("pooling is 'max'")
    const model = vitFamily.build({ patch: 4, width: 8, depth: 1, heads: 2 }, { size: [8, 8], channels: 1, classes: 2 })
    expect(() => model.apply(model.init(key(0)), zeros([1, 8, 12, 1]))).toThrow(
      'vit: takes pictures [N, 8, 8, 1], got [1,8,12,1]',
    )
  })
})

describe('GPT', () => {
  it.each(['gpt', 'gpt-rotary', 'gpt-untied'])('%s: logits and every gradient are those of PyTorch', async (name) => {
    const { options, ids = [] } = caseOf(name)
    await expectGolden(name, build.gpt(options), tensor(ids as number[][], { dtype: 'i32' }))
  })

  it('has the parameters of GPT-2', () => {
    expect(countElements(gpt({ vocabulary: 50_257, ...gptSizes.small }).init(key(0)))).toBe(124_439_808)
  })

  it.each(['learned', 'rotary'] as const)(
    'writes with a cache, %s places, what it writes when it reads all anew each time',
    async (positions) => {
      const model = gpt({ vocabulary: 11, context: 8, width: 8, depth: 2, heads: 2, positions })
      const params = mapTree<ReturnType<typeof model.init>>(model.init(key(2)), (x) => x.mul(8)) // decided logits
      const prompt = [3, 1, 4]
      const found = await generateOn(device, model)(params, { prompt, count: 20, topK: 1 })
      let seen = prompt
      let expected: number[] = []
      for (let i = 0; i < 20; i++) {
        const all = [...prompt, ...expected]
        if (seen.length > 8) seen = all.slice(-4)
        const logits = await values(model.apply(params, tensor([seen], { dtype: 'i32' })).slice([], [-1]), device)
        const token = logits.indexOf(Math.max(...logits))
        expected = [...expected, token]
        seen = [...seen, token]
      }
      expect(found).toEqual(expected)
      expect(new Set(found).size).toBeGreaterThan(1)
    },
  )

  it('draws by the seed, tells each token, and takes one of the likeliest', async () => {
    const model = gpt({ vocabulary: 9, context: 16, width: 8, depth: 1, heads: 2 })
    const params = model.init(key(0))
    const generate = generateOn(device, model)
    const told: number[] = []
    const of = (seed: number) => generate(params, { prompt: [0], count: 12, seed })
    const first = await generate(params, { prompt: [0], count: 12, seed: 1, onToken: (id) => void told.push(id) })
    expect(told).toEqual(first)
    expect(await of(1)).toEqual(first)
    expect(await of(2)).not.toEqual(first)
    const two = await generate(params, { prompt: [0], count: 1, topK: 2, seed: 5 })
    const logits = await values(model.apply(params, zeros([1, 1], 'i32')), device)
    const order = range(9).toSorted((a, b) => at(logits, b) - at(logits, a))
    expect(order.slice(0, 2)).toContain(two[0])
  })

  it('draws all of the fewest likeliest tokens that have the share topP together, and no other', async () => {
    const model = gpt({ vocabulary: 9, context: 4, width: 8, depth: 1, heads: 2 })
    const params = mapTree<ReturnType<typeof model.init>>(model.init(key(3)), (x) => x.mul(4))
    const temperature = 0.5
    const logits = (await values(model.apply(params, zeros([1, 1], 'i32')), device)).map((x) => x / temperature)
    const weights = logits.map((x) => Math.exp(x - Math.max(...logits)))
    const shares = weights.map((w) => w / weights.reduce((a, b) => a + b))
    const order = range(9).toSorted((a, b) => at(shares, b) - at(shares, a))
    const generate = generateOn(device, model)
    for (const topP of [0.01, 0.4, 0.7]) {
      let [together, count] = [0, 0]
      while (together < topP) together += at(shares, at(order, count++))
      const drawn = new Set<number | undefined>()
      for (const seed of range(150))
        drawn.add((await generate(params, { prompt: [0], count: 1, temperature, topP, seed }))[0])
      expect(drawn, `topP ${topP}`).toEqual(new Set(order.slice(0, count)))
    }
    await expect(generate(params, { prompt: [0], count: 1, topP: 0 })).rejects.toThrow('topP is 0; it must be above 0')
  })

  it('what cannot be meant is refused', async () => {
    const model = gpt({ vocabulary: 9, context: 4, width: 8, depth: 1, heads: 2 })
    const params = model.init(key(0))
    expect(() => model.apply(params, zeros([1, 5], 'i32'))).toThrow('gpt: takes tokens [N, T], T up to 4, got [1,5]')
    expect(() => model.apply(params, tensor([[9]], { dtype: 'i32' }))).toThrow('gpt: the token 9 is outside 0 … 8')
    const generate = generateOn(device, model)
    await expect(generate(params, { prompt: [], count: 1 })).rejects.toThrow('the prompt is empty')
    await expect(generate(params, { prompt: [9], count: 1 })).rejects.toThrow('a token 9, outside 0 … 8')
    await expect(generate(params, { prompt: [1], count: 1, temperature: 0 })).rejects.toThrow('temperature is 0')
    expect(() => gpt({ vocabulary: 0 })).toThrow('vocabulary is 0')
    expect(() => gpt({ vocabulary: 3, positions: 'sines' as never })).toThrow("positions are 'sines'")
  })
})

describe('families of classifiers', () => {
  it.each(classifierKinds)(
    '%s: its defaults are settings of its own, and its network says a logit for each class',
    (kind) => {
      const config = classifierDefaults(kind)
      expect(decodeClassifier(JSON.parse(JSON.stringify(config)))).toEqual({ _tag: 'Right', right: config })
      const shape = classifierOf(config, { size: [8, 8], channels: 1, classes: 3 })(
        ({ network }) => network.apply(network.init(key(0)), zeros([2, 8, 8, 1])).shape,
      )
      expect(shape).toEqual([2, 3])
    },
  )

  it('a perceptron sees every number of a picture, in the order in which they lie', async () => {
    const network = mlpFamily.build({ hidden: [5], activation: 'relu' }, { size: [2, 3], channels: 2, classes: 4 })
    const params = network.init(key(1))
    const x = picture([2, 2, 3, 2]).cast('f32')
    const [first, second] = params.layers
    const hidden = relu(
      x
        .reshape([2, 12])
        .matmul(first?.weight ?? x)
        .add(first?.bias ?? 0),
    )
    const expected = hidden.matmul(second?.weight ?? x).add(second?.bias ?? 0)
    expectClose(await values(network.apply(params, x), device), await values(expected, device), 1e-6)
    expect(() => network.apply(params, zeros([2, 3, 2, 2]))).toThrow('mlp: takes pictures [N, 2, 3, 2], got [2,3,2,2]')
  })

  it('what cannot be meant is refused, by the setting', () => {
    const left = (input: unknown) => {
      const decoded = decodeClassifier(input)
      return decoded._tag === 'Left' ? decoded.left : decoded
    }
    expect(left({ kind: 'resnets' })).toMatchObject({ hint: '; did you mean resnet?' })
    expect(left({ kind: 'mlp', hidden: [0] })).toMatchObject({ inside: { path: 'hidden', got: '[0]' } })
    expect(left({ kind: 'mlp', hidden: [8], activation: 'tanh' })).toMatchObject({ inside: { path: 'activation' } })
    expect(left({ kind: 'vit', blocks: [1] })).toMatchObject({ expected: undefined, inside: { path: 'blocks' } })
    expect(left(7)).toMatchObject({ inside: { path: 'kind', got: 'undefined' } })
  })
})

describe('the family of GPT', () => {
  it('builds what a configuration names, for so many tokens', () => {
    const config = { ...gptFamily.defaults, kind: 'gpt' as const }
    expect(decodeLanguage(JSON.parse(JSON.stringify(config)))).toEqual({ _tag: 'Right', right: config })
    const model = languageModelOf({ ...config, context: 16, width: 8, depth: 1, heads: 2, tied: false }, 11)
    expect([model.context, model.vocabulary]).toEqual([16, 11])
    const params = model.init(key(0))
    expect(params.places?.weight.shape).toEqual([16, 8])
    expect(params.out?.weight.shape).toEqual([8, 11])
    expect(params.blocks).toHaveLength(1)
  })

  it.each([
    [{ kind: 'lstm' }, { expected: 'one of gpt' }],
    [
      { kind: 'gpt', widht: 8 },
      { expected: undefined, hint: '; did you mean width?' },
    ],
    [
      { kind: 'gpt', context: 1 },
      { expected: 'a whole number from 2 to 1048576', inside: { path: 'context' } },
    ],
    [
      { kind: 'gpt', width: 30, heads: 4 },
      { expected: 'a divisor of the width, 30', inside: { path: 'heads' } },
    ],
    [{ kind: 'gpt', width: 12, heads: 4, positions: 'rotary' }, { inside: { path: 'heads' } }],
    [{ kind: 'gpt', tied: 1 }, { expected: 'true or false' }],
    [{ kind: 'gpt', dropout: 1 }, { inside: { path: 'dropout' } }],
    [{ kind: 'gpt', vocabulary: 5 }, { expected: undefined }],
  ])('%j is refused, by the setting', (input, fault) => {
    expect(decodeLanguage(input)).toMatchObject({ _tag: 'Left', left: fault })
  })
})

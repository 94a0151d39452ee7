/**
 * fathom's side of the comparison of the cookbook's training steps: the networks of examples/cookbook, with the weights and inputs of programs.py,
 * and the same protocol, one JSON line in, one out.
 */
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { countElements, key, openDevice, valueAndGrad, type Tensor } from '../../src/index.ts'
import { loadParams, loadTensors } from '../../src/io/index.ts'
import { applyWithState, crossEntropy, mse, stateOf } from '../../src/nn/index.ts'
import { adam, adamW, addDecayedWeights, applyUpdates, chain, clipByGlobalNorm, sgd, type Transform } from '../../src/optim/index.ts' // prettier-ignore
import { E } from '../../src/prelude/fp.ts'
import { discriminator, generator, startGan, updateBoth } from '../../examples/cookbook/gan.ts'
import { gptOf, type GptSizes } from '../../examples/cookbook/gpt.ts'
import { lstmOf } from '../../examples/cookbook/lstm.ts'
import { resnetOf } from '../../examples/cookbook/resnet.ts'
import { decoder, encoder, vaeLoss } from '../../examples/cookbook/vae.ts'
import { vitOf } from '../../examples/cookbook/vit.ts'
import type { ProgramCase } from './programCases.ts'

const right = <T>(result: E.Either<{ readonly message: string }, T>): T => {
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** How a program is trained: state, then a step from state and inputs. */
type Inputs = Readonly<Record<string, Tensor>>
interface Program {
  readonly parameters: unknown
  readonly step: () => Promise<Tensor>
}

const { device: name, ...given } = JSON.parse(process.argv[2] ?? '') as ProgramCase & {
  readonly device: string
  readonly threads: number
  readonly folder: string
}
const { program, sizes, threads, folder } = given
const device = await openDevice(name, { wasm: { threads, v8Flags: true } })
const weights = async <T>(template: T): Promise<T> =>
  device.realize(right(await loadParams(join(folder, 'weights.safetensors'), template)()))
const inputs: Inputs = await device.realize(
  Object.fromEntries(right(await loadTensors(join(folder, 'inputs.safetensors'))())),
)
const input = (name: string, from: Inputs): Tensor => {
  const found = from[name]
  if (found === undefined) throw new Error(`inputs.safetensors lacks ${name}`)
  return found
}

/** A step of parameters, an optimizer and what else is carried, compiled and donated. */
const trained = <P, S, R>(
  params: P,
  rest: R,
  optimizer: Transform<S>,
  loss: (params: P, rest: R, from: Inputs) => readonly [Tensor, R],
): Program => {
  const compiled = device.compile(
    (state: { readonly params: P; readonly rest: R; readonly moments: S }, from: Inputs) => {
      const [[value, rest], gradients] = valueAndGrad((p: P) => loss(p, state.rest, from), { aux: true })(state.params)
      const [updates, moments] = optimizer.update(gradients, state.moments, state.params)
      return { state: { params: applyUpdates(state.params, updates), rest, moments }, value }
    },
    { donate: [0] },
  )
  let state = { params, rest, moments: optimizer.init(params) }
  return {
    parameters: params,
    step: async () => {
      const next = await compiled(state, inputs)
      state = next.state
      return next.value
    },
  }
}

const decayed = (beta2?: number) =>
  chain(
    clipByGlobalNorm(1),
    adamW({
      learningRate: 1e-3,
      weightDecay: 0.1,
      decays: (_, p) => p.rank === 2,
      ...(beta2 !== undefined && { beta2 }),
    }),
  )

const programs: { readonly [K in ProgramCase['program']]: () => Promise<Program> } = {
  gpt: async () => {
    const model = gptOf({ drops: 0, ...sizes } as unknown as GptSizes)
    return trained(await weights(model.init(key(0))), {}, decayed(0.95), (params, rest, from) => {
      const text = input('text', from)
      return [crossEntropy(model.apply(params, text.slice([], [0, -1])), text.slice([], [1])), rest]
    })
  },
  vit: async () => {
    const model = vitOf(sizes)
    return trained(await weights(model.init(key(0))), {}, decayed(), (params, rest, from) => [
      crossEntropy(model.apply(params, input('images', from)), input('labels', from)),
      rest,
    ])
  },
  resnet: async () => {
    const model = resnetOf(sizes['width'])
    const optimizer = chain(
      addDecayedWeights(5e-4, (_, p) => p.rank > 1),
      sgd({ learningRate: 0.01, momentum: 0.9, nesterov: true }),
    )
    return trained(await weights(model.init(key(0))), stateOf(model), optimizer, (params, state, from) => {
      const mode = { train: true, key: key(0) } as const
      const [logits, next] = applyWithState(model, params, state, input('images', from), mode)
      return [crossEntropy(logits, input('labels', from)), next]
    })
  },
  vae: async () => {
    const template = { encoder: encoder.init(key(0)), decoder: decoder.init(key(0)) }
    return trained(await weights(template), {}, adam({ learningRate: 1e-3 }), (params, rest, from) => [
      vaeLoss(params, input('images', from), input('noise', from)),
      rest,
    ])
  },
  gan: async () => {
    const { g, d } = await weights({ g: generator.init(key(0)), d: discriminator.init(key(0)) })
    const compiled = device.compile(
      (state: ReturnType<typeof startGan>, from: Inputs) =>
        updateBoth(state, input('images', from), input('noiseD', from), input('noiseG', from)),
      { donate: [0] },
    )
    let state = startGan(g, d)
    return {
      parameters: { g, d },
      step: async () => {
        const next = await compiled(state, inputs)
        state = next.state
        return next.lossG
      },
    }
  },
  lstm: async () => {
    const model = lstmOf(sizes['width'] ?? 0)
    const optimizer = chain(clipByGlobalNorm(1), adam({ learningRate: 1e-3 }))
    return trained(await weights(model.init(key(0))), {}, optimizer, (params, rest, from) => [
      mse(model.apply(params, input('x', from)), input('sum', from)),
      rest,
    ])
  },
}

const say = (values: Record<string, unknown>): void => {
  process.stdout.write(`${JSON.stringify(values)}\n`)
}

const { parameters, step } = await programs[program]()
say({
  about: `fathom on ${device.description}, Node ${process.version}`,
  parameters: countElements(parameters),
})
for await (const line of createInterface({ input: process.stdin })) {
  const [times, start, busy] = [Number(line), performance.now(), process.cpuUsage()]
  let loss = NaN
  for (let i = 0; i < times; i++) loss = await device.item(await step())
  const seconds = (performance.now() - start) / 1000 / times
  const { user, system } = process.cpuUsage(busy)
  say({ seconds, cpu: (user + system) / 1e6 / times, loss, peakBytes: 1024 * process.resourceUsage().maxRSS })
}
await device.close()

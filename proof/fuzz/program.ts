/**
 * Random programs as plain data: typed inputs, and steps that each apply an operation to values made before. A step chooses among the
 * operations that take the dtype and shape of its operand, so every list of steps is a program, and fast-check may cut it anywhere.
 */
import fc from 'fast-check'
import { isFloat, type DType } from '../../src/graph/dtype.ts'
import { DTypeError, ShapeError } from '../../src/prelude/errors.ts'
import { call, checkpoint } from '../../src/tensor/annotate.ts'
import { constant, iota, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { stored } from '../array.ts'
import { annotated } from './operations/annotated.ts'
import { elementwise } from './operations/elementwise.ts'
import { reducing } from './operations/reducing.ts'
import { shaping } from './operations/shaping.ts'
import { choices, floatsOf, rangeOf, type Context, type Mode, type Operation, type Value } from './value.ts'

/** An input: its type, and the seed of its elements. */
export interface InputSpec {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly seed: number
}

/** One step: which of the values, which of the operations that take it, and the seed of all further choices. */
export interface Step {
  readonly operand: number
  readonly operation: number
  readonly seed: number
}

/** A program, its inputs and its outputs' number. */
export interface Program {
  readonly mode: Mode
  readonly inputs: readonly InputSpec[]
  readonly steps: readonly Step[]
  /** Steps `from` … `from + length − 1` are the body of a call when a program runs with one. */
  readonly wrapped: { readonly from: number; readonly length: number }
}

/** Every operation by name. */
const operations: readonly Operation[] = [...elementwise, ...shaping, ...reducing, ...annotated]

const weighted = (list: readonly Operation[]): readonly Operation[] =>
  list.flatMap((o) => Array.from({ length: o.weight }, () => o))

const menus: { readonly [K in Mode]: readonly Operation[] } = {
  mixed: weighted(operations),
  wild: weighted(operations),
  double: weighted(operations),
  whole: weighted(operations),
  single: weighted(operations),
  smooth: weighted(operations.filter((o) => o.smooth)),
}

/** How many elements and axes a value may have. */
const limits = { elements: 240, axes: 6 }

/** What a run of a program counts: steps, and those that became a negation because their result was too large. */
export interface Steps {
  taken: number
  replaced: number
}

const inLimits = (v: Value): boolean => v.x.size <= limits.elements && v.x.rank <= limits.axes

const apply = (operation: Operation, operand: Value, context: Context): readonly Value[] => {
  try {
    const made = operation.make(operand, context)
    return 'x' in made ? [made] : made
  } catch (e) {
    if (e instanceof ShapeError || e instanceof DTypeError)
      throw new Error(
        `fuzz: '${operation.name}' took ${operand.x.dtype}[${operand.x.shape.join()}] and failed: ${e.message}`,
        { cause: e },
      )
    throw e
  }
}

const step = ({ operand, operation, seed }: Step, context: Context, steps: Steps): readonly Value[] => {
  const { values } = context
  // Three of four operands are recent: programs become deep, and some values are still used many times.
  const recent = operand % 4 === 0 ? operand >> 2 : values.length - 1 - ((operand >> 2) % 4)
  const value = values[((recent % values.length) + values.length) % values.length] as Value
  const menu = menus[context.mode].filter((o) => o.takes(value.x, context))
  const chosen = menu[operation % menu.length]
  if (chosen === undefined) throw new Error(`fuzz: no operation takes ${value.x.dtype}[${value.x.shape.join()}]`)
  const made = apply(chosen, value, { ...context, choose: choices(seed) })
  steps.taken++
  if (made.every(inLimits)) return made
  steps.replaced++
  return [
    {
      x: value.x.dtype === 'bool' ? value.x.not() : value.x.neg(),
      bound: rangeOf(value.x.dtype) === Infinity ? value.bound : rangeOf(value.x.dtype),
    },
  ]
}

const number = (dtype: DType, wild: boolean, choose: (n: number) => number): number => {
  const special = [0, -0, 1, wild ? Infinity : 2, wild ? NaN : -1]
  if (isFloat(dtype))
    return choose(12) === 0 ? (special[choose(5)] as number) : stored(dtype, (choose(8001) - 4000) / 1000)
  if (dtype === 'bool') return choose(2)
  if (dtype === 'u8') return choose(256)
  const wide = choose(3) === 0 ? choose(2 ** 32) : choose(17)
  return dtype === 'u32' ? wide : choose(2) === 0 ? wide | 0 : -wide | 0
}

/** The inputs of a program as data; the last one is its key. */
export const inputsOf = ({ inputs, mode }: Program): readonly Tensor[] => [
  ...inputs.map(({ dtype, shape, seed }) => {
    const choose = choices(seed)
    const size = shape.reduce((a, b) => a * b, 1)
    const elements = Array.from({ length: size }, () => number(dtype, mode === 'wild', choose))
    return tensor(elements, { dtype }).reshape(shape)
  }),
  tensor(new Uint32Array([inputs.length, inputs[0]?.seed ?? 0])),
]

/** What stands around the part of a program that is wrapped. */
export type Wrapper = 'nothing' | 'call' | 'checkpoint'

const around: { readonly [K in Wrapper]: (f: (...xs: readonly Tensor[]) => readonly Tensor[]) => typeof f } = {
  nothing: (f) => f,
  call: (f) => call('part', f),
  checkpoint: (f) => checkpoint(f),
}

/** The dtype of a mode's first input: its first float, or whole numbers. */
const main = (mode: Mode): DType => (mode === 'whole' ? 'u32' : (floatsOf(mode)[0] as DType))

/** The literals that stand before the inputs. */
const literals = (mode: Mode): readonly Value[] => [
  { x: constant([[1, -2, 3]], { dtype: mode === 'whole' ? 'i32' : main(mode) }), bound: 3 },
  ...(mode === 'smooth' ? [] : [{ x: iota([2, 3], 1), bound: 2 }]),
]

/** All values that the program makes of its inputs, in order, after its literals and the inputs themselves. */
const valuesOf = (
  program: Program,
  inputs: readonly Tensor[],
  wrapper: Wrapper = 'nothing',
  steps: Steps = { taken: 0, replaced: 0 },
): readonly Tensor[] => {
  const { mode, wrapped } = program
  const key = inputs.at(-1) as Tensor
  const bounds = inputs.map((x) => (isFloat(x.dtype) ? (mode === 'wild' ? Infinity : 4) : rangeOf(x.dtype)))
  const own = mode === 'smooth' ? inputs.slice(0, -1) : inputs
  const values: Value[] = [...literals(mode), ...own.map((x, i) => ({ x, bound: bounds[i] as number }))]
  const advance = (known: Value[], list: readonly Step[]): void => {
    for (const s of list) known.push(...step(s, { values: known, key, mode, choose: choices(0) }, steps))
  }
  const [first, end] = [wrapped.from, wrapped.from + wrapped.length]
  advance(values, program.steps.slice(0, first))
  const before = [...values]
  const made: Value[] = []
  const part = (...xs: readonly Tensor[]): readonly Tensor[] => {
    const known = before.map(({ bound }, i) => ({ x: xs[i] as Tensor, bound }))
    advance(known, program.steps.slice(first, end))
    made.push(...known.slice(before.length))
    return known.slice(before.length).map((v) => v.x)
  }
  // All values are arguments: what a body computes of captured tensors alone is moved out of the call, and its gradients are summed
  // after the call's, which may round otherwise.
  const results = around[wrapper](part)(...before.map((v) => v.x))
  values.push(...results.map((x, i) => ({ x, bound: (made[i] as Value).bound })))
  advance(values, program.steps.slice(end))
  return values.map((v) => v.x)
}

/** What an output can be: the last values, an input, a literal, a value twice, and views of values. */
export const outputsOf = (
  program: Program,
  inputs: readonly Tensor[],
  wrapper: Wrapper = 'nothing',
  steps?: Steps,
): readonly Tensor[] => {
  const values = valuesOf(program, inputs, wrapper, steps)
  const last = values.slice(-4)
  const views = last.slice(-1).flatMap((x) => [x.transpose(), x.reshape([x.size])])
  return [...last, ...values.slice(0, 1), ...inputs.slice(0, 1), ...last.slice(0, 1), ...views]
}

/** Σ of all float outputs, each scaled: a loss that depends on every one of them. */
export const lossOf = (outputs: readonly Tensor[]): Tensor => {
  const floats = outputs.filter((y) => isFloat(y.dtype))
  const dtype = floats.every((y) => y.dtype === 'f64') ? 'f64' : 'f32'
  return floats.reduce(
    (sum, y, i) =>
      sum.add(
        y
          .cast(dtype)
          .mul(0.25 + 0.125 * i)
          .sum(),
      ),
    constant(0, { dtype }),
  )
}

const shapes = fc
  .array(
    fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.constant(0) }),
    {
      maxLength: 4,
    },
  )
  .filter((s) => s.reduce((a, b) => a * b, 1) <= 48)

const integers: readonly DType[] = ['i32', 'u32', 'u8', 'bool']

const inputSpecs = (mode: Mode): fc.Arbitrary<readonly InputSpec[]> => {
  const floats = fc.constantFrom(main(mode), ...floatsOf(mode))
  const any = mode === 'whole' ? fc.constantFrom(...integers) : fc.oneof(floats, floats, fc.constantFrom(...integers))
  const dtype = mode === 'smooth' ? floats : any
  const spec = fc.record({ dtype, shape: shapes, seed: fc.nat() })
  const first = fc.record({
    dtype: fc.constant(main(mode)),
    shape: fc.constantFrom<(readonly number[])[]>([3, 4], [2, 3, 4], [1, 4, 4, 2], [5]),
    seed: fc.nat(),
  })
  return fc.tuple(first, fc.array(spec, { minLength: 2, maxLength: 5 })).map(([head, rest]) => [head, ...rest])
}

/** Programs of `min` to `max` steps. */
export const programs = (
  min: number,
  max: number,
  modes: readonly Mode[] = ['mixed', 'mixed', 'mixed', 'mixed', 'wild', 'double', 'smooth'],
): fc.Arbitrary<Program> =>
  fc.constantFrom(...modes).chain((mode) =>
    fc.record({
      mode: fc.constant(mode),
      inputs: inputSpecs(mode),
      steps: fc.array(fc.record({ operand: fc.nat(4000), operation: fc.nat(100_000), seed: fc.nat() }), {
        minLength: min,
        maxLength: max,
        size: 'max',
      }),
      wrapped: fc.record({ from: fc.nat(max), length: fc.integer({ min: 1, max }) }),
    }),
  )

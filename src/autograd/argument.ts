/** Which arguments of a function are differentiated, and whether it gives more than its loss. After JAX's `argnums` and `has_aux`. */
import { ShapeError, typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'

/** One argument, or several, counted from 0. */
export type ArgumentNumber = number | readonly number[]

/** What `grad` and `valueAndGrad` differentiate. */
export interface GradOptions<N extends ArgumentNumber = ArgumentNumber> {
  /**
   * Whether the function gives `[loss, aux]`: the gradient is of the loss, and `aux` comes back beside it: any tree, as the next state of a
   * model, logits or an accuracy. Default false.
   */
  readonly aux?: boolean
  /** The argument that the gradient is with respect to, counted from 0, or several, whose gradients come in a list. Default 0. */
  readonly argument?: N
}

/** The gradient with respect to the arguments of these numbers: one tree like the argument, or a list of them. */
export type GradientOf<A extends readonly unknown[], N extends ArgumentNumber> = N extends number
  ? A[N]
  : N extends readonly number[]
    ? { readonly [K in keyof N]: A[N[K] & keyof A] }
    : never

/** The numbers as a list. @throws RangeError for one that is no argument's */
export const argumentNumbers = (argument: ArgumentNumber, count: number): readonly number[] => {
  const numbers = typeof argument === 'number' ? [argument] : argument
  const wrong = numbers.find((n) => !Number.isInteger(n) || n < 0 || n >= count)
  if (wrong !== undefined)
    throw new RangeError(
      `grad: there is no argument ${wrong}: the function was called with ${count}, which are counted from 0`,
    )
  const twice = numbers.find((n, i) => numbers.indexOf(n) !== i)
  if (twice !== undefined) throw new RangeError(`grad: argument ${twice} is named twice`)
  return numbers
}

const ordinals = ['first', 'second', 'third', 'fourth'] as const

/** An argument in words: `the second argument`. */
export const argumentInWords = (n: number): string => {
  const ordinal = ordinals[n]
  return ordinal === undefined ? `argument ${n}, counted from 0,` : `the ${ordinal} argument`
}

/** The arguments with `f` of those of the numbers. */
export const withArguments = <A extends readonly unknown[]>(
  args: A,
  numbers: readonly number[],
  f: (argument: unknown, n: number) => unknown,
): A => Object.assign([], args, Object.fromEntries(numbers.map((n) => [n, f(args[n], n)])))

/** The loss in what a function gave. */
export const lossIn = (result: unknown, aux: boolean): unknown => {
  if (!aux) {
    if (Array.isArray(result))
      throw typeError(
        `grad: the function must return a scalar tensor, it returned ${whatIs(result)}; where it is [loss, aux], give { aux: true }`,
      )
    return result
  }
  if (Array.isArray(result) && result.length === 2) return result[0]
  throw new ShapeError(`grad: with aux the function must return [loss, aux], it returned ${whatIs(result)}`)
}

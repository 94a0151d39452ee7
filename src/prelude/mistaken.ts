/** What was given in the place of a tensor, in words, and what to do about it. */
import { isPromise } from './promise.ts'
import { typeError } from './errors.ts'

const short = (text: string): string => (text.length > 20 ? `${text.slice(0, 20)}…` : text)

const describeObject = (x: object): readonly [what: string, remedy: string] => {
  if (isPromise(x)) return ['a Promise', 'await it']
  if (Array.isArray(x)) return ['an array', 'make a tensor of it: tensor([…])']
  if (ArrayBuffer.isView(x)) return [`a ${x.constructor.name}`, 'make a tensor of it: tensor(values)']
  if ('node' in x && 'shape' in x) return ['a tensor', 'let it come from the same copy of fathom']
  const keys = Object.keys(x)
  const names = keys.slice(0, 3).join(', ') + (keys.length > 3 ? ', …' : '')
  return [keys.length === 0 ? 'an empty object' : `an object of ${names}`, 'name the tensor in it']
}

const describe = (x: unknown): readonly [what: string, remedy: string] => {
  switch (typeof x) {
    case 'undefined':
      return ['undefined', 'is an await or a return missing, or a name misspelt?']
    case 'string':
      return [`the string '${short(x)}'`, 'Number(…) makes a number of it']
    case 'bigint':
      return [`the bigint ${x}n`, 'Number(…) makes a number of it']
    case 'boolean':
      return [String(x), 'write 1 or 0']
    case 'function':
      return [`the function ${x.name}`.trimEnd(), 'call it']
    case 'number':
      return [String(x), 'scalar(…) makes a tensor of it']
    case 'symbol':
      return ['a symbol', 'give a tensor']
    case 'object':
      return x === null ? ['null', 'give a tensor'] : describeObject(x)
  }
}

/** `a Promise`: what a value is, for messages. */
export const whatIs = (x: unknown): string => describe(x)[0]

/** The error for a value that stands where a tensor belongs. @param expected in words */
export const notATensor = (operation: string, x: unknown, expected = 'a tensor'): TypeError => {
  const [what, remedy] = describe(x)
  const advice = what === 'a tensor' && !expected.includes(what) ? 'await device.item(x) reads its one value' : remedy
  return typeError(`${operation}: got ${what} where ${expected} is expected: ${advice}`)
}

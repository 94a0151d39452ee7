/**
 * What an example says of a value, held against the value: numbers to the digits that are printed, tensors as the
 * nested arrays that a device reads.
 */
import * as ts from 'typescript'
import { Tensor, type Device } from '../../src/index.ts'

const nest = (flat: readonly unknown[], shape: readonly number[]): unknown => {
  const [n, ...inner] = shape
  if (n === undefined) return flat[0]
  const size = inner.reduce((a, b) => a * b, 1)
  return Array.from({ length: n }, (_, i) => nest(flat.slice(i * size, (i + 1) * size), inner))
}

const read = async (x: Tensor, device: Device): Promise<unknown> => {
  const flat = Array.from(await device.read(x))
  return nest(x.dtype === 'bool' ? flat.map((b) => b !== 0) : flat, x.shape)
}

const isPlain = (x: unknown): x is Readonly<Record<string, unknown>> => {
  if (typeof x !== 'object' || x === null) return false
  const prototype: unknown = Object.getPrototypeOf(x)
  return prototype === Object.prototype || prototype === null
}

/** The value with tensors read and typed arrays as arrays. */
export const plain = async (value: unknown, device: Device): Promise<unknown> => {
  if (value instanceof Tensor) return read(value, device)
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array)
  if (Array.isArray(value)) return Promise.all(value.map(async (x: unknown) => plain(x, device)))
  if (!isPlain(value)) return value
  const entries = Object.entries(value).map(async ([key, x]) => [key, await plain(x, device)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const name = (key: string): string => (/^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(key) ? key : quoted(key))

const quoted = (text: string): string =>
  text.includes("'")
    ? JSON.stringify(text)
    : `'${JSON.stringify(text)
        .slice(1, -1)
        .replaceAll(String.raw`\"`, '"')}'`

const showRecord = (value: Readonly<Record<string, unknown>>): string => {
  const { _tag: tag, left, right } = value
  if (tag === 'Left' && 'left' in value) return `left(${show(left)})`
  if (tag === 'Right' && 'right' in value) return `right(${show(right)})`
  const fields = Object.entries(value).map(([key, x]) => `${name(key)}: ${show(x)}`)
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

/** The value as an example would print it, numbers to six digits. */
export const show = (value: unknown): string => {
  if (typeof value === 'number') return String((Number.isSafeInteger(value) ? value : Number(value.toPrecision(6))) + 0) // −0 as 0
  if (typeof value === 'string') return value.includes('\n') ? `the text\n${value}` : quoted(value)
  if (typeof value === 'function') return `the function ${value.name}`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  return isPlain(value) ? showRecord(value) : String(value)
}

/** Stands for `…`. */
const anything = '$anything'

const isRest = (node: ts.Node | undefined): boolean =>
  node !== undefined &&
  (ts.isIdentifier(node) || ts.isShorthandPropertyAssignment(node)) &&
  node.getText().trim() === anything

/**
 * Half a unit of the last digit that is printed, and a little more, as 0.125 may be printed either way. A whole number
 * means itself, up to the rounding of f32 where the value is none.
 */
const tolerance = (digits: string, value: number): number => {
  const [, fraction, exponent = '0'] = /^\d*(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(digits.replaceAll('_', '')) ?? []
  if (fraction !== undefined || /e/i.test(digits)) return 0.5000001 * 10 ** (Number(exponent) - (fraction?.length ?? 0))
  return Number.isInteger(value) ? 0 : 1e-6 * Math.max(1, Math.abs(value))
}

const sameNumber = (literal: ts.NumericLiteral, sign: 1 | -1, value: unknown): boolean =>
  typeof value === 'number' && Math.abs(value - sign * Number(literal.text)) <= tolerance(literal.getText(), value)

const sameArray = ({ elements }: ts.ArrayLiteralExpression, value: unknown): boolean => {
  if (!Array.isArray(value)) return false
  const given = isRest(elements.at(-1)) ? elements.slice(0, -1) : elements
  const complete = given.length === elements.length ? value.length === given.length : value.length >= given.length
  return complete && given.every((element, i) => agrees(element, value[i]))
}

const sameRecord = ({ properties }: ts.ObjectLiteralExpression, value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false
  const given = properties.filter((p) => !isRest(p))
  if (given.length === properties.length && given.length !== Object.keys(value).length) return false
  return given.every((p) => {
    if (!ts.isPropertyAssignment(p) || ts.isComputedPropertyName(p.name)) return false
    const key = p.name.text
    return Object.hasOwn(value, key) && agrees(p.initializer, (value as Readonly<Record<string, unknown>>)[key])
  })
}

const named: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

/** left(…) and right(…) of an Either. */
const sameEither = (node: ts.CallExpression, value: unknown): boolean => {
  const side = node.expression.getText()
  const [content] = node.arguments
  if ((side !== 'left' && side !== 'right') || content === undefined || !isPlain(value)) return false
  return value['_tag'] === (side === 'left' ? 'Left' : 'Right') && agrees(content, value[side])
}

const agrees = (node: ts.Expression, value: unknown): boolean => {
  if (isRest(node)) return true
  if (ts.isNumericLiteral(node)) return sameNumber(node, 1, value)
  if (ts.isPrefixUnaryExpression(node) && ts.isNumericLiteral(node.operand)) return sameNumber(node.operand, -1, value)
  if (ts.isStringLiteral(node)) return typeof value === 'string' && sameText(node.text, value)
  if (ts.isArrayLiteralExpression(node)) return sameArray(node, value)
  if (ts.isObjectLiteralExpression(node)) return sameRecord(node, value)
  if (ts.isCallExpression(node)) return sameEither(node, value)
  const text = node.getText()
  return named.has(text) && Object.is(named.get(text), value)
}

/** What is said, as an expression; undefined if it is none. */
const expression = (says: string): ts.Expression | undefined => {
  const text = `(${says.replaceAll(/'[^'\n]*'|"[^"\n]*"|…/g, (found) => (found === '…' ? anything : found))})`
  const file = ts.createSourceFile('says.ts', text, ts.ScriptTarget.ES2022, true)
  const [statement, other] = file.statements
  if (statement === undefined || other !== undefined || !ts.isExpressionStatement(statement)) return undefined
  return ts.isParenthesizedExpression(statement.expression) ? statement.expression.expression : undefined
}

/** Equal up to `…`, which stands for any text. */
const sameText = (says: string, text: string): boolean => {
  const escaped = says.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${escaped.join('[^]*')}$`).test(text)
}

const trimmedLines = (text: string): string => text.trim().replaceAll(/[ \t]+$/gm, '')

/** Whether the plain value is what an example says: a literal, or the lines of a text. */
export const isSaid = (says: string, value: unknown): boolean => {
  if (typeof value === 'string' && !/^['"]/.test(says)) return sameText(trimmedLines(says), trimmedLines(value))
  const node = expression(says)
  return node !== undefined && agrees(node, value)
}

/** Whether `Name: message` of what was thrown is what an example says; `…` stands for any text. */
export const isThrown = (says: string, error: unknown): boolean =>
  error instanceof Error && sameText(says, `${error.name}: ${error.message}`)

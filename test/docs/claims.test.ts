/** What it takes for an example to be right. */
import { describe, expect, it } from 'vitest'
import { ShapeError } from '../../src/index.ts'
import { isSaid, isThrown, show } from './claims.ts'
import { examplesIn, runnableModule, typedModule } from './examples.ts'

describe('isSaid', () => {
  it.each([
    ['0.09', 0.0949],
    ['-0.5', -0.4501],
    ['1.2e-5', 1.24e-5],
    ['3', 3 + 2e-6],
    ['[1, [2, 3]]', [1, [2, 3]]],
    ['[1, …]', [1, 2, 3]],
    ['{ a: 1, b: [true, null] }', { a: 1, b: [true, null] }],
    ['{ a: 1, … }', { a: 1, b: 2 }],
    ['{ a: 1, b: … }', { a: 1, b: 2 }],
    ["'f32'", 'f32'],
    ["left({ _tag: 'E', message: 'no…' })", { _tag: 'Left', left: { _tag: 'E', message: 'nothing' } }],
    ['a  b\n…\nc', 'a  b  \nx\ny\nc\n'],
    ['[NaN, -Infinity, undefined]', [NaN, -Infinity, undefined]],
  ])('%s is said of %j', (says, value) => expect(isSaid(says, value)).toBe(true))

  it.each([
    ['0.09', 0.0951],
    ['3', 3.001],
    ['0', 1e-5],
    ['4294967295', 4294967294],
    ['[1]', [1, 2]],
    ['[1, 2]', [1]],
    ['{ a: 1 }', { a: 1, b: 2 }],
    ['{ a: 1, b: 2 }', { a: 1 }],
    ['true', 1],
    ['false', 0],
    ["'f32'", 'f64'],
    ['right(1)', { _tag: 'Left', left: 1 }],
    ['?', 1],
    ['', undefined],
    ['a\nb', 'a\nb\nc'],
  ])('%s is not said of %j', (says, value) => expect(isSaid(says, value)).toBe(false))
})

describe('isThrown', () => {
  it('compares name and message, up to …', () => {
    const error = new ShapeError('add: [2] and [3] differ')
    expect(isThrown('ShapeError: add: [2] and [3] differ', error)).toBe(true)
    expect(isThrown('ShapeError: …', error)).toBe(true)
    expect(isThrown('DTypeError: …', error)).toBe(false)
    expect(isThrown('ShapeError: add', error)).toBe(false)
    expect(isThrown('ShapeError: …', undefined)).toBe(false)
  })
})

describe('show', () => {
  it('prints a value as an example would say it', () => {
    const value = { a: [0.1 + 0.2, -0], 'b-c': "it's", e: { _tag: 'Right', right: null } }
    expect(show(value)).toBe(`{ a: [0.3, 0], 'b-c': "it's", e: right(null) }`)
  })
})

describe('an example', () => {
  const source = (...lines: readonly string[]): string =>
    [
      '/** A file. */',
      '/**',
      ' * Doc.',
      ' *',
      ' * @example',
      ' * ```ts',
      ...lines.map((l) => ` * ${l}`),
      ' * ```',
      ' */',
    ].join('\n')

  it('is a module whose lines are those of the source file', () => {
    const [example] = examplesIn(
      'f.ts',
      source('', 'f(1)', '  .g() // => 2', '// 3', 'const x = 1 // => 1', 'y()', '// throws E: …'),
    )
    expect(example?.line).toBe(6)
    const { code, claims } = runnableModule(example ?? { file: '', line: 0, code: '' })
    expect(claims).toEqual([
      { kind: '=>', line: 9, source: 'f(1)\n  .g()', says: '2\n3' },
      { kind: '=>', line: 11, source: 'x', says: '1' },
      { kind: 'throws', line: 13, source: 'y()', says: 'E: …' },
    ])
    expect(code.split('\n')[10]).toBe('const x = 1;await example.check(1, async () => (x)); // => 1')
  })

  it('may use a device that it does not open', () => {
    expect(typedModule('\nawait device.read(x)')).toMatch(/^declare const device/)
    expect(typedModule('\nconst device = open()\nawait device.read(x)')).toMatch(/^\n/)
  })

  it('must claim something', () => {
    const [example] = examplesIn('f.ts', source('f(1)'))
    expect(() => runnableModule(example ?? { file: '', line: 0, code: '' })).toThrow(
      'f.ts:6: an example asserts something',
    )
  })

  it.each([
    'if (x) {\n *   f() // => 1\n * }',
    'f() //=> 1',
    'f() // =>1',
    '\n * // => 1',
    'f(\n *   g(), // => 1\n * )',
  ])('claims nothing that is not checked: %s', (lines) => {
    const [example] = examplesIn('f.ts', source('f() // => 1', lines))
    expect(() => runnableModule(example ?? { file: '', line: 0, code: '' })).toThrow('nothing checks this')
  })

  it('is not what stands after its tag', () => {
    expect(examplesIn('f.ts', '/**\n * @example\n * @returns\n * ```ts\n * f()\n * ```\n */')).toEqual([])
  })
})

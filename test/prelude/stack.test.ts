/** Stack traces that begin with the user's line. */
import { describe, expect, it } from 'vitest'
import { ShapeError } from '../../src/prelude/errors.ts'
import { libraryAt, siteAbove, showSite, userLine, withoutLibrary } from '../../src/prelude/stack.ts'

const installed = libraryAt('file:///app/node_modules/fathom/dist/prelude/stack.js')

const stack = `ShapeError: b0: matmul: [2,3] · [2,3]
    at Tensor.matmul (file:///app/node_modules/fathom/dist/tensor/tensor.js:10:5)
    at Object.apply (/app/node_modules/fathom/src/nn/linear.ts:36:17)
    at Array.reduce (<anonymous>)
    at file:///app/node_modules/fathom/dist/nn/module.js:9:7
    at block (file:///app/train.ts:12:30)
    at Array.map (<anonymous>)
    at async file:///app/@scope/main.ts:3:1
    at async ModuleJob.run (node:internal/modules/esm/module_job:561:25)`

describe('stack traces', () => {
  it('drop the frames of the package, built or mapped to its sources, and what the engine ran for it; nothing else', () => {
    expect(withoutLibrary(stack, installed)).toBe(`ShapeError: b0: matmul: [2,3] · [2,3]
    at block (file:///app/train.ts:12:30)
    at Array.map (<anonymous>)
    at async file:///app/@scope/main.ts:3:1
    at async ModuleJob.run (node:internal/modules/esm/module_job:561:25)`)
  })

  it('stay whole where no frame of the user was kept, and in a bundle, where all code lies in one file', () => {
    const inside = stack.split('\n').slice(0, 3).join('\n')
    expect(withoutLibrary(inside, installed)).toBe(inside)
    expect(libraryAt('https://host/assets/index-4f2a.js')).toBeUndefined()
    expect(withoutLibrary(stack, libraryAt('https://host/assets/index-4f2a.js'))).toBe(stack)
  })

  it('of Firefox and Safari are read too', () => {
    const gecko = 'matmul@http://host/dist/tensor/tensor.js:10:5\nblock@http://host/train.js:12:30\n'
    expect(withoutLibrary(gecko, libraryAt('http://host/dist/prelude/stack.js'))).toBe(
      'block@http://host/train.js:12:30\n',
    )
    expect(userLine(gecko, libraryAt('http://host/dist/prelude/stack.js'))).toBe('http://host/train.js:12:30')
  })

  it('name the first line of the user', () => {
    expect(userLine(stack, installed)).toBe('/app/train.ts:12:30')
    expect(userLine('Error\n    at node:internal/x:1:2', installed)).toBeUndefined()
  })

  it('of errors are deeper than the engine keeps, and its limit is as before', () => {
    const limit = Error.stackTraceLimit
    const deep = (n: number): Error => (n === 0 ? new ShapeError('x') : deep(n - 1))
    expect(deep(60).stack?.split('\n').length).toBeGreaterThan(60)
    expect(Error.stackTraceLimit).toBe(limit)
  })

  it('know a site by file and line, relative to the working directory', () => {
    const here = (): string | undefined => showSite(siteAbove(here, 3))
    expect(here()).toMatch(/^test\/prelude\/stack\.test\.ts:\d+:\d+$/)
  })
})

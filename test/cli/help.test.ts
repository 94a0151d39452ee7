/** The help fits a screen, and leads to everything. */
import { describe, expect, it } from 'vitest'
import { helpOf, overview } from '../../src/cli/help.ts'
import type { Command } from '../../src/cli/flag.ts'
import { parse } from '../../src/cli/parse.ts'
import { commands } from '../../src/cli/spec.ts'
import { keysOf } from '../../src/prelude/record.ts'

const names = keysOf(commands)

/** A terminal as it opens. */
const screen = { rows: 24, columns: 80 }

const widest = (page: string): number => Math.max(...page.split('\n').map((line) => line.length))
const rows = (page: string): number => page.trimEnd().split('\n').length

describe('help', () => {
  it.each(names)('of `fathom %s` fits a screen', (name) => {
    const page = helpOf(name)
    expect(rows(page)).toBeLessThanOrEqual(screen.rows)
    expect(widest(page)).toBeLessThanOrEqual(screen.columns)
  })

  it('of all commands fits a screen, and names each', () => {
    expect(rows(overview())).toBeLessThanOrEqual(screen.rows)
    for (const name of names) expect(overview()).toContain(`\n  ${name} `)
  })

  it.each(names)('of `fathom %s` names every flag, and describes each where all is asked for', (name) => {
    const { flags }: Command = commands[name]
    const all = helpOf(name, true)
    expect(widest(all)).toBeLessThanOrEqual(screen.columns)
    for (const [flag, { value }] of Object.entries(flags)) {
      expect(helpOf(name)).toMatch(new RegExp(`--${flag}\\b`))
      expect(all).toContain(`\n  --${flag}${value === undefined ? '' : ` ${value}`} `)
    }
  })

  it('is one page where no flag is rare', () => {
    expect(helpOf('scan', true)).toBe(helpOf('scan'))
    expect(helpOf('train', true)).not.toBe(helpOf('train'))
  })

  it('is asked for anywhere in the line, and all of it by --help-all', () => {
    const asked = (...args: readonly string[]) => parse(args)
    expect(asked('train', 'photos', '--steps', '3', '-h')).toMatchObject({ right: { _tag: 'Help', all: false } })
    expect(asked('train', '--help-all')).toMatchObject({ right: { _tag: 'Help', command: 'train', all: true } })
    expect(asked('train', '--help-al')).toMatchObject({ left: { message: /did you mean --help-all\?/ } })
  })
})

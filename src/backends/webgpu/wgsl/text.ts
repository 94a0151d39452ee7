/** Lines of WGSL with their indentation, and numbers as WGSL writes them. */

/** Text that grows line by line. */
export interface Lines {
  readonly add: (...lines: readonly string[]) => void
  /** `head { … }`. */
  readonly block: (head: string, body: () => void) => void
  readonly text: () => string
}

/** No lines yet. */
export const lines = (depth = 0): Lines => {
  const written: string[] = []
  let indent = depth
  const add = (...more: readonly string[]): void => {
    for (const line of more) written.push(`${'  '.repeat(indent)}${line}`)
  }
  return {
    add,
    block: (head, body) => {
      add(`${head} {`)
      indent++
      body()
      indent--
      add('}')
    },
    text: () => written.join('\n'),
  }
}

/** A whole number modulo 2³²: steps backwards are steps forwards, for addresses wrap. */
export const u32 = (x: number): string => `${x >>> 0}u`

/** `terms` as a sum, without zeros. */
export const sum = (terms: readonly string[]): string => {
  const left = terms.filter((t) => t !== '0u')
  return left.length === 0 ? '0u' : left.join(' + ')
}

/** An expression, in brackets where it is more than a name or a number. */
export const operand = (x: string): string => (/^\w+$/.test(x) ? x : `(${x})`)

/** x·k. */
export const times = (x: string, k: number): string =>
  k === 0 || x === '0u' ? '0u' : k === 1 ? x : `${operand(x)} * ${u32(k)}`

/** x / k, and what that leaves, for x ≥ 0. */
export const divided = (x: string, k: number): string => (k === 1 ? x : `${operand(x)} / ${u32(k)}`)

/** x mod k, for x ≥ 0. */
export const modulo = (x: string, k: number): string => (k === 1 ? '0u' : `${operand(x)} % ${u32(k)}`)

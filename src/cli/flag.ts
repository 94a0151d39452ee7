/** What a command and its flags are, as data. */

/** How a flag's text becomes a value: `switch` has none, `toggle` is `on` or `off`, `size` is `64` or `48x64`, `duration` is `12m` or `1h30m`, `averages` is `0.995`, `5%,10%` or `lucidrains`. */
export type FlagKind = 'switch' | 'toggle' | 'number' | 'text' | 'size' | 'duration' | 'averages'

/** A flag. */
export interface Flag {
  readonly kind: FlagKind
  /** What stands for the value in the help. */
  readonly value?: string
  readonly help: string
  /** More of it, where everything is described. */
  readonly more?: string
  /** The setting of a run's configuration that it sets, where it sets one. */
  readonly setting?: string
  /** Few need it: the first page of help names it, and that of everything describes it. */
  readonly rare?: true
}

/** A command. */
export interface Command {
  /** What stands after the command's name, where something may. */
  readonly positional?: { readonly name: string; readonly required: boolean }
  readonly summary: string
  /** What further words are called, of which there must be one at least; absent where there may be none. */
  readonly others?: string
  /** Sentences below the usage. */
  readonly about: string
  /** More of them, where everything is described. */
  readonly more?: string
  readonly flags: { readonly [name: string]: Flag }
}

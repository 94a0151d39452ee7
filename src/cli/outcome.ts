/** How commands end, and what they say where they fail. */
import { showSettingError, type TrainError } from '../train/index.ts'
import type { Command, Flag } from './flag.ts'
import { commands } from './spec.ts'

/** How a command ended: the exit code, and where it failed the line that says why. */
export interface Outcome {
  readonly code: 0 | 1 | 2 | 130
  readonly message?: string
}

/** A failure of any kind, as an outcome. */
export const failed = ({ message }: { readonly message: string }): Outcome => ({ code: 1, message })

/** A failure, which is wrong usage where it is about a setting that one of these flags names. */
export const failedWith =
  (flags: readonly string[]) =>
  ({ message, setting }: Pick<TrainError, 'message' | 'setting'>): Outcome =>
    setting !== undefined && flags.includes(setting.path)
      ? { code: 2, message: showSettingError(setting, `--${setting.path}`) }
      : failed({ message })

/** What is wrong with a setting, about the flag that sets it, or the record that it is in. @param spec the flags of the command */
export const inFlags = ({ message, setting }: TrainError, spec: Command['flags'] = commands.train.flags): string => {
  const flag = Object.entries<Flag>(spec).find(([, flag]) => `${setting?.path}.`.startsWith(`${flag.setting}.`))
  return setting === undefined || flag === undefined ? message : showSettingError(setting, `--${flag[0]}`)
}

/** What is wrong with the settings of a network that fit one by one: the first that does not fit the others. */
import { faultIn, type Decoder } from '../prelude/decode.ts'
import { E } from '../prelude/fp.ts'

/** A setting of `C`, and what it must be. */
export interface SettingFault<C> {
  readonly setting: keyof C & string
  readonly expected: string
}

/** Finds the fault of settings, of which there may be none. */
type FaultOf<C> = (settings: C) => SettingFault<C> | undefined

/** Refuses settings with a fault. @param who the network, in errors @throws RangeError that names the setting */
export const requireFaultless = <C>(who: string, faultOf: FaultOf<C>, settings: C): void => {
  const fault = faultOf(settings)
  if (fault !== undefined) throw new RangeError(`${who}: ${fault.setting} must be ${fault.expected}`)
}

/** Settings that fit one by one, checked together: Left with the one that does not fit the others. */
export const fitting =
  <C>(faultOf: FaultOf<C>) =>
  <D extends C>(config: D): ReturnType<Decoder<D>> => {
    const fault = faultOf(config)
    return fault === undefined
      ? E.right(config)
      : E.left(faultIn(fault.setting, config[fault.setting], { expected: fault.expected }))
  }

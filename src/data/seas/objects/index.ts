/** The table from an object's kind to its painter. */
import type { SeaObject } from '../factors.ts'
import { paintBoat } from './boat.ts'
import { paintBridge } from './bridge.ts'
import { paintBuoy } from './buoy.ts'
import type { Painted, Setting } from './object.ts'
import { paintStone } from './stone.ts'

type Painters = {
  readonly [K in SeaObject['kind']]: (object: Extract<SeaObject, { kind: K }>, setting: Setting) => Painted
}

const painters: Painters = { boat: paintBoat, bridge: paintBridge, stone: paintStone, buoy: paintBuoy }

/** An object in its place. */
export const paintObject = <K extends SeaObject['kind']>(
  object: Extract<SeaObject, { kind: K }>,
  setting: Setting,
): Painted => painters[object.kind](object, setting)

/** Normal numbers of the host, for directions and draws of the judge. */
import { hostUniform, type HostKey } from '../prelude/threefry.ts'

/** The i-th standard normal number of a key (Box and Muller 1958). */
export const hostNormal = (key: HostKey, i: number): number =>
  Math.sqrt(-2 * Math.log(1 - hostUniform(key, 2 * i))) * Math.cos(2 * Math.PI * hostUniform(key, 2 * i + 1))

/**
 * Flags of V8, set from inside the process. They hold for all WebAssembly that is compiled afterwards, so only a program that is its own
 * master sets them: fathom's command and benches, and whoever opens a device with `v8Flags`. FATHOM_V8_FLAGS=0 forbids it.
 *
 * V8 prints an error for a flag that it does not know: each is set for the versions of Node that were tried with it, and for no others.
 */
import process from 'node:process'
import v8 from 'node:v8'
import type { Platform } from './threads.ts'

const major = Number(process.versions.node.split('.')[0])

/** A flag of V8. */
interface Flag {
  readonly on: string
  readonly off: string
  /** Whether this V8 knows it, and does what is said here. */
  readonly here: boolean
}

/** Joins pairs of 128-bit operations to 256-bit ones. Node 22 knows the flag and does nothing. */
const wide: Flag = {
  on: '--experimental-wasm-revectorize',
  off: '--no-experimental-wasm-revectorize',
  here: process.arch === 'x64' && (major === 24 || major === 25),
}

/** Relaxed SIMD, and fused multiply-add with it; from Node 22 on it needs no flag. */
const relaxed: Flag = {
  on: '--experimental-wasm-relaxed-simd',
  off: '--no-experimental-wasm-relaxed-simd',
  here: major === 20,
}

// Not --no-liftoff, nor --no-wasm-lazy-compilation: the first training step of a U-Net takes as long with them (0.3 s more than the second).
const known = [wide, relaxed].filter(({ here }) => here)

const isGiven = (flag: Flag): boolean => flag.here && process.execArgv.includes(flag.on)

/** What was set from here, for the whole process. */
const own = { wide: false }

const isForbidden = (): boolean => process.env['FATHOM_V8_FLAGS'] === '0'

/** The flags of this process. */
export const flags: Platform['flags'] = {
  given: () => ({ wide: isGiven(wide) }),
  left: () => ({ wide: wide.here && !isGiven(wide) && !own.wide && !isForbidden() }),
  set: () => {
    if (isForbidden()) return flags.given()
    for (const { on } of known) v8.setFlagsFromString(on)
    own.wide = wide.here
    return { wide: wide.here }
  },
  clear: () => {
    for (const { off } of known) v8.setFlagsFromString(off)
    own.wide = false
  },
  test: () => import('../../selfTest.ts'),
}

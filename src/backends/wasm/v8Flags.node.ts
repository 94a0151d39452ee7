/**
 * Flags of V8, set from inside the process. They hold for all WebAssembly that is compiled afterwards, so only a program that is its own
 * master sets them: fathom's command and benches, and whoever opens a device with `v8Flags`. FATHOM_V8_FLAGS=0 forbids it.
 *
 * V8 prints an error for a flag that it does not know: each is set for the versions of Node that were tried with it, and for no others.
 */
import process from 'node:process'
import v8 from 'node:v8'
import type { Flags } from './threads.ts'

const major = Number(process.versions.node.split('.')[0])

/** Joins pairs of 128-bit operations to 256-bit ones (Node 22 knows the flag and does nothing). */
const revectorize = {
  name: '--experimental-wasm-revectorize',
  here: process.arch === 'x64' && (major === 24 || major === 25),
}

/** Relaxed SIMD, fused multiply-add with it, is on by itself from Node 22 on. */
const relaxed = { name: '--experimental-wasm-relaxed-simd', here: major === 20 || major === 21 }

/** Optimises when it compiles: else the first step of a training runs on unoptimised code for seconds. */
const eager = { name: '--no-liftoff', here: major >= 20 && major <= 25 }
const whole = { name: '--no-wasm-lazy-compilation', here: eager.here }

/** Sets the flags that are known here, unless the environment forbids it. */
export const setFlags = (): Flags => {
  const onCommandLine = (name: string): boolean => process.execArgv.includes(name)
  const allowed = process.env['FATHOM_V8_FLAGS'] !== '0'
  if (allowed) for (const { name, here } of [revectorize, relaxed, eager, whole]) if (here) v8.setFlagsFromString(name)
  return {
    wide: revectorize.here && (allowed || onCommandLine(revectorize.name)),
    eager: eager.here && allowed,
  }
}

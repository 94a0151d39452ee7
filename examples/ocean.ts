/**
 * A small diffusion model: 32×32 procedural seas, some minutes on two cores of a cpu. `npm run ocean`.
 *
 * Run again, it continues where it stood; remove runs/ocean to begin anew.
 */
import { existsSync } from 'node:fs'
import { configOf, resume, train, type TrainEvent, type TrainHooks } from 'fathom/train'

const out = 'runs/ocean'

const show = (event: TrainEvent): void => {
  if (event._tag === 'Started')
    console.log(`${event.facts.data}; ${event.facts.parameters} parameters; first step: ${event.from + 1}`)
  if (event._tag === 'Stepped' && event.step % 10 === 0)
    console.log(`step ${event.step}/${event.steps}  loss ${event.loss.toFixed(4)}`)
  if (event._tag === 'Measured') console.log(`  ${event.words.at(-1)}`)
  if (event._tag === 'Sampled') console.log(`  samples: ${event.path}`)
}

const controller = new AbortController()
process.once('SIGINT', () => {
  controller.abort()
})
const hooks: TrainHooks = { onEvent: show, signal: controller.signal, deviceOptions: { wasm: { v8Flags: true } } }

const begin = () => {
  const config = configOf({ preset: 'small', out })
  if (config._tag === 'Left') throw new Error(config.left.message)
  return train(config.right, hooks)
}

const result = await (existsSync(`${out}/config.json`) ? resume(out, hooks) : begin())()
if (result._tag === 'Left') {
  console.error(result.left.message)
  process.exitCode = 1
} else if (result.right.interrupted) {
  console.log(`stopped after step ${result.right.step} and saved; \`npm run ocean\` continues`)
  process.exitCode = 130
} else {
  const { seconds, words } = result.right
  console.log(`done in ${Math.round(seconds)} s: ${words}`)
  console.log(`${out}/loss.svg, ${out}/samples/, and \`npx fathom sample ${out}\` draws more`)
}

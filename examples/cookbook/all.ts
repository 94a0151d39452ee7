/**
 * Runs every program of the cookbook in full, one after the other, and prints what it reaches and in how many seconds; draws the pictures of the page
 * into a folder: `npm run play examples/cookbook/all.ts docs/images`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gan } from './gan.ts'
import { gpt } from './gpt.ts'
import { lora } from './lora.ts'
import { lstmAdds } from './lstm.ts'
import { ownOptimizer } from './own-optimizer.ts'
import { pinn } from './pinn.ts'
import { resnet } from './resnet.ts'
import { saving } from './saving.ts'
import { sheetOf } from './sheet.ts'
import { vae } from './vae.ts'
import { vit } from './vit.ts'

const [folder = '.', only] = process.argv.slice(2)
const draw = (name: string, samples: Uint8Array): void => writeFileSync(join(folder, name), sheetOf(samples))
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

const programs: Readonly<Record<string, () => Promise<string>>> = {
  gpt: async () => {
    const { heldOut, written } = await gpt()
    return `${heldOut.toFixed(2)} bits a character\n${written}`
  },
  resnet: async () => percent((await resnet()).accuracy),
  vit: async () => percent((await vit()).accuracy),
  vae: async () => {
    const { elbo, samples } = await vae()
    draw('cookbook-vae.png', samples)
    return `${elbo.toFixed(1)} nats a picture`
  },
  gan: async () => {
    const { far, real, first, samples } = await gan()
    draw('cookbook-gan.png', samples)
    return `${far.toFixed(2)}, from ${first.toFixed(1)}; real ${real.toFixed(2)}`
  },
  lstm: async () => `error ${(await lstmAdds()).error.toFixed(4)}`,
  pinn: async () => `error ${(await pinn()).error.toExponential(1)}`,
  lora: async () => {
    const { before, after } = await lora()
    return `${percent(before)}, then ${percent(after)}`
  },
  saving: async () => `${(await saving()).apart} apart`,
  'own optimizer': async () => JSON.stringify(await ownOptimizer()),
}

for (const [name, run] of Object.entries(programs).filter(([name]) => only === undefined || name === only)) {
  const [start, busy] = [performance.now(), process.cpuUsage()]
  const reached = await run()
  const { user, system } = process.cpuUsage(busy)
  const seconds = (performance.now() - start) / 1000
  console.log(`${name}: ${reached} in ${seconds.toFixed(0)} s (of CPU ${((user + system) / 1e6).toFixed(0)} s)`)
}

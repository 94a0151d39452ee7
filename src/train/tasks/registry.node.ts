/** All tasks with their data, by the `task` of a configuration: what a run on this machine is made of. */
import { autoencoderSubject } from './autoencoder/subject.node.ts'
import { classificationSubject } from './classification/subject.node.ts'
import type { Params } from './diffusion/diffusion.ts'
import type { DiffusionRun } from './diffusion/diffusionConfig.ts'
import { diffusionTask, type Batch, type Draws } from './diffusion/diffusionTask.ts'
import { requireLeast } from './diffusion/leastMemory.node.ts'
import { openSource, surveyExamples } from './diffusion/open.node.ts'
import { measureRate } from './diffusion/rate.ts'
import { sheetsOf } from './diffusion/sheet.ts'
import { isDiffusion, type TrainConfig } from './registry.ts'
import type { AnySubject, Subject } from './subject.ts'
import { textSubject } from './text/subject.node.ts'

const diffusionSubject = (config: DiffusionRun): Subject<Params, Batch, Draws> => {
  const plain = diffusionTask(config)
  const task = { ...plain, ...(config.latent === undefined && { sheets: sheetsOf(plain) }) }
  return {
    task,
    with: ({ steps, folder, device }) => diffusionSubject({ ...config, steps, folder, device }),
    open: (device, tell) => openSource(config, task, device, tell),
    survey: (tell) => surveyExamples(config, tell),
    requireLeast: (device) => requireLeast(device, config),
    measureRate: (device) => measureRate(device, config),
  }
}

/** What a configuration trains. */
export const subjectOf = (config: TrainConfig): AnySubject => {
  if (isDiffusion(config)) return (use) => use(diffusionSubject(config))
  switch (config.task) {
    case 'autoencoder':
      return autoencoderSubject(config)
    case 'classification':
      return classificationSubject(config)
    case 'text':
      return (use) => use(textSubject(config))
  }
}

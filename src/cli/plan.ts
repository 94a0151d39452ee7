/** What a run would take, for people: `--dry-run`. */
import type { OptionsByName } from '../backends/options.ts'
import { showBytes, showFlops } from '../compiler/print.ts'
import { pipe, TE } from '../prelude/fp.ts'
import { planTraining, type TrainConfig, type TrainingPlan } from '../train/index.ts'
import { failed, type Outcome } from './outcome.ts'
import { grouped, header, showDuration } from './show.ts'
import { say } from './terminal.ts'

/** What one stage of a run would take. @param said warnings that have been said */
const printStage = (
  { facts, kernels, flopsPerSecond, seconds, warnings }: TrainingPlan,
  said: readonly string[] = [],
): void => {
  for (const warning of warnings.filter((text) => !said.includes(text))) say(`  note      ${warning}`)
  say(header(facts).trimEnd())
  say(
    `  step      ${showFlops(facts.flops)} in ${kernels} kernels · this device reaches ${showFlops(flopsPerSecond)}/s in its largest layers`,
  )
  say(
    `  time      ≈ ${showDuration(seconds)} for ${grouped(facts.config.steps)} steps, samples and checkpoints not counted`,
  )
  say(`  disk      ${showBytes((3 + facts.averages) * facts.weights)} a checkpoint, 3 are kept`)
}

/** How long all of it would take. */
const wholeTime = ({ facts, seconds, firstStage }: TrainingPlan): readonly string[] => {
  const { time } = facts.config
  if (time !== undefined)
    return [
      `  in all    ${showDuration(time)}, samples and checkpoints counted: when the run begins its steps are timed, and may be more or fewer`,
    ]
  return firstStage === undefined
    ? []
    : [`  in all    ≈ ${showDuration(seconds + firstStage.seconds)}, samples and checkpoints not counted`]
}

const printPlan = (plan: TrainingPlan): void => {
  const { firstStage } = plan
  if (firstStage !== undefined) {
    say('\n  stage     1 of 2: the autoencoder')
    printStage(firstStage)
    say('\n  stage     2 of 2: the diffusion model on its latents')
  }
  printStage(plan, firstStage?.warnings)
  for (const line of wholeTime(plan)) say(firstStage === undefined ? line : `\n${line}`)
  say('  dry run: nothing was trained or written')
}

/** What a run would take. */
export const dryRun = (config: TrainConfig, options: OptionsByName): Promise<Outcome> =>
  pipe(
    planTraining(config, options),
    TE.match(failed, (plan): Outcome => {
      printPlan(plan)
      return { code: 0 }
    }),
  )()

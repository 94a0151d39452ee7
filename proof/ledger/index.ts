/** The ledger: every equation that the documentation prints, in the order of its chapters. */
import type { Tally } from '../tally.ts'
import { adjoints, convolution } from './adjoints.ts'
import { autodiff, chainRule } from './autodiff.ts'
import { autoencoders } from './autoencoder.ts'
import { elementwise } from './derivatives.ts'
import { edm2Equations } from './edm2.ts'
import { fast } from './fast.ts'
import { likenessEquations } from './likeness.ts'
import { passing, structural } from './movements.ts'
import { loopEquations } from './loops.ts'
import { noise } from './noise.ts'
import { objectivesAndWeights } from './objectives.ts'
import { guidance } from './guidance.ts'
import { sampling } from './sampling.ts'
import { judging } from './judging.ts'
import { linearAlgebra } from './linalg.ts'
import { modules } from './modules.ts'
import { noisePaths } from './noisePaths.ts'
import { optimizers } from './optimizers.ts'
import { ownTraining } from './ownTraining.ts'
import { additions, dataEquations, overview } from './overview.ts'
import { otherWays } from './otherWays.ts'
import { proving } from './proving.ts'
import { randomNumbers } from './random.ts'
import { reconstruction } from './reconstruction.ts'
import { share, type Equation, type Outcome } from './equation.ts'
import { samplerEquations } from './samplers.ts'
import { stateAndAttention } from './stateAndAttention.ts'
import { transformerEquations } from './transformers.ts'
import { toldAndSaid } from './toldAndSaid.ts'
import { unetEquations } from './unet.ts'
import { unet2dEquations } from './unet2d.ts'
import { vmapEquations } from './vmap.ts'

/** All equations. A chapter's file is added here. */
export const ledger: readonly Equation[] = [
  ...overview,
  ...chainRule,
  ...elementwise,
  ...structural,
  convolution,
  ...passing,
  ...autodiff,
  ...randomNumbers,
  ...modules,
  ...optimizers,
  ...unetEquations,
  ...noise,
  ...objectivesAndWeights,
  ...sampling,
  ...guidance,
  ...dataEquations,
  ...likenessEquations,
  ...proving,
  ...fast,
  ...autoencoders,
  ...reconstruction,
  ...samplerEquations,
  ...additions,
  ...adjoints,
  ...judging,
  ...unet2dEquations,
  ...noisePaths,
  ...transformerEquations,
  ...edm2Equations,
  ...otherWays,
  ...toldAndSaid,
  ...stateAndAttention,
  ...vmapEquations,
  ...loopEquations,
  ...ownTraining,
  ...linearAlgebra,
]

/** Runs an equation's check. @throws Error that names the equation */
export const checked = async (equation: Equation): Promise<Outcome> => {
  try {
    return await equation.check()
  } catch (error) {
    // fast-check has the counterexample in its message, and what went wrong in the cause.
    const cause =
      error instanceof Error && error.cause instanceof Error
        ? `${error.cause.message}
`
        : ''
    throw new Error(`equation (${equation.number}), ${equation.statement}: ${cause}${String(error)}`, { cause: error })
  }
}

/** Runs all checks: a tally for each equation. @throws Error naming the first that does not hold */
export const ledgerSuite = async (): Promise<Tally[]> => {
  const tallies: Tally[] = []
  for (const equation of ledger) {
    const outcome = await checked(equation)
    tallies.push({
      suite: 'formulas',
      subject: `(${equation.number})`,
      seed: 17,
      checks: outcome.checks,
      worst: share(outcome),
    })
  }
  return tallies
}

/** Networks without layers: what they answer is known, so that a loss or a picture says what they were given. */
import type { Tensor } from '../../src/tensor/tensor.ts'
import {
  diffusionTask,
  trainingOf,
  type Diffusion,
  type Params,
  type recipeOf,
  type DiffusionRun,
  type TrainState,
} from '../../src/train/index.ts'
import { tinyConfig } from './tinyRun.ts'

/** A network as a function of its one parameter, of x_t and of t. */
export type Answer = (parameter: Tensor, x: Tensor, t: Tensor) => Tensor

/** The recipe of a diffusion model. */
export type DiffusionRecipe = ReturnType<typeof recipeOf>

/** The tree of parameters that holds one tensor. */
export const paramsOf = (parameter: Tensor): Params => ({ parameter }) as unknown as Params

/** The tensor in the tree. */
export const parameterOf = (params: Params): Tensor => (params as unknown as { readonly parameter: Tensor }).parameter

/** The recipe of the tiny configuration with changes, and with this network instead of a U-Net. */
export const recipeWith = (answer: Answer, changes: Partial<DiffusionRun>): DiffusionRecipe => {
  const model: Pick<Diffusion['model'], 'apply'> = {
    apply: (params, { x, t }) => answer(parameterOf(params), x, t),
  }
  const config = tinyConfig('unused', changes)
  return { ...trainingOf(config), task: diffusionTask(config, { model: model as Diffusion['model'] }) }
}

/** The state before the first step, with this parameter. */
export const stateWith = ({ optimizer }: DiffusionRecipe, parameter: Tensor): TrainState<Params> => {
  const params = paramsOf(parameter)
  return { params, opt: optimizer.init(params), averages: [params] }
}

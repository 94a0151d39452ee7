/** How the parameters of transformers begin: matrices by a rule, and everything else with zeros. */
import { normal, uniform, zeros, type Initializer } from '../../nn/init.ts'
import type { Module } from '../../nn/module.ts'
import type { Shape } from '../../graph/shape.ts'
import { at } from '../../prelude/array.ts'
import { foldIn } from '../../tensor/random.ts'
import { mapTree } from '../../tensor/tree.ts'

/** How a matrix of a shape begins. */
export type Rule = (shape: Shape) => Initializer

/** U(±√(6 / (in + out))): the variance of values and of gradients stays (Glorot & Bengio 2010, eq. 16). */
export const glorot: Rule = (shape) => uniform(shape, Math.sqrt(6 / (at(shape, 0) + at(shape, 1))))

/** N(0, 0.02²), as BERT and ViT begin. */
export const small: Rule = (shape) => normal(shape, 0.02)

/** A module that begins so: its matrices by the rule, its vectors with zeros. */
export const beginning = <P, In, Out>(rule: Rule, { init, ...module }: Module<P, In, Out>): Module<P, In, Out> => ({
  ...module,
  init: (key) =>
    mapTree<P, P>(init(key), (x, path) => (x.rank === 2 ? rule(x.shape)(foldIn(key, path)) : zeros(x.shape)(key))),
})

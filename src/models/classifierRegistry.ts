/**
 * All families of classifiers, by the `kind` of a configuration's model. What the parameters of one are is nobody else's business: a network is given out
 * to a function that takes any.
 */
import { faultIn, oneOf, type Decoder } from '../prelude/decode.ts'
import { E, pipe } from '../prelude/fp.ts'
import { isRecord, keysOf } from '../prelude/record.ts'
import type { Module } from '../nn/module.ts'
import type { ClassifierFamily, ClassifierPurpose } from './classifierFamily.ts'
import { mlpFamily, type MlpConfig } from './mlpFamily.ts'
import { resnetFamily, type ResnetConfig } from './resnet/family.ts'
import { vitFamily, type VitConfig } from './vit/family.ts'

/** The network of a classifier's configuration: a union on `kind`. */
export type ClassifierConfig =
  | (MlpConfig & { readonly kind: 'mlp' })
  | (ResnetConfig & { readonly kind: 'resnet' })
  | (VitConfig & { readonly kind: 'vit' })

/** The name of a family of classifiers. */
export type ClassifierKind = ClassifierConfig['kind']

/** A network, and what a person calls it. */
export interface BuiltClassifier<P> {
  readonly network: Module<P>
  readonly title: string
}

/** A classifier whose parameters nobody else needs to know: give it a function that takes any. */
export type AnyClassifier = <R>(use: <P>(built: BuiltClassifier<P>) => R) => R

const entry = <K extends ClassifierKind, C extends object, P>(kind: K, family: ClassifierFamily<C, P>) => {
  const named = (config: C): C & { readonly kind: K } => ({ ...config, kind })
  return {
    defaults: named(family.defaults),
    decode: (settings: unknown) => pipe(family.decode(settings), E.map(named)),
    of: (config: C, purpose: ClassifierPurpose): AnyClassifier => {
      const network = family.build(config, purpose)
      return (use) => use({ network, title: family.title })
    },
  }
}

const kinds = {
  mlp: entry('mlp', mlpFamily),
  resnet: entry('resnet', resnetFamily),
  vit: entry('vit', vitFamily),
}

/** The names of all of them. */
export const classifierKinds: readonly ClassifierKind[] = keysOf<ClassifierKind>(kinds)

/**
 * The network of a classifier's configuration; Left with the first setting that is wrong.
 *
 * @example
 * ```ts
 * import { decodeClassifier } from 'fathom/models'
 *
 * decodeClassifier({ kind: 'mlp', hidden: [64] }) // => right({ kind: 'mlp', hidden: [64] })
 * decodeClassifier({ kind: 'resent' }) // => left({ expected: 'one of mlp, resnet, vit', hint: '; did you mean resnet?', … })
 * ```
 */
export const decodeClassifier: Decoder<ClassifierConfig> = (input) => {
  const { kind, ...settings } = isRecord(input) ? input : {}
  const known = oneOf(...classifierKinds)(kind)
  return E.isLeft(known) ? E.left(faultIn('kind', kind, known.left)) : kinds[known.right].decode(settings)
}

/**
 * The settings of a family that nobody has changed.
 *
 * @example
 * ```ts
 * import { classifierDefaults } from 'fathom/models'
 *
 * classifierDefaults('mlp') // => { kind: 'mlp', hidden: [256, 256], activation: 'silu' }
 * ```
 */
export const classifierDefaults = (kind: ClassifierKind): ClassifierConfig => kinds[kind].defaults

/**
 * The network of a configuration, for a function that takes any.
 *
 * @throws RangeError for pictures that it cannot take, as patches that do not tile them
 * @example
 * ```ts
 * import { countElements, key } from 'fathom'
 * import { classifierDefaults, classifierOf } from 'fathom/models'
 *
 * const purpose = { size: [8, 8], channels: 1, classes: 3 } as const
 * classifierOf(classifierDefaults('mlp'), purpose)(({ network }) => countElements(network.init(key(0)))) // => 83203
 * classifierOf(classifierDefaults('vit'), purpose)(({ title }) => title) // => 'ViT'
 * ```
 */
export const classifierOf = (config: ClassifierConfig, purpose: ClassifierPurpose): AnyClassifier => {
  switch (config.kind) {
    case 'mlp': {
      const { kind, ...settings } = config
      return kinds[kind].of(settings, purpose)
    }
    case 'resnet': {
      const { kind, ...settings } = config
      return kinds[kind].of(settings, purpose)
    }
    case 'vit': {
      const { kind, ...settings } = config
      return kinds[kind].of(settings, purpose)
    }
  }
}

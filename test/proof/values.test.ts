/** Every operation against its oracle, on every backend and with every pass of the compiler switched off; and that none is left out. */
import { describe, expect, it } from 'vitest'
import { inferRules } from '../../src/graph/infer.ts'
import { interpretRules } from '../../src/backends/cpu/interpret.ts'
import * as models from '../../src/models/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as activations from '../../src/tensor/activations.ts'
import * as attention from '../../src/tensor/attention.ts'
import * as combine from '../../src/tensor/combine.ts'
import * as comparisons from '../../src/tensor/comparisons.ts'
import * as contractions from '../../src/tensor/contractions.ts'
import * as convolution from '../../src/tensor/convolution.ts'
import * as create from '../../src/tensor/create.ts'
import * as cumsum from '../../src/tensor/cumsum.ts'
import * as exponentialUnits from '../../src/tensor/exponentialUnits.ts'
import * as gatedUnits from '../../src/tensor/gatedUnits.ts'
import * as gridSample from '../../src/tensor/gridSample.ts'
import * as hardActivations from '../../src/tensor/hardActivations.ts'
import * as linalg from '../../src/tensor/linalg/index.ts'
import * as padding from '../../src/tensor/padding.ts'
import * as cumulative from '../../src/tensor/cumulative.ts'
import * as division from '../../src/tensor/division.ts'
import * as dynamicSlice from '../../src/tensor/dynamicSlice.ts'
import * as hyperbolic from '../../src/tensor/hyperbolic.ts'
import * as indexing from '../../src/tensor/indexing.ts'
import * as logarithms from '../../src/tensor/logarithms.ts'
import * as movement from '../../src/tensor/movement.ts'
import * as norms from '../../src/tensor/norms.ts'
import * as orders from '../../src/tensor/orders.ts'
import * as pooling from '../../src/tensor/pooling.ts'
import * as powers from '../../src/tensor/powers.ts'
import * as resampling from '../../src/tensor/resampling.ts'
import * as resizing from '../../src/tensor/resizing.ts'
import * as softmax from '../../src/tensor/softmax.ts'
import * as triangles from '../../src/tensor/triangles.ts'
import * as trigonometry from '../../src/tensor/trigonometry.ts'
import * as variance from '../../src/tensor/variance.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { functions } from '../../proof/registry/functions.ts'
import { layers } from '../../proof/registry/layers.ts'
import { primitives } from '../../proof/registry/primitives.ts'
import { prove } from './prove.ts'

/** Names that stand in none of the tables. */
const without = (names: readonly string[], table: object): readonly string[] =>
  names.filter((name) => !Object.hasOwn(table, name)).toSorted()

describe('the registry', () => {
  it('has an entry for every primitive', () => {
    const names = Object.keys(primitives).toSorted()
    expect(names).toEqual(Object.keys(inferRules).toSorted())
    expect(names).toEqual([...Object.keys(interpretRules), 'scan'].toSorted()) // a loop is interpreted with all that is asked of it
  })

  it('has an entry for every function of tensors, but for the ways in for data', () => {
    const modules = [
      activations,
      attention,
      combine,
      comparisons,
      contractions,
      convolution,
      create,
      cumsum,
      exponentialUnits,
      gatedUnits,
      gridSample,
      hardActivations,
      linalg,
      padding,
      cumulative,
      division,
      dynamicSlice,
      hyperbolic,
      indexing,
      logarithms,
      movement,
      norms,
      orders,
      pooling,
      powers,
      resampling,
      resizing,
      softmax,
      triangles,
      trigonometry,
      variance,
    ]
    const names = modules.flatMap((module) => Object.keys(module))
    expect(without(names, functions)).toEqual(['constant', 'scalar', 'tensor'])
  })

  it('has an entry for every method of a tensor that computes', () => {
    const methods = Object.getOwnPropertyNames(Tensor.prototype)
    // What computes nothing, and what the methods are made of.
    const inner = [
      'beyond',
      'binary',
      'constructor',
      'dtype',
      'firstEqual',
      'inForm',
      'met',
      'operand',
      'operandOf',
      'powerValue',
      'rank',
      'realPower',
      'reduce',
      'shape',
      'size',
      'toJSON',
      'toString',
      'unary',
      'wholePower',
    ]
    expect(without(methods, functions)).toEqual(inner.filter((name) => methods.includes(name)))
  })

  it('has an entry for every layer, loss, activation and model', () => {
    const names = [nn, models].flatMap((module) => Object.keys(module))
    expect(without(names, layers)).toEqual([
      'adversarialLosses',
      'applyWithState',
      'autoencoderDefaults',
      'autoencoderKl',
      'autoencoderOf',
      'autoencoderTiny',
      'cacheOf',
      'classifierDefaults',
      'classifierKinds',
      'classifierOf',
      'codebookLoss',
      'compose',
      'decodeAutoencoder',
      'decodeClassifier',
      'decodeDiffusersAutoencoder',
      'decodeDiffusersUnet2d',
      'decodeLanguage',
      'describe',
      'ditFamily',
      'ditSizes',
      'edm2Family',
      'encodeDiffusersAutoencoder',
      'encodeDiffusersUnet2d',
      'evaluate',
      'generateOn',
      'gptFamily',
      'gptSizes',
      'klDivergence',
      'klFamily',
      'languageModelOf',
      'lift',
      'lucidrainsFamily',
      'lucidrainsNames',
      'lucidrainsWeights',
      'mlpFamily',
      'nearestCodes',
      'parameter',
      'patchDiscriminator',
      'posteriorMode',
      'posteriorNll',
      'posteriorOf',
      'quantize',
      'resizeChannels',
      'resnet',
      'resnetFamily',
      'resnetSizes',
      'samplePosterior',
      'scaleLatents',
      'stateOf',
      'stateful',
      'summedKlDivergence',
      'tiledAutoencoder',
      'tinyFamily',
      'torchRecurrent',
      'unet2dFamily',
      'unet2dNames',
      'unscaleLatents',
      'uvitFamily',
      'uvitSizes',
      'vitFamily',
      'vitSizes',
      'vqFamily',
      'vqModel',
    ])
  })
})

describe('values', () => {
  prove('values', 'equals its oracle in every dtype and configuration, compiled and realized', { least: 25_000 })
})

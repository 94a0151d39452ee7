/** A misspelt setting is refused by every public function that takes settings, and the error says whose it is and what was meant. */
import { expect, it } from 'vitest'
import * as data from '../../src/data/index.ts'
import * as diffusion from '../../src/diffusion/index.ts'
import * as evaluation from '../../src/evaluation/index.ts'
import * as fathom from '../../src/index.ts'
import * as io from '../../src/io/index.ts'
import * as models from '../../src/models/index.ts'
import * as nn from '../../src/nn/index.ts'
import * as optim from '../../src/optim/index.ts'
import * as train from '../../src/train/index.ts'

/** A setting that is misspelt, the call that is given it alone, and who refuses it, where that is not who is called. */
type Row = readonly [setting: string, call: (options: never) => unknown, who?: string]

/** Records that hold no settings: values, states, and configurations, which decoders check. */
type Data =
  | fathom.Tensor
  | ArrayLike<unknown>
  | nn.AnyModule
  | Pick<nn.AnyModule, 'state'>
  | Pick<nn.AnyModule, 'cache'>
  | fathom.Profile
  | fathom.Plan['kernels'][number]
  | fathom.OptionsByName
  | models.Posterior
  | models.LatentScaling
  | Pick<models.Autoencoder<never, never>, 'factor'>
  | diffusion.NoiseLevel
  | diffusion.Estimate
  | Pick<diffusion.Sampler<never>, 'levels'>
  | data.PictureSize
  | Pick<evaluation.Pictures, 'pictures'>
  | train.LoadedWeights
  | { readonly remedy?: string }

/** The names of settings in a record with some that may be absent. */
type SettingsIn<P> = unknown extends P
  ? never
  : P extends ((...args: never) => unknown) | Data
    ? never
    : P extends object
      ? { [K in keyof P]-?: {} extends Pick<P, K> ? K : never }[keyof P]
      : never

/** The functions of an entry that take settings. */
type Taking<M> = {
  [K in keyof M]: M[K] extends (...args: infer A) => unknown
    ? [SettingsIn<A[number]>] extends [never]
      ? never
      : K
    : never
}[keyof M]

/** Functions of such values that are of no type above: configurations, and the parts of a run. */
type Apart =
  | (
      | 'mergeTrees'
      | 'autoencoderOf'
      | 'classifierOf'
      | 'languageModelOf'
      | 'encodeDiffusersAutoencoder'
      | 'appendMetric'
      | 'conditionsAt'
      | 'trainingOf'
    )
  | ('beginRun' | 'prepareRun' | 'runSinks' | 'finishRun' | 'wholeRun' | 'initialState' | 'recipeStep' | 'stepperOn')
  | ('steps' | 'givenAt' | 'heldOutOn' | 'overRanks' | 'pictureSource' | 'restore' | 'sheetsOf' | 'encodeWeights')
  | ('chooseTraining' | 'trainingFacts' | 'showSettingError' | 'planTraining' | 'taskOf')

/** A row for each, and for others whose settings are hidden deeper. */
type Table<M> = { readonly [K in Exclude<Taking<M>, Apart>]: Row } & { readonly [K in keyof M]?: Row }

const none = undefined as never
const x = fathom.zeros([1, 4, 4, 4])
const row = fathom.zeros([1, 4, 4])
const schedule = diffusion.cosineSchedule(10)
const levels = diffusion.karrasLevels({ steps: 3 })
const gpt = models.gpt({ vocabulary: 8, width: 4, heads: 1, depth: 1 })
const guides = { own: () => x, both: () => [x, x] } as never
const device = await fathom.openDevice('cpu')

const ofFathom: Table<typeof fathom> = {
  averagePool: ['stride', (o) => fathom.averagePool(x, 2, o)],
  averagePool1d: ['stride', (o) => fathom.averagePool1d(row, 2, o)],
  checkGrad: ['step', (o) => fathom.checkGrad(device, () => x, [], o)],
  constant: ['dtype', (o) => fathom.constant([1], o)],
  conv2d: ['stride', (o) => fathom.conv2d(x, x, o)],
  convTranspose2d: ['stride', (o) => fathom.convTranspose2d(x, x, o)],
  grad: ['aux', (o) => fathom.grad(() => x, o)],
  gridSample: ['padding', (o) => fathom.gridSample(x, x, o)],
  isClose: ['relative', (o) => fathom.isClose(x, x, o)],
  maxPool: ['padding', (o) => fathom.maxPool(x, 2, o)],
  maxPool1d: ['padding', (o) => fathom.maxPool1d(row, 2, o)],
  padWith: ['mode', (o) => fathom.padWith(x, [], o)],
  resizeBicubic: ['alignCorners', (o) => fathom.resizeBicubic(x, 2, o)],
  resizeBilinear: ['alignCorners', (o) => fathom.resizeBilinear(x, 2, o)],
  scan: ['reverse', (o) => fathom.scan(() => [x, x], x, x, o)],
  solveTriangular: ['upper', (o) => fathom.solveTriangular(x, x, o)],
  tensor: ['shape', (o) => fathom.tensor([1], o)],
  truncatedNormal: ['low', (o) => fathom.truncatedNormal(none, [2], o)],
  uniform: ['high', (o) => fathom.uniform(none, [2], o)],
  valueAndGrad: ['argument', (o) => fathom.valueAndGrad(() => x, o)],
  vmap: ['in', (o) => fathom.vmap((a) => a, o)],
  whileLoop: ['limit', (o) => fathom.whileLoop(device, o)],
}

const ofNn: Table<typeof nn> = {
  attention: ['heads', (o) => nn.attention(4, o)],
  batchNorm: ['momentum', (o) => nn.batchNorm(4, o)],
  binaryCrossEntropy: ['reduction', (o) => nn.binaryCrossEntropy(x, x, o)],
  cacheOf: ['length', (o) => nn.cacheOf(none, o)],
  charbonnier: ['epsilon', (o) => nn.charbonnier(x, x, o)],
  conv1d: ['bias', (o) => nn.conv1d(1, 1, 1, o)],
  conv2d: ['stride', (o) => nn.conv2d(1, 1, 1, o)],
  conv3d: ['padding', (o) => nn.conv3d(1, 1, 1, o)],
  convTranspose2d: ['outputPadding', (o) => nn.convTranspose2d(1, 1, 1, o)],
  cosineEmbeddingLoss: ['margin', (o) => nn.cosineEmbeddingLoss(x, x, x, o)],
  cosineSimilarity: ['axis', (o) => nn.cosineSimilarity(x, x, o)],
  crossEntropy: ['labelSmoothing', (o) => nn.crossEntropy(x, x, o)],
  ctcLoss: ['blank', (o) => nn.ctcLoss(x, x, none, none, o)],
  focalLoss: ['gamma', (o) => nn.focalLoss(x, x, o)],
  gaussianNll: ['full', (o) => nn.gaussianNll(x, x, x, o)],
  groupNorm: ['epsilon', (o) => nn.groupNorm(1, 1, o)],
  gru: ['reverse', (o) => nn.gru(1, 1, o)],
  gruCell: ['bias', (o) => nn.gruCell(1, 1, o)],
  gruWithState: ['checkpoint', (o) => nn.gruWithState(1, 1, o)],
  hinge: ['reduction', (o) => nn.hinge(x, x, o)],
  huber: ['delta', (o) => nn.huber(x, x, o)],
  instanceNorm: ['affine', (o) => nn.instanceNorm(1, o)],
  klDiv: ['logTarget', (o) => nn.klDiv(x, x, o)],
  l1: ['reduction', (o) => nn.l1(x, x, o)],
  layerNorm: ['epsilon', (o) => nn.layerNorm(1, o)],
  linear: ['bias', (o) => nn.linear(1, 1, o)],
  lstm: ['reverse', (o) => nn.lstm(1, 1, o)],
  lstmCell: ['bias', (o) => nn.lstmCell(1, 1, o)],
  lstmWithState: ['checkpoint', (o) => nn.lstmWithState(1, 1, o)],
  mse: ['reduction', (o) => nn.mse(x, x, o)],
  multiHeadAttention: ['causal', (o) => nn.multiHeadAttention(4, o)],
  nllLoss: ['ignoreIndex', (o) => nn.nllLoss(x, x, o)],
  prelu: ['slope', (o) => nn.prelu(1, o)],
  rotary: ['base', (o) => nn.rotary(x, x, o)],
  sinusoidalTimeEmbedding: ['theta', (o) => nn.sinusoidalTimeEmbedding(4, o)],
  smoothL1: ['beta', (o) => nn.smoothL1(x, x, o)],
  spectralNorm: ['iterations', (o) => nn.spectralNorm(nn.linear(1, 1), o)],
  transformerBlock: ['activation', (o) => nn.transformerBlock(4, o)],
  tripletLoss: ['margin', (o) => nn.tripletLoss(x, x, x, o)],
}

const ofOptim: Table<typeof optim> = {
  adadelta: ['decay', (o) => optim.adadelta(o)],
  adafactor: ['scaleParameter', (o) => optim.adafactor(o)],
  adagrad: ['initial', (o) => optim.adagrad(o)],
  adam: ['learningRate', (o) => optim.adam(o)],
  adamW: ['weightDecay', (o) => optim.adamW(o)],
  constantWithWarmup: ['warmupSteps', (o) => optim.constantWithWarmup(o)],
  cosineDecay: ['steps', (o) => optim.cosineDecay(o)],
  cosineWithRestarts: ['cycles', (o) => optim.cosineWithRestarts(o)],
  diffusersEmaDecay: ['minDecay', (o) => optim.diffusersEmaDecay(o)],
  emaDecay: ['power', (o) => optim.emaDecay(o)],
  emaSchedule: ['updateEvery', (o) => optim.emaSchedule(o)],
  initialLossScale: ['doubleAfter', (o) => optim.initialLossScale(o), 'lossScale'],
  inverseSqrt: ['learningRate', (o) => optim.inverseSqrt(o)],
  lamb: ['weightDecay', (o) => optim.lamb(o)],
  linearDecay: ['steps', (o) => optim.linearDecay(o)],
  lion: ['beta1', (o) => optim.lion(o)],
  muon: ['nesterov', (o) => optim.muon(o)],
  nadam: ['momentumDecay', (o) => optim.nadam(o)],
  nextLossScale: ['initial', (o) => optim.nextLossScale(optim.initialLossScale(), x, o), 'lossScale'],
  noamSchedule: ['factor', (o) => optim.noamSchedule(o)],
  oneCycle: ['anneal', (o) => optim.oneCycle(o)],
  polynomialDecay: ['power', (o) => optim.polynomialDecay(o)],
  powerEmaDecay: ['width', (o) => optim.powerEmaDecay(o)],
  radam: ['epsilon', (o) => optim.radam(o)],
  reduceOnPlateau: ['patience', (o) => optim.reduceOnPlateau(o)],
  rmsProp: ['centred', (o) => optim.rmsProp(o)],
  scaleByAdam: ['beta2', (o) => optim.scaleByAdam(o)],
  sgd: ['momentum', (o) => optim.sgd(o)],
  warmupStableDecay: ['decaySteps', (o) => optim.warmupStableDecay(o)],
}

const ofModels: Table<typeof models> = {
  adaptiveWeight: ['factor', (o) => models.adaptiveWeight(x, x, o)],
  autoencoderKl: ['softBound', (o) => models.autoencoderKl(o)],
  autoencoderTiny: ['midBlockPool', (o) => models.autoencoderTiny(o)],
  codebookLoss: ['commitment', (o) => models.codebookLoss(x, x, o)],
  dit: ['mlpRatio', (o) => models.dit(o)],
  edm2: ['skipBalance', (o) => models.edm2(o)],
  encodeDiffusersUnet2d: ['scaleShift', (o) => models.encodeDiffusersUnet2d(o, [8, 8])],
  equivarianceLoss: ['shrink', (o) => models.equivarianceLoss(none, x, x, x, o)],
  generateOn: ['temperature', (o) => models.generateOn(device, gpt)(none, o), 'generate'],
  gpt: ['vocabulary', (o) => models.gpt(o)],
  linearAttention: ['headWidth', (o) => models.linearAttention(4, o)],
  mlp: ['activation', (o) => models.mlp([1, 1], o)],
  patchDiscriminator: ['layers', (o) => models.patchDiscriminator(o)],
  pixelAttention: ['memory', (o) => models.pixelAttention(4, o)],
  pyramidLoss: ['levels', (o) => models.pyramidLoss(x, x, o)],
  resnet: ['blocks', (o) => models.resnet(o)],
  tiledAutoencoder: ['overlap', (o) => models.tiledAutoencoder(device, {} as never, o)],
  unet: ['multipliers', (o) => models.unet(o)],
  unet1d: ['multipliers', (o) => models.unet1d(o), 'unet'],
  unet2d: ['scaleShift', (o) => models.unet2d(o)],
  unet3d: ['multipliers', (o) => models.unet3d(o), 'unet'],
  uvit: ['size', (o) => models.uvit(o)],
  vit: ['pooling', (o) => models.vit(o)],
  vqModel: ['codeWidth', (o) => models.vqModel(o)],
}

const ofDiffusion: Table<typeof diffusion> = {
  boundTerms: ['schedule', (o) => diffusion.boundTerms(o)],
  cfgPlusPlus: ['weight', (o) => diffusion.cfgPlusPlus(guides, o)],
  classifierGuided: ['logProbability', (o) => diffusion.classifierGuided(() => x, o)],
  consistency: ['boundary', (o) => diffusion.consistency(levels, o)],
  continuousLoss: ['prediction', (o) => diffusion.continuousLoss(o)],
  cosineLogSnr: ['least', (o) => diffusion.cosineLogSnr(o)],
  cosineSchedule: ['offset', (o) => diffusion.cosineSchedule(10, o)],
  ddim: ['steps', (o) => diffusion.ddim(schedule, o)],
  ddimBetween: ['ends', (o) => diffusion.ddimBetween(levels, o)],
  ddimInverse: ['rounds', (o) => diffusion.ddimInverse(levels, o)],
  ddpm: ['variance', (o) => diffusion.ddpm(schedule, o)],
  ddpmBetween: ['variance', (o) => diffusion.ddpmBetween(levels, o)],
  deis: ['order', (o) => diffusion.deis(levels, o)],
  diffusionLoss: ['weighting', (o) => diffusion.diffusionLoss(o), 'lossWeights'],
  diffusionLosses: ['prediction', (o) => diffusion.diffusionLosses(o), 'lossWeights'],
  dpm2: ['timeOf', (o) => diffusion.dpm2(levels, o)],
  dpm2Ancestral: ['timeOf', (o) => diffusion.dpm2Ancestral(levels, o)],
  dpmSolver: ['published', (o) => diffusion.dpmSolver(levels, o)],
  dpmSolverSingle: ['rule', (o) => diffusion.dpmSolverSingle(levels, o)],
  edmLogSnr: ['deviation', (o) => diffusion.edmLogSnr(o)],
  edmPreconditioned: ['sigmaData', (o) => diffusion.edmPreconditioned(() => x, o)],
  eulerChurn: ['spread', (o) => diffusion.eulerChurn(levels, o)],
  flowLevels: ['shift', (o) => diffusion.flowLevels(3, o)],
  guided: ['rescale', (o) => diffusion.guided(guides, o)],
  karrasLevels: ['sigmaMin', (o) => diffusion.karrasLevels(o)],
  learnedLogSnr: ['units', (o) => diffusion.learnedLogSnr(o)],
  learnedVarianceLosses: ['boundWeight', (o) => diffusion.learnedVarianceLosses(o)],
  linearSchedule: ['start', (o) => diffusion.linearSchedule(10, o)],
  lms: ['order', (o) => diffusion.lms(levels, o)],
  lossWeights: ['minSnrGamma', (o) => diffusion.lossWeights(o)],
  pndm: ['pointAt', (o) => diffusion.pndm(levels, o)],
  repaint: ['picture', (o) => diffusion.repaint(levels, o)],
  sample: ['trajectory', (o) => diffusion.sample(o)],
  samplerNamed: ['spacing', (o) => diffusion.samplerNamed('ddim', schedule, 3, o)],
  sampling: ['trajectory', (o) => diffusion.sampling(o)],
  samplingStep: ['learnedVariance', (o) => diffusion.samplingStep(o)],
  scaledLinearSchedule: ['start', (o) => diffusion.scaledLinearSchedule(10, o)],
  scheduleLevels: ['rounded', (o) => diffusion.scheduleLevels(schedule, 3, o)],
  selfConditionedDenoise: ['schedule', (o) => diffusion.selfConditionedDenoise(() => x, none, o)],
  shiftedLogSnr: ['from', (o) => diffusion.shiftedLogSnr(diffusion.cosineLogSnr(), o)],
  sigmasAlong: ['sigmaMax', (o) => diffusion.sigmasAlong('karras', o)],
  sigmoidBetaSchedule: ['start', (o) => diffusion.sigmoidBetaSchedule(10, o)],
  sigmoidSchedule: ['tau', (o) => diffusion.sigmoidSchedule(10, o)],
  spacedTimes: ['offset', (o) => diffusion.spacedTimes(10, 3, o)],
  thresholdEstimate: ['ratio', (o) => diffusion.thresholdEstimate(none, x, { x0: x } as never, o)],
  trainingTimes: ['deviation', (o: object) => diffusion.trainingTimes(schedule, { density: 'logit-normal', ...o })],
  uniPc: ['corrector', (o) => diffusion.uniPc(levels, o)],
  weightedObjective: ['noiseWeight', (o) => diffusion.weightedObjective(o)],
}

const ofIo: Table<typeof io> = {
  acquireRunLock: ['signs', (o) => io.acquireRunLock('run', o)],
  completeSave: ['keep', (o) => io.completeSave('run', { name: 'step', step: 1 }, o)],
  holdsCheckpoint: ['keep', (o) => io.holdsCheckpoint('run', o)],
  imageGrid: ['columns', (o) => io.imageGrid([], o)],
  lineChart: ['panels', (o) => io.lineChart(o)],
  loadParams: ['round', (o) => io.loadParams('file', {}, o)],
  newestCheckpoint: ['judge', (o) => io.newestCheckpoint('run', o)],
  placesOf: ['rename', (o) => io.placesOf({}, o)],
  readSafetensors: ['maxTensors', (o) => io.readSafetensors(none, o)],
  readSafetensorsFile: ['maxTensors', (o) => io.readSafetensorsFile('file', o)],
  recordsOf: ['layout', (o) => io.recordsOf(device, {}, o)],
  saveCheckpoint: ['keep', (o) => io.saveCheckpoint('run', 1, new Map([['file', new Uint8Array(1)]]), o)],
  saveParams: ['metadata', (o) => io.saveParams(device, 'file', {}, o)],
  treeFrom: ['round', (o) => io.treeFrom({}, new Map(), o)],
  withdrawCheckpoint: ['keep', (o) => io.withdrawCheckpoint('run', none, o)],
  writeModelFolder: ['maxBytes', (o) => io.writeModelFolder('folder', o)],
}

const ofData: Table<typeof data> = {
  augmented: ['probability', (o) => data.augmented(none, none, none, none, o)],
  batches: ['shuffle', (o) => data.batches({ x }, o)],
  dataOfEncoded: ['groups', (o) => data.dataOfEncoded(none, 0, o)],
  dataOfSeas: ['labels', (o) => data.dataOfSeas({ seed: 0, size: 8 }, o)],
  dataOfSet: ['crop', (o) => data.dataOfSet(none, 0, o)],
  loadImage: ['timeoutSeconds', (o) => data.loadImage('file', o)],
  nearDuplicates: ['cutsUpTo', (o) => data.nearDuplicates(none, o)],
  openImageFolder: ['maxMemory', (o) => data.openImageFolder('folder', o)],
  scanFolder: ['concurrency', (o) => data.scanFolder('folder', o)],
  splitRows: ['share', (o) => data.splitRows({ x }, o)],
  withAugmentation: ['probability', (o) => data.withAugmentation(none, none, o)],
}

const ofEvaluation: Table<typeof evaluation> = {
  compareSets: ['permutations', (o) => evaluation.compareSets(device, o)],
  judge: ['permutations', (o) => evaluation.judge(device, o)],
  judgementPage: ['shownPictures', (o) => evaluation.judgementPage(o)],
  watchOn: ['space', (o) => evaluation.watchOn(device, o)],
}

const ofTrain: Table<typeof train> = {
  classificationRun: ['mirror', (o) => train.classificationRun(none, none, o)],
  classify: ['weights', (o) => train.classify('run', [], o)],
  diffusionTask: ['autoencoder', (o) => train.diffusionTask(none, o)],
  encodePictures: ['autoencoder', (o) => train.encodePictures(o)],
  exportDiffusers: ['maxBytes', (o) => train.exportDiffusers(none, 'folder', o)],
  importDiffusers: ['width', (o) => train.importDiffusers('folder', o)],
  loadWeights: ['names', (o) => train.loadWeights('file', none, o)],
  lossByLevelOn: ['pictures', (o) => train.lossByLevelOn(device, none, none, o)],
  reconstruct: ['count', (o) => train.reconstruct('run', o)],
  resume: ['folder', (o) => train.resume('run', {}, o)],
  sample: ['guidance', (o) => train.sample(none, o)],
  textRun: ['written', (o) => train.textRun(none, o)],
  train: ['onEvent', (o) => train.train(none, o)],
  trainStep: ['optimizer', (o) => train.trainStep(o)],
  usualRun: ['learningRate', (o) => train.usualRun(o)],
  write: ['prompt', (o) => train.write('run', o)],
}

const rows: readonly (readonly [name: string, row: Row])[] = [
  ...[ofFathom, ofNn, ofOptim, ofModels, ofDiffusion, ofIo, ofData, ofEvaluation, ofTrain].flatMap((table) =>
    Object.entries<Row>({ ...table }),
  ),
  ['compile', ['donate', (o) => device.compile((a) => a, o)]],
  ['open', ['software', (o) => fathom.openDevice('webgpu', o), '']],
]

/** What a call is refused with, be it thrown, or told by a promise or a task. */
const refusal = async (call: () => unknown): Promise<string> => {
  try {
    const made = call()
    const told: unknown = await (typeof made === 'function' ? made() : made)
    return `no error, but ${typeof told}`
  } catch (e) {
    return e instanceof Error ? e.message : String(e)
  }
}

it.each(rows)('%s refuses a misspelt setting, and says which was meant', async (name, [setting, call, who = name]) => {
  const misspelt = setting + setting.slice(-1)
  const message = await refusal(() => call({ [misspelt]: 1 } as never))
  expect(message).toMatch(who)
  expect(message).toContain(`option '${misspelt}'`)
  expect(message).toMatch(new RegExp(`did you mean ${setting}\\?$`))
})

/** Bugs in runs that any deterministic trainer may have: which pictures, which draws, which weights, at which step. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, type Tests } from './suites.ts'

const area = 'which pictures, draws and weights'
const draws = inFile('train/draws')
const heldOut = inFile('train/tasks/diffusion/heldOut')
const sheet = inFile('train/tasks/diffusion/draw')
const recipe = inFile('train/recipe')
const watch = (pattern: string): Tests => inFile('train/tasks/diffusion/watch', pattern)
const reports = inFile('train/reports')
const choice = inFile('train/choice')
const fitting = inFile('train/time', 'counts what is done|measures, draws|has a step')

/** Bugs in src/train. */
export const runMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/train/tasks/diffusion/choice/sketch.ts', choice, [
    [
      'dropout is chosen for a run that sees each photograph a few times',
      'swapped operands',
      'if (epochs < untilByHeart || photographs',
      'if (epochs > untilByHeart || photographs',
    ],
    [
      'pictures are chosen larger than photographs',
      'missing check',
      'flops >= from && larger <= most ?',
      'flops >= from ?',
    ],
    [
      'latents are taken where changes of pictures are asked for',
      'missing check',
      '(changes !== undefined || (side <= 96 && enough))',
      '(side <= 96 && enough)',
    ],
    ['a GPU is given an hour', 'wrong constant', '[3 * 3600, 3600] as const', '[3600, 3600] as const'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/choice/chooseTraining.ts', choice, [
    [
      'a time is chosen where steps are given',
      'missing check',
      "...(numberIn(given, 'steps') === undefined && { time: seconds }),",
      '...{ time: seconds },',
    ],
  ]),
  ...mutantsOf(area, 'src/train/time/fitted.ts', fitting, [
    [
      'what is done between steps takes no time',
      'missing term',
      'spare - again)) / secondsPerStep',
      'spare)) / secondsPerStep',
    ],
    [
      'what is dear is done as often as what is cheap',
      'missing clamp',
      'Math.floor(spare / apart), 1 + afford)',
      'Math.floor(spare / apart))',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/diffusionTask.ts', draws, [
    [
      'the pictures of a micro-batch are mirrored by the draws of the first',
      'stale value',
      'config.flip ? 0.5 : 0, [count], first)',
      'config.flip ? 0.5 : 0, [count])',
    ],
    ['a micro-batch has the times of the first', 'stale value', 'timesOf(times, count, first)', '0, config.timesteps)'],
    ['coins are tossed with the numbers of the times', 'stale value', 'bernoulli(mirrors,', 'bernoulli(times,'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/noise.ts', draws, [
    ['a micro-batch has the noise of the first', 'stale value', 'first?.mul(each)', 'undefined'],
    ['the noise of a micro-batch begins within a picture', 'missing term', 'first?.mul(each)', 'first'],
  ]),
  ...mutantsOf(area, 'src/train/step.ts', draws, [
    [
      'every micro-batch shows the first pictures',
      'stale value',
      'examples(first, batch)',
      'examples(0 * first, batch)',
    ],
    [
      'the draws of the first micro-batch go with the pictures of the last',
      'swapped operands',
      'given, asTensor(first))',
      'given, asTensor(firstOf(parts - 1 - part)))',
    ],
  ]),
  ...mutantsOf(area, 'src/train/stepInputs.ts', draws, [
    [
      'a step has the rate of the step before',
      'off by one',
      'scalar(phase?.learningRate ?? rateAt(step))',
      'scalar(rateAt(step - 1))',
    ],
    [
      'a phase has no rate of its own',
      'missing term',
      'phase?.learningRate ?? rateAt(step)',
      'rateAt(step) ?? phase?.learningRate',
      inFile('train/learning'),
    ],
    ['a step has the decay of the step before', 'off by one', 'scalar(decayAt(step))', 'scalar(decayAt(step - 1))'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/heldOut.ts', heldOut, [
    [
      'the held-out loss is of pictures that training sees',
      'stale value',
      '=> data.heldOut(i))',
      '=> data.picture(i))',
    ],
    [
      'held-out pictures are drawn in blocks, and the first more often',
      'swapped operands',
      'at(pictures, i % pictures.length)',
      'at(pictures, Math.min(pictures.length - 1, Math.floor(i / size)))',
    ],
    [
      'each held-out picture has times of its own quarter',
      'missing term',
      'hostPermutationIndex(order, total, i % total)',
      '(((i % total) % data.heldOutCount) * (total / data.heldOutCount) + Math.floor((i % total) / data.heldOutCount))',
    ],
    [
      'the draws that fill the last chunk count',
      'missing clamp',
      'count: Math.min(size, total - c * size)',
      'count: size',
    ],
    [
      'every chunk has the noise of the first',
      'stale value',
      "normal(foldIn(foldIn(key, 'held out'), index), shape)",
      "normal(foldIn(foldIn(key, 'held out'), index.mul(0)), shape)",
    ],
    [
      'the predictor that does not look knows the mean of what is held out',
      'stale value',
      'tensor(space.mean(data), {',
      'tensor(space.mean({ ...data, picture: data.heldOut, count: data.heldOutCount }), {',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/draw.ts', sheet, [
    [
      'every batch of a sheet has the noise of the first',
      'stale value',
      'batchKey(seed, batch), { onStep',
      'batchKey(seed, 0 * batch), { onStep',
    ],
    ['of too many pictures the last are kept', 'axis', 'pictures.slice(0, count)', 'pictures.slice(-count)'],
    [
      'pictures are drawn with the seed of training',
      'stale value',
      'foldIn(foldIn(key(seed)',
      'foldIn(foldIn(key(config.seed + 0 * seed)',
    ],
    ['progress begins anew with each batch', 'missing term', 'onStep?.(b * total + done,', 'onStep?.(done,'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/diffusion.ts', recipe, [
    ['the weights of times have no bound', 'missing term', 'minSnrGamma: config.minSnr', 'minSnrGamma: Infinity'],
    ['all runs are weighted alike', 'stale value', 'weighting: config.weighting', "weighting: 'snr'"],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/noiseSchedule.ts', recipe, [
    [
      'a linear schedule is a sigmoid one',
      'stale value',
      'linearSchedule(steps, betas',
      'sigmoidBetaSchedule(steps, betas',
    ],
  ]),
  ...mutantsOf(area, 'src/train/recipe.ts', recipe, [
    ['the second moments decay with 0.999', 'wrong constant', 'beta2: 0.99 ', 'beta2: 0.999 '],
    ['gradients are clipped to the norm 10', 'wrong constant', 'clipByGlobalNorm(1)', 'clipByGlobalNorm(10)'],
  ]),
  ...mutantsOf(area, 'src/train/rates.ts', recipe, [
    ['the last step has the rate 0', 'off by one', 'steps: steps + 1', 'steps: steps'],
    ['the warm-up takes a tenth of the steps', 'wrong constant', 'Math.ceil(steps / 100)', 'Math.ceil(steps / 10)'],
  ]),
  ...mutantsOf(area, 'src/train/averages.ts', recipe, [
    ['the average decays by 0.9999', 'stale value', 'diffusersEmaDecay({ decay: averaging })', 'diffusersEmaDecay({})'],
    [
      "lucidrains' average begins a step early",
      'off by one',
      'schedule(step - 1)]',
      'schedule(step)]',
      inFile('train/averages', 'lucidrains'),
    ],
  ]),
  ...mutantsOf(area, 'src/train/chosenAverage.ts', reports, [
    [
      'the held-out loss is of the averaged weights',
      'stale value',
      'return measure(params, averages[0])',
      'return measure(averages[0], averages[0])',
    ],
    [
      'the worse of two averages is drawn from',
      'sign',
      '(loss < at(losses, best) ? i : best)',
      '(loss > at(losses, best) ? i : best)',
      inFile('train/averages', 'the one that is better'),
    ],
    [
      'the first average is drawn from, whichever was chosen',
      'stale value',
      'at(averages, chosen)',
      'at(averages, 0 * chosen)',
      inFile('train/averages', 'the one that is better'),
    ],
    [
      'a run that goes on begins its choice of an average anew',
      'stale value',
      'let chosen = begin',
      'let chosen = 0 * begin',
      inFile('train/averages', 'goes on'),
    ],
  ]),
  ...mutantsOf(area, 'src/train/sinks/sheets.ts', reports, [
    [
      'sheets are drawn from the weights of the step',
      'stale value',
      'draw(chosen.of(state))',
      'draw(chosen.of({ ...state, averages: [state.params] }))',
    ],
  ]),
  ...mutantsOf(area, 'src/train/sinks/sheets.ts', watch('the sheets of a run that is watched'), [
    ['a person is warned of copies at every sheet', 'missing check', 'said = true', 'said = false'],
  ]),
  ...mutantsOf(area, 'src/train/sinks/metrics.ts', watch('a run over which'), [
    ['what a watch finds is not in the metrics', 'missing term', '              ...seen,\n', ''],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/watch.ts', watch('how many pictures are watched'), [
    [
      'a watch takes a step of training for one of the sampler',
      'wrong constant',
      'forwardsInStep = 3',
      'forwardsInStep = 1',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/watch.ts', watch('a watch counts copies'), [
    [
      'a watch takes the distance of held-out pictures for that of drawn ones',
      'stale value',
      'generated: await far(pictures), real',
      'generated: (await far(pictures)) * 0 + real, real',
    ],
  ]),
  ...mutantsOf(area, 'src/train/sinks/sink.ts', reports, [
    ['reports are due after the first step instead of the last', 'off by one', '|| step === steps', '|| step === 1'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/sheet.ts', reports, [
    ['the first batch that is shown is held out', 'stale value', 'data.picture(i)', 'data.heldOut(i)'],
    [
      'the noise of the sheets depends on the seed of training',
      'stale value',
      'seed: sheetSeed,',
      'seed: config.seed,',
    ],
    [
      'a sheet has as many pictures as the sampler has steps',
      'swapped operands',
      '{ sampleCount, sampleSteps: steps } = config',
      '{ sampleSteps: sampleCount, sampleCount: steps } = config',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/source.ts', reports, [
    [
      'the metrics take the ratio for the held-out loss',
      'swapped operands',
      '{ heldOut: loss, ',
      '{ heldOut: relative, ',
    ],
  ]),
  ...mutantsOf(area, 'src/train/run.ts', reports, [
    ['the first weights do not depend on the seed', 'stale value', '(key(config.seed))', '(key(0))'],
    [
      'the summary takes the ratio for the held-out loss',
      'swapped operands',
      'measured: event.values,',
      "measured: { ...event.values, heldOut: event.values['heldOutRelative'] ?? NaN },",
    ],
  ]),
  ...mutantsOf(area, 'src/train/learned.node.ts', reports, [
    [
      'a run is loaded with its weights for their average',
      'stale value',
      'average: at(state.averages, progress.average ?? 0)',
      'average: at([state.params], progress.average ?? 0)',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/sample.ts', reports, [
    [
      'pictures are sampled with seed 0',
      'stale value',
      '            seed,\n            begin,',
      '            seed: 0,\n            begin,',
    ],
  ]),
  ...mutantsOf(area, 'src/train/stateFiles.ts', reports, [
    [
      'a checkpoint keeps the weights for their average',
      'stale value',
      '[averageName(i), average] as const',
      '[averageName(i), average === undefined ? average : params] as const',
    ],
  ]),
  ...mutantsOf(area, 'src/train/sinks/chart.ts', reports, [
    [
      'the curve shows the ratio for the held-out loss',
      'swapped operands',
      'points: seriesOf(metrics, name)',
      'points: seriesOf(metrics, `${name}Relative`)',
    ],
  ]),
  ...mutantsOf(area, 'src/train/configHash.node.ts', recipe, [
    [
      'a run may go on with other gradients accumulated',
      'missing check',
      '    sampleSteps: _n,\n',
      '    sampleSteps: _n,\n    accumulate: _a,\n',
    ],
    [
      'a run may go on with another network',
      'missing check',
      '[...new Set(namesIn(determining))].toSorted()',
      'Object.keys(determining).toSorted()',
    ],
    ['a run may go on without its folder', 'missing check', 'seas: folder === null,', 'seas: folder === undefined,'],
  ]),
]

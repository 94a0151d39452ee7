/** The task of a text model with its text. */
import type { GptParams } from '../../../models/gpt/gpt.ts'
import { linear } from '../../../nn/index.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import { requireBytes } from '../fitting.node.ts'
import { layerRate } from '../layerRate.ts'
import type { Subject } from '../subject.ts'
import { readText } from './readText.node.ts'
import { modelOf, tokensOf, type TextRunConfig } from './textConfig.ts'
import type { Stretches } from './stretches.ts'
import { faultOfLength, textInWords, textSource, type TextData } from './textSource.ts'
import { textTask, type TextDraws } from './textTask.ts'

/** The tokens of a configuration's text. Left where it has some that the run does not know, or is too short. */
const openText = (config: TextRunConfig): TE.TaskEither<TrainError, TextData> => {
  const { folder, heldOut, seed, written } = config
  const place = folder ?? ''
  const [model, tokens] = [modelOf(config), tokensOf(config)]
  const inPlace = (message: string): TrainError => trainError('DATA', `${place}: ${message}`)
  return pipe(
    readText(place),
    TE.chainEitherK((text) =>
      E.tryCatch(
        () => tokens.encode(text),
        (error) => inPlace(error instanceof Error ? error.message : String(error)),
      ),
    ),
    TE.map((ids) => ({ ids, model, tokens, heldOut, seed, written })),
    TE.filterOrElse(
      (data) => faultOfLength(data) === undefined,
      (data) => inPlace(`${faultOfLength(data) ?? ''} (--context N)`),
    ),
  )
}

/** What a person should know of the text of a run that goes on. */
const changesOf =
  ({ folder }: TextRunConfig, now: string) =>
  (then: string, before: string | null): readonly string[] => {
    if (then !== now)
      return [
        `the text in ${folder ?? ''} has changed (${then} then, ${now} now): the run goes on with what there is, but not as it would have`,
      ]
    return folder === before ? [] : [`the text in ${folder ?? ''} is that of the run: it goes on with the same bits`]
  }

/** What a configuration trains: a model that goes on with texts. */
export const textSubject = (config: TextRunConfig): Subject<GptParams, Stretches, TextDraws> => {
  const [model, tokens] = [modelOf(config), tokensOf(config)]
  const { batch, precision = 'f32' } = config
  const { width = 768 } = config.model
  return {
    task: textTask(model, tokens),
    with: ({ steps, folder, device }) => textSubject({ ...config, steps, folder, device }),
    open: () =>
      pipe(
        openText(config),
        TE.map((data) => {
          const source = textSource(data)
          return { ...source, changes: changesOf(config, source.fingerprint) }
        }),
      ),
    survey: () =>
      pipe(
        openText(config),
        TE.map((data) => ({ summary: textInWords(data), warnings: [] })),
      ),
    requireLeast: (device) => requireBytes(device, 4 * batch * model.context * (width + tokens.count)),
    measureRate: (device) => layerRate(device, linear(width, 4 * width), [batch * model.context, width], precision),
  }
}

/**
 * fathom/evaluation: a judge of generated pictures, by real ones. Scores in feature spaces, textures by scale, factors of scenes, copies of training
 * pictures; each beside the same number for sets of known quality, and each with a p-value. It opens no files: it is given sets of pictures.
 *
 * @module fathom/evaluation
 */
export { blurredPictures, gaussianPictures } from './anchors.ts'
export { compareSets, type CompareOptions, type Comparison, type SpaceComparison } from './compareSets.ts'
export { copiesAmong, originalsOf, type CopyFinding, type Originals } from './copies.ts'
export { mobilenetSpace } from './features/mobilenet/space.ts'
export type { PackagedModel } from './features/mobilenet/weights.ts'
export { featureSpaces, isFeatureSpaceName, type FeatureSpaceName } from './features/registry.ts'
export type { FeatureSpace } from './features/space.ts'
export { judge, type JudgeOptions } from './judge.ts'
export type { Judgement, Memory, Nearest, SetName, Share, Test } from './judgement.ts'
export { holm } from './permutations.ts'
export { asRgb, type Pictures } from './pictures.ts'
export type { Rows } from './rows.ts'
export type { Counted } from './scores/fisher.ts'
export type { Relative } from './scores/relative.ts'
export type { SetScores, SpaceScores } from './scores/scoreSet.ts'
export type { LevelLoss } from './report/lossChart.ts'
export { judgementPage, type ReportOptions } from './report/report.ts'
export { sentencesOf } from './report/words.ts'
export { watchOn, type Watched, type WatchOptions } from './watch.ts'

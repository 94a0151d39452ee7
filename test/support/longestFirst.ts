/**
 * The order of the tests' files, so that all cores have work until the end: files that share a process stand together, and in each project those come
 * first that take longest. The runner itself knows durations only from runs before, which a fresh clone lacks; then it goes by the sizes of the files.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { slowest } from './slowest.ts'

/** Projects in the order of their longest files. */
const projects = ['apart', 'runs', 'shared']

const ranks = new Map(slowest.map((file, i) => [file, i]))

/** Files that are not among the slowest come behind them. */
const rankOf = ({ moduleId }: TestSpecification): number =>
  ranks.get(/\/test\/(.*)\.test\.ts$/.exec(moduleId)?.[1] ?? '') ?? slowest.length

const placeOf = ({ project }: TestSpecification): number => projects.indexOf(project.name)

/** Sorts by this table. */
export class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => placeOf(a) - placeOf(b) || rankOf(a) - rankOf(b)))
  }
}

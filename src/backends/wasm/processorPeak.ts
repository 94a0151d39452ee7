/** The peak of the processor, which only Node measures: a page has neither its cores' number for certain nor workers of its own to spare. */
import type { MeasuredPeak } from '../backend.ts'

/** A file of this folder that only Node can load: named by a value, so that neither the types nor a page's bundle follow it. */
const nodeFile: string = './machinePeak.node.ts'

/** What so many threads reach at best, in WebAssembly. */
export const processorPeak = async (threads: number): Promise<MeasuredPeak> => {
  const { measureThreads } = (await import(nodeFile)) as {
    readonly measureThreads: (threads: number) => Promise<MeasuredPeak>
  }
  return measureThreads(threads)
}

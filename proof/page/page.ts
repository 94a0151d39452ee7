/**
 * The programs of sameBits.ts in a page. One that may share its process with other origins has no shared memory, hence one thread. An isolated
 * one computes on its own thread, which may not sleep, and then in a Worker, which reports for itself.
 */
import { onSoftwareGpu, sampled, trained } from '../sameBits.ts'
import { openedAsUsual, refused } from './opened.ts'
import { report, reportAll, reportingFailure } from './report.ts'

const plain = async (): Promise<void> => {
  await refused({ threads: 2 }, 'Cross-Origin-Opener-Policy')
  await reportAll(trained([1]))
  await reportAll(sampled())
  await reportAll(onSoftwareGpu())
  await report({ kind: 'done' })
}

const isolated = async (): Promise<void> => {
  await reportAll(trained([2]))
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  worker.addEventListener('error', ({ message }) => {
    void report({ kind: 'failed', why: `the page's Worker: ${message}` })
  })
}

await reportingFailure(async () => {
  await openedAsUsual(1)
  await (crossOriginIsolated ? isolated() : plain())
})

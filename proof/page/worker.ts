/** A page's Worker: it may sleep, so threads are what they are on Node. */
import { onSoftwareGpu, trained } from '../sameBits.ts'
import { openedAsUsual } from './opened.ts'
import { report, reportAll, reportingFailure } from './report.ts'

await reportingFailure(async () => {
  await openedAsUsual(Math.min(navigator.hardwareConcurrency, 8))
  await reportAll(trained([1, 2]))
  await reportAll(onSoftwareGpu())
  await report({ kind: 'done' })
})

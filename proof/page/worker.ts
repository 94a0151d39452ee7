/** A page's Worker: it may sleep, so threads are what they are on Node. */
import { trained } from '../sameBits.ts'
import { openedAsUsual } from './opened.ts'
import { report, reportAll, reportingFailure } from './report.ts'

await reportingFailure(async () => {
  await openedAsUsual(Math.min(navigator.hardwareConcurrency, 8))
  await reportAll(trained([1, 2]))
  await report({ kind: 'done' })
})

/** A worker's file on Node. */
import { parentPort, workerData } from 'node:worker_threads'
import { serve, type Message } from './worker.ts'

const answer = serve(() => {
  parentPort?.postMessage('ready')
})
parentPort?.on('message', answer)
answer(workerData as Message)

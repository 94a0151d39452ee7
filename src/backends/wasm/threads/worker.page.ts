/** A worker's file in a page. */
import { serve, type Message } from './worker.ts'

const answer = serve(() => {
  self.postMessage('ready')
})
self.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  answer(data)
})

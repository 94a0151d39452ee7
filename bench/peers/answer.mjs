/** The protocol of a peer in JavaScript: for each line, a case and how often to run it; the answer is its seconds a run, and those of all its threads, or why it has none. */
import process from 'node:process'
import { createInterface } from 'node:readline'

const say = (values) => process.stdout.write(`${JSON.stringify(values)}\n`)

/** Numbers of the same kind for everyone: uniform in [−1, 1). */
export const numbers = (count) => Float32Array.from({ length: count }, () => 2 * Math.random() - 1)

/**
 * Answers until the input ends.
 *
 * @param about what the peer is
 * @param prepare a case to a function that runs it and waits for the result; throws where the peer cannot
 */
export const answer = async (about, prepare) => {
  const prepared = new Map()
  say({ about: `${about}, Node ${process.version}` })
  for await (const line of createInterface({ input: process.stdin })) {
    const { case: c, times } = JSON.parse(line)
    const id = JSON.stringify(c)
    try {
      if (!prepared.has(id)) prepared.set(id, await prepare(c))
      const run = prepared.get(id)
      const [start, before] = [performance.now(), process.cpuUsage()]
      for (let i = 0; i < times; i++) await run()
      const { user, system } = process.cpuUsage(before)
      say({ seconds: (performance.now() - start) / 1000 / times, cpu: (user + system) / 1e6 / times })
    } catch (error) {
      say({ error: error instanceof Error ? error.message.split('\n')[0] : String(error) })
    }
  }
}

/** A run that is killed again and again by SIGKILL, which no process can notice, and resumed each time. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { run, start } from './command.ts'

/** How often it was killed while it worked. */
export interface KillReport {
  readonly kills: number
}

/**
 * Begins a run and kills it after each delay, counted from when it has taken the run up; then lets it end.
 *
 * @param delays milliseconds
 * @throws Error when a resume fails
 */
export const killAndResume = async (
  main: string,
  config: string,
  out: string,
  delays: readonly number[],
): Promise<KillReport> => {
  const args = (): readonly string[] =>
    existsSync(join(out, 'checkpoints', 'latest')) ? ['resume', out] : ['train', '--config', config, '--out', out]
  // The first process is let live until there is something to resume.
  const first = start(main, args())
  await first.printed(/images +procedural/)
  while (!existsSync(join(out, 'checkpoints', 'latest'))) await setTimeout(5)
  first.child.kill('SIGKILL')
  await first.ended
  let kills = 1
  for (const delay of delays.slice(1)) {
    const { child, printed, ended } = start(main, args())
    await Promise.race([ended, printed(/images +procedural/).then(() => setTimeout(delay))])
    child.kill('SIGKILL')
    const { signal, code, stderr } = await ended
    if (signal === 'SIGKILL') kills++
    else if (code !== 0) throw new Error(`a resume after ${kills} kills failed with ${code}: ${stderr}`)
  }
  const { code, stderr } = await run(main, args())
  if (code !== 0) throw new Error(`the last resume failed with ${code}: ${stderr}`)
  return { kills }
}

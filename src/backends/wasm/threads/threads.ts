/** Other threads, as a port: Node's worker_threads and a page's workers differ in how they begin and end, and in nothing else. */
import type { Backend } from '../../backend.ts'
import type { Message } from './worker.ts'

/** A worker that has begun. */
export interface WorkerHandle {
  readonly send: (message: Message) => void
  readonly end: () => Promise<void>
}

/** What flags of the engine are set. */
export interface Flags {
  /** Pairs of 128-bit operations become 256-bit ones. */
  readonly wide: boolean
}

/** The names of what comes out otherwise than on a backend to trust. */
export type Disagreements = (backend: Backend, trusted: Backend) => Promise<readonly string[]>

/** Where programs run: what a platform says of itself and does for the backend. */
export interface Platform {
  /** Threads that may run at once. */
  readonly cores: number
  /** Flags of the JavaScript engine that make wasm faster; they hold for the whole process. */
  readonly flags: {
    /** Those that were set on the command line. */
    readonly given: () => Flags
    /** Those that could still be set here, and whoever opens a device may ask for. */
    readonly left: () => Flags
    /** Sets those that this engine has, unless the environment forbids it. */
    readonly set: () => Flags
    /** Sets them back. */
    readonly clear: () => void
    /** Loads what kernels are tried with when flags are set. Absent where none can be: a page bundles no test. */
    readonly test?: () => Promise<{ readonly disagreements: Disagreements }>
  }
  /** Whether modules come over a network: then those that few programs need are loaded when they do. */
  readonly isServed: boolean
  /** Whether the thread that runs programs may sleep: a page's own may not. */
  readonly mayWait: boolean
  /**
   * Starts a worker and gives it its first message.
   *
   * @param lost called with what happened when it ends before `end` is called
   * @returns when it is ready to take units
   */
  readonly startWorker: (beginning: Message, lost: (why: string) => void) => Promise<WorkerHandle>
}

import type { MessagePort } from 'node:worker_threads'
import type { GraphData } from '../../plan/definition.ts'
import { type ErrorDetail, inWords } from '../../errors.ts'
import type { Plan } from '../../plan/types.ts'
import type { WorkerEvent } from '../stage.ts'

/** What the supervisor gives a worker's thread: the one argument of its one endless task. */
export interface WorkerTask {
  readonly plan: Plan
  readonly worker: number
  readonly epoch: number
  readonly memory: SharedArrayBuffer
  /** Where records in fragments are put together; absent where the worker takes none. */
  readonly assembly: SharedArrayBuffer | undefined
  /** The graph without its functions, and whether it has any. */
  readonly graph: GraphData
  readonly hasFunctions: boolean
  /** Which of the graphs of its module it is; undefined where that is not known. */
  readonly serial: number | undefined
  /** The function that makes the graph of the params, where `run` was given one. */
  readonly maker: MakerName | undefined
  /** The option `params` of the run. */
  readonly params: unknown
  /** For messages of the worker. */
  readonly port: MessagePort
  /** For calls of the supervisor, by comlink. */
  readonly link: MessagePort
}

/** How a function that makes a graph is found again in another thread. */
export interface MakerName {
  readonly name: string
  readonly text: string
}

/** What the supervisor tells a worker: to answer calls, and whether the graph that it asked about is the one to run. */
export type SupervisorMessage = 'answer' | 'same' | 'differs'

/** An error as it crosses threads: `structuredClone` would drop the class, the code and the detail. */
export interface ErrorMessage {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code?: string | undefined
  readonly detail?: ErrorDetail | undefined
}

/** What a worker tells the supervisor. Each message carries the epoch: those of an earlier life are refused. */
export type WorkerMessage =
  | { readonly type: 'started'; readonly threadId: number; readonly epoch: number }
  /** The graph that the worker has found may be another one than was given to `run`: it waits for the answer. */
  | { readonly type: 'asks'; readonly epoch: number }
  | { readonly type: 'ready'; readonly epoch: number }
  | { readonly type: 'refused'; readonly step: 'load' | 'setup'; readonly error: ErrorMessage; readonly epoch: number }
  | { readonly type: 'ended'; readonly epoch: number }
  /** The worker waits for something outside; undefined: it waits no more. */
  | { readonly type: 'degraded'; readonly reason: string | undefined; readonly epoch: number }
  | { readonly type: 'failed'; readonly error: ErrorMessage; readonly epoch: number }
  | { readonly type: 'event'; readonly event: WorkerEvent; readonly epoch: number }

/** What the supervisor may call in a worker, by comlink. Never on the data path; every call has a deadline. */
export interface WorkerCalls {
  /** What the thread's heap holds, in bytes. */
  inspect(): { readonly heapUsedBytes: number; readonly rssBytes: number; readonly uptimeMs: number }
  /** Profiles the thread's code for so long; returns a `.cpuprofile`. */
  profile(ms: number): Promise<unknown>
}

export function errorMessage(error: unknown): ErrorMessage {
  if (!(error instanceof Error)) return { name: 'Error', message: inWords(error), stack: '' }
  const { name, message, stack = '' } = error
  const code: unknown = Reflect.get(error, 'code')
  const detail: unknown = Reflect.get(error, 'detail')
  return {
    name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof detail === 'object' && detail !== null ? { detail: detail as ErrorDetail } : {}),
  }
}

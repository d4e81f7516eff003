import type { MessagePort } from 'node:worker_threads'
import type { GraphData } from '../plan/definition.ts'
import { type ErrorDetail, inWords } from '../errors.ts'
import type { Plan } from '../plan/types.ts'
import type { WorkerEvent } from './stage.ts'

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
  /** For messages of the worker. */
  readonly port: MessagePort
  /** For calls of the supervisor, by comlink. */
  readonly link: MessagePort
}

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
  | { readonly type: 'ready'; readonly epoch: number }
  | { readonly type: 'refused'; readonly step: 'load' | 'setup'; readonly error: ErrorMessage; readonly epoch: number }
  | { readonly type: 'ended'; readonly epoch: number }
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

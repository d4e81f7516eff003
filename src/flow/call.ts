import type { Context } from '../graph/types.ts'
import type { Parcel } from './parcel.ts'
import { RequestTable } from './table.ts'
import type { StepContext, StepFault } from './types.ts'

/** What `runFlow` gives to its workers as `params`. */
export interface FlowParams {
  readonly table: SharedArrayBuffer
  /** The option `params` of `runFlow`. */
  readonly params: unknown
}

type Call = Context<any, FlowParams | undefined>

/** One table for each memory: a worker has one. */
const tables = new WeakMap<SharedArrayBuffer, RequestTable>()

function tableOf({ params }: Call): RequestTable | undefined {
  // A flow that `run` runs, as any other graph, has none: nobody can stop its requests.
  if (!(params?.table instanceof SharedArrayBuffer)) return undefined
  let table = tables.get(params.table)
  if (table === undefined) tables.set(params.table, (table = new RequestTable(params.table)))
  return table
}

/** Why the step is not to be called; undefined where it is. */
export function stopOf(parcel: Parcel, step: string, call: Call): StepFault | undefined {
  if (tableOf(call)?.isStopped(parcel) !== true) return undefined
  return { step, name: 'Error', message: 'the request was stopped', stack: '', code: 'REQUEST_STOPPED', attempts: 0 }
}

/** The context of one call of a step. It may outlive the call: an async handler keeps it. */
export class StepCall implements StepContext<any, any> {
  readonly request: string
  readonly step: string
  readonly attempt: number
  readonly id: string
  readonly state: unknown
  readonly params: unknown
  readonly #parcel: Parcel
  readonly #call: Call
  #signal: AbortSignal | undefined

  constructor(parcel: Parcel, step: string, call: Call) {
    this.#parcel = parcel
    this.#call = call
    this.request = parcel.request
    this.step = step
    this.attempt = call.attempt
    this.id = call.id
    this.state = call.state
    this.params = call.params?.params
  }

  get path(): readonly number[] {
    return this.#parcel.path.split('/').slice(1).map(Number)
  }

  /** Made when it is looked at: most handlers never do. */
  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal
    const stopped = new AbortController()
    void tableOf(this.#call)?.abortOnStop(this.#parcel, stopped)
    return (this.#signal = AbortSignal.any([this.#call.signal, stopped.signal]))
  }
}

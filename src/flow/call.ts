import type { Context } from '../graph/types.ts'
import type { Parcel } from './parcel.ts'
import { type Race, type Site, pathTo } from './site.ts'
import { type Decision, RequestTable } from './table.ts'
import type { StepContext, StepFault } from './types.ts'

/** What `runFlow` gives to its workers as `params`. */
export interface FlowParams {
  readonly table: SharedArrayBuffer
  /** The option `params` of `runFlow`. */
  readonly params: unknown
}

export type FlowCall = Context<any, FlowParams | undefined>

/** One table for each memory: a worker has one. */
const tables = new WeakMap<SharedArrayBuffer, RequestTable>()

function tableOf({ params }: FlowCall): RequestTable | undefined {
  // A flow that `run` runs, as any other graph, has none: nobody can stop its requests.
  if (!(params?.table instanceof SharedArrayBuffer)) return undefined
  let table = tables.get(params.table)
  if (table === undefined) tables.set(params.table, (table = new RequestTable(params.table)))
  return table
}

/** Why the step is not to be called; undefined where it is. */
export function stepRefusal(parcel: Parcel, { node, races }: Site, call: FlowCall): StepFault | undefined {
  const table = tableOf(call)
  const refused = (code: string, message: string): StepFault => ({
    step: node,
    name: 'Error',
    message,
    stack: '',
    code,
    attempts: 0,
  })
  if (table?.isStopped(parcel) === true) return refused('REQUEST_STOPPED', 'the request was stopped')
  for (const race of races)
    if (isDecided(parcel, race, table)) return refused('STEP_CANCELLED', 'its answer is not waited for any more')
  if (table?.isPaused(parcel) === true || table?.isLeaseOver === true)
    return refused('REQUEST_PAUSED', 'the request is paused')
  return undefined
}

/** Whether another process may have the request by now. */
export function isLeaseOver(call: FlowCall): boolean {
  return tableOf(call)?.isLeaseOver === true
}

/** The join has enough answers: in this run of the request, or in an earlier one. */
function isDecided(parcel: Parcel, race: Race, table: RequestTable | undefined): boolean {
  const path = pathTo(parcel.path, race.depth)
  if (parcel.memos?.some((memo) => memo.step === race.node && memo.path === path) === true) return true
  return table?.isDecided(decisionOf(parcel, race)) === true
}

function decisionOf({ at, turn, path }: Parcel, { node, depth }: Race): Decision {
  return { at, turn, path: pathTo(path, depth), node }
}

/** A join has enough answers: those who make others need not go on. */
export function decide(parcel: Parcel, node: string, call: FlowCall): void {
  const { at, turn, path } = parcel
  tableOf(call)?.decide({ at, turn, path, node })
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
  readonly #call: FlowCall
  readonly #races: readonly Race[]
  #signal: AbortSignal | undefined

  constructor(parcel: Parcel, step: string, call: FlowCall, races: readonly Race[] = []) {
    this.#parcel = parcel
    this.#call = call
    this.#races = races
    this.request = parcel.request
    this.step = step
    this.attempt = call.attempt
    this.id = `${parcel.request}/${step}${parcel.path}`
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
    const table = tableOf(this.#call)
    void table?.abortOnStop(this.#parcel, stopped)
    for (const race of this.#races) void table?.abortOnDecision(decisionOf(this.#parcel, race), stopped)
    return (this.#signal = AbortSignal.any([this.#call.signal, stopped.signal]))
  }
}

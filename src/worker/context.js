import { MillraceError } from '../errors.js'
import { formatId, mixed } from '../lane/ids.js'
import { idOf } from './granule.js'
/** A handler's context. Sync handlers of a worker share one; each open call of an async one has its own. */
export class CallContext {
  node
  worker
  workers
  state
  attempt = 1
  /** What the call sent to branches, as pairs. Goes out only when the call ends well. */
  emitted = []
  /** Batch handlers: records that the handler gave up, with its reasons. */
  failed = new Map()
  #branches
  #stopped
  #call
  #header
  #index = 0
  /** @param stopped aborted when the pipeline stops */
  constructor(facts, stopped) {
    this.node = facts.node
    this.worker = facts.worker
    this.workers = facts.workers
    this.state = facts.state
    this.#stopped = stopped
    this.#branches = facts.branches
  }
  /** The record that the next call is for. */
  aim(header, index, attempt) {
    this.#header = header
    this.#index = index
    this.#call = undefined
    this.attempt = attempt
  }
  /** Made when it is looked at: most handlers never do. */
  get signal() {
    this.#call ??= new AbortController()
    return AbortSignal.any([this.#stopped, this.#call.signal])
  }
  /** Tells the call in hand that its time is over. */
  abort(reason) {
    this.#call?.abort(reason)
  }
  get id() {
    idOf(this.#header, this.#index)
    return formatId(mixed.low, mixed.high)
  }
  emit = (branch, record) => {
    if (!this.#branches.has(branch)) throw new MillraceError('ROUTE_UNKNOWN', { node: this.node, branch })
    this.emitted.push([branch, record])
  }
  fail = (record, reason) => {
    this.failed.set(record, reason)
  }
}

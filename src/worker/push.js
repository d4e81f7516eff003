import { MillraceError } from '../errors.js'
/** A pushed record, followed to its end. */
export class Receipt {
  #outcome
  #done
  /** Undefined while the record is on its way. */
  get outcome() {
    return this.#outcome
  }
  /** Resolves when all that came of the record is done. @throws RECORD_FAILED, PIPELINE_NOT_RUNNING */
  get done() {
    if (this.#done === undefined) {
      let settle
      const promise = new Promise((resolve, reject) => (settle = { resolve, reject }))
      this.#done = { promise, ...settle }
      if (this.#outcome !== undefined) this.#tell(this.#outcome)
    }
    return this.#done.promise
  }
  /** Called once, by the source. */
  end(outcome) {
    this.#outcome = outcome
    if (this.#done !== undefined) this.#tell(outcome)
  }
  #tell(outcome) {
    const { promise, resolve, reject } = this.#done
    promise.catch(() => undefined)
    if (outcome === 'acked') resolve()
    else reject(new MillraceError(outcome === 'failed' ? 'RECORD_FAILED' : 'PIPELINE_NOT_RUNNING'))
  }
}
/** The supply of a push source: records that wait for credit, in the order in which they were pushed. */
export class PushSupply {
  error = undefined
  isAsync = true
  #waiting = []
  #isClosed = false
  #sequence = 0
  #open = new Map()
  #wake
  constructor(wake) {
    this.#wake = wake
  }
  get isOver() {
    return this.#isClosed && this.#waiting.length === 0
  }
  /**
   * Adds a record. `settle` is told its sequence when it is taken, or undefined where it never is.
   * @returns what takes it back, while it waits
   */
  add(record, receipt, settle) {
    const waiting = { record, receipt, settle }
    if (this.#isClosed) {
      settle(undefined)
      return () => undefined
    }
    this.#waiting.push(waiting)
    this.#wake()
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting)
    }
  }
  take(most, into) {
    for (const { record, receipt, settle } of this.#waiting.splice(0, most)) {
      into.add(record)
      this.#open.set(this.#sequence, receipt)
      settle(this.#sequence)
      this.#sequence = (this.#sequence + 1) | 0
    }
  }
  ended(sequence, failures) {
    this.#open.get(sequence)?.end(failures > 0 ? 'failed' : 'acked')
    this.#open.delete(sequence)
  }
  close() {
    this.#isClosed = true
  }
  /** The pipeline is over: what waits was never taken, and what is open never ended. */
  abandon() {
    this.#isClosed = true
    for (const { settle } of this.#waiting.splice(0)) settle(undefined)
    for (const receipt of this.#open.values()) receipt.end('abandoned')
    this.#open.clear()
  }
}

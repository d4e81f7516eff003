import { store } from '#atomics'
import { MillraceError } from '../errors.js'
import { anchorSlot, anchorSource } from '../lane/slots.js'
import { viewMemory } from '../lane/memory.js'
import { LEFT, LIVE, STATE } from '../plan/control.js'
import { Loop } from '../worker/loop.js'
import { OutputStage } from '../worker/output.js'
import { makeParts } from '../worker/parts.js'
import { PushSupply, Receipt } from '../worker/push.js'
import { SourceStage } from '../worker/source.js'
/** The doorbell wakes these loops; the wait is a net only, and this thread has better things to do. */
const MAX_PARK_MS = 250
/**
 * The stages of the thread that called `run`: sources that are pushed into, and outputs that are read. They run the same
 * loops as workers do, and never block.
 */
export class Embedder {
  #workers
  /** Calls that wait for an answer, by the source worker's number and the sequence of the pushed record. */
  #calls = new Map()
  /** @param handlers by stage index: conditionals and keys behind a push source are functions of this thread */
  constructor(plan, memory, handlers, listener) {
    const answer = (anchor, record) => this.#answer(anchor, record)
    this.#workers = plan.stages
      .filter(({ host }) => host === 'embedder')
      .flatMap(({ workers }) =>
        workers.map((index) => {
          const worker = plan.workers[index]
          return new EmbeddedWorker(plan, memory, worker, handlers.get(worker.stage), listener, answer)
        }),
      )
  }
  start() {
    for (const worker of this.#workers) worker.start()
  }
  /** A push source, or all of them, take no more records. */
  close(node) {
    for (const worker of this.#workers) if (node === undefined || worker.node === node) worker.close()
  }
  /** Resolves when all loops are over. */
  async left() {
    await Promise.all(this.#workers.map(({ left }) => left))
    for (const { supply, stage } of this.#workers) {
      supply?.abandon()
      if (stage instanceof OutputStage) stage.end()
    }
    for (const calls of this.#calls.values()) for (const resolve of calls.values()) resolve(UNANSWERED)
  }
  /** Pushes a record. Resolves when a lane takes it. @throws NODE_NOT_PUSHED, PIPELINE_NOT_RUNNING */
  push(node, record, signal) {
    const receipt = new Receipt()
    return this.#add(node, record, receipt, () => undefined, signal).then(() => receipt)
  }
  /** Pushes a record and resolves to the first record that comes of it at an output. */
  async call(node, record, signal) {
    const receipt = new Receipt()
    const { number } = this.#pushed(node)
    let answer
    const answered = new Promise((resolve) => (answer = resolve))
    let sequence
    const calls = this.#calls.get(number) ?? new Map()
    this.#calls.set(number, calls)
    try {
      sequence = await this.#add(node, record, receipt, (taken) => calls.set(taken, answer), signal)
      // Without an answer the record's end is the end of the call.
      const ended = receipt.done.then(() => UNANSWERED)
      const result = await Promise.race([answered, ended, aborted(signal)])
      if (result === UNANSWERED) throw new MillraceError('CALL_UNANSWERED', { node })
      return result
    } finally {
      if (sequence !== undefined) calls.delete(sequence)
    }
  }
  /** The output of a node. @throws NODE_NOT_OUTPUT */
  output(node) {
    const found = this.#workers.find((worker) => worker.node === node)?.stage
    if (found instanceof OutputStage) return found
    throw new MillraceError('NODE_NOT_OUTPUT', { node })
  }
  #pushed(node) {
    const found = this.#workers.find((worker) => worker.node === node)
    if (found?.supply === undefined) throw new MillraceError('NODE_NOT_PUSHED', { node })
    return { supply: found.supply, number: found.number }
  }
  async #add(node, record, receipt, onTaken, signal) {
    const { supply } = this.#pushed(node)
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        takeBack()
        reject(signal.reason)
      }
      const takeBack = supply.add(record, receipt, (sequence) => {
        signal?.removeEventListener('abort', onAbort)
        if (sequence === undefined) return reject(new MillraceError('PIPELINE_NOT_RUNNING', { node }))
        onTaken(sequence)
        resolve(sequence)
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
  #answer(anchor, record) {
    const calls = this.#calls.get(anchorSource(anchor))
    if (calls === undefined || calls.size === 0) return false
    const sequence = this.#workers.find(({ number }) => number === anchorSource(anchor)).sequenceOf(anchorSlot(anchor))
    const answer = calls.get(sequence)
    if (answer === undefined) return false
    calls.delete(sequence)
    answer(record)
    return true
  }
}
const UNANSWERED = Symbol('unanswered')
function aborted(signal) {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
/** One stage of this thread, with its one worker. */
class EmbeddedWorker {
  node
  /** Its source number; -1 of an output. */
  number
  supply
  stage
  left = Promise.resolve()
  #parts
  #loop
  #memory
  #worker
  #listener
  #stopped = new AbortController()
  constructor(plan, memory, worker, handlers, listener, answer) {
    let wake = nothing
    const draining = new AbortController()
    this.#memory = memory
    this.#worker = worker
    this.#listener = listener
    this.node = plan.stages[worker.stage].node
    this.number = worker.source ?? -1
    this.supply = worker.source === undefined ? undefined : new PushSupply(() => wake())
    this.#parts = makeParts({
      plan,
      worker: worker.index,
      memory,
      assembly: viewMemory(new ArrayBuffer(worker.inputs.length > 0 ? plan.maxRecordBytes : 0)),
      handlers,
      state: undefined,
      stopped: this.#stopped.signal,
      draining: draining.signal,
      supply: this.supply,
      wake: () => wake(),
      report: () => undefined,
    })
    this.stage = this.supply === undefined ? new OutputStage(this.#parts, answer) : new SourceStage(this.#parts)
    const { clock, outlet } = this.#parts
    const beforeWait = () => outlet.wakePeers()
    const onEnded = () => listener.ended(worker.index)
    this.#loop = new Loop({
      plan,
      worker,
      memory,
      stage: this.stage,
      clock,
      onEnded,
      beforeWait,
      maxParkMs: MAX_PARK_MS,
    })
    wake = this.#loop.wake
  }
  start() {
    const state = this.#worker.control.offset / 4 + STATE
    store(this.#memory.words, state, LIVE)
    this.left = this.#loop
      .run()
      .catch((error) => this.#listener.failed(error))
      .finally(() => {
        this.#stopped.abort()
        store(this.#memory.words, state, LEFT)
      })
  }
  close() {
    this.supply?.close()
    this.#loop.wake()
  }
  sequenceOf(slot) {
    return this.#parts.source.slots.sequence(slot)
  }
}
function nothing() {
  // Until the loop is made, nothing can have happened that it would have to be woken for.
}

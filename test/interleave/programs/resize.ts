/**
 * A writer whose records have one key, two workers of the stage that it sends to, and the supervisor that gives the stage its second
 * worker, to which that key moves. Whatever the order: the records are handled in theirs, each by one worker at a time.
 */
import assert from 'node:assert/strict'
import { Doorbell, ring } from '#src/lane/doorbell.js'
import { Journal, recover } from '#src/lane/journal.js'
import { movedPartitions, partitionOfKey, partitionOwners } from '#src/lane/partitions.js'
import { LaneReader, NO_FRAME, grantFirst } from '#src/lane/reader.js'
import { SizingWords } from '#src/lane/sizing.js'
import { EDGE_FLOATS } from '#src/memory/counters.js'
import type { JournalLayout } from '#src/memory/journal.js'
import { type LaneLayout, headerBytes } from '#src/memory/lane.js'
import type { Memory } from '#src/memory/memory.js'
import type { LinkPlan, Plan } from '#src/plan/types.js'
import type { InletLane } from '#src/worker/in/inlet.js'
import { Tenure } from '#src/worker/in/tenure.js'
import { dispatcherOf } from '#src/worker/out/dispatch.js'
import { LinkWriter } from '#src/worker/out/link-writer.js'
import type { Settlement } from '#src/worker/out/settlement.js'

interface WorkerWords {
  readonly journal: JournalLayout
  readonly control: number
  readonly doorbell: number
}

export interface ResizePlan {
  readonly records: number
  /** The writer itself resizes the stage after so many records; absent: another thread does, at any time. */
  readonly resizeAfter?: number | undefined
  readonly sizing: number
  readonly lanes: readonly LaneLayout[]
  readonly writer: WorkerWords
  readonly readers: readonly WorkerWords[]
  /** Told of each record that a worker handles. */
  readonly onHandled: (record: number) => void
}

/** Moves to the second worker. */
const KEY = movingKey()
const HEADER = { slot: 0, furtherAnchors: [], baseLow: 0, baseHigh: 0, first: 0, salt: 0, attempt: 0, trace: 0 }
const LINK = {
  index: 0,
  to: 0,
  toNode: 'work',
  codec: 'json',
  dispatch: 'partition',
  whenFull: 'block',
  pathType: 'normal',
}

function movingKey(): number {
  const owners = partitionOwners(2)
  assert.ok(movedPartitions(1, 2).length > 0)
  for (let key = 0; ; key++) if (owners[partitionOfKey(key)] === 1) return key
}

function planOf({ sizing, readers, writer }: ResizePlan): Plan {
  const workers = [...readers, writer].map(({ control, doorbell }, ordinal) => ({
    ordinal,
    control: { offset: control, doorbell },
  }))
  const stages = [{ index: 0, sizing, workers: [0, 1] }]
  return { stages, workers, links: [LINK], maxRecordBytes: 1 << 16 } as unknown as Plan
}

interface Worker {
  readonly isDone: boolean
  step(): boolean
}

class Sending implements Worker {
  readonly #plan: ResizePlan
  readonly #journal: Journal
  readonly #link: LinkWriter
  readonly #memory: Memory
  #isEnded = false
  #hasResized = false

  constructor(memory: Memory, plan: ResizePlan) {
    this.#plan = plan
    this.#memory = memory
    this.#journal = new Journal(memory, plan.writer.journal)
    this.#link = new LinkWriter({
      memory,
      plan: planOf(plan),
      link: LINK as unknown as LinkPlan,
      ends: plan.lanes.map((layout, peer) => ({ link: 0, layout, peer })),
      dispatcherOf: (lanes, sentBefore) =>
        dispatcherOf(LINK as unknown as LinkPlan, { key: () => KEY }, lanes, sentBefore),
      counters: new Float64Array(EDGE_FLOATS),
      at: 0,
      settlement: { toggle: () => undefined } as unknown as Settlement,
      keepsIds: false,
    })
  }

  get isDone(): boolean {
    return this.#isEnded
  }

  step(): boolean {
    const link = this.#link
    const next = this.#journal.counters[0]!
    if (next === this.#plan.resizeAfter && !this.#hasResized) {
      this.#hasResized = true
      resize(this.#memory, this.#plan)
    }
    if (link.isBehind) link.reroute()
    else if (next < this.#plan.records) {
      link.add(next, 0)
      assert.ok(link.flush(HEADER, false, 0, () => assert.fail('refused')))
      link.endChunk()
      this.#journal.counters[0]!++
    } else {
      link.end()
      this.#isEnded = true
    }
    link.stage(this.#journal)
    this.#journal.commit()
    link.wakePeers(true)
    return true
  }
}

class Handling implements Worker {
  readonly #memory: Memory
  readonly #plan: ResizePlan
  readonly #journal: Journal
  readonly #tenure: Tenure
  readonly #reader: LaneReader
  readonly #lanes: readonly InletLane[]

  constructor(memory: Memory, plan: ResizePlan, ordinal: number) {
    const all = planOf(plan)
    this.#memory = memory
    this.#plan = plan
    this.#journal = new Journal(memory, plan.readers[ordinal]!.journal)
    this.#tenure = new Tenure(memory, all, all.stages[0]!, all.workers[ordinal]!)
    this.#reader = new LaneReader(memory, plan.lanes[ordinal]!, this.#tenure)
    this.#lanes = [{ isVacant: false, reader: this.#reader } as unknown as InletLane]
  }

  get isDone(): boolean {
    if (!this.#reader.hasEnded) return false
    this.#tenure.look(this.#lanes)
    return !this.#tenure.isClosed
  }

  step(): boolean {
    this.#tenure.look(this.#lanes)
    if (this.#tenure.isClosed) {
      assert.ok(this.#tenure.release())
    } else if (!this.#take()) return false
    this.#reader.stage(this.#journal)
    this.#tenure.stage(this.#journal)
    this.#journal.commit()
    this.#tenure.wakePeers()
    return true
  }

  #take(): boolean {
    const at = this.#reader.poll()
    if (at === NO_FRAME) return false
    const { words } = this.#memory
    const body = at + headerBytes(0)
    this.#reader.take(at)
    this.#plan.onHandled(recordAt(words, body))
    this.#reader.release(this.#reader.position, 0, 1)
    this.#journal.counters[0]!++
    return true
  }
}

/** JSON in a frame: its length, then its text, which is one digit here. */
function recordAt(words: Int32Array, body: number): number {
  return ((words[body / 4 + 1]! & 0xff) - 48) | 0
}

export function send(memory: Memory, plan: ResizePlan): void {
  work(memory, new Sending(memory, plan), plan.writer.doorbell)
}

export function handle(memory: Memory, plan: ResizePlan, ordinal: number): void {
  work(memory, new Handling(memory, plan, ordinal), plan.readers[ordinal]!.doorbell)
}

export function resize(memory: Memory, plan: ResizePlan): void {
  new SizingWords(memory, plan.sizing).resize(2)
  for (const { doorbell } of [plan.writer, ...plan.readers]) ring(memory.words, doorbell)
}

export function begin(memory: Memory, plan: ResizePlan): void {
  new SizingWords(memory, plan.sizing).begin(1)
  for (const lane of plan.lanes) grantFirst(memory, lane)
}

/** After a death: what the supervisor does, then the successor. */
export function sendAgain(memory: Memory, plan: ResizePlan): void {
  recover(memory, plan.writer.journal)
  for (const { doorbell } of plan.readers) ring(memory.words, doorbell)
  send(memory, plan)
}

export function handleAgain(memory: Memory, plan: ResizePlan, ordinal: number): void {
  recover(memory, plan.readers[ordinal]!.journal)
  for (const { doorbell } of [plan.writer, ...plan.readers]) ring(memory.words, doorbell)
  handle(memory, plan, ordinal)
}

function work(memory: Memory, worker: Worker, doorbell: number): void {
  const bell = new Doorbell(memory.words, doorbell)
  while (!worker.isDone) {
    if (worker.step()) continue
    bell.announce(1)
    if (!worker.step() && !worker.isDone) bell.park(0)
    bell.rise()
  }
}

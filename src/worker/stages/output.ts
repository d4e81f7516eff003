import { COUNTER } from '../../memory/counters.ts'
import { LaneChunk } from '../in/inlet.ts'
import { BLOCKED, LIMITED, type Parts, STARVED, type Stage, type Step } from '../stage.ts'
import { Unit } from '../unit.ts'

interface Reader {
  readonly by: object
  readonly resolve: (record: IteratorResult<unknown>) => void
}

/**
 * A sink that is read in this thread. Records are handed out one after the other; a chunk is done when all of its records
 * have been asked past, so a reader that stops reading holds the pipeline back.
 */
export class OutputStage implements Stage {
  readonly isAsync = true
  readonly #parts: Parts
  readonly #unit: Unit
  /** Looks at a record first: true where it takes the record, as the answer of a call. */
  readonly #answer: (anchor: number, record: unknown) => boolean
  readonly #chunk = new LaneChunk()
  #isReading = false
  #index = 0
  /** The record before #index is in the reader's hands. */
  #isLent = false
  #readers: Reader[] = []
  #isOver = false

  constructor(parts: Parts, answer: (anchor: number, record: unknown) => boolean) {
    this.#parts = parts
    this.#unit = new Unit(parts)
    this.#answer = answer
  }

  /** Gives the last record back and takes the next one, for one of those who read. */
  read(by: object): Promise<IteratorResult<unknown>> {
    this.#isLent = false
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => {
      this.#readers.push({ by, resolve })
      this.#parts.wake()
    })
  }

  /** This one reads no more, and waits for no record; the record that is out counts as done. */
  release(by: object): void {
    this.#isLent = false
    const left = this.#readers.filter((reader) => reader.by === by)
    this.#readers = this.#readers.filter((reader) => reader.by !== by)
    for (const { resolve } of left) resolve({ done: true, value: undefined })
    this.#parts.wake()
  }

  /** The pipeline is over: readers come to the end. */
  end(): void {
    this.#isOver = true
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined })
  }

  get wakeAt(): number {
    return this.#unit.wakeAt
  }

  step(): Step {
    const owed = this.#unit.start()
    if (owed !== undefined) return owed
    if (!this.#isReading) {
      if (!this.#parts.inlet.next(this.#chunk)) return this.#unit.idle(STARVED, Infinity)
      this.#isReading = true
      this.#index = this.#chunk.from
    }
    return this.#handOut()
  }

  #handOut(): Step {
    const chunk = this.#chunk
    const { limit, clock } = this.#parts
    while (this.#index < chunk.count && !this.#isLent) {
      const record = chunk.values[this.#index]
      if (limit.take(1, clock.now) === 0) return this.#unit.wait(LIMITED, limit.nextAt(clock.now))
      if (!this.#answer(chunk.slot, record)) {
        const reader = this.#readers.shift()
        if (reader === undefined) {
          limit.giveBack(1)
          return this.#unit.wait(BLOCKED)
        }
        // Who asks for the next record already has asked past this one.
        this.#isLent = this.#readers.length === 0
        reader.resolve({ done: false, value: record })
      }
      this.#index++
    }
    if (this.#isLent) return this.#unit.wait(BLOCKED)
    this.#close()
    return this.#unit.commitIfDue()
  }

  #close(): void {
    const { from, count } = this.#chunk
    this.#unit.open(this.#chunk, count)
    this.#parts.outlet.root.count(COUNTER.done, count - from)
    this.#unit.giveBack(this.#chunk, from, count)
    this.#unit.close(count - from)
    this.#isReading = false
  }
}

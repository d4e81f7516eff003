import { formatId, mix, mixed } from '../lane/ids.ts'
import type { TraceReader } from '../lane/trace.ts'
import { formatParent, parentOf } from '../lane/trace-parent.ts'
import { runIdOf, traceIdOf } from '../lane/trace-id.ts'
import type { Memory } from '../memory/memory.ts'
import { BY_ALWAYS, BY_PARENT, BY_PREDICATE, BY_RATE } from '../memory/slots.ts'
import {
  ATTEMPT,
  BASE_HIGH,
  BASE_LOW,
  BYTES,
  COUNT,
  DEPTH,
  EDGE,
  EVENT_GAP,
  EVENT_KINDS,
  EVENT_OUTCOMES,
  EVENT_PART,
  EVENT_TRUNCATED,
  FIRST,
  HANDED,
  INPUT,
  INPUTS,
  KIND,
  NO_EDGE,
  OUTPUT,
  OUTPUTS,
  RECORDS,
  SECTION_ATTRIBUTES,
  SECTION_CHECKSUM,
  SECTION_CONTENT,
  SECTION_ERROR,
  SECTION_INPUT,
  SECTION_ORIGINS,
  SECTION_OUTPUT,
  SECTION_PARENT,
  SECTION_SLOT,
  SECTION_TYPE,
  SERVICE,
  SIDE,
  SIDE_LENGTH,
  SLOT,
  SLOTS,
  STAMP,
  TAKEN,
} from '../memory/trace.ts'
import type { Plan } from '../plan/types.ts'
import {
  PARENT_ATTRIBUTE,
  TYPE_ATTRIBUTE,
  type TraceEvent,
  type TraceKind,
  type TracedOutput,
  type TracedRecords,
} from './event.ts'

const WORD = 2 ** 32

/** Reads words at an index, whether they lie in an event or wrap in a side ring. */
type Words = (index: number) => number

/** Makes events of the words in a ring. */
export class EventDecoder {
  readonly #plan: Plan
  readonly #traced: readonly number[]
  readonly #run: string
  readonly #wallOffsetMs: number
  #sequence = 0
  #isChosen = false

  /** @param wallOffsetMs what the wall clock shows more than the monotonic one */
  constructor(memory: Memory, plan: Plan, wallOffsetMs: number) {
    this.#plan = plan
    this.#traced = plan.workers.filter(({ trace }) => trace !== undefined).map(({ index }) => index)
    this.#run = runIdOf(memory, plan)
    this.#wallOffsetMs = wallOffsetMs
  }

  get run(): string {
    return this.#run
  }

  /** The event that was decoded last is of a slot that was chosen at its start, and not only to be judged at its end. */
  get isChosen(): boolean {
    return this.#isChosen
  }

  /** What events say of a time of the monotonic clock. */
  wallAt(ms: number): number {
    return ms + this.#wallOffsetMs
  }

  /** Records that were written at a time of the monotonic clock, with that of the wall clock. */
  dated(records: TracedRecords): TracedRecords {
    const { writtenAt } = records
    return writtenAt === undefined ? records : { ...records, writtenAt: writtenAt + this.#wallOffsetMs }
  }

  /** Number of the next event. */
  nextSequence(): number {
    return this.#sequence++
  }

  /** The event at word `at` of a ring. */
  decode(ring: number, { words, side, sideMask }: TraceReader, at: number): TraceEvent {
    const worker = this.#plan.workers[this.#traced[ring]!]!
    const own: Words = (index) => words[at + index]!
    const position = own(SIDE)
    const beside: Words = (index) => words[side + ((position + index) & sideMask)]!
    const flags = own(KIND)
    const kind = EVENT_KINDS[flags & 0xff] as TraceKind
    this.#isChosen = false
    const traces = own(SLOTS) > 0 ? [this.#trace(own, SLOT)] : []
    const inputs = own(INPUTS) > 0 ? [this.#input(own, INPUT)] : []
    const outputs: TracedOutput[] = own(OUTPUTS) > 0 ? [outputAt(own, OUTPUT)] : []
    const told: Told = {}
    for (let i = 0; i < own(SIDE_LENGTH);) {
      const header = beside(i++)
      const length = header >>> 8
      if ((header & 0xff) === SECTION_SLOT) traces.push(this.#trace(beside, i))
      else if ((header & 0xff) === SECTION_INPUT) inputs.push(this.#input(beside, i))
      else if ((header & 0xff) === SECTION_OUTPUT) outputs.push(outputAt(beside, i))
      else if ((header & 0xff) === SECTION_PARENT) tellParent(told, (word) => beside(i + word))
      else if ((header & 0xff) === SECTION_ORIGINS) {
        const output = outputs.pop()!
        const words = Array.from({ length }, (_, word) => beside(i + word))
        outputs.push({ ...output, origins: length === 1 ? runFrom(words[0]!, output.count) : words })
      } else tell(told, header & 0xff, textAt(beside, i, length))
      i += length
    }
    const records = own(RECORDS)
    return {
      kind,
      sequence: this.#sequence++,
      pipeline: this.#plan.graph,
      run: this.#run,
      traces,
      node: this.#plan.stages[worker.stage]!.node,
      worker: worker.ordinal,
      epoch: own(ATTEMPT) >>> 16,
      ...(kind === 'open' ? { inputs: [], made: inputs[0]! } : { inputs }),
      outputs,
      ...(records > 0 && { records }),
      attempt: own(ATTEMPT) & 0xffff,
      takenAt: this.#wall(own, TAKEN),
      handedOffAt: this.#wall(own, HANDED),
      serviceMs: (own(SERVICE) >>> 0) / 1000,
      outcome: EVENT_OUTCOMES[(flags >>> 8) & 0xff]!,
      ...told,
      isIncomplete: (flags & EVENT_GAP) !== 0,
      isTruncated: (flags & EVENT_TRUNCATED) !== 0,
      ...((flags & EVENT_PART) !== 0 && { isPart: true }),
    }
  }

  /** The 32 digits of a slot's trace: run, source number, how often its count of chunks has come round, and that count. */
  #trace(words: Words, at: number): string {
    if ((words(at + 1) & (BY_RATE | BY_PREDICATE | BY_ALWAYS | BY_PARENT)) !== 0) this.#isChosen = true
    return traceIdOf(this.#run, { anchor: words(at), trace: words(at + 1), sequence: words(at + 2) })
  }

  #input(words: Words, at: number): TracedRecords {
    const records = recordsAt(words, at)
    const edge = words(at + EDGE) === NO_EDGE ? {} : { edge: words(at + EDGE) }
    if (words(at + BYTES) === 0) return { ...edge, ...records }
    const laned = { writtenAt: this.#wall(words, at + STAMP), bytes: words(at + BYTES), depth: words(at + DEPTH) }
    return { ...edge, ...records, ...laned }
  }

  #wall(words: Words, at: number): number {
    return (words(at + 1) * WORD + (words(at) >>> 0)) / 1000 + this.#wallOffsetMs
  }
}

/** One of each place from `first` on. */
function runFrom(first: number, count: number): number[] {
  return Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? first + i / 2 : 1))
}

function recordsAt(words: Words, at: number): TracedRecords {
  return {
    base: formatId(words(at + BASE_LOW), words(at + BASE_HIGH)),
    first: words(at + FIRST),
    count: words(at + COUNT),
  }
}

function outputAt(words: Words, at: number): TracedOutput {
  return { edge: words(at + EDGE), ...recordsAt(words, at), bytes: words(at + BYTES) }
}

/** What sections of texts say. */
type Told = { -readonly [K in 'error' | 'attributes' | 'content' | 'checksum']?: TraceEvent[K] & {} }

function tell(told: Told, section: number, text: string): void {
  if (section === SECTION_ERROR) {
    // The code comes on a line of its own before the message.
    const [code = '', ...rest] = text.split('\n')
    told.error = { code, message: rest.join('\n') }
  } else if (section === SECTION_ATTRIBUTES) {
    told.attributes = { ...told.attributes, ...(JSON.parse(text) as TraceEvent['attributes']) }
  } else if (section === SECTION_CONTENT) {
    told.content = (JSON.parse(text) as [number, string][]).map(([index, json]) => ({ index, json }))
  } else if (section === SECTION_CHECKSUM) told.checksum = text
  else if (section === SECTION_TYPE) told.attributes = { ...told.attributes, [TYPE_ATTRIBUTE]: text }
}

function tellParent(told: Told, words: Words): void {
  told.attributes = { ...told.attributes, [PARENT_ATTRIBUTE]: formatParent(parentOf(words)) }
}

function textAt(words: Words, at: number, length: number): string {
  const bytes = Buffer.alloc(4 * length)
  for (let i = 0; i < length; i++) bytes.writeInt32LE(words(at + i), 4 * i)
  return bytes.toString('utf8').replace(/\0+$/, '')
}

/** The id of a record of an event, as handlers and other events show it. */
export function recordIdAt({ base, first }: TracedRecords, index: number): string {
  mix(Number.parseInt(base.slice(8), 16) | 0, Number.parseInt(base.slice(0, 8), 16) | 0, (first + index) | 0)
  return formatId(mixed.low, mixed.high)
}

import { crc32 } from 'node:zlib'
import type { ChunkHeader } from '../../lane/writer.ts'
import { headerBytes } from '../../memory/lane.ts'
import type { Memory } from '../../memory/memory.ts'
import type { LinkPlan, Plan, WorkerPlan } from '../../plan/types.ts'
import { type Redact, seenText, fieldsOf } from '../../seen.ts'

const TOO_LARGE = '"[…]"'

/** What an event says of the records themselves. Absent where nobody asked. */
export interface Seen {
  /** Pairs of a place among the inputs and a JSON text. */
  readonly content: readonly (readonly [index: number, json: string])[]
  readonly checksum?: string
  readonly type?: string
}

/** A chunk that came from a lane (`in/inlet.ts`). */
interface Laned {
  readonly lane?: {
    readonly link: LinkPlan
    readonly reader: { offsetOf(position: number): number }
  }
  readonly isOnLane: boolean
  readonly position: number
  readonly end: number
}

/** Looks at records before the handler does: what leaves this worker of them is redacted and cut here. */
export class Witness {
  readonly #memory: Memory
  readonly #checksum: 'none' | 'crc32' | 'sha256'
  readonly #types: boolean
  readonly #redact: (link: LinkPlan) => Redact | undefined
  readonly #onRefused: () => void
  /** Where a record does not say over which link it came, because it waited in the stash. */
  readonly #only: LinkPlan | undefined
  readonly #captures: boolean

  constructor(given: {
    memory: Memory
    plan: Plan
    worker: WorkerPlan
    redact: (link: LinkPlan) => Redact | undefined
    onRefused: () => void
  }) {
    const { memory, plan, worker } = given
    const links = new Set(worker.inputs.map(({ link }) => plan.links[link]!).filter(({ edges }) => edges.length > 0))
    this.#memory = memory
    this.#checksum = plan.trace!.checksum
    this.#types = plan.trace!.types
    this.#redact = given.redact
    this.#onRefused = given.onRefused
    this.#only = links.size === 1 ? [...links][0] : undefined
    this.#captures = [...links].some(({ capture }) => capture !== undefined)
  }

  /** Whether there is anything to look at. */
  get isNeeded(): boolean {
    return this.#captures || this.#types || this.#checksum !== 'none'
  }

  /** @param headerAt of each record, by its place: it knows the link over which it came */
  look(header: ChunkHeader, from: number, values: ArrayLike<unknown>, headerAt: (place: number) => ChunkHeader): Seen {
    return {
      content: this.#captures ? this.#contents(from, values, headerAt) : [],
      ...(this.#checksum === 'none' ? {} : this.#summed(header)),
      ...(this.#types && from < values.length ? { type: fieldsOf(values[from]) } : {}),
    }
  }

  #contents(
    from: number,
    values: ArrayLike<unknown>,
    headerAt: (place: number) => ChunkHeader,
  ): [index: number, json: string][] {
    const found: [index: number, json: string][] = []
    let used = 0
    for (let i = from; i < values.length; i++) {
      const link = (headerAt(i) as ChunkHeader & Partial<Laned>).lane?.link ?? this.#only
      if (link?.capture === undefined) continue
      const { bytes } = link.capture
      const json = this.#redacted(values[i], link, bytes)
      used += Buffer.byteLength(json)
      // The first one is cut; of the others those stand that fit as they are.
      if (used > bytes) return found.length > 0 ? found : [[i - from, TOO_LARGE]]
      found.push([i - from, json])
    }
    return found
  }

  #redacted(value: unknown, link: LinkPlan, bytes: number): string {
    try {
      return seenText(value, this.#redact(link), bytes)
    } catch {
      this.#onRefused()
      return '"[redact threw]"'
    }
  }

  /** Of the bytes of its records, as they lie on the lane. */
  #summed(header: ChunkHeader): { checksum?: string } {
    const { lane, isOnLane, position, end } = header as ChunkHeader & Partial<Laned>
    if (lane === undefined || isOnLane !== true) return {}
    const at = lane.reader.offsetOf(position!)
    const bytes = this.#memory.bytes.subarray(
      at + headerBytes(header.furtherAnchors.length),
      at + ((end! - position!) | 0),
    )
    if (this.#checksum === 'crc32') return { checksum: crc32(bytes).toString(16).padStart(8, '0') }
    // Loaded where it is asked for: no other worker has to.
    const { createHash } = process.getBuiltinModule('node:crypto')
    return { checksum: createHash('sha256').update(bytes).digest('hex') }
  }
}

import { monotonicMs } from '../time.ts'
import type { FlowLimits } from './declared.ts'
import type { JobData } from './job.ts'
import { Pace } from './pace.ts'

/** What lets pieces through, by the limits of one kind, or of one tenant. */
class Gate {
  readonly #pace: Pace | undefined
  readonly #most: number
  #inFlight = 0
  #opensMs = 0

  constructor({ rowsPerSecond, connections = Infinity }: FlowLimits) {
    this.#pace = rowsPerSecond === undefined ? undefined : new Pace(rowsPerSecond)
    this.#most = connections
  }

  /** When the next piece may pass; `Infinity`: when one of those before it has ended. */
  get opensMs(): number {
    return this.#inFlight >= this.#most ? Infinity : this.#opensMs
  }

  pass(): void {
    this.#inFlight++
  }

  /** So many rows have passed. */
  passed(rows: number, nowMs: number): void {
    if (this.#pace !== undefined) this.#opensMs = nowMs + this.#pace.waitMs(rows, nowMs)
  }

  end(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1)
  }
}

/**
 * The limits of kinds and of tenants, where the files are read. A piece that is in flight takes one connection at most, so what
 * limits pieces in flight limits connections. After a crash of the reader, those of its earlier life count.
 */
export class Gates {
  readonly #job: JobData
  readonly #gates = new Map<string, Gate>()
  #wake: () => void = () => undefined

  constructor(job: JobData) {
    this.#job = job
  }

  /** @param index of a file of the job */
  opensMs(index: number): number {
    return Math.max(0, ...this.#of(index).map(({ opensMs }) => opensMs))
  }

  pass(index: number): void {
    for (const gate of this.#of(index)) gate.pass()
  }

  passed(index: number, rows: number): void {
    for (const gate of this.#of(index)) gate.passed(rows, monotonicMs())
  }

  end(index: number): void {
    for (const gate of this.#of(index)) gate.end()
    this.#wake()
  }

  /** Calls back when a piece that passed has ended. One is waiting at a time. */
  onEnd(wake: () => void): void {
    this.#wake = wake
  }

  #of(index: number): readonly Gate[] {
    const { kind, tenant } = this.#job.files[index]!
    return [
      ...this.#gate(`kind ${kind}`, this.#job.kinds[kind]?.limits),
      ...this.#gate(`tenant ${tenant}`, this.#job.tenantLimits),
    ]
  }

  #gate(name: string, limits: FlowLimits | undefined): readonly Gate[] {
    if (limits === undefined) return []
    const gate = this.#gates.get(name) ?? new Gate(limits)
    this.#gates.set(name, gate)
    return [gate]
  }
}

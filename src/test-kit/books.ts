import { Stash } from '../lane/stash.ts'
import { SLOT_WORDS } from '../memory/slots.ts'
import type { NodeCounts } from '../telemetry/counts.ts'
import { readBooks } from '../telemetry/snapshot.ts'
import type { Shared } from './life.ts'

const COUNTS = ['in', 'done', 'filtered', 'failed', 'deadLettered'] as const

/** What must hold between any two steps, and at the end. */
export class Books {
  readonly #shared: Shared
  readonly #fault: (what: string) => void
  #before: Readonly<Record<string, NodeCounts>> = {}

  constructor(shared: Shared, fault: (what: string) => void) {
    this.#shared = shared
    this.#fault = fault
  }

  /** Conservation: what came in is somewhere, what the lanes carried was taken, and nothing that is counted is taken back. */
  balance(): void {
    const { memory, plan } = this.#shared
    const { nodes, edges } = readBooks(memory, plan)
    for (const { node, kind } of plan.nodeStages) {
      const counts = nodes[node]!
      if (counts.inFlight < 0) this.#fault(`${node} ended more than it took: ${JSON.stringify(counts)}`)
      const before = this.#before[node]
      if (before !== undefined && COUNTS.some((name) => counts[name] < before[name]))
        this.#fault(`${node} counts less than before: ${JSON.stringify([before, counts])}`)
      if (kind === 'source') continue
      let carried = counts.injected
      for (const { to, records, queued, dropped } of edges) if (to === node) carried += records - queued - dropped
      if (carried !== counts.in)
        this.#fault(`the lanes to ${node} carried ${carried} records, and it took ${counts.in}`)
    }
    this.#before = nodes
  }

  /** What is left in memory once all is over: nothing. */
  close(): void {
    const { memory, plan } = this.#shared
    const { nodes, lanes } = readBooks(memory, plan)
    for (const [id, counts] of Object.entries(nodes))
      if (counts.inFlight !== 0) this.#fault(`the account of ${id}: ${JSON.stringify(counts)}`)
    for (const lane of lanes)
      if (lane.queued !== 0 || lane.usedBytes !== 0) this.#fault(`a lane that is not empty: ${JSON.stringify(lane)}`)
    for (const { index, slots, journal, stash } of plan.workers) {
      if (memory.words[journal.offset / 4] !== 0) this.#fault(`a hand-off of worker ${index} that is not finished`)
      if (!new Stash(memory, stash).isEmpty) this.#fault(`a stash of worker ${index} that is not empty`)
      for (let slot = 0; slot < (slots?.slots ?? 0); slot++) {
        const [low, high, , open] = memory.words.subarray(slots!.offset / 4 + SLOT_WORDS * slot)
        if (low !== 0 || high !== 0 || open !== 0) this.#fault(`slot ${slot} of worker ${index} that has not ended`)
      }
    }
  }
}

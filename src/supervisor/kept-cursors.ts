import { store } from '#atomics'
import { encodeValue } from '../codec/values.ts'
import type { IngressJournal } from '../durable/ingress-journal.ts'
import { MillraceError } from '../errors.ts'
import type { Memory } from '../memory/memory.ts'
import { CURSOR, cursorPlace } from '../memory/progress.ts'
import type { Plan, WorkerPlan } from '../plan/types.ts'
import { clearInterval, setInterval } from '../time.ts'
import { readLine } from '../worker/source/kept-line.ts'

/** Keeps the watermarks of sources in the ingress journal, and lets sources go on at those of an earlier process. */
export class KeptCursors {
  readonly #journal: IngressJournal
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #sources: readonly WorkerPlan[]
  /** What was kept last, by worker. */
  readonly #last = new Map<number, Uint8Array>()
  #looking: NodeJS.Timeout | undefined

  constructor(journal: IngressJournal, memory: Memory, plan: Plan) {
    this.#journal = journal
    this.#memory = memory
    this.#plan = plan
    this.#sources = plan.workers.filter(({ keepsWatermark }) => keepsWatermark === true)
  }

  /**
   * Before any worker runs: each source worker finds its watermark as the last cursor that was handed on.
   * @throws JOURNAL_DIFFERS where a source has another number of workers now, each with other records
   */
  restore(): void {
    const { words, bytes } = this.#memory
    for (const { node, worker, workers, cursor } of this.#journal.cursors) {
      const stage = this.#plan.stages.find((each) => each.node === node && each.kind === 'source')
      if (stage === undefined || stage.host === 'embedder') continue
      if (stage.concurrency !== workers) {
        const reason = `the source ${node} had ${workers} workers, and has ${stage.concurrency} now`
        throw new MillraceError('JOURNAL_DIFFERS', { node, reason })
      }
      const { progress, index } = this.#sources.find((each) => each.stage === stage.index && each.ordinal === worker)!
      const at = progress! + cursorPlace(1)
      words[at / 4] = cursor.length
      bytes.set(cursor, at + 4)
      store(words, progress! / 4 + CURSOR, 1)
      this.#last.set(index, cursor)
    }
  }

  begin(everyMs: number): void {
    if (this.#sources.length === 0) return
    this.#looking = setInterval(() => this.#look(), everyMs)
    this.#looking.unref()
  }

  /** Workers have left: a last look. */
  end(): void {
    clearInterval(this.#looking)
    this.#look()
  }

  #look(): void {
    for (const { index, stage, ordinal, progress } of this.#sources) {
      const watermark = readLine(this.#memory, progress!)?.watermark
      if (watermark === undefined) continue
      const cursor = encodeValue(watermark).slice()
      const last = this.#last.get(index)
      if (last !== undefined && Buffer.compare(last, cursor) === 0) continue
      this.#last.set(index, cursor)
      const { node, concurrency } = this.#plan.stages[stage]!
      this.#journal.moveCursor({ node, worker: ordinal, workers: concurrency, cursor })
    }
  }
}

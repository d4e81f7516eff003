import { load, store } from '#atomics'
import { MillraceError } from '../errors.ts'
import { ring } from '../lane/doorbell.ts'
import type { Memory } from '../memory/memory.ts'
import { COMMAND, PAUSED } from '../memory/control.ts'
import type { Plan, StagePlan } from '../plan/types.ts'

/** What sources are told while they run, by the control words of their workers. The other stages follow them. */
export class SourceControls {
  readonly #memory: Memory
  readonly #plan: Plan
  readonly #onChange: (node: string, isPaused: boolean) => void

  /** @param onChange told of each source that was paused, or is no more */
  constructor(memory: Memory, plan: Plan, onChange: (node: string, isPaused: boolean) => void = () => undefined) {
    this.#memory = memory
    this.#plan = plan
    this.#onChange = onChange
  }

  /** Sources make no records until `resume`; all of them where no node is named. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  pause(node?: string): void {
    this.#change(node, true)
  }

  resume(node?: string): void {
    this.#change(node, false)
  }

  /** A source, or all of them. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  isPaused(node?: string): boolean {
    return this.#controls(node).every((control) => (load(this.#memory.words, control + COMMAND) & PAUSED) !== 0)
  }

  #change(node: string | undefined, isPaused: boolean): void {
    const { words } = this.#memory
    const changed = this.stages(node).filter((stage) => this.isPaused(stage.node) !== isPaused)
    for (const control of this.#controls(node)) {
      const word = load(words, control + COMMAND)
      store(words, control + COMMAND, isPaused ? word | PAUSED : word & ~PAUSED)
    }
    this.#ring(node)
    for (const stage of changed) if (stage.role !== 'system') this.#onChange(stage.node, isPaused)
  }

  #ring(node: string | undefined): void {
    for (const { workers } of this.stages(node))
      for (const index of workers) ring(this.#memory.words, this.#plan.workers[index]!.control.doorbell)
  }

  /** Word indexes of the control lines of their workers. */
  #controls(node: string | undefined): number[] {
    return this.stages(node).flatMap(({ workers }) =>
      workers.map((index) => this.#plan.workers[index]!.control.offset / 4),
    )
  }

  /** The source, or all of them. @throws NODE_UNKNOWN, NODE_NOT_SOURCE */
  stages(node: string | undefined): readonly StagePlan[] {
    const sources = this.#plan.stages.filter(({ kind }) => kind === 'source')
    if (node === undefined) return sources
    if (!this.#plan.stages.some((stage) => stage.node === node)) throw new MillraceError('NODE_UNKNOWN', { node })
    const source = sources.find((stage) => stage.node === node)
    if (source === undefined) throw new MillraceError('NODE_NOT_SOURCE', { node })
    return [source]
  }
}

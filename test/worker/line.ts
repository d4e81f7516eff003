/** A planned pipeline on plain memory, whose workers are stepped by hand, each when a test says so. */
import type { GraphData, Handler } from 'millrace/graph'
import { DRAINING, LIVE, PHASE, RUNNING, STATE } from '#src/memory/control.js'
import { type Memory, viewMemory } from '#src/memory/memory.js'
import { plan as makePlan } from '#src/plan/plan.js'
import type { Plan, WorkerPlan } from '#src/plan/types.js'
import { recoverWorker } from '#src/supervisor/recovery.js'
import { readSnapshot } from '#src/telemetry/snapshot.js'
import { type AnyFunction, Handlers } from '#src/worker/call/handlers.js'
import { makeParts } from '#src/worker/parts.js'
import type { Parts, Stage, Step, WorkerEvent } from '#src/worker/stage.js'
import { PROGRESS } from '#src/worker/stage.js'
import { OutputStage } from '#src/worker/stages/output.js'
import { handlersOf } from '#src/worker/thread/load-handlers.js'
import { loadStage } from '#src/worker/thread/stage-kinds.js'

type Kind = new (parts: Parts) => Stage

export class Line {
  readonly memory: Memory
  /** What has come out, in its order. */
  readonly out: unknown[] = []
  readonly events: WorkerEvent[] = []
  readonly #plan: Plan
  readonly #graph: GraphData
  readonly #kinds: readonly (Kind | undefined)[]
  readonly #lives: { stage: Stage; parts: Parts }[]
  #isDraining = false
  #epoch = 0

  static async of(graph: GraphData, options: object = {}): Promise<Line> {
    const plan = { ...makePlan(graph, { maxRecordBytes: 65_536, ...options, inject: false }), rehearse: false }
    const kinds = plan.stages.map(async (stage) => (stage.work === 'output' ? undefined : await loadStage(stage)))
    return new Line(plan, graph, await Promise.all(kinds))
  }

  private constructor(plan: Plan, graph: GraphData, kinds: readonly (Kind | undefined)[]) {
    this.#plan = plan
    this.#graph = graph
    this.#kinds = kinds
    this.memory = viewMemory(new SharedArrayBuffer(plan.memoryBytes))
    this.memory.words[plan.control.offset / 4 + PHASE] = RUNNING
    this.#lives = plan.workers.map((worker) => this.#born(worker))
  }

  stage(node: string): Stage {
    return this.#lives[this.#worker(node).index]!.stage
  }

  parts(node: string): Parts {
    return this.#lives[this.#worker(node).index]!.parts
  }

  /** Batches of a node by what completed them, those that some were completed by. */
  batches(node: string): Record<string, number> {
    const found = Object.entries(readSnapshot(this.memory, this.#plan, 0).stages[node]!.batches!)
    return Object.fromEntries(found.filter(([, count]) => count > 0))
  }

  /** Steps the worker of a node once. */
  step(node: string): Step {
    return this.stage(node).step()
  }

  /** Steps the workers of these nodes, or of all, until none of them has anything to do. */
  settle(...nodes: string[]): void {
    const stages = nodes.length === 0 ? this.#lives.map(({ stage }) => stage) : nodes.map((node) => this.stage(node))
    while (stages.map((stage) => stage.step()).includes(PROGRESS));
  }

  /** The same until something holds: promises are answered, and time passes, in between. */
  async settleUntil(holds: () => boolean): Promise<void> {
    for (this.settle(); !holds(); this.settle()) await new Promise((resolve) => setImmediate(resolve))
  }

  /** The worker of a node dies where it stands, and has a successor. */
  kill(node: string): void {
    const worker = this.#worker(node)
    recoverWorker(this.memory, this.#plan, worker)
    this.#lives[worker.index] = this.#born(worker, ++this.#epoch)
  }

  drain(): void {
    this.#isDraining = true
    this.memory.words[this.#plan.control.offset / 4 + PHASE] = DRAINING
  }

  counts(node: string): Readonly<Record<string, number>> {
    return readSnapshot(this.memory, this.#plan, 0).nodes[node] as unknown as Record<string, number>
  }

  #worker(node: string): WorkerPlan {
    return this.#plan.workers[this.#plan.stages.find((stage) => stage.node === node)!.workers[0]!]!
  }

  #born(worker: WorkerPlan, epoch = 0): { stage: Stage; parts: Parts } {
    const plan = this.#plan
    const stage = plan.stages[worker.stage]!
    const functions = new Map<Handler, AnyFunction>(
      handlersOf(this.#graph).map((handler) => [handler, handler as AnyFunction]),
    )
    const draining = new AbortController()
    if (this.#isDraining) draining.abort()
    const parts = makeParts({
      plan,
      worker: worker.index,
      memory: this.memory,
      epoch,
      assembly: viewMemory(new SharedArrayBuffer(plan.maxRecordBytes)),
      handlers: new Handlers(stage, this.#graph, functions),
      state: undefined,
      stopped: new AbortController().signal,
      draining: draining.signal,
      wake: () => undefined,
      report: (event) => void this.events.push(event),
    })
    this.memory.words[worker.control.offset / 4 + STATE] = LIVE
    const Kind = this.#kinds[stage.index]
    const take = (_: number, record: unknown): boolean => this.out.push(record) > 0
    return { parts, stage: Kind === undefined ? new OutputStage(parts, take) : new Kind(parts) }
  }
}

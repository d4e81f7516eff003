import type { GraphData } from '../graph/types.ts'
import { type Memory, viewMemory } from '../memory/memory.ts'
import { grantFirst } from '../lane/reader.ts'
import { setVacant } from '../lane/seats.ts'
import { SizingWords } from '../lane/sizing.ts'
import { sign } from '../lane/signature.ts'
import { RUN_LOW } from '../memory/control.ts'
import { termsOf } from '../plan/terms.ts'
import type { Plan } from '../plan/types.ts'
import { LIBRARY_VERSION } from '../version.ts'

/** What all threads of a pipeline share. */
export interface PipelineMemory {
  readonly shared: SharedArrayBuffer
  readonly memory: Memory
  /** Where a worker of a pool puts records together that come in fragments, by worker index; it has none if it takes no records. */
  readonly assemblies: ReadonlyMap<number, SharedArrayBuffer>
}

/** Allocates what the plan lays out, names the run, gives the first seats away, signs each lane and grants its first credit. */
export function allocate(plan: Plan, graph: GraphData): PipelineMemory {
  const shared = new SharedArrayBuffer(plan.memoryBytes)
  const memory = viewMemory(shared)
  memory.words.set(crypto.getRandomValues(new Int32Array(2)), plan.control.offset / 4 + RUN_LOW)
  seat(memory, plan)
  for (const { edges, lanes } of plan.links) {
    for (const lane of lanes.flat()) {
      sign(memory, lane, LIBRARY_VERSION, termsOf(graph, edges))
      grantFirst(memory, lane)
    }
  }
  const readers = plan.workers.filter(({ stage, inputs }) => plan.stages[stage]!.host === 'pool' && inputs.length > 0)
  const assemblies = new Map(readers.map(({ index }) => [index, new SharedArrayBuffer(plan.maxRecordBytes)]))
  return { shared, memory, assemblies }
}

/** Words that threads share beside the memory of a pipeline, all 0. */
export function allocateWords(words: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * words)
}

/** Gives each stage that can be resized the workers that it starts with. */
function seat(memory: Memory, { stages, workers }: Plan): void {
  for (const { sizing, concurrency, workers: seats } of stages) {
    if (sizing === undefined) continue
    new SizingWords(memory, sizing).begin(concurrency)
    for (const index of seats.slice(concurrency)) setVacant(memory, workers[index]!.control.offset, true)
  }
}

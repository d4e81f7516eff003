import { type GraphData, type Pipeline, type RunOptions, run } from 'millrace'
import { type Gate, makeGate } from './gate.ts'
import type { Contender, Scale } from './suite.ts'

/** Our pipelines of one suite: started once, and parked between their bursts. */
export class Running {
  readonly #pipelines: Pipeline[] = []

  /** Starts a graph of `graphs.ts`; its source waits for the gate of the same name. */
  async start(graph: GraphData, options?: RunOptions): Promise<Gate> {
    const gate = makeGate(graph.name)
    this.#pipelines.push(await run(graph, options))
    return gate
  }

  async contender(given: {
    readonly name: string
    readonly graph: GraphData
    readonly records: number
    readonly scale: Scale
    readonly sum: (count: number) => number
    readonly options?: RunOptions
  }): Promise<Contender> {
    const gate = await this.start(given.graph, given.options)
    const records = given.scale.records(given.records)
    return { name: given.name, unit: 'records/s', burst: () => gate.burst(records, given.sum) }
  }

  /** Ends all, and checks that none of them lost or failed a record. */
  async close(): Promise<void> {
    for (const pipeline of this.#pipelines) {
      const { failed, deadLettered, abandoned } = await pipeline.drain()
      if (failed + deadLettered + abandoned > 0)
        throw new Error(`${pipeline.name} lost records: ${JSON.stringify({ failed, deadLettered, abandoned })}`)
    }
  }
}

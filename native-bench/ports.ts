import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type Gate, makeGate } from './gate.ts'
import { type Contender, type Scale } from './suite.ts'

export type Role = 'source' | 'map' | 'sink'
/** One by one, arrays of so many objects, or typed arrays. */
export type Form = 'single' | 'array' | 'int32'
/** `due`: records at a rate, which are timed (`one-way.ts`). */
export type PortKind = 'sixFields' | 'payload' | 'work' | 'ints' | 'due'

/** What a thread of a chain of MessagePorts is told. */
export interface PortStage {
  readonly gate: string
  readonly kind: PortKind
  readonly form: Form
  readonly role: Role
  /** Records in one message, and messages that may be on their way on one port. */
  readonly batch: number
  readonly window: number
  readonly inputs: readonly MessagePort[]
  readonly outputs: readonly MessagePort[]
}

/** Threads joined by MessagePorts, with a window on each: what one would write without a library. */
export class PortChain {
  readonly #threads: Worker[] = []
  readonly gate: Gate
  readonly #shape

  /** @param pools threads of each stage in turn, the source first and the sink last */
  constructor(shape: Pick<PortStage, 'gate' | 'kind' | 'form' | 'batch' | 'window'>, pools: readonly number[]) {
    this.#shape = shape
    this.gate = makeGate(shape.gate)
    const inputs: MessagePort[][][] = pools.map((threads) => Array.from({ length: threads }, () => []))
    const outputs: MessagePort[][][] = pools.map((threads) => Array.from({ length: threads }, () => []))
    for (let stage = 0; stage + 1 < pools.length; stage++)
      for (const writer of outputs[stage]!)
        for (const reader of inputs[stage + 1]!) {
          const { port1, port2 } = new MessageChannel()
          writer.push(port1)
          reader.push(port2)
        }
    pools.forEach((threads, stage) => {
      const role: Role = stage === 0 ? 'source' : stage === pools.length - 1 ? 'sink' : 'map'
      for (let i = 0; i < threads; i++) this.#start(role, inputs[stage]![i]!, outputs[stage]![i]!)
    })
  }

  contender(name: string, records: number, scale: Scale, sum: (count: number) => number): Contender {
    return { name, unit: 'records/s', burst: () => this.gate.burst(scale.records(records), sum) }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  #start(role: Role, inputs: readonly MessagePort[], outputs: readonly MessagePort[]): void {
    const workerData: PortStage = { ...this.#shape, role, inputs, outputs }
    const transferList = [...inputs, ...outputs]
    const thread = new Worker(new URL('./port-thread.js', import.meta.url), { workerData, transferList })
    // A thread that fails must end the bench, not leave it waiting.
    thread.on('error', (error) => {
      throw error
    })
    this.#threads.push(thread)
  }
}

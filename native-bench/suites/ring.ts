import { Worker } from 'node:worker_threads'
import { makeGate } from '../gate.ts'
import { lanePair } from '../lanes.ts'
import { native } from '../native.ts'
import type { RingThread } from '../ring-thread.ts'
import type { Absent, Contender, Suite } from '../suite.ts'

const RING_BYTES = 1 << 20

/** Each record holds its index in every field, modulo 256, so that no sum is rounded. */
export function sum(records: number): number {
  const rest = records & 255
  return 8 * ((records >> 8) * ((255 * 256) / 2) + (rest * (rest - 1)) / 2)
}

export const ring: Suite = {
  name: 'ring',
  title: '64-byte records from a writer thread to a reader thread, filled and summed in place',
  async open(scale) {
    const threads: Worker[] = []
    const ours = (publishEvery: number, usual: number): Contender => {
      const gateName = `ring${publishEvery}`
      const gate = makeGate(gateName)
      const lanes = lanePair(RING_BYTES, 1 << 15)
      for (const role of ['writer', 'reader'] as const) {
        const workerData: RingThread = { role, gate: gateName, lanes, publishEvery }
        threads.push(new Worker(new URL('../ring-thread.js', import.meta.url), { workerData }))
      }
      const records = scale.records(usual)
      return {
        name: `Millrace, publish every ${publishEvery}`,
        unit: 'records/s',
        burst: () => gate.burst(records, sum),
      }
    }
    const cpp = (publishEvery: number, usual: number): Contender | Absent => {
      const records = scale.records(usual)
      const name = `C++, publish every ${publishEvery}`
      return native({ name, unit: 'records/s', program: 'ring', records, options: [publishEvery], sum: sum(records) })
    }
    return {
      contenders: [ours(256, 20_000_000), cpp(256, 60_000_000), ours(1, 2_000_000), cpp(1, 20_000_000)],
      ratios: {
        overCpp1: ['Millrace, publish every 1', 'C++, publish every 1'],
        overCpp256: ['Millrace, publish every 256', 'C++, publish every 256'],
      },
      async close() {
        await Promise.all(threads.map((thread) => thread.terminate()))
      },
    }
  },
}

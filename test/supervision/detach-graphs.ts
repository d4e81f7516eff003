/** Graphs with a stage that crashes as long as its server is away. */
import { dataflow, mark } from 'millrace/graph'

/** `isUp`: whether the server is there. `told`: for each record 1 done, 2 failed. `codes`: of the latter, those that a detached stage failed. */
export interface Away {
  readonly isUp: Int32Array
  readonly told: Int32Array
  readonly codes: Int32Array
}

export const RECORDS = 200

const away = (name: string, exhausted: 'drain' | 'detach', concurrency: number) =>
  dataflow<Away>(name, import.meta.url)
    .source('in', {
      window: 8,
      produce: async function* ({ params, signal }) {
        for (let n = 0; n < RECORDS && !signal.aborted; n++) {
          yield mark(n, { receipt: n })
          await Promise.resolve(params)
        }
      },
      ack: (done, failed, { params, reasons }) => {
        for (const n of done as number[]) Atomics.store(params.told, n, 1)
        for (const [i, n] of (failed as number[]).entries()) {
          Atomics.store(params.told, n, 2)
          if (reasons[i]!.code === 'STAGE_DETACHED') Atomics.add(params.codes, 0, 1)
        }
        Atomics.notify(params.told, 0)
      },
    })
    .conditional('which', { route: (n: number) => (n % 2 === 0 ? 'even' : 'odd') })
    .transform('work', {
      concurrency,
      // The first record that crashes its worker is one too many.
      maxCrashes: 1,
      restart: { maxPoison: 0, backoffMs: 0, exhausted },
      map: (n: number, { params }) => (Atomics.load(params.isUp, 0) === 1 ? n : process.exit(3)),
    })
    .sink('even', { write: () => undefined })
    .sink('odd', { write: () => undefined })
    .connect('in', 'which')
    .connect('which', 'work', { when: 'even' })
    .connect('which', 'odd', { when: 'odd' })
    .connect('work', 'even')

export const drains = away('drains', 'drain', 1)
export const detaches = away('detaches', 'detach', 2)

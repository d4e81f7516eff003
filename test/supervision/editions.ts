/** Graphs of a module that is another one by the time that a successor loads it. */
import { getEnvironmentData } from 'node:worker_threads'
import { dataflow, mark } from 'millrace/graph'

/** Which edition of this module a thread loads now; how often each record was told to its source: acked, nacked. */
export const [EDITION, ACKED, NACKED] = [0, 1, 101]
export const RECORDS = 100

const words = getEnvironmentData('editions') as SharedArrayBuffer | undefined
const shared = words === undefined ? undefined : new Int32Array(words)
const edition = shared === undefined ? 0 : Atomics.load(shared, EDITION)

function tell(successes: readonly unknown[], failures: readonly unknown[]): void {
  for (const n of successes) Atomics.add(shared!, ACKED + (n as number), 1)
  for (const n of failures) Atomics.add(shared!, NACKED + (n as number), 1)
}

/** A worker that dies at record 50 of the first edition. */
const editions = (name: string, codec: 'shape' | 'json') =>
  dataflow(name, import.meta.url)
    .source('numbers', {
      window: 10,
      produce: function* () {
        for (let n = 0; n < RECORDS; n++) yield mark(n, { receipt: n })
      },
      ack: tell,
    })
    .transform('work', {
      restart: { backoffMs: 0 },
      map: (n: number) => {
        if (n === 50 && edition === 0) {
          Atomics.store(shared!, EDITION, 1)
          process.exit(1)
        }
        return { n, edition }
      },
    })
    .sink('out')
    .connect('numbers', 'work')
    .connect('work', 'out', { codec })

/** Its second edition has another handler. */
export const otherHandler = editions('otherHandler', 'shape')
/** Its second edition has another codec as well. */
export const otherCodec = editions('otherCodec', edition === 0 ? 'shape' : 'json')

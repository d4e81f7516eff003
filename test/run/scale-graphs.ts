/** Stages whose workers follow their load. */
import { dataflow } from 'millrace/graph'

const CLOCK = new Int32Array(new SharedArrayBuffer(4))

/** Each record keeps its worker for ten milliseconds, and burns nothing. */
function rest(): void {
  Atomics.wait(CLOCK, 0, 0, 10)
}

export const resting = dataflow('resting', import.meta.url)
  .source('in', { rateLimit: 50, poll: (demand) => Array.from({ length: demand }, (_, n) => n) })
  .transform('work', {
    scale: { max: 4, busy: 0.7, everyMs: 400 },
    map: (n: number) => {
      rest()
      return n
    },
  })
  .sink('out', { write: () => undefined })
  .connect('in', 'work')
  .connect('work', 'out')

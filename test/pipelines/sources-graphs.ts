/** Graphs whose sources are polled, pushed to, paused and finished. */
import { dataflow } from 'millrace'

const here = import.meta.url

/** Each call gives ten records after 5 ms, and the records say how many calls there were. */
export const tens = dataflow('tens', here)
  .source('in', {
    setup: () => ({ calls: 0, next: 0 }),
    chunk: 1,
    poll: async (most, { state }) => {
      if (state.next >= 1_000) return null
      state.calls++
      await new Promise((resolve) => setTimeout(resolve, 5))
      return Array.from({ length: Math.min(most, 10) }, () => ({ n: state.next++, call: state.calls }))
    },
  })
  .sink('out')
  .connect('in', 'out')

export const pushed = dataflow('pushed', here)
  .source('in', { push: true, window: 4 })
  .transform('work', { map: (n: number) => n })
  .sink('out')
  .connect('in', 'work')
  .connect('work', 'out')

export const failing = dataflow('failing', here)
  .source('in', { push: true })
  .transform('work', {
    map: (n: number) => {
      if (n < 0) throw new RangeError(`negative: ${n}`)
      return n
    },
  })
  .sink('end', {
    batch: { size: 4, timeoutMs: 5 },
    write: (all: number[], { failAt }) => failAt(0, new Error(`not ${all[0]}`)),
  })
  .connect('in', 'work')
  .connect('work', 'end')

export const counted = dataflow('counted', here)
  .source('in', {
    concurrency: 2,
    produce: function* ({ worker }) {
      for (let n = 0; ; n++) yield `${worker} ${n}`
    },
    finish: ({ worker, emitted }) => [`${worker} end ${emitted}`],
  })
  .sink('out')
  .connect('in', 'out')

export const wrong = dataflow('wrong', here)
  .source('in', { poll: () => [1], finish: () => 'a text' as never, restart: { maxRestarts: 0 } })
  .sink('out')
  .connect('in', 'out')

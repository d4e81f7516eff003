/** Graphs that never get ready: one stage is, the other one hangs. */
import { getEnvironmentData } from 'node:worker_threads'
import { type SetupContext, dataflow } from 'millrace/graph'

export const [READY, HANGING, TORN_DOWN] = [0, 1, 2]

/** Counts, for the test that waits for it, how often a worker has come so far. */
export function note(step: number): void {
  Atomics.add(new Int32Array(getEnvironmentData('steps') as SharedArrayBuffer), step, 1)
}

const hanging = (name: string, setup: (context: SetupContext) => unknown) =>
  dataflow(name, import.meta.url)
    .source('numbers', { produce: () => [1], setup: () => note(READY), teardown: () => note(TORN_DOWN) })
    .sink('none', {
      setup: (context) => {
        note(HANGING)
        return setup(context)
      },
      write: () => undefined,
    })
    .connect('numbers', 'none')

export const looping = hanging('looping', () => {
  // oxlint-disable-next-line no-empty
  for (;;) {}
})
export const waiting = hanging('waiting', () => new Promise(() => undefined))
/** What it waits for keeps its thread going. */
export const sleeping = hanging('sleeping', () => new Promise(() => setInterval(() => undefined, 1_000)))

import { dataflow } from 'millrace'

/** Failures that are worth another attempt, and failures that are not. */
export const picky = dataflow('picky', import.meta.url)
  .source('numbers', { produce: () => [1, 2, 3, 4] })
  .transform('fails', {
    retry: { maxAttempts: 3, baseMs: 1, when: (error) => (error as Error).message === 'odd' },
    map: (n: number, { attempt }) => {
      if (n === 4) return n
      if (n % 2 === 0 || attempt < 3) throw new Error(n % 2 === 1 ? 'odd' : 'even')
      return n
    },
  })
  .sink('out')
  .connect('numbers', 'fails')
  .connect('fails', 'out')

export const exits = dataflow('exits', import.meta.url)
  .source('numbers', { produce: () => [1], setup: () => process.exit(7) })
  .sink('out')
  .connect('numbers', 'out')

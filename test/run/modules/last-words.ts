/** Runs pipelines whose workers say their last words at the last moment: `node last-words.js TIMES`. */
import { writeFile } from 'node:fs'
import { createRequire } from 'node:module'
import { dataflow } from 'millrace/graph'

const LINES = 50

export const talks = dataflow<{ readonly round: number; readonly folder: string }>('talks', import.meta.url)
  .source('three', { produce: () => [1, 2, 3] })
  .sink('log', {
    write: (n, { params }) => console.warn(`round ${params.round}: record ${n}`),
    teardown: (_, { params: { round, folder } }) => {
      for (let i = 0; i < LINES; i++) process.stdout.write(`round ${round}: line ${i} ${'.'.repeat(1_000)}\n`)
      // Nobody waits for it.
      writeFile(`${folder}/${round}`, 'written'.repeat(100_000), () => undefined)
    },
  })
  .connect('three', 'log')

export const complains = dataflow('complains', import.meta.url)
  .source('one', {
    setup: () => {
      for (let i = 0; i < LINES; i++) console.error(`complaint ${i}`)
      throw new Error('no setup')
    },
    produce: () => [1],
  })
  .sink('none', { write: () => undefined })
  .connect('one', 'none')

export const fails = dataflow('fails', import.meta.url)
  .source('many', { chunk: 1, produce: () => Array.from({ length: 100 }, (_, i) => i) })
  .sink('none', {
    write: (n) => {
      throw new Error(`failure ${n}`)
    },
  })
  .connect('many', 'none')

if (process.argv[1] === createRequire(import.meta.url).resolve('./last-words.js')) {
  const { isMainThread } = await import('node:worker_threads')
  if (isMainThread) {
    const { run } = await import('millrace')
    const [, , times, folder] = process.argv
    for (let round = 0; round < Number(times); round++) {
      const { finished } = await run(talks, { params: { round, folder: folder! } })
      await finished
    }
    await run(complains).catch(() => undefined)
    const pipeline = await run(fails)
    let failures = 0
    pipeline.events.on('record.failed', () => failures++)
    await pipeline.finished
    console.warn(`failures ${failures}`)
  }
}

import { type Pipeline, run } from 'millrace'
import { first, makeGraph, second } from './graphs.ts'

/** Prints what comes out, in order, and where handlers failed. */
async function print(pipeline: Pipeline): Promise<void> {
  const records: number[] = []
  pipeline.events.on('record.failed', ({ error }) => console.error((error as Error).stack))
  for await (const record of pipeline.output('out')) records.push(record as number)
  process.stdout.write(`${JSON.stringify(records.sort((a, b) => a - b))}\n`)
  await pipeline.finished
}

async function main(what = process.env['WHAT']): Promise<void> {
  if (what === 'function') return print(await run(makeGraph, { params: { count: 2, more: 7 } }))
  if (what === 'late') await new Promise((resolve) => setTimeout(resolve, 20))
  await print(await run(first, { params: { more: 0 } }))
  await print(await run(second, { params: { more: 100 } }))
}

void main()

import { appendFileSync } from 'node:fs'
import { dataflow, handleSignals, run } from 'millrace'

const graph = dataflow('service', import.meta.url)
  .source('in', { push: true })
  .transform('double', { map: (n: number) => n * 2 })
  .sink('out')
  .connect('in', 'double')
  .connect('double', 'out')

const say = (text: string): void => appendFileSync('said.txt', `${text}\n`)
const logger = { debug: ignore, info: (_: object, text: string) => say(text), warn: ignore, error: ignore }

function ignore(): void {}

const pipeline = await run(graph)
handleSignals(pipeline, { graceMs: 10_000, logger })
say(`answered ${String(await pipeline.call('in', 21))}`)
setInterval(() => undefined, 1_000)

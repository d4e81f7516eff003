/** Runs one of these graphs, and prints what comes out: `node main.js 2-iot`. */
import { run, type GraphData } from 'millrace'

const [name = '1-simple-etl'] = process.argv.slice(2)
const { default: graph } = (await import(new URL(`${name}.js`, import.meta.url).href)) as { default: GraphData }
const pipeline = await run(graph)
const sinks = graph.nodes.filter(({ kind }) => kind === 'sink')
const printed = sinks.map(async ({ id }) => {
  for await (const record of pipeline.output(id)) console.log(`${id}: ${JSON.stringify(record)}`)
})
const { acked, failed, seconds } = await pipeline.finished
await Promise.all(printed)
console.log(`${acked} records done, ${failed} failed, in ${seconds.toFixed(2)} s`)

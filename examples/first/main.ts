import { run } from 'millrace'
import graph from './graph.ts'

const [input = 'package.json', output = 'hashes.ndjson'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { input, output } })
const { acked, failed, seconds } = await pipeline.finished
console.log(`${acked} lines hashed, ${failed} failed, in ${seconds.toFixed(2)} s`)

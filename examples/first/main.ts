import { run } from 'millrace'
import graph from './graph.ts'

const pipeline = await run(graph)
const { acked, failed, seconds } = await pipeline.finished
console.log(`${acked} lines hashed, ${failed} failed, in ${seconds.toFixed(2)} s`)

import { handleSignals, run } from 'millrace'
import graph from './graph.ts'

const database = process.env['DATABASE_URL']
if (database === undefined) throw new Error('Set DATABASE_URL: postgres://user:password@host/database')
const [folder = 'data', refused = 'refused.ndjson'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { folder, refused, database } })
handleSignals(pipeline)
const { nodes, failed, seconds } = await pipeline.finished
console.log(`${nodes['save']!.done} rows, ${nodes['refused']!.done} refused, in ${seconds.toFixed(1)} s`)
process.exit(failed === 0 ? 0 : 1)

import { handleSignals, run } from 'millrace'
import { serveControl } from 'millrace/control'
import graph from './graph.ts'

const pipeline = await run(graph, { params: { folder: process.env['FOLDER'] ?? '.', once: false } })
handleSignals(pipeline)
// The page, metrics and health. Other hosts may ask only with a token: set MILLRACE_TOKEN and HOST=0.0.0.0.
const token = process.env['MILLRACE_TOKEN']
const { url } = await serveControl(pipeline, {
  port: Number(process.env['PORT'] ?? 4480),
  host: process.env['HOST'] ?? '127.0.0.1',
  ...(token === undefined ? {} : { token }),
})
console.log(`NAME runs: ${url}`)

import { handleSignals, run } from 'millrace'
import { makeApp } from './app.ts'
import graph from './graph.ts'

const pipeline = await run(graph)
const app = await makeApp(pipeline)
const url = await app.listen({ port: Number(process.env['PORT'] ?? 3000), host: process.env['HOST'] ?? '127.0.0.1' })
handleSignals(pipeline, { server: app, logger: app.log })
console.log(`NAME listens: ${url}`)

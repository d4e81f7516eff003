import { serveFlows } from 'millrace/flow/server'
import { document, folder } from './documents.ts'

const server = await serveFlows([document, folder], { port: Number(process.argv[2] ?? 4480) })
console.log(`curl -H 'content-type: text/plain' -d README.md ${server.url}/flows/document`)
process.once('SIGTERM', () => void server.close())

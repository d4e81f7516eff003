/** All flows of GoFlow's page over HTTP, with the page: `node build/examples/flows/kyc/main.js [PORT]`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serveFlows } from 'millrace/flow/server'
import { fillBucket } from './bucket.ts'
import * as flows from './flows.ts'

const bucket = await mkdtemp(join(tmpdir(), 'millrace-kyc-'))
await fillBucket(bucket)
const server = await serveFlows(Object.values(flows), {
  port: Number(process.argv[2] ?? 8080),
  page: true,
  run: { params: { bucket } },
})
console.log(`The page: ${server.url}/#/flows`)
console.log(`curl -H 'content-type: text/plain' -d hallo ${server.url}/flows/myflow`)
console.log(`curl -H 'content-type: text/plain' -d ada ${server.url}/flows/kyc-conditions`)
console.log(`curl -H 'content-type: text/plain' -d listed ${server.url}/flows/kyc-foreach`)

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void server.close().then(() => rm(bucket, { recursive: true })))

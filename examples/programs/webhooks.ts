/**
 * Takes webhooks, checks their signatures, and writes them in batches, a compressed file each. A sender gets its 202 when its
 * event is in a file, and a 429 while the writers are behind.
 *
 *     SECRET=… PORT=3000 node webhooks.js FOLDER
 */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import Fastify from 'fastify'
import { dataflow, handleSignals, run } from 'millrace'

interface Params {
  readonly folder: string
}

interface Hook {
  readonly at: string
  readonly event: unknown
}

const MOST_WAITING = 5_000
/** Without one, nobody can sign. */
const SECRET = process.env['SECRET'] ?? randomUUID()

/** A file is there as a whole or not at all. */
async function writeBatch(hooks: readonly Hook[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${hooks[0]!.at.replaceAll(':', '-')}-${randomUUID()}.ndjson.gz`)
  const lines = hooks.map((hook) => `${JSON.stringify(hook)}\n`)
  await writeFile(`${file}.part`, gzipSync(lines.join('')))
  await rename(`${file}.part`, file)
}

const graph = dataflow<Params>('webhooks', import.meta.url)
  .source('hooks', { push: true, window: MOST_WAITING })
  .sink('files', {
    batch: { size: 1_000, timeoutMs: 200 },
    retry: { maxAttempts: 3 },
    write: (hooks: Hook[], { params }) => writeBatch(hooks, params.folder),
  })
  .connect('hooks', 'files', { dataType: 'hook' })

export default graph

const [folder = 'hooks'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { folder } })
const app = Fastify()
let waiting = 0

function isSigned(body: string, signature: unknown): boolean {
  const own = createHmac('sha256', SECRET).update(body).digest()
  const given = Buffer.from(String(signature), 'hex')
  return given.length === own.length && timingSafeEqual(given, own)
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined
  }
}

app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => done(null, body))
app.post<{ Body: string }>('/hooks', async ({ body, headers }, reply) => {
  if (!isSigned(body, headers['x-signature'])) return reply.code(401).send({ error: 'The signature is wrong.' })
  if (waiting >= MOST_WAITING) return reply.code(429).header('retry-after', '1').send({ error: 'Try again later.' })
  const event: unknown = parsed(body)
  if (event === undefined) return reply.code(400).send({ error: 'The body is not JSON.' })
  waiting++
  try {
    const receipt = await pipeline.push('hooks', { at: new Date().toISOString(), event })
    await receipt.done
  } finally {
    waiting--
  }
  return reply.code(202).send({ taken: true })
})
console.log(await app.listen({ port: Number(process.env['PORT'] ?? 3000) }))
handleSignals(pipeline, { server: app })

/** The other side of a webhook, which sends until it is answered; and the other side of a sink, which takes batches. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QueueUnderTest, ServerUnderTest } from './bench.js'

const PAUSE_MS = 20
/** More than a browser opens, fewer than what a window of tests has beside it. */
const AT_ONCE = 250

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Whoever sends the requests that a `webhookSource` takes. There is no server until a test starts one. */
export async function startSender(): Promise<ServerUnderTest> {
  const closed = new AbortController()
  return {
    async queue(): Promise<QueueUnderTest> {
      const port = await freePort()
      const left = new Set<string>()
      let isOpen = 0
      const deliver = async (text: string, key: string): Promise<void> => {
        while (!closed.signal.aborted) {
          if (isOpen < AT_ONCE) {
            isOpen++
            const status = await post(port, text, key, closed.signal)
            isOpen--
            if (status === 204 || status === 400) break
          }
          await sleep(PAUSE_MS)
        }
        left.delete(key)
      }
      let sent = 0
      return {
        options: () => ({ port, path: '/hook' }),
        async send(texts) {
          for (const text of texts) {
            const key = `k${sent++}`
            left.add(key)
            void deliver(text, key)
          }
        },
        left: async () => left.size,
        received: () => Promise.reject(new Error('it only sends')),
      }
    },
    async close() {
      closed.abort()
    },
  }
}

async function post(port: number, body: string, key: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const headers = { 'idempotency-key': key }
    const answer = await fetch(`http://127.0.0.1:${port}/hook`, { method: 'POST', body, headers, signal })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return undefined
  }
}

/** A server that stores the batches of an `httpSink`: one with a known key is stored once. */
export async function startTaker(): Promise<ServerUnderTest> {
  const stored = new Map<string, Map<string, readonly unknown[]>>()
  const server = createServer((request, reply) => {
    void bodyOf(request).then((text) => {
      const place = stored.get(request.url!)
      if (place === undefined) return reply.writeHead(404).end()
      const key = String(request.headers['idempotency-key'])
      if (!place.has(key)) place.set(key, JSON.parse(text) as unknown[])
      return reply.writeHead(204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo
  return {
    port: own,
    async queue(): Promise<QueueUnderTest> {
      const path = `/${stored.size}`
      const place = new Map<string, readonly unknown[]>()
      stored.set(path, place)
      return {
        options: (port) => ({ url: `http://127.0.0.1:${port}${path}`, size: 10, timeoutMs: 5, answerMs: 2_000 }),
        send: () => Promise.reject(new Error('it only takes')),
        left: () => Promise.reject(new Error('it only takes')),
        received: async () => [...place.values()].flat().map((item) => JSON.stringify(item)),
      }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

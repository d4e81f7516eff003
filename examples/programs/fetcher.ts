/**
 * Fetches the pages of a list: at most 16 at a time and 50 per second, each at most five times with longer and longer pauses, and
 * writes their titles. What cannot be fetched goes to a list of its own.
 *
 *     node fetcher.js urls.txt titles.ndjson failed.ndjson
 */
import { createReadStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { dataflow, type Failure, run } from 'millrace'

interface Params {
  readonly urls: string
  readonly titles: string
  readonly failed: string
}

interface Page {
  readonly url: string
  readonly html: string
}

class StatusError extends Error {
  readonly status: number

  constructor(status: number) {
    super(`The server answered ${status}.`)
    this.status = status
  }
}

async function fetchPage(url: string, { signal }: { readonly signal: AbortSignal }): Promise<Page> {
  const answer = await fetch(url, { signal })
  if (!answer.ok) throw new StatusError(answer.status)
  return { url, html: await answer.text() }
}

/** What the client did wrong stays wrong; all else may pass: a busy server, a lost connection, a time-out. */
function isWorthwhile(error: unknown): boolean {
  const { status = 500 } = error as Partial<StatusError>
  return status === 429 || status >= 500
}

function titleOf({ url, html }: Page): { url: string; title: string } {
  return { url, title: /<title[^>]*>([^<]*)/i.exec(html)?.[1]?.trim() ?? '' }
}

const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

const graph = dataflow<Params>('fetcher', import.meta.url)
  .source('urls', { rateLimit: 50, produce: ({ params }) => createInterface(createReadStream(params.urls)) })
  .transform('fetch', {
    maxInFlight: 16,
    timeoutMs: 10_000,
    retry: { maxAttempts: 5, backoff: 'exponential', baseMs: 50, maxMs: 10_000, when: isWorthwhile },
    map: fetchPage,
  })
  .transform('title', { map: titleOf })
  .sink('titles', {
    batch: { size: 100, timeoutMs: 200 },
    write: (rows, { params }) => appendFile(params.titles, lines(rows)),
  })
  .sink('failed', {
    batch: { size: 100, timeoutMs: 200 },
    write: (failures: Failure<string>[], { params }) =>
      appendFile(params.failed, lines(failures.map(({ input, error }) => ({ url: input, error: error.message })))),
  })
  .connect('urls', 'fetch', { dataType: 'URL' })
  .connect('fetch', 'title', { dataType: 'page' })
  .connect('fetch', 'failed', { pathType: 'dead_letter' })
  .connect('title', 'titles')

export default graph

const [urls = 'urls.txt', titles = 'titles.ndjson', failed = 'failed.ndjson'] = process.argv.slice(2)
const pipeline = await run(graph, { params: { urls, titles, failed } })
const { nodes, seconds } = await pipeline.finished
console.log(`${nodes['titles']!.done} titles, ${nodes['failed']!.done} failed, in ${seconds.toFixed(2)} s`)

import { appendFile, mkdir, readFile, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { dataflow, type Failure, mark } from 'millrace'

/** What differs from run to run. */
export interface Params {
  /** Files of NDJSON appear in `inbox`; those that are done go to `done`, those that failed to `failed`. */
  readonly folder: string
  /** Whether to end when the inbox is empty. */
  readonly once: boolean
}

interface Event {
  readonly id: string
  readonly value: number
}

const FOLDERS = ['inbox', 'done', 'failed'] as const

/** Each file that is not in flight. A file is taken when it lies in the inbox, so write it elsewhere and move it there. */
async function take(demand: number, { folder, once }: Params, inFlight: Set<string>) {
  const files = (await readdir(join(folder, 'inbox'))).filter((file) => !inFlight.has(file)).slice(0, demand)
  if (files.length === 0 && once) return null
  for (const file of files) inFlight.add(file)
  return files.map((file) => mark(file, { receipt: file }))
}

async function move(files: readonly string[], to: 'done' | 'failed', folder: string, inFlight: Set<string>) {
  for (const file of files) {
    await rename(join(folder, 'inbox', file), join(folder, to, file))
    inFlight.delete(file)
  }
}

async function eventsOf(file: string, { params }: { readonly params: Params }): Promise<Event[]> {
  const text = await readFile(join(params.folder, 'inbox', file), 'utf8')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Event]))
}

const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Takes files from a folder, works on each of their events, and acks a file when all that came of it is written. */
export default dataflow<Params>('NAME', import.meta.url)
  .source('inbox', {
    setup: async ({ params }) => {
      for (const name of FOLDERS) await mkdir(join(params.folder, name), { recursive: true })
      return new Set<string>()
    },
    pollMs: 500,
    poll: (demand, { params, state }) => take(demand, params, state),
    ack: async (done, failed, { params, state }) => {
      await move(done as string[], 'done', params.folder, state)
      await move(failed as string[], 'failed', params.folder, state)
    },
  })
  .transform('read', { flatMap: eventsOf })
  .transform('work', {
    concurrency: 2,
    retry: { maxAttempts: 3 },
    map: ({ id, value }: Event) => {
      if (!Number.isFinite(value)) throw new Error(`Event ${id} has no value.`)
      return { id, root: Math.sqrt(value) }
    },
  })
  .sink('results', {
    batch: { size: 500, timeoutMs: 100 },
    write: (rows, { params }) => appendFile(join(params.folder, 'results.ndjson'), lines(rows)),
  })
  .sink('refused', {
    batch: { size: 100, timeoutMs: 100 },
    write: (failures: Failure[], { params }) => appendFile(join(params.folder, 'refused.ndjson'), lines(failures)),
  })
  .connect('inbox', 'read', { dataType: 'file' })
  .connect('read', 'work', { dataType: 'event' })
  .connect('work', 'results')
  .connect('work', 'refused', { pathType: 'dead_letter' })

/** Files and directories in the place of servers. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import type { QueueUnderTest, ServerUnderTest } from './bench.js'

/** A folder for each queue. */
function folders(
  place: 'path' | 'directory',
  queueIn: (folder: string) => QueueUnderTest,
): () => Promise<ServerUnderTest> {
  return async () => {
    const root = mkdtempSync(join(tmpdir(), 'millrace-local-'))
    return {
      queue: async () => queueIn(mkdtempSync(join(root, 'queue-'))),
      withoutQueue: (options) => ({ ...options, [place]: join(root, 'nothing', 'here') }),
      close: async () => rmSync(root, { recursive: true }),
    }
  }
}

/** The rows behind the offset that is kept. */
function rowsLeft(
  file: string,
  cursorFile: string,
  offsetIn: (cursor: unknown) => number,
  rowsIn: (text: string) => number,
): number {
  const kept = existsSync(cursorFile) ? offsetIn(JSON.parse(readFileSync(cursorFile, 'utf8'))) : 0
  return rowsIn(readFileSync(file).subarray(kept).toString())
}

const linesIn = (text: string): number => text.split('\n').length - 1
const csvRow = (text: string): string => `"${text.replaceAll('"', '""')}"\n`

/** A file of lines that is read to its end, or as it grows. */
export const startLines = (isTail: boolean): (() => Promise<ServerUnderTest>) =>
  folders('path', (folder) => {
    const [path, cursorFile] = [join(folder, 'lines'), join(folder, 'cursor')]
    writeFileSync(path, '')
    return {
      options: () => ({ path, cursorFile, ...(isTail ? { lookMs: 20 } : {}) }),
      send: async (texts) => appendFileSync(path, texts.map((text) => `${text}\n`).join('')),
      left: async () =>
        rowsLeft(
          path,
          cursorFile,
          (cursor) => (isTail ? (cursor as { offset: number }).offset : (cursor as number)),
          linesIn,
        ),
      received: async () => readFileSync(path, 'utf8').split('\n').slice(0, -1),
    }
  })

/** A file of rows of one column. */
export const startRows: () => Promise<ServerUnderTest> = folders('path', (folder) => {
  const [path, cursorFile] = [join(folder, 'rows.csv'), join(folder, 'cursor')]
  writeFileSync(path, 'item\n')
  return {
    options: () => ({ path, cursorFile }),
    send: async (texts) => appendFileSync(path, texts.map(csvRow).join('')),
    left: async () => rowsLeft(path, cursorFile, Number, linesIn) - (existsSync(cursorFile) ? 0 : 1),
    received: async () => [],
  }
})

/** A file that a sink appends to. */
export const startAppended = (format: 'ndjson' | 'csv'): (() => Promise<ServerUnderTest>) =>
  folders('path', (folder) => {
    const path = join(folder, `out.${format}`)
    return {
      options: () => ({ path, mode: 'append', ...(format === 'csv' ? { columns: ['n', 'filler'] } : {}) }),
      send: async () => undefined,
      left: async () => 0,
      async received() {
        const text = readFileSync(path, 'utf8')
        if (format === 'ndjson') return text.split('\n').slice(0, -1)
        const rows = parse(text, { columns: true }) as { n: string }[]
        return rows.map(({ n }) => JSON.stringify({ n: Number(n) }))
      },
    }
  })

/** A directory into which files are renamed. */
export const startDirectory: () => Promise<ServerUnderTest> = folders('directory', (folder) => {
  const [directory, beside] = [join(folder, 'in'), join(folder, 'beside')]
  mkdirSync(directory)
  mkdirSync(beside)
  let made = 0
  return {
    options: () => ({ directory, settleMs: 0, doneTo: join(folder, 'done'), failedTo: join(folder, 'failed') }),
    async send(texts) {
      for (const text of texts) {
        const name = `${String(made++).padStart(6, '0')}.json`
        writeFileSync(join(beside, name), text)
        renameSync(join(beside, name), join(directory, name))
      }
    },
    left: async () => readdirSync(directory).length,
    received: async () => [],
  }
})

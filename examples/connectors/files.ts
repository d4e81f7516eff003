import { readFile } from 'node:fs/promises'
import { type FileMessage, watchSource } from 'millrace/files'
import { dataflow } from 'millrace/graph'
import { ndjsonSink } from 'millrace/ndjson'

interface Folders {
  readonly inbox: string
  readonly archive: string
  readonly output: string
}

/** Letters that come into a folder are counted by their words, and archived. */
export function makeWordCounts({ inbox, archive, output }: Folders) {
  return dataflow<Folders>('words', import.meta.url)
    .source('letters', watchSource({ directory: inbox, ending: '.txt', settleMs: 100, doneTo: archive }))
    .transform('count', {
      map: async ({ path }: FileMessage) => ({ path, words: (await readFile(path, 'utf8')).split(/\s+/).length }),
    })
    .sink('counts', ndjsonSink({ path: output, mode: 'append' }))
    .connect('letters', 'count')
    .connect('count', 'counts')
}

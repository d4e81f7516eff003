import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { flow } from 'millrace/flow'

interface File {
  readonly path: string
  readonly bytes: Uint8Array
}

const text = flow('text').step('count', {
  map: ({ bytes }: File) =>
    Buffer.from(bytes)
      .toString()
      .split(/\s+/)
      .filter((word) => word !== '').length,
})

/** Width and height stand in the first chunk of a PNG. */
const png = flow('png').step('measure', {
  map: ({ bytes }: File) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return { width: view.getUint32(16), height: view.getUint32(20) }
  },
})

/** One file: its digest, and beside it what its kind tells. */
export const document = flow('document', import.meta.url)
  .step('read', { map: async (path: string) => ({ path, bytes: new Uint8Array(await readFile(path)) }) })
  .step('digest', {
    map: ({ path, bytes }: File) => ({ path, sha256: createHash('sha256').update(bytes).digest('hex') }),
  })
  .branch('kind', {
    when: ({ path }: File) => (path.endsWith('.png') ? 'png' : 'text'),
    branches: { text, png },
    onNone: 'fail',
  })
  .step('report', { join: ({ digest, kind }) => ({ ...digest, words: kind.text, size: kind.png }) })
  .edge('read', 'digest')
  .edge('read', 'kind')
  .edge('digest', 'report')
  .edge('kind', 'report')

/** All texts and pictures of a folder. */
export const folder = flow('folder', import.meta.url, { maxRequests: 8 }).forEach('files', {
  items: async (path: string) => {
    const names = await readdir(path)
    return names.filter((name) => /\.(?:md|png)$/.test(name)).map((name) => join(path, name))
  },
  each: document,
  join: (reports) => ({
    files: reports.length,
    words: reports.reduce((sum, { words = 0 }) => sum + words, 0),
    largest: reports
      .flatMap(({ path, size }) => (size === undefined ? [] : [{ path, pixels: size.width * size.height }]))
      .toSorted((a, b) => b.pixels - a.pixels)[0],
  }),
})

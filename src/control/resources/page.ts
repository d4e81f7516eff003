import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { Type } from 'typebox'
import { endpoint, type Endpoint } from '../endpoint.ts'

/** Beside the API in the package. */
const FOLDER = new URL('../../page/', import.meta.url)
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' }

/**
 * The page: it holds no figures, so it is open; what it shows it asks for, with the token. Its files are read once, and each
 * has an address of its own: no other file can be asked for.
 * @param hasFlows the API of flows stands beside it: the page has a tab for them
 */
export async function page(hasFlows: boolean): Promise<readonly Endpoint[]> {
  const files = (await readdir(FOLDER)).filter((name) => Object.hasOwn(TYPES, extname(name)))
  return Promise.all(
    files.map(async (file) => {
      const read = await readFile(new URL(file, FOLDER), 'utf8')
      const text = hasFlows && file === 'index.html' ? read.replace('<html ', '<html data-flows ') : read
      const type = TYPES[extname(file)]!
      return endpoint(file === 'index.html' ? 'GET /' : `GET /page/${file}`, {
        tag: 'page',
        summary: 'A file of the page.',
        access: 'open',
        answer: type,
        handle: ({ request, reply }) => {
          const address = request.url.split('?')[0]!
          // All that the page asks for is beside it: its own address has to end as a folder's does.
          if (file === 'index.html' && !address.endsWith('/'))
            return reply.redirect(`${address.slice(address.lastIndexOf('/') + 1)}/`, 308)
          void reply.type(`${type}; charset=utf-8`)
          return text
        },
      })
    }),
  )
}

/** The description of all others. */
export function document(described: object): readonly Endpoint[] {
  return [
    endpoint('GET /openapi.json', {
      tag: 'page',
      summary: 'This API as OpenAPI 3.1.',
      access: 'open',
      answer: Type.Object({}, { additionalProperties: true }),
      handle: () => described,
    }),
  ]
}

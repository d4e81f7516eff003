import { readFile } from 'node:fs/promises'
import { Type } from 'typebox'
import { endpoint, type Endpoint } from '../endpoint.ts'

/** The files of the page, beside this module in the package: no other file can be asked for. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html'],
  '/page/page.css': ['page.css', 'text/css'],
  '/page/uplot.css': ['uPlot.min.css', 'text/css'],
  '/page/uplot.js': ['uPlot.iife.min.js', 'text/javascript'],
  ...Object.fromEntries(
    ['api', 'charts', 'dom', 'format', 'graph-view', 'layout', 'letters', 'page', 'stage-panel'].map((module) => [
      `/page/${module}.js`,
      [`${module}.js`, 'text/javascript'],
    ]),
  ),
}

const FOLDER = new URL('../page/', import.meta.url)

/** The page: it holds no figures, so it is open; what it shows it asks for, with the token. */
export async function page(): Promise<readonly Endpoint[]> {
  return Promise.all(
    Object.entries(FILES).map(async ([path, [file, type]]) => {
      const text = await readFile(new URL(file, FOLDER), 'utf8')
      return endpoint(`GET ${path as '/'}`, {
        tag: 'page',
        summary: 'A file of the page.',
        access: 'open',
        answer: type,
        handle: ({ reply }) => {
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

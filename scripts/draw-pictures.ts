/** Draws the pictures of `docs/drawing.md` into `docs/pictures/`, and those of the example programs beside them: `node build/scripts/draw-pictures.js`. */
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type DrawOptions, type GraphData } from 'millrace'
import { simulate } from 'millrace/analysis'
import { theme, toSvg, views } from 'millrace/render'
import importer from '#src/import/graph.js'
import etl from '../examples/walkthrough/1-simple-etl.js'
import iot from '../examples/walkthrough/2-iot.js'
import deadLetters from '../examples/walkthrough/3-dead-letters.js'
import microservices from '../examples/walkthrough/4-microservices.js'
import repaired, { broken } from '../examples/walkthrough/5-repair.js'

interface PictureFile {
  readonly name: string
  readonly graph: GraphData
  readonly options: DrawOptions
}

const plain: DrawOptions = { title: true }
const hot = (graph: GraphData): DrawOptions => ({ title: true, legend: true, heat: true, simulation: simulate(graph) })

/** Every picture by the name of its file. */
export const PICTURES: readonly PictureFile[] = [
  { name: 'simple-etl', graph: etl, options: { ...plain, legend: true } },
  { name: 'iot', graph: iot, options: plain },
  { name: 'iot-heat', graph: iot, options: hot(iot) },
  { name: 'dead-letters', graph: deadLetters, options: { ...plain, legend: true } },
  { name: 'dead-letters-dark', graph: deadLetters, options: { ...hot(deadLetters), theme: 'dark' } },
  { name: 'microservices', graph: microservices, options: { ...plain, theme: theme('default', { rankdir: 'TB' }) } },
  { name: 'microservices-zoom', graph: microservices, options: { ...plain, views: [views.zoom(0)] } },
  {
    name: 'microservices-collapsed',
    graph: microservices,
    options: { ...hot(microservices), views: [views.collapse('order_service')] },
  },
  { name: 'import', graph: importer, options: plain },
  { name: 'broken', graph: broken, options: { title: 'broken' } },
  { name: 'repaired', graph: repaired, options: { title: 'repaired' } },
  ...(['default', 'dark', 'warm', 'forest', 'ocean', 'minimal'] as const).map((name) => ({
    name: `theme-${name}`,
    graph: deadLetters,
    options: { title: name, theme: name, views: [views.focus('router')] },
  })),
]

/** The example programs: their pictures lie beside them, drawn by the command. */
export const PROGRAMS: readonly string[] = readdirSync(new URL('../../examples/programs/', import.meta.url))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))

/** What `millrace draw` prints of an example program. */
export async function programPicture(name: string): Promise<string> {
  const [command, file] = ['dist/cli/main.js', `build/examples/programs/${name}.js`]
  const args = [command, 'draw', file, '--format', 'svg', '--title']
  const cwd = fileURLToPath(new URL('../../', import.meta.url))
  return (await promisify(execFile)(process.execPath, args, { cwd, maxBuffer: 1 << 24 })).stdout
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL('../../docs/pictures/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const { name, graph, options } of PICTURES) {
    writeFileSync(new URL(`${name}.svg`, folder), await toSvg(graph, options))
  }
  for (const name of PROGRAMS) {
    writeFileSync(new URL(`../../examples/programs/${name}.svg`, import.meta.url), await programPicture(name))
  }
}

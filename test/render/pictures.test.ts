import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { toSvg } from 'millrace/render'
import { PICTURES } from '../../scripts/draw-pictures.js'

const folder = new URL('../../../docs/pictures/', import.meta.url)

test('the pictures of the docs are what the graphs are drawn as now', async () => {
  for (const { name, graph, options } of PICTURES) {
    const file = readFileSync(new URL(`${name}.svg`, folder), 'utf8')
    assert.ok(file === (await toSvg(graph, options)), `${name}: draw it again: node build/scripts/draw-pictures.js`)
  }
  // Those of costs are drawn by the benchmarks, from what was measured; the page of a running pipeline is a screenshot, and that of a trace is drawn from a run.
  const drawn = readdirSync(folder).filter(
    (name) =>
      name.endsWith('.svg') && !name.startsWith('cost-by-') && !['back-pressure.svg', 'trace-flow.svg'].includes(name),
  )
  assert.deepEqual(drawn.sort(), PICTURES.map(({ name }) => `${name}.svg`).sort())
})

/** Pages that are printed from the source say what the source says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errorsPage } from '../../scripts/print-errors.js'
import { eventsPage } from '../../scripts/print-events.js'
import { figuresPage } from '../../scripts/print-figures.js'
import { controlPage, optionsPage } from '../../scripts/print-options.js'

const PAGES = { errors: errorsPage, events: eventsPage, figures: figuresPage, options: optionsPage }

for (const [page, printed] of Object.entries(PAGES)) {
  test(`docs/${page}.md is what the source prints`, () => {
    const text = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8')
    assert.equal(text, printed(), `print it again: node build/scripts/print-${page}.js`)
  })
}

test('docs/control.md has the options that the source prints', () => {
  const text = readFileSync(new URL('../../../docs/control.md', import.meta.url), 'utf8')
  assert.ok(text.includes('`commandsPerSecond`'), 'the options are there')
  assert.equal(text, controlPage(text), 'print it again: node build/scripts/print-options.js')
})

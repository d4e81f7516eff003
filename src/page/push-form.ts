import type { GraphAnswer, PushedRecord } from '#src/control/index.js'
import { ask } from './api.ts'
import { byId, h } from './dom.ts'
import { duration } from './format.ts'
import { act } from './notices.ts'

/** How long the answer waits for the end of a pushed record. */
const WAIT_MS = 5_000

/** Pushes a test record, and tells how it ended. @param path of the pipeline */
export function pushForm(path: string, { nodes }: GraphAnswer): void {
  const takers = nodes.filter(({ kind }) => kind === 'source' || kind === 'transform' || kind === 'sink')
  const select = h('select', { id: 'push-node' }, ...takers.map(({ id }) => h('option', { value: id }, id)))
  const text = h('textarea', { id: 'push-record', rows: 2, spellcheck: false, placeholder: '{ "id": 1 }' })
  const result = h('output', { for: 'push-record', class: 'muted' })
  const form = byId('push') as HTMLFormElement
  form.replaceChildren(
    h('label', { for: 'push-node' }, 'Into'),
    select,
    h('label', { for: 'push-record' }, 'Record, as JSON'),
    text,
    h('button', { type: 'submit' }, 'Push'),
    result,
  )
  form.onsubmit = (event) => {
    event.preventDefault()
    result.textContent = ''
    void act(async () => {
      const body = { node: select.value, record: JSON.parse(text.value) as unknown, waitMs: WAIT_MS }
      const { state, tookMs } = await ask<PushedRecord>('POST', `${path}/records`, body)
      result.textContent = tookMs === undefined ? state : `${state} after ${duration(tookMs)}`
    })
  }
}

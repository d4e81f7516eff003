import type { RequestAnswer } from '#src/flow-server/index.js'
import { send } from './api.ts'
import { byId, h } from './dom.ts'

const TYPES = { text: 'text/plain; charset=utf-8', json: 'application/json' } as const

/** Asks what to ask a flow, and starts the request; undefined where nothing is to be asked. */
export async function executeDialog(flow: string): Promise<RequestAnswer | undefined> {
  const dialog = byId('ask') as HTMLDialogElement
  const body = h('textarea', { id: 'execute-body', rows: 6, placeholder: 'If empty, the input is undefined.' })
  const type = h(
    'select',
    { id: 'execute-type' },
    h('option', { value: 'text' }, 'Text'),
    h('option', { value: 'json' }, 'JSON'),
  )
  const id = h('input', { id: 'execute-id', maxlength: 200, placeholder: 'a random one' })
  dialog.replaceChildren(
    h(
      'form',
      { method: 'dialog', class: 'execute' },
      h('h2', {}, `Execute ${flow}`),
      h('label', { for: 'execute-body' }, 'Input'),
      body,
      h('label', { for: 'execute-type' }, 'Type of the input'),
      type,
      h('label', { for: 'execute-id' }, 'Id of the request'),
      id,
      h(
        'menu',
        {},
        h('button', { value: 'no', class: 'quiet', formnovalidate: true }, 'Cancel'),
        h('button', { value: 'yes', class: 'primary' }, 'Execute'),
      ),
    ),
  )
  dialog.returnValue = 'no'
  dialog.showModal()
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
  if (dialog.returnValue !== 'yes') return undefined
  const headers = {
    prefer: 'respond-async',
    ...(body.value === '' ? {} : { 'content-type': TYPES[type.value as keyof typeof TYPES] }),
    ...(id.value === '' ? {} : { 'idempotency-key': id.value }),
  }
  return send<RequestAnswer>(`flows/${encodeURIComponent(flow)}`, headers, body.value)
}

import { ApiError, keepToken } from './api.ts'
import { byId, h, set, setText } from './dom.ts'

/** Does something, and says so where it fails. */
export async function act(what: () => Promise<unknown>): Promise<void> {
  try {
    await what()
    notice('')
  } catch (error) {
    await complain(error)
  }
}

export async function complain(error: unknown): Promise<void> {
  if (error instanceof ApiError && error.status === 401) await login()
  else notice(error instanceof Error ? error.message : String(error))
}

/** One line for what went wrong; none takes it away. */
export function notice(text: string): void {
  const place = byId('notice')
  setText(place, text)
  set(place, 'hidden', text === '')
}

/** Asks in a dialog; Escape is no. */
export async function confirmed(text: string, yes: string): Promise<boolean> {
  const dialog = byId('ask') as HTMLDialogElement
  dialog.replaceChildren(
    h(
      'form',
      { method: 'dialog' },
      h('p', {}, text),
      h(
        'menu',
        {},
        h('button', { value: 'no', class: 'quiet' }, 'Cancel'),
        h('button', { value: 'yes', class: 'primary' }, yes),
      ),
    ),
  )
  dialog.returnValue = 'no'
  dialog.showModal()
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
  return dialog.returnValue === 'yes'
}

async function login(): Promise<void> {
  const dialog = byId('ask') as HTMLDialogElement
  const input = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true })
  dialog.replaceChildren(
    h(
      'form',
      { method: 'dialog' },
      h('label', { for: 'token' }, 'This API requires a token.'),
      input,
      h('menu', {}, h('button', { class: 'primary' }, 'Use it')),
    ),
  )
  if (!dialog.open) dialog.showModal()
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
  keepToken(input.value)
  location.reload()
}

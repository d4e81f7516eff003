import type { Live } from '#src/control/index.js'
import { h, set } from './dom.ts'
import { percent } from './format.ts'

type Shares = Live['stages'][number]['shares']

/** What a worker's time goes into, in the order in which bars show it. */
export const SHARES = ['busy', 'blocked', 'limited', 'starved'] as const

/** A bar of shares, made once and painted again and again. */
export function shareBar(): HTMLElement {
  return h('div', { class: 'bar', role: 'img' }, ...SHARES.map((share) => h('i', { class: share })))
}

export function paint(bar: HTMLElement, shares: Shares): void {
  SHARES.forEach((share, i) => {
    ;(bar.children[i] as HTMLElement).style.width = `${(100 * shares[share]).toFixed(1)}%`
  })
  const text = SHARES.map((share) => `${share} ${percent(shares[share])}`).join(', ')
  set(bar, 'title', text)
  set(bar, 'aria-label', text)
}

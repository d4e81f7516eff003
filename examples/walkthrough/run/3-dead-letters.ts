/** Retry with dead letters, with handlers: what is not signed is looked at again, three times at most, and then reported. */
import { createHmac } from 'node:crypto'
import { dataflow } from 'millrace'

interface Event {
  readonly id: number
  readonly signature: string
  readonly looks: number
}

const MOST_LOOKS = 3

const sign = (id: number): string => createHmac('sha256', 'secret').update(String(id)).digest('hex')

/** Every tenth event comes before its signature is known, and every tenth never gets one. */
function* webhook(): Generator<Event> {
  for (let id = 0; id < 500; id++) yield { id, looks: 0, signature: id % 10 === 3 || id % 10 === 7 ? '' : sign(id) }
}

function lookAgain(event: Event, { emit }: { emit: (branch: string, record: unknown) => void }): Event {
  const looks = event.looks + 1
  if (looks > MOST_LOOKS) throw new Error(`Event ${event.id} is not signed.`)
  const isKnownNow = event.id % 10 === 3 && looks === 2
  const again = { ...event, looks, signature: isKnownNow ? sign(event.id) : event.signature }
  emit('reattempt', again)
  return again
}

export default dataflow('dead-letters', import.meta.url)
  .source('webhook', { window: 1_000, produce: () => webhook() })
  .transform('validator', { concurrency: 2, map: (event: Event) => event })
  .conditional('router', { route: ({ id, signature }: Event) => (signature === sign(id) ? 'yes' : 'no') })
  .transform('processor', { map: ({ id }: Event) => ({ id, processed: true }) })
  .buffer('retry_queue', { capacity: 1_000 })
  .transform('retry_handler', { map: lookAgain })
  .buffer('dlq', { capacity: 10_000 })
  .sink('postgres')
  .sink('alerting')
  .connect('webhook', 'validator')
  .connect('validator', 'router')
  .connect('router', 'processor', { when: 'yes' })
  .connect('router', 'retry_queue', { when: 'no', pathType: 'retry' })
  .connect('processor', 'postgres')
  .connect('retry_queue', 'retry_handler')
  .connect('retry_handler', 'router', { when: 'reattempt', pathType: 'retry' })
  .connect('retry_handler', 'dlq', { pathType: 'dead_letter' })
  .connect('dlq', 'alerting', { pathType: 'error' })

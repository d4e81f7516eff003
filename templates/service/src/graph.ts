import { scryptSync } from 'node:crypto'
import { availableCores, dataflow } from 'millrace'

/** What a request asks for. */
export interface Order {
  readonly text: string
  readonly salt: string
}

/** The work of the service, on every core that the process may use. Replace `hash` by yours. */
export default dataflow('NAME', import.meta.url)
  .source('orders', { push: true, window: 256 })
  .transform('hash', {
    concurrency: Math.max(1, Math.floor(availableCores())),
    timeoutMs: 5_000,
    map: ({ text, salt }: Order) => scryptSync(text, salt, 32).toString('hex'),
  })
  .sink('answers')
  .connect('orders', 'hash')
  .connect('hash', 'answers')

/** One graph twice: the second one prices some orders otherwise. Workers import this module. */
import { dataflow } from 'millrace'

export interface Item {
  readonly id: number
  readonly cents: number
}

export const ITEMS = 300

const items = (): Item[] => Array.from({ length: ITEMS }, (_, id) => ({ id, cents: 100 * id }))
const whole = <T>(record: T): T => record

const made = (price: (item: Item) => Item) =>
  dataflow('priced', import.meta.url)
    .source('items', { produce: items, chunk: 3 })
    .transform('price', {
      map: async (item: Item) => {
        if (item.id === 13) throw new Error('bad luck')
        return price(item)
      },
    })
    .transform('cheap', { filter: ({ cents }: Item) => cents < 20_000 })
    .transform('parts', { flatMap: ({ id, cents }: Item) => (id % 2 === 0 ? [cents] : [1, cents - 1]) })
    .sink('out')
    .connect('items', 'price', { capture: 4_096, redact: whole })
    .connect('price', 'cheap', { capture: 4_096, redact: whole })
    .connect('cheap', 'parts', { capture: 4_096, redact: whole })
    .connect('parts', 'out', { capture: 4_096, redact: whole })

export const priced = made(whole)
/** Not what workers find: only for its functions. */
export const repriced = made((item) => (item.id % 100 === 42 ? { ...item, cents: 7 } : item))

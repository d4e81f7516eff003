/** Graphs whose source gives records that have failed already, and one whose worker is replaced while receipts are open. */
import { appendFileSync, existsSync } from 'node:fs'
import { type Failure, type GraphData, dataflow, mark } from 'millrace'

interface Told {
  readonly ledger: string
}

/** Every third record failed before it was a record. */
function makeFailing(): GraphData {
  let next = 0
  return dataflow<Told>('failing-marks', import.meta.url)
    .source('in', {
      chunk: 8,
      poll: () =>
        next === 12
          ? null
          : Array.from({ length: 6 }, () => {
              const n = next++
              return mark(n, { receipt: n, ...(n % 3 === 0 ? { error: new Error(`unreadable ${n}`) } : {}) })
            }),
      ack: (successes, failures, { params }) =>
        appendFileSync(params.ledger, `${JSON.stringify({ successes, failures })}\n`),
    })
    .sink('out')
    .sink('dead')
    .connect('in', 'out')
    .connect('in', 'dead', { pathType: 'dead_letter', dataType: 'Failure' })
}

export const failing = makeFailing()
export type Dead = Failure<number>

/** Gives five records in its first life, and says in each what receipts it has found. */
export function makeInherited(params: Told & { readonly gate: string }): GraphData {
  return dataflow('inherited-receipts', import.meta.url)
    .source('in', {
      setup: ({ epoch }) => ({ epoch, left: epoch === 0 ? 5 : 0 }),
      poll: (_, { state, receipts }) => {
        appendFileSync(params.ledger, `${JSON.stringify({ epoch: state.epoch, receipts })}\n`)
        if (state.left === 0) return existsSync(params.gate) ? null : []
        const records = Array.from({ length: state.left }, (_, n) => mark(n, { receipt: `r${n}` }))
        state.left = 0
        return records
      },
      ack: () => undefined,
    })
    .sink('out', {
      write: async () => {
        while (!existsSync(params.gate)) await new Promise((resolve) => setTimeout(resolve, 5))
      },
    })
    .connect('in', 'out')
}

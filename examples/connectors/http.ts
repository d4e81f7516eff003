import { dataflow } from 'millrace/graph'
import { httpSink, webhookSource } from 'millrace/http'

interface Payment {
  readonly id: string
  readonly amount: number
}

interface Places {
  readonly port: number
  readonly ledger: string
}

/** Payments that a service reports are sent on in batches; the service is answered once they are there. */
export function bookPayments({ port, ledger }: Places) {
  return dataflow<Places>('payments', import.meta.url)
    .source('hook', webhookSource<Payment>({ port, path: '/payments' }))
    .transform('book', { map: ({ id, amount }: Payment) => ({ id, cents: Math.round(amount * 100) }) })
    .sink('ledger', httpSink({ url: ledger, size: 50 }))
    .connect('hook', 'book')
    .connect('book', 'ledger')
}

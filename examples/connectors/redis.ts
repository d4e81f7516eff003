import { dataflow } from 'millrace/graph'
import { redisSink, redisSource } from 'millrace/redis'

interface Visit {
  readonly page: string
  readonly at: string
}

interface Server {
  readonly url: string
}

/** Visits of one stream are counted by page, and go on to another stream. */
export function makeCounts({ url }: Server) {
  return dataflow<Server>('visits', import.meta.url)
    .source('visits', redisSource<Visit>({ url, stream: 'visits', group: 'counting' }))
    .transform('count', {
      partitionBy: ({ page }: Visit) => page,
      batch: { size: 1_000, timeoutMs: 200, by: ({ page }: Visit) => page },
      mapBatch: (visits: Visit[]) => [{ page: visits[0]!.page, visits: visits.length }],
    })
    .sink('counts', redisSink({ url, stream: 'counts', maxLength: 100_000 }))
    .connect('visits', 'count')
    .connect('count', 'counts')
}

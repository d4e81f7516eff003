/** The simple ETL with handlers: log lines are parsed, queued, enriched and stored. */
import { dataflow } from 'millrace'

interface Entry {
  readonly host: string
  readonly ms: number
}

const REGIONS = new Map([
  ['web-1', 'eu'],
  ['web-2', 'us'],
])

function* logLines(): Generator<string> {
  for (let n = 0; n < 1_000; n++) yield JSON.stringify({ host: `web-${1 + (n % 3)}`, ms: n })
}

export default dataflow('simple-etl', import.meta.url)
  .source('log_shipper', { produce: () => logLines() })
  .transform('json_parser', { map: (line: string) => JSON.parse(line) as Entry })
  .buffer('kafka', { capacity: 50_000 })
  .transform('enricher', { map: (entry: Entry) => ({ ...entry, region: REGIONS.get(entry.host) ?? 'unknown' }) })
  .sink('timescaledb')
  .connect('log_shipper', 'json_parser')
  .connect('json_parser', 'kafka')
  .connect('kafka', 'enricher')
  .connect('enricher', 'timescaledb')

/** Logs are parsed, queued, enriched and stored. Nothing here is fast enough for what comes in; `millrace simulate` says what is missing. */
import { dataflow } from 'millrace'

export default dataflow('simple-etl')
  .source('log_shipper', { label: 'Log Shipper', rate: 10_000 })
  .transform('json_parser', { label: 'JSON Parser', latencyMs: 25 })
  .buffer('kafka', { label: 'Kafka', capacity: 50_000 })
  .transform('enricher', { label: 'Enricher', latencyMs: 80 })
  .sink('timescaledb', { label: 'TimescaleDB' })
  .connect('log_shipper', 'json_parser', { dataType: 'raw logs' })
  .connect('json_parser', 'kafka', { dataType: 'event' })
  .connect('kafka', 'enricher', { dataType: 'event' })
  .connect('enricher', 'timescaledb', { dataType: 'enriched row' })

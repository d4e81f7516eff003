/**
 * Logs are parsed, queued, enriched and stored. Nothing here is fast enough for what comes in: `millrace simulate` says what
 * is missing. The window lets more records on their way than the queue holds, so the queue can fill.
 */
import { dataflow } from 'millrace'

export default dataflow('simple-etl')
  .source('log_shipper', { label: 'Log Shipper', rate: 10_000, window: 65_536 })
  .transform('json_parser', { label: 'JSON Parser', latencyMs: 25 })
  .buffer('kafka', { label: 'Kafka', capacity: 50_000 })
  .transform('enricher', { label: 'Enricher', latencyMs: 80 })
  .sink('timescaledb', { label: 'TimescaleDB' })
  .connect('log_shipper', 'json_parser', { dataType: 'raw logs' })
  .connect('json_parser', 'kafka', { dataType: 'event' })
  .connect('kafka', 'enricher', { dataType: 'event' })
  .connect('enricher', 'timescaledb', { dataType: 'enriched row' })

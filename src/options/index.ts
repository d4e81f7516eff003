/** Every option and every default, by table. */
export { ACK_RETRY_OPTIONS } from './ack-retry.ts'
export { BATCH_OPTIONS } from './batch.ts'
export { BREAKER_OPTIONS } from './breaker.ts'
export { CLUSTER_OPTIONS } from './cluster.ts'
export { CONTROL_OPTIONS, SERVE_OPTIONS } from './control.ts'
export { FLOW_SERVER_OPTIONS } from './flow-server.ts'
export { CRON_OPTIONS } from './connectors/cron.ts'
export { CSV_SINK_OPTIONS, CSV_SOURCE_OPTIONS } from './connectors/csv.ts'
export { TAIL_OPTIONS, WATCH_OPTIONS } from './connectors/files.ts'
export { HTTP_SINK_OPTIONS, WEBHOOK_OPTIONS } from './connectors/http.ts'
export { NATS_SINK_OPTIONS, NATS_SOURCE_OPTIONS } from './connectors/nats.ts'
export { NDJSON_SINK_OPTIONS, NDJSON_SOURCE_OPTIONS } from './connectors/ndjson.ts'
export { POSTGRES_SINK_OPTIONS, POSTGRES_SOURCE_OPTIONS } from './connectors/postgres.ts'
export { RABBITMQ_SINK_OPTIONS, RABBITMQ_SOURCE_OPTIONS } from './connectors/rabbitmq.ts'
export { REDIS_SINK_OPTIONS, REDIS_SOURCE_OPTIONS } from './connectors/redis.ts'
export { STAGE_DEFAULTS } from './defaults.ts'
export {
  NATS_VIA_OPTIONS,
  POSTGRES_VIA_OPTIONS,
  RABBITMQ_VIA_OPTIONS,
  REDIS_VIA_OPTIONS,
  VIA_OPTIONS,
} from './connectors/via.ts'
export { DRAIN_OPTIONS } from './drain.ts'
export { DURABLE_OPTIONS } from './durable.ts'
export { EDGE_OPTIONS } from './edge.ts'
export { LIMIT_OPTIONS } from './limit.ts'
export { NODE_OPTIONS, WORK_OPTIONS, type WorkOption } from './node.ts'
export { PROBE_OPTIONS, WHAT_IF_OPTIONS } from './probe.ts'
export { RESTART_OPTIONS } from './restart.ts'
export { RETRY_OPTIONS } from './retry.ts'
export { RUN_OPTIONS } from './run.ts'
export { SCALE_OPTIONS } from './scale.ts'
export { SIGNAL_OPTIONS } from './signals.ts'
export { INLINE_OPTIONS } from './test-kit.ts'
export {
  defaultOf,
  type DependentDefault,
  type Given,
  isGiven,
  type OptionDefault,
  type OptionsFor,
  type OptionSpec,
  type OptionTable,
  resolve,
  type Resolved,
  type WithoutHandlers,
} from './spec.ts'

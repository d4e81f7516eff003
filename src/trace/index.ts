/** `millrace/trace`: questions about traced records, the stores that keep their events, and exports. */
export type { TracedOutput, TracedRecords, TraceEvent, TraceKind, TraceOutcome } from './event.ts'
export type { TraceRange, TraceRun, TraceSource } from './source.ts'

export {
  audit,
  type Audit,
  type AuditOptions,
  type EdgeBooks,
  type Finding,
  type FindingKind,
} from './questions/audit.ts'
export { dependencies, type Dependency, type DependencyOptions } from './questions/dependencies.ts'
export { lineage, type Fate, type Lineage, type LineageOptions, type LineageStep } from './questions/lineage.ts'
export { paths, type PathOptions, type PathTimes } from './questions/paths.ts'
export { slowTransfers, type SlowOptions, type Transfer } from './questions/slow.ts'
export type { Times } from './questions/times.ts'
export type { TraceFilter } from './questions/trace-filter.ts'
export type { TraceStatus, TraceSummary } from './questions/trace-summary.ts'
export { trace, type CriticalPath, type Span, type TraceView } from './questions/trace-view.ts'
export { traces, type TraceList, type TraceListOptions } from './questions/traces.ts'

export type { StoreStats, TraceStore } from './store/store.ts'
export { MemoryStore, type MemoryStoreOptions } from './store/memory-store.ts'
export { openStore } from './store/open-store.ts'
export type { RetentionOptions } from './store/segments/retention.ts'
export { SegmentStore, type SegmentStoreOptions } from './store/segments/segment-store.ts'
export { PostgresStore, type PostgresStoreOptions } from './store/sql/postgres-store.ts'
export { SqliteStore, type SqliteStoreOptions } from './store/sql/sqlite-store.ts'

export { moment, type TraceMoment, type TraceMomentOptions } from './questions/moment.ts'
export { replayNode, type ReplayedOutput, type ReplayedRecord, type ReplayOptions } from './replay/replay.ts'
export { Recording, toRecording, type Damage } from './store/recording.ts'

export { flowSvg } from './export/flow-svg.ts'
export { toNdjson } from './export/ndjson.ts'
export { toPerfetto } from './export/perfetto.ts'
export { OtlpExporter, otlpFromEnvironment, type OtlpOptions, type OtlpStats } from './otlp/exporter.ts'

export type { SinkCounts, TraceSink } from './sink.ts'
export type { KeptTrace } from './recent.ts'
export type { TracerMetrics } from './tracer.ts'
export type { TraceRates, Tracing } from './tracing.ts'
export { recordIdAt } from './decode.ts'

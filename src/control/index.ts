export { control, type ControlOptions, type ControlPlugin, type Pipelines, type PipelineSet } from './control.ts'
export { serveControl, type AppServer, type ControlServer, type ServeOptions } from './serve.ts'
export { ControlClient, type ClientOptions, type WatchMessage } from './client.ts'

export type { ErrorAnswer } from './errors.ts'
export type { ErrorView } from './error-view.ts'
export type { LoggedEvent } from './event-log.ts'
export type { LogLevel } from './log.ts'
export type {
  CommandAnswer,
  LogLevelBody,
  RateLimit,
  WorkerCommand,
  WorkerCommandAnswer,
} from './resources/commands.ts'
export type { AnalysisAnswer } from './resources/analysis.ts'
export type { DeadLetterList, DeadLetterView, Purged } from './resources/dead-letters.ts'
export type { EventList } from './resources/events.ts'
export type { Counts, FiguresAnswer, Shares } from './resources/figures.ts'
export type { GraphAnswer } from './resources/graph.ts'
export type { HealthAnswer } from './resources/health.ts'
export type { HistogramAnswer, HistogramFigures, HistogramList } from './resources/histograms.ts'
export type { LaneList, LaneView } from './resources/lanes.ts'
export type {
  ImportKindView,
  ImportList,
  ImportRunView,
  Imports,
  ImportView,
  ServedImport,
} from './resources/imports.ts'
export type { Live } from './resources/live.ts'
export type { PipelineList, PipelineSummary } from './resources/pipelines.ts'
export type { PlanAnswer } from './resources/plan.ts'
export type { PushedRecord } from './resources/receipts.ts'
export type { RecordToPush } from './resources/records.ts'
export type { RecordToReplay } from './resources/replays.ts'
export type { ScaleView, ScalingAnswer } from './resources/scaling.ts'
export type { StageList, StageView, WorkerView } from './resources/stages.ts'
export type { StageWindow, StatsAnswer } from './resources/stats.ts'
export type { LineageAnswer, MomentAnswer, TraceAnswer, TraceListAnswer } from './resources/trace-views.ts'
export type { TracingAnswer, TracingBody } from './resources/tracing.ts'
export type { WhatIfAnswer } from './resources/what-if.ts'
export type { TraceEvent } from '../trace/event.ts'

/** The import as a part of an application: `millrace/import`. */
export {
  importDirectory,
  type FileAccount,
  type ImportOptions,
  type ImportResult,
  type Progress,
} from './import-directory.ts'
export { addressOf } from './database.ts'
export type { Declared, DeclaredKind, Limits, Mode } from './declared.ts'
export type { CellFormat, ColumnType, DeclaredColumn } from './column-types.ts'
export { proposeDeclaration, type Proposal } from './propose.ts'
export { lastRunMs, listRuns, runsText, type ImportRun, type RunsOptions } from './history.ts'
export { ImportBusy, ImportProblem } from './problem.ts'
export type { FileResult, SchemaChange } from './records.ts'
export { openSchedule, type Schedule } from './schedule.ts'
export { serve, type Service } from './serve.ts'
export { show, type Screen } from './screen.ts'
export { exitCodeOf, summarize, summaryText, type FileSummary, type Summary } from './summary.ts'
export { concernOf, tellProblem, tellWebhook, type Concern } from './webhook.ts'

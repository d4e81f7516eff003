/** The import as a part of an application: `millrace/import`. */
export { importDirectory, type FileAccount, type ImportOptions, type ImportResult } from './import-directory.ts'
export { addressOf } from './database.ts'
export type { Declared, DeclaredKind, Mode } from './declared.ts'
export type { CellFormat, ColumnType, DeclaredColumn } from './column-types.ts'
export { ImportProblem } from './problem.ts'
export type { FileResult, SchemaChange } from './records.ts'
export { show, type Screen } from './screen.ts'
export { exitCodeOf, summarize, summaryText, type FileSummary, type Summary } from './summary.ts'

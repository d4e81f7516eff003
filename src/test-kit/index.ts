/** `millrace/test`: what users test their pipelines with. */
export { inline, type InlineOptions, type InlineRun } from './inline.ts'
export { settled, type TestedBatch, type TestedRecord, testBatch, testRecord } from './live.ts'

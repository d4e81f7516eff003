export * from './graph/graph.ts'
export * from './graph/types.ts'
export { ERROR_CODES, MillraceError, type ErrorCode, type ErrorDetail } from './errors.ts'

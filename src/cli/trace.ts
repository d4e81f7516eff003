import { audit } from '../trace/questions/audit.ts'
import { dependencies } from '../trace/questions/dependencies.ts'
import { lineage } from '../trace/questions/lineage.ts'
import { paths } from '../trace/questions/paths.ts'
import { isRecordId } from '../trace/questions/record-ids.ts'
import { slowTransfers } from '../trace/questions/slow.ts'
import { trace as traceOf } from '../trace/questions/trace-view.ts'
import { traces } from '../trace/questions/traces.ts'
import { MillraceError } from '../errors.ts'
import { openStore } from '../trace/store/open-store.ts'
import type { TraceStore } from '../trace/store/store.ts'
import { type Call, type Command, numberOf, textOf, UsageError, type Values } from './command.ts'
import { exportTrace } from './trace-export.ts'
import { filterOf, rangeOf, TRACE_OPTIONS } from './trace-options.ts'
import { summaryOf } from './trace-summary.ts'
import * as text from './trace-text.ts'

interface Question extends Call {
  readonly store: TraceStore
  /** The trace or record that is asked about. */
  readonly subject: string
}

const QUESTIONS: Readonly<Record<string, (question: Question) => Promise<number>>> = {
  open: async (question) => answer(question, await summaryOf(question.store), text.summaryLines),
  list: async (question) => answer(question, await traces(question.store, filterOf(question.values)), text.listLines),
  show: async (question) => {
    const view = await traceOf(question.store, question.subject, rangeOf(question.values))
    if (view === undefined) throw new MillraceError('TRACE_UNKNOWN', { trace: question.subject })
    return answer(question, view, text.traceLines)
  },
  lineage: async (question) => {
    const { subject, store, values } = question
    if (!isRecordId(subject))
      throw new UsageError(`A record is 16 hexadecimal digits or BASE:N, not ${JSON.stringify(subject)}.`)
    const direction = values['up'] === true ? 'up' : 'down'
    const found = await lineage(store, subject, { ...rangeOf(values), direction })
    if (found === undefined) throw new MillraceError('TRACE_UNKNOWN', { record: subject })
    return answer(question, found, text.lineageLines)
  },
  dependencies: async (question) =>
    answer(question, await dependencies(question.store, rangeOf(question.values)), text.dependencyLines),
  slow: async (question) => {
    const { values, store } = question
    const by = textOf(values, 'by') ?? 'wait'
    if (by !== 'wait' && by !== 'service')
      throw new UsageError(`--by takes wait or service, not ${JSON.stringify(by)}.`)
    const limits = {
      node: textOf(values, 'node'),
      minMs: numberOf(values, 'min-ms'),
      limit: numberOf(values, 'limit', 1),
    }
    return answer(question, await slowTransfers(store, { ...rangeOf(values), ...limits, by }), text.slowLines)
  },
  paths: async (question) => answer(question, await paths(question.store, rangeOf(question.values)), text.pathLines),
  audit: async (question) => {
    const found = await audit(question.store, rangeOf(question.values))
    answer(question, found, text.auditLines)
    return found.isBalanced ? 0 : 1
  },
  export: async (question) => exportTrace(question, question.store),
}

const WITH_SUBJECT: Readonly<Record<string, string>> = { show: 'TRACE', lineage: 'RECORD' }

export const trace: Command = {
  summary: 'Answers questions about traced records from a store of traces.',
  usage: `${Object.keys(QUESTIONS).join('|')} STORE [TRACE|RECORD] [--json] [options]`,
  options: TRACE_OPTIONS,
  async run(call) {
    const [name = '', place, subject, ...more] = call.positionals
    const ask = Object.hasOwn(QUESTIONS, name) ? QUESTIONS[name] : undefined
    if (ask === undefined) throw new UsageError(`Say what to do: ${Object.keys(QUESTIONS).join(', ')}.`)
    if (place === undefined) throw new UsageError('Say which store: a folder, a SQLite file, or postgres://….')
    const needs = WITH_SUBJECT[name]
    if (needs !== undefined && subject === undefined)
      throw new UsageError(`Say which: millrace trace ${name} STORE ${needs}.`)
    if (more.length > 0 || (needs === undefined && subject !== undefined)) throw new UsageError('That is too much.')
    checkTimes(call.values)
    const store = await openStore(place)
    try {
      return await ask({ ...call, store, subject: subject ?? '' })
    } finally {
      await store.close()
    }
  },
}

/** Wrong times are told before a store is opened. */
function checkTimes(values: Values): void {
  rangeOf(values)
}

function answer<T>({ values, output }: Call, found: T, lines: text.Lines<T>): number {
  output.print(values['json'] === true ? JSON.stringify(found, undefined, 2) : lines(found, output).join('\n'))
  return 0
}

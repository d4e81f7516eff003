import { MillraceError } from '../errors.ts'
import { audit, type Audit } from '../trace/questions/audit.ts'
import { dependencies } from '../trace/questions/dependencies.ts'
import { lineage } from '../trace/questions/lineage.ts'
import { moment } from '../trace/questions/moment.ts'
import { paths } from '../trace/questions/paths.ts'
import { isRecordId } from '../trace/questions/record-ids.ts'
import { slowTransfers } from '../trace/questions/slow.ts'
import { trace as traceOf } from '../trace/questions/trace-view.ts'
import { traces } from '../trace/questions/traces.ts'
import { openStore } from '../trace/store/open-store.ts'
import type { TraceStore } from '../trace/store/store.ts'
import { type Call, type Command, numberOf, textOf, UsageError, type Values } from './command.ts'
import { exportTrace } from './trace-export.ts'
import { askLive } from './trace-live.ts'
import { showRate } from './trace-rate.ts'
import { replayTrace } from './trace-replay.ts'
import { atOf, filterOf, rangeOf, TRACE_COMMAND_OPTIONS } from './trace-options.ts'
import { storeSummaryOf } from './trace-summary.ts'
import * as text from './trace-text.ts'

/** One question: how a store answers it, and the lines of the answer, which is the same from a store and from an API. */
interface Question {
  /** What it is about, where it is about one thing. */
  readonly subject?: string
  readonly ask: (store: TraceStore, values: Values, subject: string) => Promise<unknown>
  readonly lines: text.Lines<never>
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  open: { ask: storeSummaryOf, lines: text.summaryLines },
  list: { ask: (store, values) => traces(store, filterOf(values)), lines: text.listLines },
  show: {
    subject: 'TRACE',
    ask: async (store, values, id) => found(await traceOf(store, id, rangeOf(values)), { trace: id }),
    lines: text.traceLines,
  },
  lineage: {
    subject: 'RECORD',
    ask: async (store, values, record) => {
      const direction = values['up'] === true ? 'up' : 'down'
      return found(await lineage(store, record, { ...rangeOf(values), direction }), { record })
    },
    lines: text.lineageLines,
  },
  dependencies: { ask: (store, values) => dependencies(store, rangeOf(values)), lines: text.dependencyLines },
  slow: {
    ask: (store, values) => {
      const limits = {
        node: textOf(values, 'node'),
        minMs: numberOf(values, 'min-ms'),
        limit: numberOf(values, 'limit', 1),
      }
      return slowTransfers(store, { ...rangeOf(values), ...limits, by: byOf(values) })
    },
    lines: text.slowLines,
  },
  paths: { ask: (store, values) => paths(store, rangeOf(values)), lines: text.pathLines },
  moment: { ask: (store, values) => moment(store, { ...rangeOf(values), at: atOf(values) }), lines: text.momentLines },
  audit: { ask: (store, values) => audit(store, rangeOf(values)), lines: text.auditLines },
}

const NAMES = [...Object.keys(QUESTIONS), 'export', 'replay', 'rate']

export const traceCommand: Command = {
  summary: 'Answers questions about traced records, from a store or a running pipeline.',
  usage: `${NAMES.join('|')} STORE|URL [TRACE|RECORD] [--json] [options]`,
  options: TRACE_COMMAND_OPTIONS,
  async run(call) {
    const { positionals, values } = call
    const [name = '', place, subject = ''] = positionals
    if (!NAMES.includes(name)) throw new UsageError(`Name a question: ${NAMES.join(', ')}.`)
    if (place === undefined)
      throw new UsageError(
        'Name a store: a folder, a SQLite file, a recording, postgres://…, or the URL of a control API.',
      )
    const question = Object.hasOwn(QUESTIONS, name) ? QUESTIONS[name] : undefined
    checkSubject(name, question?.subject, positionals)
    // What is wrong is told before anything is opened.
    filterOf(values)
    byOf(values)
    if (name === 'rate') return showRate(call, place)
    if (/^https?:\/\//.test(place)) return answer(call, name, await askLive(place, name, subject, values))
    const store = await openStore(place)
    try {
      if (name === 'replay') return await replayTrace(call, store)
      if (question === undefined) return await exportTrace(call, store)
      return answer(call, name, await question.ask(store, values, subject))
    } finally {
      await store.close()
    }
  },
}

/** @throws UsageError */
function checkSubject(name: string, wanted: string | undefined, [, , subject, ...more]: readonly string[]): void {
  if (wanted !== undefined && subject === undefined)
    throw new UsageError(`Something is missing: millrace trace ${name} STORE ${wanted}.`)
  if (more.length > 0 || (wanted === undefined && subject !== undefined))
    throw new UsageError('There are too many arguments.')
  if (wanted === 'RECORD' && !isRecordId(subject!))
    throw new UsageError(`A record is 16 hexadecimal digits or BASE:N, not ${JSON.stringify(subject)}.`)
}

/** @throws UsageError */
function byOf(values: Values): 'wait' | 'service' {
  const by = textOf(values, 'by') ?? 'wait'
  if (by !== 'wait' && by !== 'service') throw new UsageError(`--by takes wait or service, not ${JSON.stringify(by)}.`)
  return by
}

function found<T>(given: T | undefined, what: Readonly<Record<string, string>>): T {
  if (given === undefined) throw new MillraceError('TRACE_UNKNOWN', what)
  return given
}

/** Books that do not balance are exit code 1. */
function answer({ values, output }: Call, name: string, found: unknown): number {
  const lines = QUESTIONS[name]!.lines as text.Lines<unknown>
  output.print(values['json'] === true ? JSON.stringify(found, undefined, 2) : lines(found, output).join('\n'))
  return name === 'audit' && !(found as Audit).isBalanced ? 1 : 0
}

/** The graph round a connector: what its records do is said by the records, what became of them is in files. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Failure,
  type GraphData,
  type SinkBatchOptions,
  type SinkWriteOptions,
  type SourceOptions,
  dataflow,
} from 'millrace'

/** `hold` waits for the gate, `throw` fails always. */
export interface Item {
  readonly n: number
  readonly act?: 'hold' | 'throw'
  readonly filler?: string
}

export interface WorkParams {
  /** Options of the connector. */
  readonly options: object
  /** Where the files are. */
  readonly folder: string
  /** Whether there is a dead-letter edge. */
  readonly hasDead?: boolean
  /** Messages that may travel together. Default: each by itself. */
  readonly chunk?: number
}

/** source → work → out, all of it in files: `started`, `done`, `dead`. */
export function workGraph(
  name: string,
  module: string,
  source: SourceOptions<Item, any>,
  { folder, hasDead = false, chunk }: WorkParams,
): GraphData {
  const write = (file: string, line: unknown): void =>
    appendFileSync(join(folder, file), `${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
  const graph = dataflow(name, module)
    .source('in', { ...source, ...(chunk !== undefined && { chunk }) })
    .transform('work', {
      maxInFlight: 1_024,
      map: async (item: Item) => {
        write('started', String(item.n))
        if (item.act === 'throw') throw new Error(`no ${item.n}`)
        while (item.act === 'hold' && !existsSync(join(folder, 'gate'))) await sleep(5)
        return item.n
      },
    })
    .sink('out', { write: (n: number) => write('done', String(n)) })
    .connect('in', 'work')
    .connect('work', 'out')
  if (!hasDead) return graph
  return graph
    .sink('dead', {
      write: ({ node, error }: Failure) => write('dead', { node, code: error.code, message: error.message }),
    })
    .connect('in', 'dead', { pathType: 'dead_letter', dataType: 'Failure' })
    .connect('work', 'dead', { pathType: 'dead_letter', dataType: 'Failure' })
}

/** in (pushed) → out. */
export function outGraph(
  name: string,
  module: string,
  sink: SinkWriteOptions<Item, any> | SinkBatchOptions<Item, any>,
  params: WorkParams,
): GraphData {
  const graph = dataflow(name, module)
    .source('in', { push: true })
    .sink('out', sink as SinkWriteOptions<Item, any>)
    .connect('in', 'out')
  if (params.hasDead !== true) return graph
  return graph
    .sink('dead', {
      write: ({ error }: Failure) =>
        appendFileSync(
          join(params.folder, 'dead'),
          `${JSON.stringify({ code: error.code, message: error.message })}\n`,
        ),
    })
    .connect('out', 'dead', { pathType: 'dead_letter', dataType: 'Failure' })
}

/** The lines of one of the files. */
export function linesOf(folder: string, file: string): string[] {
  const path = join(folder, file)
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
}

/** The same as sorted numbers, each once. */
export function numbersOf(folder: string, file: string): number[] {
  return [...new Set(linesOf(folder, file).map(Number))].sort((a, b) => a - b)
}

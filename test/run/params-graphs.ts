/** Graphs that are made of what differs from run to run. */
import { isMainThread } from 'node:worker_threads'
import { type RunContext, type SetupContext, dataflow } from 'millrace/graph'

/** A graph whose handlers close over what it is made of. */
export const importFile = (file: string) =>
  dataflow('import', import.meta.url)
    .source('lines', { produce: () => [`${file}:1`, `${file}:2`] })
    .transform('upper', { map: (line: string) => `${line} ${isMainThread ? 'main' : 'worker'}` })
    .sink('out')
    .connect('lines', 'upper')
    .connect('upper', 'out')

export default importFile('a.csv')

/** The same, under a name that no graph is exported under. */
export function countTo(params: { readonly count: number }) {
  return dataflow('count', import.meta.url)
    .source('numbers', { produce: () => Array.from({ length: params.count }, (_, i) => i) })
    .sink('out')
    .connect('numbers', 'out')
}

export function makesNothing(): never {
  return undefined as never
}

interface Params {
  readonly from: number
  readonly factor: number
}

const inSetup = ({ params, epoch }: SetupContext<Params>) => ({ factor: params.factor, epoch })

/** Every function of it reads the params. */
export const everywhere = dataflow<Params>('everywhere', import.meta.url)
  .source('pushed', { push: true })
  .conditional('side', { route: (n: number, { params }) => (n >= params.from ? 'high' : 'low') })
  .transform('times', {
    concurrency: 2,
    setup: inSetup,
    partitionBy: (n: number, { params }) => n % params.factor,
    map: (n, { params, state }) => ({ n, factor: params.factor, setup: state.factor, epoch: state.epoch }),
  })
  .transform('groups', {
    batch: { size: 10, timeoutMs: 5, by: ({ n }: { n: number }, { params }) => n % params.factor },
    mapBatch: (records, { params }) =>
      records.map((record) => ({
        ...record,
        isOneKey: records.every(({ n }) => n % params.factor === record.n % params.factor),
      })),
  })
  .sink('out')
  .sink('low')
  .connect('pushed', 'side')
  .connect('side', 'times', { when: 'high' })
  .connect('side', 'low', { when: 'low' })
  .connect('times', 'groups')
  .connect('groups', 'out')

/** A source tells what it and its `ack` were given, and a handler what `retry.when` and the selector were. */
export const sources = dataflow<Params>('sources', import.meta.url)
  .source('polled', {
    setup: ({ params }) => ({ left: params.from }),
    poll: (_, { params, state }) => (state.left-- > 0 ? [{ polled: params.factor }] : null),
    ack: (_, __, { params }) => {
      if (params.factor !== 3) throw new Error('other params')
    },
  })
  .transform('fails', {
    concurrency: 2,
    dispatch: 'broadcast',
    retry: { maxAttempts: 3, baseMs: 1, when: (_, attempt, { params }) => attempt < params.factor - 1 },
    map: (record: { polled: number }, { attempt, worker }) => {
      if (attempt === 1) throw new Error('once more')
      return { ...record, attempt, worker }
    },
  })
  .sink('out')
  .connect('polled', 'fails', {
    selector: (_: unknown, worker: number, { params }: RunContext<Params>) => worker === params.from - 1,
  })
  .connect('fails', 'out')

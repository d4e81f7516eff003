/** Handlers that return what their record names: everything that one might return by mistake. */
import { type GraphData, dataflow } from 'millrace/graph'

const here = import.meta.url

/** What each result is made by, and how errors put it. */
export const RESULTS = {
  undefined: [() => undefined, 'undefined'],
  null: [() => null, 'null'],
  five: [() => 5, '5'],
  true: [() => true, 'true'],
  text: [() => 'nowhere', 'a string'],
  function: [() => () => 1, 'a function'],
  object: [() => ({ a: 1 }), 'an object'],
  array: [() => [1], 'an array'],
  promise: [() => Promise.resolve(1), 'a promise'],
  failing: [() => Promise.reject(new Error('unseen')), 'a promise'],
} as const

export type ResultName = keyof typeof RESULTS

const answer = (name: ResultName): never => RESULTS[name][0]() as never
const answerLater = async (name: ResultName): Promise<never> => Promise.resolve(answer(name))

const work = (name: string, options: object, edge: object = {}): GraphData =>
  dataflow(name, here)
    .source<'in', ResultName>('in', { push: true })
    .transform('first', { map: (record: ResultName) => record })
    .transform('work', options as { map: (record: ResultName) => unknown })
    .sink('out')
    .connect('in', 'first')
    .connect('first', 'work', edge)
    .connect('work', 'out')

const one = { batch: { size: 1, timeoutMs: 1 } }
export const map = work('map', { map: answer })
export const filter = work('filter', { filter: answer })
export const asyncFilter = work('asyncFilter', { filter: answerLater })
export const fusedFilter = work('fusedFilter', { filter: answer }, { fuse: true })
export const flatMap = work('flatMap', { flatMap: answer })
export const asyncFlatMap = work('asyncFlatMap', { flatMap: answerLater })
export const fusedFlatMap = work('fusedFlatMap', { flatMap: answer }, { fuse: true })
export const mapBatch = work('mapBatch', { ...one, mapBatch: ([name]: ResultName[]) => answer(name!) })
export const asyncMapBatch = work('asyncMapBatch', { ...one, mapBatch: ([name]: ResultName[]) => answerLater(name!) })
export const keyedMapBatch = work('keyedMapBatch', {
  batch: { ...one.batch, by: (name: ResultName) => name },
  mapBatch: ([name]: ResultName[]) => answer(name!),
})
export const partitionBy = work('partitionBy', { concurrency: 2, partitionBy: answer, map: String })
export const selector = work(
  'selector',
  { concurrency: 2, dispatch: 'broadcast', map: String },
  { selector: (name: ResultName) => answer(name) },
)
export const route = dataflow('route', here)
  .source<'in', ResultName>('in', { push: true })
  .transform('first', { map: (record: ResultName) => record })
  .conditional('work', { route: answer })
  .sink('out')
  .connect('in', 'first')
  .connect('first', 'work')
  .connect('work', 'out', { when: 'here' })

const source = (name: string, options: object): GraphData =>
  dataflow(name, here)
    .source('in', { restart: { maxRestarts: 0 }, ...(options as { produce: () => number[] }) })
    .sink('none', { write: () => undefined })
    .connect('in', 'none')

export const producePromise = source('producePromise', { produce: () => Promise.resolve([1]) })
export const produceNull = source('produceNull', { produce: () => null })
export const produceText = source('produceText', { produce: () => 'abc' })
export const pollUndefined = source('pollUndefined', { poll: () => undefined })
export const pollText = source('pollText', { poll: () => 'abc' })
export const pollObject = source('pollObject', { poll: () => Promise.resolve({}) })

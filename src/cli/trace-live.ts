import { ControlClient } from '../control/client.ts'
import { MillraceError } from '../errors.ts'
import { numberOf, textOf, UsageError, type Values } from './command.ts'
import { atOf, filterOf, rangeOf } from './trace-options.ts'

type Query = Readonly<Record<string, string | number | undefined>>

interface Address {
  readonly path: (subject: string) => string
  readonly query: (values: Values) => Query
  /** What of the answer is the answer. */
  readonly of?: string
}

const range = (values: Values): Query => {
  const { run, from, to } = rangeOf(values)
  return { run, from, to }
}

/** Where the control API answers each question. */
const ADDRESSES: Readonly<Record<string, Address>> = {
  list: {
    path: () => '/traces',
    query: (values) => {
      const {
        attributes = {},
        pipeline: _,
        traces: _traces,
        trace: _trace,
        minServiceMs: _s,
        minWaitMs: _w,
        maxBytes: _b,
        ...rest
      } = filterOf(values)
      const attr = Object.entries(attributes).map(([name, value]) => `${name}=${value}`)
      return { ...rest, attr: attr.length === 0 ? undefined : attr.join() }
    },
  },
  show: { path: (trace) => `/traces/${trace}`, query: () => ({}) },
  lineage: {
    path: (record) => `/lineage/${record}`,
    query: (values) => ({ run: textOf(values, 'run'), dir: values['up'] === true ? 'up' : 'down' }),
  },
  dependencies: { path: () => '/dependencies', query: range, of: 'dependencies' },
  slow: {
    path: () => '/transfers',
    query: (values) => ({
      ...range(values),
      node: textOf(values, 'node'),
      by: textOf(values, 'by'),
      minMs: numberOf(values, 'min-ms'),
      limit: numberOf(values, 'limit', 1),
    }),
    of: 'transfers',
  },
  paths: { path: () => '/paths', query: range, of: 'paths' },
  moment: { path: () => '/moment', query: (values) => ({ run: textOf(values, 'run'), at: atOf(values) }) },
  audit: { path: () => '/audit', query: range },
}

/** A control API, and the pipeline there that is meant. @throws UsageError, CONTROL_UNREACHABLE, PIPELINE_UNKNOWN */
export async function reach(url: string, values: Values): Promise<{ client: ControlClient; pipeline: string }> {
  const client = new ControlClient(url, { token: textOf(values, 'token') ?? process.env['MILLRACE_TOKEN'] })
  const pipeline = textOf(values, 'pipeline') ?? (await client.pipelines())[0]?.name
  if (pipeline === undefined) throw new MillraceError('PIPELINE_UNKNOWN', { url })
  return { client, pipeline }
}

/** Asks the control API of a running pipeline. @throws UsageError, CONTROL_UNREACHABLE, PIPELINE_UNKNOWN */
export async function askLive(url: string, name: string, subject: string, values: Values): Promise<unknown> {
  const address = Object.hasOwn(ADDRESSES, name) ? ADDRESSES[name] : undefined
  if (address === undefined) throw new UsageError(`${name} takes a store, not the address of an API.`)
  const { client, pipeline } = await reach(url, values)
  const answer = await client.ask(pipeline, address.path(encodeURIComponent(subject)), address.query(values))
  return address.of === undefined ? answer : (answer as Readonly<Record<string, unknown>>)[address.of]
}

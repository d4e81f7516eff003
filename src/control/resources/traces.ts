import { Type, type TProperties } from 'typebox'
import { MillraceError } from '../../errors.ts'
import { HiddenSource } from '../../trace/hidden.ts'
import { audit } from '../../trace/questions/audit.ts'
import { dependencies, type DependencyOptions } from '../../trace/questions/dependencies.ts'
import { lineage } from '../../trace/questions/lineage.ts'
import { moment } from '../../trace/questions/moment.ts'
import { paths } from '../../trace/questions/paths.ts'
import { slowTransfers } from '../../trace/questions/slow.ts'
import { trace } from '../../trace/questions/trace-view.ts'
import { traces as listTraces } from '../../trace/questions/traces.ts'
import type { Pipeline } from '../../supervisor/pipeline.ts'
import type { TraceRange, TraceSource } from '../../trace/source.ts'
import { LiveSource } from '../../trace/live-source.ts'
import { wallMs } from '../../time.ts'
import { endpoint, type Endpoint, PIPELINE } from '../endpoint.ts'
import { type Room, runningOf } from '../room.ts'
import { replays } from './replays.ts'
import {
  AuditAnswer,
  DependencyList,
  LineageAnswer,
  MomentAnswer,
  PathList,
  TraceAnswer,
  TraceListAnswer,
  TransferList,
} from './trace-views.ts'

const number = (description: string) => Type.Optional(Type.Number({ description }))
const text = (description: string) => Type.Optional(Type.String({ description }))

const RECORD_PATTERN = '^[0-9a-f]{16}(:[0-9]{1,10})?$'

/** Which events are looked at. */
const RANGE = {
  run: text('Only this run.'),
  from: number('Only events from then on, in milliseconds since 1970.'),
  to: number('Only events before this.'),
} satisfies TProperties
const LIMIT = { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })) }

const FILTER = {
  node: text('Traces with an event of this node; `*` stands for anything.'),
  edge: Type.Optional(Type.Integer({ minimum: 0, description: 'Traces with an event of this edge.' })),
  kind: text('Traces with an event of this kind.'),
  outcome: text('Traces with an event of this outcome.'),
  error: text('Traces with an error like this, as far as it is shown.'),
  record: Type.Optional(Type.String({ pattern: RECORD_PATTERN, description: 'Traces that this record belongs to.' })),
  attr: text('Traces with an event of these attributes: `name=value`, or several with commas.'),
  minServiceMs: number('Traces with an event of at least so long in the handler.'),
  minCallMs: number('The same for each of its records.'),
  maxCallMs: number('At most so long for each of its records.'),
  minWaitMs: number('Traces with an event of records that were at least so long on their lane.'),
  maxWaitMs: number('At most so long on their lane.'),
  minBytes: number('Traces with an event of at least this number of bytes.'),
  status: Type.Optional(Type.Enum(['open', 'ok', 'failed'])),
  minMs: number('Traces that took at least so long.'),
  maxMs: number('Traces that took at most so long.'),
  cursor: text('As `next` of the page before says.'),
} satisfies TProperties

/**
 * Questions about traced records: from the source that was given, else from the pipeline's own store, else from what its tracer
 * has in memory.
 */
export function traces(room: Room, given: TraceSource | undefined): readonly Endpoint[] {
  const sourceOf = (name: string): TraceSource => {
    const { tracing, graph } = runningOf(room, name).pipeline
    const found = given ?? tracing?.store ?? (tracing && new LiveSource(tracing, graph))
    if (found === undefined) throw new MillraceError('TRACING_OFF', { pipeline: name })
    return found
  }
  const asked: Asked = (name) => {
    const source = sourceOf(name)
    return {
      source: room.options.showRecords ? source : new HiddenSource(source),
      pipeline: runningOf(room, name).pipeline,
    }
  }
  return [...ofRecords(asked), ...ofTraffic(asked), ...ofMoments(asked), ...replays(room, sourceOf)]
}

/** Who is asked, about which pipeline. @throws PIPELINE_UNKNOWN, PIPELINE_STARTING, TRACING_OFF */
type Asked = (name: string) => { readonly source: TraceSource; readonly pipeline: Pipeline }

const ABOUT = { tag: 'trace', params: PIPELINE, errors: ['TRACING_OFF'] } as const

function ofRecords(asked: Asked): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/traces', {
      ...ABOUT,
      summary: 'Lists traces, newest first.',
      query: { ...RANGE, ...LIMIT, ...FILTER },
      answer: TraceListAnswer,
      handle: ({ params, query: { attr, ...query } }) => {
        const { source, pipeline } = asked(params.pipeline)
        return listTraces(source, { ...query, pipeline: pipeline.name, attributes: attributesOf(attr) })
      },
    }),
    endpoint('GET /pipelines/:pipeline/traces/:trace', {
      ...ABOUT,
      summary: 'Returns one trace as a tree and a waterfall.',
      params: { ...PIPELINE, trace: Type.String({ description: 'Id of the trace.', examples: ['0'.repeat(32)] }) },
      answer: TraceAnswer,
      errors: ['TRACE_UNKNOWN', 'TRACING_OFF'],
      handle: async ({ params }) => {
        const { source, pipeline } = asked(params.pipeline)
        return found(await trace(source, params.trace, { pipeline: pipeline.name }), { trace: params.trace })
      },
    }),
    endpoint('GET /pipelines/:pipeline/lineage/:record', {
      ...ABOUT,
      summary: 'Returns the results of a record, or where it came from.',
      params: {
        ...PIPELINE,
        record: Type.String({
          pattern: RECORD_PATTERN,
          description: 'Id of the record.',
          examples: ['0'.repeat(16)],
        }),
      },
      query: { run: RANGE.run, dir: Type.Optional(Type.Enum(['up', 'down'], { default: 'down' })) },
      answer: LineageAnswer,
      errors: ['TRACE_UNKNOWN', 'TRACING_OFF'],
      handle: async ({ params: { pipeline: name, record }, query: { dir = 'down', ...query } }) => {
        const { source, pipeline } = asked(name)
        return found(await lineage(source, record, { ...query, pipeline: pipeline.name, direction: dir }), { record })
      },
    }),
  ]
}

function ofTraffic(asked: Asked): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/dependencies', {
      ...ABOUT,
      summary: 'Returns which stage sent how much to which: exact for a whole run, otherwise only traced records.',
      query: RANGE,
      answer: DependencyList,
      handle: async ({ params, query }) => {
        const { source, pipeline } = asked(params.pipeline)
        return {
          dependencies: await dependencies(source, { ...query, pipeline: pipeline.name, ...counted(pipeline, query) }),
        }
      },
    }),
    endpoint('GET /pipelines/:pipeline/transfers', {
      ...ABOUT,
      summary: 'Lists the slowest transfers.',
      query: {
        ...RANGE,
        ...LIMIT,
        node: text('Only to this node.'),
        minMs: number('Only those that took at least so long.'),
        by: Type.Optional(Type.Enum(['wait', 'service'], { default: 'wait' })),
      },
      answer: TransferList,
      handle: async ({ params, query }) => {
        const { source, pipeline } = asked(params.pipeline)
        return { transfers: await slowTransfers(source, { ...query, pipeline: pipeline.name }) }
      },
    }),
    endpoint('GET /pipelines/:pipeline/paths', {
      ...ABOUT,
      summary: 'Returns percentiles by path.',
      query: RANGE,
      answer: PathList,
      handle: async ({ params, query }) => {
        const { source, pipeline } = asked(params.pipeline)
        return { paths: await paths(source, { ...query, pipeline: pipeline.name }) }
      },
    }),
    endpoint('GET /pipelines/:pipeline/audit', {
      ...ABOUT,
      summary:
        'Lists traced records that were sent and did not arrive, arrived and were not sent, or were taken twice.',
      query: RANGE,
      answer: AuditAnswer,
      handle: ({ params, query }) => {
        const { source, pipeline } = asked(params.pipeline)
        return audit(source, { ...query, pipeline: pipeline.name })
      },
    }),
  ]
}

function ofMoments(asked: Asked): readonly Endpoint[] {
  return [
    endpoint('GET /pipelines/:pipeline/moment', {
      ...ABOUT,
      summary: 'Returns how full edges were and what was in progress at one moment, as far as it was traced.',
      query: {
        run: RANGE.run,
        at: number('Milliseconds since 1970. Default: now.'),
        windowMs: number('Time before, over which `busy` is reckoned. Default: 1,000.'),
      },
      answer: MomentAnswer,
      handle: ({ params, query }) => {
        const { source, pipeline } = asked(params.pipeline)
        return moment(source, { at: wallMs(), ...query, pipeline: pipeline.name })
      },
    }),
  ]
}

/** Of all of a run that goes on, counters know what arrived; of a part of it, or of another run, only events do. */
function counted(pipeline: Pipeline, { run, from, to }: TraceRange): Pick<DependencyOptions, 'counts' | 'run'> {
  const id = pipeline.tracing?.id
  if (id === undefined || from !== undefined || to !== undefined || (run ?? id) !== id) return {}
  const { edges } = pipeline.snapshot()
  return { run: id, counts: new Map(edges.map(({ index, records, queued }) => [index, records - queued])) }
}

function found<T>(answer: T | undefined, what: Readonly<Record<string, string>>): T {
  if (answer === undefined) throw new MillraceError('TRACE_UNKNOWN', what)
  return answer
}

/** `name=value,other=value`. */
function attributesOf(given: string | undefined): Readonly<Record<string, string>> {
  const pairs = (given ?? '').split(',').filter((pair) => pair !== '')
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf('=')
      if (at < 1) throw new MillraceError('REQUEST_INVALID', { reason: 'query/attr must be name=value' })
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}

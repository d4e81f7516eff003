import type { OptionTable } from './spec.ts'

/** Options of `trace`. */
export const TRACE_OPTIONS = {
  rate: {
    type: 'number',
    default: 0,
    min: 0,
    max: 1,
    text: 'Share of the source chunks that are traced, chosen by their trace ids.',
  },
  every: {
    type: 'integer',
    default: 0,
    min: 0,
    max: 2_147_483_647,
    unit: 'chunks',
    text: 'Also trace one in this number of chunks of each source worker. 0: none.',
  },
  always: {
    type: 'strings',
    text: 'Stages by id. Every chunk that can reach one of them is traced, from its source on.',
  },
  never: {
    type: 'strings',
    text: 'Stages by id. No chunk of a source in this list is traced, and other stages in it report no events. Overrides `always`.',
  },
  tail: {
    type: 'boolean',
    default: false,
    text: 'Trace every chunk. At its end, the tracer keeps its events if something failed, was retried or dropped, if it was among the slowest, or if `rate`, `every`, `always` or the predicate chose it.',
  },
  checksum: {
    type: 'oneOf',
    values: ['none', 'crc32', 'sha256'],
    default: 'none',
    text: 'Events have a checksum of the encoded records of the frame that was taken.',
  },
  types: {
    type: 'boolean',
    default: false,
    text: 'Names the fields of the first record that was taken in each event, as the attribute `millrace.type`.',
  },
  ring: {
    type: 'integer',
    default: 1_048_576,
    min: 1_024,
    max: 268_435_456,
    unit: 'bytes',
    text: 'Bytes of each worker’s ring of events, 128 each; rounded up to a power of two. A full ring drops events and counts them.',
  },
  side: {
    type: 'integer',
    default: 1_048_576,
    min: 1_024,
    max: 268_435_456,
    unit: 'bytes',
    text: 'Bytes for the parts of events with variable size: further inputs and outputs, origins, error texts. If there is no room, an event is written without them.',
  },
  recent: {
    type: 'integer',
    default: 1_000,
    min: 0,
    max: 1_000_000,
    unit: 'traces',
    text: 'Traces that the tracer keeps in memory.',
  },
  store: {
    type: 'string',
    text: 'Keeps all events that are traced: a folder, a SQLite file (`.db`, `.sqlite`), or `postgres://…`. It is made if it does not exist. `millrace trace` answers questions about it, and so does the control API.',
  },
} as const satisfies OptionTable

import type { OptionTable } from './spec.ts'
import { CODEC_NAMES, PATH_TYPES } from './values.ts'

/** Options of edges. */
export const EDGE_OPTIONS = {
  pathType: { type: 'oneOf', values: PATH_TYPES, default: 'normal', text: 'Purpose of the edge.' },
  nack: {
    type: 'boolean',
    default: false,
    text: 'Error and dead-letter edges: the record goes there and also counts as failed to its source, with its reason, so that a queue can deliver it again.',
  },
  when: { type: 'string', text: 'Branch of the records that take this edge.' },
  dataType: { type: 'string', text: 'Type of the records on the edge, as text.' },
  label: { type: 'string', text: 'Text in drawings. Default: `dataType`.' },
  rate: { type: 'number', min: 0, unit: 'records/s', text: 'Declared rate, compared with the simulated rate.' },
  ratio: { type: 'number', min: 0, max: 1, text: 'Declared share of the node’s records that take this edge.' },
  weight: { type: 'number', min: 0, default: 0, unit: 'ms', text: 'Declared time that the edge adds.' },
  codec: { type: 'codec', values: CODEC_NAMES, default: 'shape', text: 'How records are encoded on the lanes.' },
  maxDemand: {
    type: 'integer',
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Maximum number of records on each lane. Default: the capacity of the buffer, or `maxDemand` of the run.',
  },
  minDemand: {
    type: 'integer',
    min: 0,
    unit: 'records',
    text: 'The reader grants more credit when the granted credit falls to this number. Default: half of `maxDemand`.',
  },
  laneBytes: {
    type: 'integer',
    min: 1_024,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Size of the ring of each lane, rounded up to a power of two. Default: `laneBytes` of the run.',
  },
  selector: {
    type: 'handler',
    text: 'Decides from the record whether it takes this edge. If the next stage has `dispatch: broadcast`: called for each of its workers, with its index, and decides whether that worker receives the record.',
  },
  capture: {
    type: 'integer',
    min: 16,
    max: 65_536,
    unit: 'bytes',
    text: 'Keeps what traced records on the edge held in their events, as `redact` gives it: JSON of at most this size for each event. Off by default.',
  },
  redact: {
    type: 'handler',
    text: 'For `capture`: (record) => what may be seen of it. It runs in the worker that takes the record, before anything of it leaves there. Without it only the names and types of fields are kept.',
  },
  fuse: {
    type: 'boolean',
    default: false,
    text: 'Runs the next node in the workers of this node, without a lane between them.',
  },
} as const satisfies OptionTable

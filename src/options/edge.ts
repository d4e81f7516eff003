import type { OptionTable } from './spec.ts'
import { CODEC_NAMES, PATH_TYPES } from './values.ts'

/** Options of edges. */
export const EDGE_OPTIONS = {
  pathType: { type: 'oneOf', values: PATH_TYPES, default: 'normal', text: 'What the edge is for.' },
  when: { type: 'string', text: 'The branch whose records take this edge.' },
  dataType: { type: 'string', text: 'What the edge carries, in words.' },
  label: { type: 'string', text: 'Text in drawings. Default: `dataType`.' },
  rate: { type: 'number', min: 0, unit: 'records/s', text: 'Declared rate; compared with the simulated one.' },
  ratio: { type: 'number', min: 0, max: 1, text: 'Declared share of the node’s records that take this edge.' },
  weight: { type: 'number', min: 0, default: 0, unit: 'ms', text: 'Declared time that the edge itself adds.' },
  codec: { type: 'codec', values: CODEC_NAMES, default: 'shape', text: 'How records are written to the lanes.' },
  maxDemand: {
    type: 'integer',
    min: 1,
    max: 16_777_216,
    unit: 'records',
    text: 'Most records on each lane at once. Default: as the run says, or the buffer’s capacity.',
  },
  minDemand: {
    type: 'integer',
    min: 0,
    unit: 'records',
    text: 'The reader grants more when it has granted no more than this. Default: half of `maxDemand`.',
  },
  laneBytes: {
    type: 'integer',
    min: 1_024,
    max: 536_870_912,
    unit: 'bytes',
    text: 'Bytes of each lane’s ring, rounded up to a power of two. Default: as the run says.',
  },
  selector: {
    type: 'handler',
    text: 'With `dispatch: broadcast`: tells, from the record and the worker’s index, whether that worker gets it.',
  },
  fuse: {
    type: 'boolean',
    default: false,
    text: 'Runs the next node in this node’s workers, without a lane between them.',
  },
} as const satisfies OptionTable

/**
 * Shapes to rehearse. Rates are low, so that the machine is never what limits them, and latencies are long beside what the
 * runtime itself takes. `bottleneck` is the stage that is full by design; where none is, nobody is held to a name.
 */
import { dataflow, type GraphData } from 'millrace'

export interface Shape {
  readonly graph: GraphData
  readonly bottleneck?: string
}

const rates = { rate: 400, window: 2_000 }
/** Lanes that are soon full, so that back-pressure arrives at the sources while the rehearsal runs. */
const short = { maxDemand: 16 }

/** Stages that wait: they are rehearsed side by side. */
export const sleeping: readonly Shape[] = [
  {
    graph: dataflow('chain, limited by its source')
      .source('in', { rate: 100 })
      .transform('a', { latencyMs: 4 })
      .transform('b', { latencyMs: 6 })
      .sink('out', { latencyMs: 2 })
      .connect('in', 'a')
      .connect('a', 'b')
      .connect('b', 'out'),
  },
  {
    graph: dataflow('chain, limited in the middle')
      .source('in', rates)
      .transform('a', { latencyMs: 5 })
      .transform('b', { latencyMs: 20 })
      .sink('out', { latencyMs: 5 })
      .connect('in', 'a', short)
      .connect('a', 'b', short)
      .connect('b', 'out'),
    bottleneck: 'b',
  },
  {
    graph: dataflow('chain, limited at its end by a pool')
      .source('in', rates)
      .transform('a', { latencyMs: 5 })
      .sink('out', { latencyMs: 30, concurrency: 2 })
      .connect('in', 'a', short)
      .connect('a', 'out', short),
    bottleneck: 'out',
  },
  {
    graph: dataflow('diamond of copies')
      .source('in', rates)
      .transform('quick', { latencyMs: 4 })
      .transform('slow', { latencyMs: 16 })
      .merge('both')
      .sink('out', { latencyMs: 2 })
      .connect('in', 'quick', short)
      .connect('in', 'slow', short)
      .connect('quick', 'both')
      .connect('slow', 'both')
      .connect('both', 'out'),
    bottleneck: 'slow',
  },
  {
    graph: dataflow('diamond of branches, skewed')
      .source('in', rates)
      .conditional('which')
      .transform('often', { latencyMs: 10 })
      .transform('seldom', { latencyMs: 30 })
      .sink('out')
      .connect('in', 'which')
      .connect('which', 'often', { when: 'often', ratio: 0.9, ...short })
      .connect('which', 'seldom', { when: 'seldom', ratio: 0.1, ...short })
      .connect('often', 'out')
      .connect('seldom', 'out'),
    bottleneck: 'often',
  },
  {
    graph: dataflow('retry loop')
      .source('in', { ...rates, window: 32 })
      .transform('flaky', { latencyMs: 10 })
      .sink('out')
      .connect('in', 'flaky', short)
      .connect('flaky', 'out')
      .connect('flaky', 'flaky', { pathType: 'retry', ratio: 0.25, maxDemand: 64 }),
    bottleneck: 'flaky',
  },
  {
    graph: dataflow('retry loop through a buffer')
      .source('in', { rate: 60, window: 200 })
      .transform('call', { latencyMs: 8 })
      .buffer('later', { capacity: 256 })
      .sink('out')
      .sink('dead')
      .connect('in', 'call')
      .connect('call', 'out')
      .connect('call', 'later', { pathType: 'retry', ratio: 0.2 })
      .connect('later', 'call')
      .connect('call', 'dead', { pathType: 'dead_letter', ratio: 0.1 }),
  },
  {
    graph: dataflow('expanding')
      .source('in', rates)
      .transform('split', { latencyMs: 2, selectivity: 3 })
      .sink('out', { latencyMs: 5 })
      .connect('in', 'split', short)
      .connect('split', 'out', short),
    bottleneck: 'out',
  },
  {
    graph: dataflow('filtering')
      .source('in', rates)
      .transform('keep', { latencyMs: 8, selectivity: 0.2 })
      .sink('out', { latencyMs: 20 })
      .connect('in', 'keep', short)
      .connect('keep', 'out', short),
    bottleneck: 'keep',
  },
  {
    graph: dataflow('batches')
      .source('in', rates)
      .transform('pack', { latencyMs: 1, batch: { size: 10, timeoutMs: 50 }, selectivity: 0.1 })
      .sink('out', { latencyMs: 40, batch: { size: 5, timeoutMs: 100 } })
      .connect('in', 'pack', short)
      .connect('pack', 'out', short),
    bottleneck: 'out',
  },
  {
    graph: dataflow('calls that overlap')
      .source('in', rates)
      .transform('ask', { latencyMs: 80, maxInFlight: 8 })
      .sink('out', { latencyMs: 2 })
      .connect('in', 'ask', short)
      .connect('ask', 'out'),
    bottleneck: 'ask',
  },
  {
    graph: dataflow('two sources that share a stage')
      .source('a', { rate: 30 })
      .source('b', rates)
      .merge('both')
      .sink('out', { latencyMs: 10 })
      .connect('a', 'both')
      .connect('b', 'both')
      .connect('both', 'out', short),
    bottleneck: 'out',
  },
  {
    graph: dataflow('branches by emit, and a failing stage')
      .source('in', { rate: 80 })
      .transform('sort', { latencyMs: 5 })
      .sink('odd', { latencyMs: 4 })
      .sink('even', { latencyMs: 4 })
      .sink('bad')
      .connect('in', 'sort')
      .connect('sort', 'odd', { when: 'odd', ratio: 0.3 })
      .connect('sort', 'even', { when: 'even', ratio: 0.5 })
      .connect('sort', 'bad', { pathType: 'error', ratio: 0.2 }),
  },
]

/** Stages that burn: one at a time has the cores. */
export const burning: readonly Shape[] = [
  {
    graph: dataflow('one core')
      .source('in', rates)
      .transform('burn', { latencyMs: 10, cpu: true })
      .sink('out')
      .connect('in', 'burn', short)
      .connect('burn', 'out'),
    bottleneck: 'burn',
  },
  {
    graph: dataflow('more workers than cores')
      .source('in', rates)
      .transform('burn', { latencyMs: 10, cpu: true, concurrency: 4 })
      .sink('out')
      .connect('in', 'burn', { maxDemand: 4 })
      .connect('burn', 'out'),
    bottleneck: 'burn',
  },
]

/** What is shown while the import runs: bars that are drawn again and again in a terminal, plain lines elsewhere. */
import type { Pipeline, Snapshot } from 'millrace'

type Stage = Snapshot['stages'][string]

const BAR_CELLS = 24
const REDRAW_MS = 100
const LINE_EVERY_MS = 1_000
const RESET = '\x1b[0m'

/** Shows a pipeline until the returned function is called. */
export function show(pipeline: Pipeline, stream: NodeJS.WriteStream): () => void {
  return stream.isTTY ? showBars(pipeline, stream) : showLines(pipeline, stream)
}

function showBars(pipeline: Pipeline, stream: NodeJS.WriteStream): () => void {
  let before = pipeline.snapshot()
  let drawn = 0
  const draw = (): void => {
    const now = pipeline.snapshot()
    const lines = bars(before, now).map((line) => `${line}\x1b[K\n`)
    stream.write((drawn > 0 ? `\x1b[${drawn}A` : '') + lines.join(''))
    drawn = lines.length
    before = now
  }
  const timer = setInterval(draw, REDRAW_MS)
  return () => {
    clearInterval(timer)
    draw()
    stream.write('\n')
  }
}

function showLines(pipeline: Pipeline, stream: NodeJS.WriteStream): () => void {
  let before = pipeline.snapshot()
  const timer = setInterval(() => {
    const now = pipeline.snapshot()
    const parts = Object.values(now.stages).map((stage) => {
      const { busy } = sharesSince(before.stages[stage.node]!, stage)
      return `${stage.node} ${stage.done.toLocaleString('en')} (${percent(busy)} busy)`
    })
    stream.write(`${(now.elapsedMs / 1000).toFixed(0)} s: ${parts.join(', ')}\n`)
    before = now
  }, LINE_EVERY_MS)
  return () => clearInterval(timer)
}

/** A line for each stage: what its workers did since the last look, its rate, and what waits before it. */
export function bars(before: Snapshot, now: Snapshot): string[] {
  const seconds = Math.max(0.001, (now.elapsedMs - before.elapsedMs) / 1000)
  const width = Math.max(...Object.keys(now.stages).map((node) => node.length))
  const lines = Object.values(now.stages).map((stage) => {
    const earlier = before.stages[stage.node]!
    const rate = Math.round((stage.done - earlier.done) / seconds)
    const queued = now.edges.reduce((sum, edge) => (edge.to === stage.node ? sum + edge.queued : sum), 0)
    const figures = [
      `${rate.toLocaleString('en')}/s`.padStart(11),
      `${queued.toLocaleString('en')} queued`.padStart(13),
    ]
    return `${stage.node.padEnd(width)} ${bar(sharesSince(earlier, stage))} ${figures.join(' ')} ${stage.done.toLocaleString('en').padStart(9)} done`
  })
  const key = `${' '.repeat(width)} ${color('busy')} ${color('starved')} ${color('blocked')}`
  return [...lines, key]
}

const STATES = ['busy', 'starved', 'blocked'] as const
type Shares = Readonly<Record<(typeof STATES)[number], number>>
const CELLS: Readonly<Record<keyof Shares, { readonly cell: string; readonly code: string }>> = {
  busy: { cell: '█', code: '\x1b[32m' },
  starved: { cell: '░', code: '\x1b[90m' },
  blocked: { cell: '▒', code: '\x1b[31m' },
}

function color(state: keyof Shares): string {
  const { cell, code } = CELLS[state]
  return `${code}${cell}${RESET} ${state}`
}

function bar(shares: Shares): string {
  const busy = Math.round(shares.busy * BAR_CELLS)
  const blocked = Math.min(BAR_CELLS - busy, Math.round(shares.blocked * BAR_CELLS))
  const cells = { busy, blocked, starved: BAR_CELLS - busy - blocked }
  return (['busy', 'blocked', 'starved'] as const)
    .map((state) => `${CELLS[state].code}${CELLS[state].cell.repeat(cells[state])}${RESET}`)
    .join('')
}

/** Shares of the workers' time between two looks. */
function sharesSince(before: Stage, now: Stage): Shares {
  const sum = (stage: Stage, of: (worker: Stage['workers'][number]) => number): number =>
    stage.workers.reduce((total, worker) => total + of(worker), 0)
  const delta = (of: (worker: Stage['workers'][number]) => number): number =>
    Math.max(0, sum(now, of) - sum(before, of))
  const busy = delta(({ busyMs }) => busyMs)
  const starved = delta(({ starvedMs, limitedMs }) => starvedMs + limitedMs)
  const blocked = delta(({ blockedMs }) => blockedMs)
  const total = Math.max(1e-9, busy + starved + blocked)
  return { busy: busy / total, starved: starved / total, blocked: blocked / total }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

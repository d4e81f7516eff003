/** What is shown while the import runs: bars that are drawn again and again in a terminal, plain lines elsewhere. */
import type { Pipeline } from '../supervisor/pipeline.ts'
import type { Snapshot } from '../telemetry/snapshot.ts'
import { clearInterval, setInterval } from '../time.ts'

type Stage = Snapshot['stages'][string]

const BAR_CELLS = 24
const REDRAW_MS = 100
/** Rates and bars are those of the last second: batches come in jumps. */
const LOOKS = 10
const LINE_EVERY_MS = 1_000
const RESET = '\x1b[0m'
const CLEAR_BELOW = '\x1b[J'
/** A line that is cut at the edge of a narrow terminal stays one line, so that the next frame finds the first one. */
const [WRAP_OFF, WRAP_ON] = ['\x1b[?7l', '\x1b[?7h']

/** What is watched, and where it is shown. */
type Watched = Pick<Pipeline, 'snapshot'>
interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface Screen {
  /** Writes a line that stays. */
  say(text: string): void
  close(): void
}

/** Shows a pipeline until it is closed. @param status a line of a terminal below the stages */
export function show(pipeline: Watched, stream: Stream, status: () => string = () => ''): Screen {
  return stream.isTTY === true ? showBars(pipeline, stream, status) : showLines(pipeline, stream)
}

function showBars(pipeline: Watched, stream: Stream, status: () => string): Screen {
  const looks = [pipeline.snapshot()]
  let drawn = 0
  const draw = (said = ''): void => {
    const now = pipeline.snapshot()
    looks.push(now)
    if (looks.length > LOOKS) looks.shift()
    const lines = [...bars(looks[0]!, now), status()].filter((line) => line !== '').map((line) => `${line}\n`)
    // The terminal echoes Ctrl-C where the cursor is: a frame begins at the left.
    stream.write(`${drawn > 0 ? `\r\x1b[${drawn}A` : ''}${CLEAR_BELOW}${said}${WRAP_OFF}${lines.join('')}${WRAP_ON}`)
    drawn = lines.length
  }
  draw()
  const timer = setInterval(() => draw(), REDRAW_MS)
  return {
    say: (text) => draw(`${text}\n`),
    close: () => {
      clearInterval(timer)
      draw()
      stream.write('\n')
    },
  }
}

function showLines(pipeline: Watched, stream: Stream): Screen {
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
  return { say: (text) => void stream.write(`${text}\n`), close: () => clearInterval(timer) }
}

/** A line for each stage: what its workers did between two looks, its rate, and what waits before it. */
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

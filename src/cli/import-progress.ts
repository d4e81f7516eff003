import type { Progress } from '../import/options.ts'
import { shareDone, timeLeftMs } from '../import/time-left.ts'
import { clearInterval, monotonicMs, setInterval } from '../time.ts'

const LINE_EVERY_MS = 1_000
/** Lines that tell how far an import is before and while it runs: the first at once, then one a second where there is news. */
export class ProgressLines {
  readonly #say: (text: string) => void
  readonly #timer = setInterval(() => this.#tell(), LINE_EVERY_MS)
  #phaseMs = 0
  #now: Progress | undefined
  #told: Progress | undefined

  constructor(say: (text: string) => void) {
    this.#say = say
    this.#timer.unref()
  }

  see(now: Progress): void {
    const isNext = now.phase !== this.#now?.phase
    this.#now = now
    if (!isNext) return
    this.#phaseMs = monotonicMs()
    this.#tell()
  }

  get text(): string {
    return this.#now === undefined ? '' : progressText(this.#now, monotonicMs() - this.#phaseMs)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tell(): void {
    const now = this.#now
    if (now === undefined || now === this.#told) return
    this.#told = now
    this.#say(this.text)
  }
}

/** A step of an import in words. @param elapsedMs since it began to import */
export function progressText(progress: Progress, elapsedMs: number): string {
  const { phase, files, bytes, endedFiles, loadedBytes, rows, heldBack } = progress
  const found = `${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'}`
  if (phase === 'looking') return files === 0 ? 'Looking for files.' : `Looking for files: ${found} so far.`
  if (phase === 'opening') return `Opening the database for ${found}.`
  if (loadedBytes === 0 && endedFiles === 0) return `Importing ${found}, ${megabytes(bytes)}.`
  const leftMs = timeLeftMs(progress, elapsedMs)
  const parts = [
    `${endedFiles.toLocaleString('en')} of ${found}`,
    `${Math.floor(100 * shareDone(progress))} % of ${megabytes(bytes)}`,
    `${rows.toLocaleString('en')} rows`,
    ...(heldBack === undefined
      ? []
      : [`held back, because the server takes ${Math.round(heldBack.latencyMs)} ms to answer`]),
    ...(leftMs === undefined ? [] : [`about ${leftText(leftMs)} left`]),
  ]
  return `${parts.join(', ')}.`
}

function leftText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`
}

import type { Progress } from '../import/options.ts'
import { clearInterval, setInterval } from '../time.ts'

const LINE_EVERY_MS = 1_000

/** Lines that tell how far an import is before and while it runs: the first at once, then one a second where there is news. */
export class ProgressLines {
  readonly #say: (text: string) => void
  readonly #timer = setInterval(() => this.#tell(), LINE_EVERY_MS)
  #now: Progress | undefined
  #told: Progress | undefined

  constructor(say: (text: string) => void) {
    this.#say = say
    this.#timer.unref()
  }

  see(now: Progress): void {
    const isNext = now.phase !== this.#now?.phase
    this.#now = now
    if (isNext) this.#tell()
  }

  get text(): string {
    return this.#now === undefined ? '' : progressText(this.#now)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tell(): void {
    const now = this.#now
    if (now === undefined || now === this.#told) return
    this.#told = now
    this.#say(progressText(now))
  }
}

/** A step of an import in words. */
export function progressText({ phase, files, bytes, endedFiles, endedBytes, rows }: Progress): string {
  const found = `${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'}`
  if (phase === 'looking') return files === 0 ? 'Looking for files.' : `Looking for files: ${found} so far.`
  if (phase === 'opening') return `Opening the database for ${found}.`
  if (endedFiles === 0) return `Importing ${found}, ${megabytes(bytes)}.`
  const share = bytes === 0 ? 100 : Math.floor((100 * endedBytes) / bytes)
  return `${endedFiles.toLocaleString('en')} of ${found}, ${share} % of ${megabytes(bytes)}, ${rows.toLocaleString('en')} rows.`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`
}

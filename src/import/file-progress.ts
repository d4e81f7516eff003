import type { JobFile } from './job.ts'
import type { HeldBack } from './records.ts'
import type { Progress } from './options.ts'

/** How far the files of an import are. Bytes are those on disk: of a packed file, as many as are unpacked, up to its own. */
export class FileProgress {
  readonly #files: ReadonlyMap<string, number>
  readonly #bytes: number
  readonly #tell: (progress: Progress) => void
  /** Of files that have not ended. */
  readonly #loaded = new Map<string, number>()
  #endedFiles = 0
  #loadedBytes = 0
  #rows = 0
  #heldBack: HeldBack | undefined
  #worst: HeldBack | undefined

  constructor(files: readonly JobFile[], tell: (progress: Progress) => void) {
    this.#files = new Map(files.map(({ path, bytes }) => [path, bytes]))
    this.#bytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#tell = tell
    this.#told()
  }

  /** A part of a file is loaded. */
  loaded(path: string, bytes: number): void {
    this.#see(path, (this.#loaded.get(path) ?? 0) + bytes)
    this.#told()
  }

  /** A file is read once more. */
  again(path: string): void {
    this.#see(path, 0)
    this.#told()
  }

  /** The slowest that the server was. */
  get worst(): HeldBack | undefined {
    return this.#worst
  }

  /** The server was slow. */
  heldBack(heldBack: HeldBack): void {
    this.#heldBack = heldBack
    if (heldBack.latencyMs > (this.#worst?.latencyMs ?? 0)) this.#worst = heldBack
    this.#told()
  }

  ended(path: string, rows: number): void {
    this.#see(path, Infinity)
    this.#endedFiles++
    this.#rows += rows
    this.#told()
  }

  #see(path: string, bytes: number): void {
    const loaded = Math.min(bytes, this.#files.get(path)!)
    this.#loadedBytes += loaded - (this.#loaded.get(path) ?? 0)
    this.#loaded.set(path, loaded)
  }

  #told(): void {
    this.#tell({
      phase: 'importing',
      files: this.#files.size,
      bytes: this.#bytes,
      endedFiles: this.#endedFiles,
      loadedBytes: this.#loadedBytes,
      rows: this.#rows,
      ...(this.#heldBack === undefined ? {} : { heldBack: this.#heldBack }),
    })
  }
}

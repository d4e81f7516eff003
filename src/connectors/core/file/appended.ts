import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises'

/**
 * A file that grows by whole batches. How far it goes is kept beside it, in `PATH.end`, until it is closed: what a crash left of a
 * batch is cut off when it is opened again, so each batch is there once or not at all.
 */
export class AppendedFile {
  readonly #path: string
  readonly #file: FileHandle
  readonly #note: FileHandle
  #end: number

  private constructor(path: string, file: FileHandle, note: FileHandle, end: number) {
    this.#path = path
    this.#file = file
    this.#note = note
    this.#end = end
  }

  /** @param isFresh what is there is not kept */
  static async open(path: string, isFresh: boolean): Promise<AppendedFile> {
    const notePath = `${path}.end`
    const file = await open(path, isFresh ? 'w' : 'a').then(async (made) => {
      await made.close()
      return open(path, 'r+')
    })
    const { size } = await file.stat()
    const noted = isFresh ? '' : await readFile(notePath, 'utf8').catch(() => '')
    const end = noted === '' ? size : Math.min(size, Number(noted))
    await file.truncate(end)
    await writeFile(notePath, numberText(end))
    return new AppendedFile(path, file, await open(notePath, 'r+'), end)
  }

  get isEmpty(): boolean {
    return this.#end === 0
  }

  /** What a write that failed has left is written over. */
  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#end + done)
      done += bytesWritten
    }
    const end = this.#end + bytes.length
    await this.#note.write(numberText(end), 0)
    this.#end = end
  }

  /** @param name what the file is called from now on */
  async close(name = this.#path): Promise<void> {
    await this.#file.truncate(this.#end)
    await this.#file.sync()
    await this.#file.close()
    await this.#note.close()
    await rm(`${this.#path}.end`)
    if (name !== this.#path) await rename(this.#path, name)
  }
}

/** Always as long, so that it is replaced by one write. */
function numberText(end: number): string {
  return String(end).padStart(16)
}

import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises'

const NOTE_PART_CHARS = 16

/**
 * A file that grows by whole batches. How far it goes is kept beside it, in `PATH.end`, until it is closed: what a crash left of a
 * batch is cut off when it is opened again, so each batch is there once or not at all. Beside it is where the last batch begins and
 * what it is called: a crash between its write and its ack brings it again, perhaps in other parts, and then it is cut off first.
 */
export class AppendedFile {
  readonly #path: string
  readonly #file: FileHandle
  readonly #note: FileHandle
  #last: Extent

  private constructor(path: string, file: FileHandle, note: FileHandle, last: Extent) {
    this.#path = path
    this.#file = file
    this.#note = note
    this.#last = last
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
    const last = noted === '' ? { end: size, start: size, id: '' } : noteOf(noted, size)
    await file.truncate(last.end)
    await writeFile(notePath, noteText(last))
    return new AppendedFile(path, file, await open(notePath, 'r+'), last)
  }

  get isEmpty(): boolean {
    return this.#last.end === 0
  }

  /** What comes next begins with the record of this id: if the last batch did too, it has come again. */
  async cut(id: string): Promise<void> {
    const { start, id: last } = this.#last
    if (last !== id) return
    // The note first: what is cut off may not come again.
    await this.#keep({ end: start, start, id: '' })
    await this.#file.truncate(start)
  }

  /**
   * What a write that failed has left is written over.
   * @param id of the first record
   */
  async append(bytes: Uint8Array, id: string): Promise<void> {
    const start = this.#last.end
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, start + done)
      done += bytesWritten
    }
    await this.#keep({ end: start + bytes.length, start, id })
  }

  /** @param name what the file is called from now on */
  async close(name = this.#path): Promise<void> {
    await this.#file.truncate(this.#last.end)
    await this.#file.sync()
    await this.#file.close()
    await this.#note.close()
    await rm(`${this.#path}.end`)
    if (name !== this.#path) await rename(this.#path, name)
  }

  async #keep(last: Extent): Promise<void> {
    await this.#note.write(noteText(last), 0)
    this.#last = last
  }
}

/** The last batch of a file: where it ends and begins, in bytes, and the id of its first record. */
interface Extent {
  readonly end: number
  readonly start: number
  readonly id: string
}

/** Always as long, so that it is replaced by one write. */
function noteText({ end, start, id }: Extent): string {
  return [end, start, id].map((part) => String(part).padStart(NOTE_PART_CHARS)).join(' ')
}

/** @param size of the file, in bytes: the note may be newer than what the disk holds */
function noteOf(text: string, size: number): Extent {
  const [end = '', start = end, id = ''] = text.trim().split(/ +/)
  return Number(end) <= size ? { end: Number(end), start: Number(start), id } : { end: size, start: size, id: '' }
}

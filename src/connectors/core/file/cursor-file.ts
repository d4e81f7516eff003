import { readFile, rename, writeFile } from 'node:fs/promises'
import { fileRefusal } from './refusal.ts'

/** Keeps a cursor in a file of its own, which is replaced as a whole: it survives the process. */
export class CursorFile {
  readonly #path: string | undefined
  #saved: string | undefined
  cursor: unknown

  private constructor(path: string | undefined, saved: string | undefined) {
    this.#path = path
    this.#saved = saved
    this.cursor = saved === undefined ? undefined : JSON.parse(saved)
  }

  /**
   * @param path none: there is nothing to go on at, and nothing is kept
   * @throws CONNECTOR_REFUSED
   */
  static async open(path: string | undefined, node: string): Promise<CursorFile> {
    if (path === undefined) return new CursorFile(path, undefined)
    try {
      const saved = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
      return new CursorFile(path, saved ?? undefined)
    } catch (cause) {
      throw fileRefusal(cause, { node, path })
    }
  }

  async save(cursor: unknown): Promise<void> {
    if (cursor === undefined || this.#path === undefined) return
    const text = JSON.stringify(cursor)
    if (text === this.#saved) return
    const beside = `${this.#path}.new`
    await writeFile(beside, text)
    await rename(beside, this.#path)
    this.#saved = text
    this.cursor = cursor
  }
}

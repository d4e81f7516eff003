import type { Catalog } from './catalog.js'
import type { Note } from './records.js'

/** What became of one file. Each row that was read is written, dead-lettered, or unwritten. */
export interface FileAccount {
  readonly file: string
  readonly table: string
  /** Counted by `parse`, when it has read them; the others by the stages that end a row. */
  read: number
  written: number
  deadLettered: number
  unwritten: number
  /** Why the first rows that the database would not take were not written. */
  refusal: string | undefined
  /** It was read to its end. */
  isWhole: boolean
  /** Why it could not be read, or not to its end. */
  problem: string | undefined
  readonly remarks: readonly string[]
}

/** The books of an import, kept from the notes of its stages. */
export class Account {
  readonly files: readonly FileAccount[]
  /** Why the database was given up, if it was. */
  databaseProblem: string | undefined
  readonly #byName: ReadonlyMap<string, FileAccount>

  constructor({ files }: Catalog) {
    this.files = files.map(({ file, table, remarks, nothing }) => ({
      file,
      table: nothing === undefined ? table : '',
      read: 0,
      written: 0,
      deadLettered: 0,
      unwritten: 0,
      refusal: undefined,
      isWhole: false,
      problem: undefined,
      remarks: nothing === undefined || nothing.isFault ? remarks : [...remarks, nothing.reason],
    }))
    this.#byName = new Map(this.files.map((each) => [each.file, each]))
  }

  add({ file, read = 0, written = 0, deadLettered = 0, unwritten, end }: Note): void {
    const account = this.#byName.get(file)!
    account.read += read
    account.written += written
    account.deadLettered += deadLettered
    account.unwritten += unwritten?.rows ?? 0
    account.refusal ??= unwritten?.reason
    if (unwritten?.isAway === true) this.databaseProblem ??= unwritten.reason
    if (end !== undefined) {
      account.problem = end.problem
      account.isWhole = end.problem === undefined
    }
  }

  sum(of: 'read' | 'written' | 'deadLettered' | 'unwritten'): number {
    return this.files.reduce((total, account) => total + account[of], 0)
  }
}

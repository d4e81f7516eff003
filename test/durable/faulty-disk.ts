import type { Files, Lock, WrittenFile } from '#src/durable/files.js'

/** What a disk does at one of its operations, beside what it is asked. */
export type Fault = 'crash' | 'full' | 'syncFails'

interface Stored {
  /** What is surely on the disk. */
  synced: Buffer
  /** What is not, oldest first. */
  pending: { readonly at: number; readonly bytes: Buffer }[]
  isNameSynced: boolean
}

/** Pieces that come to the disk by themselves. */
const SECTOR = 64

/**
 * A disk in memory that fails as disks do: at the operation with a given number it loses power, is full from then on (`makeRoom` ends
 * that) after half of a write, or cannot sync. After a crash each sector that was not synced is there or not, in any order.
 */
export class FaultyDisk implements Files {
  operations = 0
  readonly #stored: Map<string, Stored>
  readonly #random: () => number
  readonly #fault: { readonly at: number; readonly what: Fault } | undefined
  #isDown = false
  #isFull = false

  constructor(random: () => number, fault?: { at: number; what: Fault }, stored: Map<string, Stored> = new Map()) {
    this.#random = random
    this.#fault = fault
    this.#stored = stored
  }

  /** What the next process finds. */
  afterCrash(fault?: { at: number; what: Fault }): FaultyDisk {
    const left = new Map<string, Stored>()
    for (const [path, file] of this.#stored) {
      if (!file.isNameSynced && this.#random() < 0.5) continue
      left.set(path, { synced: this.#surviving(file), pending: [], isNameSynced: true })
    }
    return new FaultyDisk(this.#random, fault, left)
  }

  /** Changes one bit. */
  flip(path: string, at: number): void {
    this.#stored.get(path)!.synced[at]! ^= 1 << Math.floor(this.#random() * 8)
  }

  /** Files with their lengths. */
  get sizes(): ReadonlyMap<string, number> {
    return new Map([...this.#stored].map(([path, file]) => [path, contentOf(file).length]))
  }

  /** The same files, all of them synced. */
  copy(): FaultyDisk {
    const files = new Map<string, Stored>()
    for (const [path, file] of this.#stored)
      files.set(path, { synced: Buffer.from(contentOf(file)), pending: [], isNameSynced: true })
    return new FaultyDisk(this.#random, undefined, files)
  }

  makeRoom(): void {
    this.#isFull = false
  }

  makeFolder(): Promise<void> {
    return Promise.resolve()
  }

  lock(): Promise<Lock> {
    return Promise.resolve({ release: () => Promise.resolve() })
  }

  async list(): Promise<readonly string[]> {
    await this.#step()
    return [...this.#stored.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1))
  }

  async read(path: string): Promise<Buffer> {
    await this.#step()
    return Buffer.from(contentOf(this.#found(path)))
  }

  async create(path: string): Promise<WrittenFile> {
    await this.#step()
    if (this.#stored.has(path)) throw coded('EEXIST')
    if (this.#isFull) throw coded('ENOSPC')
    const file: Stored = { synced: Buffer.alloc(0), pending: [], isNameSynced: false }
    this.#stored.set(path, file)
    return {
      write: (bytes, at) => this.#write(file, bytes, at),
      sync: () => this.#sync(file),
      close: () => Promise.resolve(),
    }
  }

  async cut(path: string, bytes: number): Promise<void> {
    await this.#step()
    const file = this.#found(path)
    file.synced = Buffer.from(contentOf(file).subarray(0, bytes))
    file.pending = []
  }

  async remove(path: string): Promise<void> {
    await this.#step()
    this.#stored.delete(path)
  }

  async syncFolder(): Promise<void> {
    await this.#step()
    for (const file of this.#stored.values()) file.isNameSynced = true
  }

  async #write(file: Stored, bytes: Uint8Array, at: number): Promise<number> {
    const fault = await this.#step()
    if (this.#isFull && fault !== 'full') throw coded('ENOSPC')
    // Half of it, or a part now and then, as `write` may.
    const isShort = fault === 'full' || this.#random() < 0.1
    const count = isShort ? Math.max(1, bytes.length >> 1) : bytes.length
    for (let from = 0; from < count; from += SECTOR)
      file.pending.push({ at: at + from, bytes: Buffer.from(bytes.subarray(from, Math.min(count, from + SECTOR))) })
    return count
  }

  async #sync(file: Stored): Promise<void> {
    const fault = await this.#step()
    if (fault === 'syncFails') {
      // As the page cache does: what could not be written counts as clean from then on.
      file.synced = this.#surviving(file)
      file.pending = []
      throw coded('EIO')
    }
    file.synced = contentOf(file)
    file.pending = []
  }

  async #step(): Promise<Fault | undefined> {
    await Promise.resolve()
    if (this.#isDown) throw coded('ECRASHED')
    const fault = ++this.operations === this.#fault?.at ? this.#fault.what : undefined
    if (fault === 'full') this.#isFull = true
    if (fault !== 'crash') return fault
    this.#isDown = true
    throw coded('ECRASHED')
  }

  #found(path: string): Stored {
    const file = this.#stored.get(path)
    if (file === undefined) throw coded('ENOENT')
    return file
  }

  #surviving({ synced, pending }: Stored): Buffer {
    const kept = pending.filter(() => this.#random() < 0.6)
    return contentOf({ synced, pending: kept, isNameSynced: true })
  }
}

function contentOf({ synced, pending }: Stored): Buffer {
  const length = pending.reduce((most, { at, bytes }) => Math.max(most, at + bytes.length), synced.length)
  const content = Buffer.alloc(length)
  synced.copy(content)
  for (const { at, bytes } of pending) bytes.copy(content, at)
  return content
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}

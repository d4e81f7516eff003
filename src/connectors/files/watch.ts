import type { FSWatcher } from 'chokidar'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { SetupContext } from '../../graph/types.ts'
import { clearTimeout, setTimeout } from '../../time.ts'
import { loadClient } from '../core/client.ts'
import type { MessageEnds } from '../core/ends.ts'
import type { Feed } from '../core/feed.ts'
import { fileRefusal } from '../core/file/refusal.ts'
import type { MessageIntake, QueueOptions } from '../core/queue.ts'
import type { MessageReceipt } from '../core/receipt.ts'

/** A file of a directory, as `decode` gets it. */
export interface FileMessage {
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** When it was changed, in ms since 1970. */
  readonly changedAt: number
  /** Which delivery this is, from 1. */
  readonly deliveries: number
}

/** What a file is settled with: its path. */
interface FileReceipt extends MessageReceipt {
  readonly id: string
}

/** Options of `watchSource` with their defaults. */
interface DirectoryIntakeOptions extends QueueOptions<FileMessage> {
  readonly directory: string
  readonly ending?: string
  readonly settleMs: number
  readonly whenDone: string
  readonly doneTo?: string
  readonly failedTo?: string
}

/** The files of a directory, each a message. */
export class DirectoryIntake implements MessageIntake<FileReceipt> {
  readonly #options: DirectoryIntakeOptions
  readonly #feed: Feed<FileMessage>
  readonly #watcher: FSWatcher
  /** Files that are there and not taken, oldest first. */
  readonly #waiting = new Set<string>()
  /** Of files that failed before: how often they were taken. */
  readonly #taken = new Map<string, number>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #onFile: (() => void) | undefined
  #isOver = false

  private constructor(options: DirectoryIntakeOptions, feed: Feed<FileMessage>, node: string, watcher: FSWatcher) {
    this.#options = options
    this.#feed = feed
    this.#watcher = watcher
    const arrive = (path: string): void => {
      if (this.#isTaken(path)) this.#offer(path)
    }
    watcher.on('add', arrive).on('change', arrive)
    watcher.on('unlink', (path) => this.#waiting.delete(path))
    watcher.on('error', (error) => feed.fail(fileRefusal(error, { node, path: options.directory })))
  }

  /** @throws CONNECTOR_NOT_INSTALLED, CONNECTOR_REFUSED */
  static async open(
    options: DirectoryIntakeOptions,
    feed: Feed<FileMessage>,
    { node, workers }: SetupContext,
  ): Promise<DirectoryIntake> {
    const { watch } = await loadClient('chokidar', () => import('chokidar'))
    const directory = resolve(options.directory)
    try {
      if (workers > 1) throw new Error('one worker watches a directory: concurrency is 1')
      if (!(await stat(directory)).isDirectory()) throw new Error('it is no directory')
      for (const made of [options.doneTo, options.failedTo])
        if (made !== undefined) await mkdir(made, { recursive: true })
    } catch (cause) {
      throw fileRefusal(cause, { node, path: directory })
    }
    const { settleMs } = options
    const watcher = watch(directory, {
      depth: 0,
      awaitWriteFinish:
        settleMs === 0 ? false : { stabilityThreshold: settleMs, pollInterval: Math.max(10, settleMs / 10) },
    })
    return new DirectoryIntake(options, feed, node, watcher)
  }

  async take(): Promise<void> {
    for (let most = await this.#feed.ask(); most > 0; most = await this.#feed.ask()) {
      let left = most
      for (const path of this.#waiting) {
        if (left === 0) break
        this.#waiting.delete(path)
        if (await this.#arrive(path)) left--
      }
      this.#feed.forgo(left)
      if (this.#waiting.size === 0 && !this.#isOver) await new Promise<void>((resolve) => (this.#onFile = resolve))
    }
  }

  halt(): void {
    this.#isOver = true
    this.#onFile?.()
  }

  async settle({ done, over, again }: MessageEnds<FileReceipt>): Promise<void> {
    const { whenDone, doneTo, failedTo } = this.#options
    for (const { id } of done) {
      if (doneTo !== undefined) await moved(id, doneTo)
      else if (whenDone === 'delete') await rm(id, { force: true })
      this.#taken.delete(id)
    }
    for (const { id } of over) {
      if (failedTo !== undefined) await moved(id, failedTo)
      this.#taken.delete(id)
    }
    for (const { receipt, delayMs } of again) {
      this.#taken.set(receipt.id, receipt.deliveries)
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        this.#offer(receipt.id)
      }, delayMs)
      this.#timers.add(timer)
    }
  }

  /** A disk that is full does not stop a file from being moved; nothing here passes by itself. */
  isPassing(): boolean {
    return false
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#watcher.close()
  }

  #isTaken(path: string): boolean {
    const name = basename(path)
    const { ending = '' } = this.#options
    return !name.startsWith('.') && name.endsWith(ending) && dirname(path) === resolve(this.#options.directory)
  }

  #offer(path: string): void {
    this.#waiting.add(path)
    this.#onFile?.()
  }

  /** @returns false where it is gone, or still in the graph */
  async #arrive(path: string): Promise<boolean> {
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() !== true) return false
    const deliveries = (this.#taken.get(path) ?? 0) + 1
    const file = { path, size: found.size, changedAt: found.mtimeMs, deliveries }
    return this.#feed.arrive(file, { id: path, deliveries })
  }
}

/** A file that was moved before is not there any more. */
async function moved(path: string, directory: string): Promise<void> {
  await rename(path, join(directory, basename(path))).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

import { randomUUID } from 'node:crypto'
import { open, readFile, readlink, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { MillraceError } from '../errors.ts'
import { clearInterval, setInterval, wallMs } from '../time.ts'

const FILE = 'lock'
/** The owner touches its lock so often. */
const TOUCH_MS = 2_000
/** A lock of another machine or container, whose processes cannot be seen from here, is left if nobody has touched it for so long. */
const LEFT_MS = 15_000

/** Who holds a directory. */
interface Owner {
  readonly pid: number
  /** Where its number means something: machine, boot and space of process numbers. */
  readonly place: string
  /** When the process began: numbers of processes come again. */
  readonly began: string
  readonly token: string
}

/** Keeps other processes off a directory, until it is let go or the process ends, however it ends. */
export class DirectoryLock {
  readonly #path: string
  readonly #token: string
  readonly #touching: NodeJS.Timeout

  private constructor(path: string, token: string) {
    this.#path = path
    this.#token = token
    this.#touching = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), TOUCH_MS)
    this.#touching.unref()
  }

  /** @throws JOURNAL_IN_USE; what the file system says */
  static async take(dir: string): Promise<DirectoryLock> {
    const path = join(dir, FILE)
    const mine = await ownerHere()
    for (;;) {
      try {
        const file = await open(path, 'wx')
        try {
          await file.writeFile(JSON.stringify(mine))
        } finally {
          await file.close()
        }
        return new DirectoryLock(path, mine.token)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const text = await readFile(path, 'utf8').catch(() => undefined)
      if (text === undefined) continue
      const owner = ownerIn(text)
      if (await isHeld(owner, mine, path)) throw new MillraceError('JOURNAL_IN_USE', { dir, pid: owner?.pid })
      // Whoever else finds it left finds another text in it once one of us has taken it.
      if ((await readFile(path, 'utf8').catch(() => undefined)) === text) await rm(path, { force: true })
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#touching)
    const text = await readFile(this.#path, 'utf8').catch(() => '')
    if (ownerIn(text)?.token === this.#token) await rm(this.#path, { force: true })
  }
}

async function isHeld(owner: Owner | undefined, mine: Owner, path: string): Promise<boolean> {
  // A lock without an owner is being written, or its writer ended before it was.
  if (owner === undefined || owner.place !== mine.place) {
    const touched = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    )
    return wallMs() - touched < LEFT_MS
  }
  return (await beganAt(owner.pid)) === owner.began
}

function ownerIn(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner
  } catch {
    return undefined
  }
}

async function ownerHere(): Promise<Owner> {
  const [boot, space] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ])
  const began = (await beganAt(process.pid))!
  return { pid: process.pid, place: [hostname(), boot.trim(), space].join(' '), began, token: randomUUID() }
}

/** When a process began, as the system counts; undefined where there is none. */
async function beganAt(pid: number): Promise<string | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name of the program stands in parentheses, and may hold any.
    const [state, ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended: only its parent has not looked.
    return state === 'Z' ? undefined : rest[18]
  } catch {
    return isRunning(pid) ? 'unknown' : undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

import { execFile, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A PostgreSQL of the test alone, to be killed and started again. */
export class Cluster {
  readonly url: string
  readonly #binaries: string
  readonly #folder: string
  readonly #port: number
  readonly #owner: { uid?: number; gid?: number }

  private constructor(binaries: string, folder: string, port: number, owner: { uid?: number; gid?: number }) {
    this.#binaries = binaries
    this.#folder = folder
    this.#port = port
    this.#owner = owner
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`
  }

  /** Why there is none. */
  static absent(): { skip?: string } {
    return findBinaries() === undefined
      ? { skip: 'the programs of a PostgreSQL server (initdb) are not installed' }
      : {}
  }

  static async start(): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'))
    const owner = ownerOf(folder)
    const cluster = new Cluster(findBinaries()!, folder, await freePort(), owner)
    await cluster.#run('initdb', '-D', cluster.#data, '-U', 'postgres', '-A', 'trust', '--no-sync')
    await cluster.start()
    after(() => {
      cluster.kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    })
    return cluster
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  /** Starts it, again after a kill: it recovers what was told to be written. */
  async start(): Promise<void> {
    const options = `-p ${this.#port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${this.#folder}`
    const log = join(this.#folder, 'log')
    // What is left of the server that was killed ends by itself, and until then another one does not start.
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#run('pg_ctl', 'start', '-w', '-D', this.#data, '-l', log, '-o', options)
      } catch (error) {
        if (attempt === 20) throw new Error(readFileSync(log, 'utf8').slice(-2_000), { cause: error })
      }
    }
  }

  /** The server dies at once, as with a cut of the power. */
  kill(): void {
    const path = join(this.#data, 'postmaster.pid')
    if (!existsSync(path)) return
    const pid = Number(readFileSync(path, 'utf8').split('\n')[0])
    try {
      const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      for (const each of [pid, ...children.trim().split(/\s+/).map(Number)]) killIfThere(each)
    } catch {
      killIfThere(pid)
    }
  }

  async #run(name: string, ...args: readonly string[]): Promise<void> {
    // pg_ctl leaves a server behind, which would keep pipes open.
    if (name !== 'pg_ctl') {
      await run(join(this.#binaries, name), args, this.#owner)
      return
    }
    await new Promise<void>((resolve, reject) => {
      const child = spawn(join(this.#binaries, name), args, { ...this.#owner, stdio: 'ignore' })
      child.on('error', reject)
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${name} ended with ${code}`))))
    })
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

function findBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')))
}

/** A server does not run as root. */
function ownerOf(folder: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })))
  chownSync(folder, uid!, gid!)
  return { uid: uid!, gid: gid! }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

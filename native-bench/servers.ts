/** Servers of the benchmarks' own: nobody else's work is measured with them, and nothing of them stays. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface OwnServer {
  readonly port: number
  close(): Promise<void>
}

/** @returns undefined where it is not installed */
export function startRedis(...options: readonly string[]): Promise<OwnServer | undefined> {
  return start('redis-server', (port, dir) => ['--port', String(port), '--dir', dir, '--save', '', ...options])
}

/** With JetStream, in files. @returns undefined where it is not installed */
export function startNats(): Promise<OwnServer | undefined> {
  return start('nats-server', (port, dir) => ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', dir])
}

async function start(
  program: string,
  argumentsFor: (port: number, dir: string) => readonly string[],
): Promise<OwnServer | undefined> {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-server-'))
  const port = await freePort()
  const server = spawn(program, argumentsFor(port, dir), { stdio: 'ignore' })
  const close = async (): Promise<void> => {
    server.kill()
    await gone(server)
    rmSync(dir, { recursive: true, force: true })
  }
  const failed = new Promise<boolean>((resolve) => server.once('error', () => resolve(true)))
  for (let look = 0; look < 100; look++) {
    if (await isThere('127.0.0.1', port)) return { port, close }
    if (await Promise.race([failed, sleep(50, false)])) break
  }
  rmSync(dir, { recursive: true, force: true })
  return undefined
}

function gone(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => server.once('exit', () => resolve()))
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Whether something listens there. */
export function isThere(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

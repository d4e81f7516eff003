/** Servers of this machine's own, on ports and in folders of their own, so that no other test is in the way. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Server extends AsyncDisposable {
  readonly port: number
}

/** @returns why there is none, if its program is not installed */
export async function startServer(
  program: string,
  argumentsFor: (port: number, folder: string) => readonly string[],
): Promise<Server | string> {
  if (spawnSync(program, ['--version']).error !== undefined) return `${program} is not installed`
  const folder = mkdtempSync(join(tmpdir(), 'millrace-server-'))
  const port = await freePort()
  const server = spawn(program, argumentsFor(port, folder), { stdio: 'ignore', cwd: folder })
  await answers(port, server)
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL')
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number, server: ChildProcess): Promise<void> {
  while (!(await isThere(port))) {
    if (server.exitCode !== null) throw new Error(`${server.spawnargs.join(' ')} ended with ${server.exitCode}`)
    await sleep(10)
  }
}

/** Whether something listens on this port. */
export async function isThere(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isConnected = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.destroy()
  return isConnected
}

/** A NATS server with JetStream; the reason where there is none. */
export function startNats(): ReturnType<typeof startServer> {
  return startServer('nats-server', (port, folder) => ['-js', '-a', '127.0.0.1', '-p', `${port}`, '-sd', folder])
}

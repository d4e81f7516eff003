import amqp from 'amqplib'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { ServerUnderTest } from './bench.js'
import { isThere } from './servers.js'

export const RABBITMQ_URL = new URL(process.env['TEST_RABBITMQ_URL'] ?? 'amqp://guest:guest@127.0.0.1:5672')

const exec = promisify(execFile)

/** Messages of a quorum queue that are ready, and those that are delivered and not settled: the server's own state, without delay. */
async function countsOf(queue: string): Promise<{ ready: number; unsettled: number }> {
  const ask = `{ok, {_, #{num_ready_messages := R, num_checked_out := C}}, _} =
    ra:leader_query({list_to_atom("%2F_${queue}"), node()}, fun rabbit_fifo:overview/1), [R, C].`
  const { stdout } = await exec('rabbitmqctl', ['-q', 'eval', ask])
  const [ready, unsettled] = JSON.parse(stdout) as [number, number]
  return { ready, unsettled }
}

/** The server of this machine; queues of our own in it. */
export async function findRabbitmq(kind: 'source' | 'sink'): Promise<ServerUnderTest | string> {
  const serverPort = Number(RABBITMQ_URL.port)
  if (!(await isThere(serverPort))) return `nothing listens on ${RABBITMQ_URL.host}`
  const isAskable = await exec('rabbitmqctl', ['-q', 'eval', '1.']).then(
    () => true,
    () => false,
  )
  if (!isAskable) return 'rabbitmqctl may not ask the server'
  const connection = await amqp.connect(RABBITMQ_URL.href)
  const channel = await connection.createConfirmChannel()
  const made: string[] = []
  let sent = 0
  return {
    port: serverPort,
    async queue() {
      const queue = `millrace_${kind}_${process.pid}_${made.length}`
      made.push(queue)
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
      return {
        options(port) {
          const url = new URL(RABBITMQ_URL)
          url.port = String(port)
          return { url: url.href, queue }
        },
        async send(texts) {
          for (const text of texts) channel.sendToQueue(queue, Buffer.from(text), { messageId: `m${sent++}` })
          await channel.waitForConfirms()
        },
        async unsettled() {
          return (await countsOf(queue)).unsettled
        },
        async left() {
          const { ready, unsettled } = await countsOf(queue)
          return ready + unsettled
        },
        async received() {
          // What was looked at goes back, in its order.
          const reading = await connection.createChannel()
          const texts: string[] = []
          for (let message = await reading.get(queue); message !== false; message = await reading.get(queue))
            texts.push(message.content.toString())
          await reading.close()
          return texts
        },
      }
    },
    withWrongCredentials: (options) => ({ ...options, user: 'millrace_nobody', password: 'wrong-secret' }),
    ...(kind === 'source' ? {} : { withoutQueue: (options: object) => ({ ...options, queue: 'millrace_nothing' }) }),
    async close() {
      for (const queue of made) await channel.deleteQueue(queue)
      await connection.close()
    },
  }
}

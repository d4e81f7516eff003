import type { RedisLink } from './link.ts'

/** An entry as the client gives it. */
export interface Entry {
  readonly id: string
  readonly message: Readonly<Record<string, string>>
}

/** Where entries are taken, and by whom. */
interface Consumer {
  readonly stream: string
  readonly group: string
  readonly consumer: string
  /** The group is the only one: entries that are acked are deleted. */
  readonly isSole: boolean
}

/** No consumer is taken away that has anything: its entries would go with it. */
const LEAVE = `
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end`

/** What one consumer of a group has, and how long it has had it. */
export class Claims {
  readonly #link: RedisLink
  readonly #of: Consumer
  readonly #claimMs: number
  #cursor = '0-0'

  constructor(link: RedisLink, of: Consumer, claimMs: number) {
    this.#link = link
    this.#of = of
    this.#claimMs = claimMs
  }

  /** Makes the group, where it is not there. */
  async join(): Promise<void> {
    const { stream, group } = this.#of
    try {
      await this.#link.client.xGroupCreate(stream, group, '0', { MKSTREAM: true })
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error
    }
  }

  /** Takes over entries that others have not kept. */
  async take(most: number): Promise<readonly Entry[]> {
    const { stream, group, consumer } = this.#of
    const { client } = this.#link
    const { nextId, messages } = await client.xAutoClaim(stream, group, consumer, this.#claimMs, this.#cursor, {
      COUNT: most,
    })
    this.#cursor = nextId
    return messages.filter((entry) => entry !== null)
  }

  /** Which delivery of each of these entries the present one is. */
  async deliveriesOf(ids: readonly string[]): Promise<readonly number[]> {
    const { stream, group } = this.#of
    const found = await Promise.all(ids.map((id) => this.#link.client.xPendingRange(stream, group, id, id, 1)))
    return found.map(([entry]) => entry?.deliveriesCounter ?? 1)
  }

  /** Entries stay with this consumer for `claimMs` from now; after `delayMs` of it they may be taken. */
  async keep(ids: readonly string[], delayMs: number = this.#claimMs): Promise<void> {
    if (ids.length === 0) return
    const { stream, group, consumer } = this.#of
    const options = { IDLE: Math.max(0, Math.round(this.#claimMs - delayMs)) }
    await this.#link.client.xClaimJustId(stream, group, consumer, 0, [...ids], options)
  }

  async ack(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const { stream, group, isSole } = this.#of
    const { client } = this.#link
    // Sent together: the server does one after the other, and a part of it may be done again.
    await Promise.all([client.xAck(stream, group, [...ids]), isSole && client.xDel(stream, [...ids])])
  }

  async leave(): Promise<void> {
    const { stream, group, consumer } = this.#of
    await this.#link.client.eval(LEAVE, { keys: [stream], arguments: [group, consumer] })
  }
}

import type { StoreNews } from './shared-store.ts'

/** A message of PostgreSQL has less than 8,000 bytes. */
const MAX_BYTES = 6_000

/** Sends news to all instances, those that come together in one go: what is lost is found by those who look. */
export class NewsSender {
  readonly #send: (texts: readonly string[]) => Promise<void>
  readonly #waiting = new Map<
    string,
    { readonly flow: string; readonly kind: StoreNews['kind']; readonly ids: Set<string> }
  >()
  #sending: Promise<void> | undefined

  constructor(send: (texts: readonly string[]) => Promise<void>) {
    this.#send = send
  }

  add(flow: string, kind: StoreNews['kind'], ids: readonly string[] = []): void {
    const key = `${kind} ${flow}`
    let news = this.#waiting.get(key)
    if (news === undefined) this.#waiting.set(key, (news = { flow, kind, ids: new Set() }))
    for (const id of ids) news.ids.add(id)
    this.#sending ??= this.#sendAll()
  }

  async close(): Promise<void> {
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    // Whatever else is said in this turn of the event loop goes with it.
    await Promise.resolve()
    while (this.#waiting.size > 0) {
      const news = [...this.#waiting.values()]
      this.#waiting.clear()
      const texts = news.flatMap(({ flow, kind, ids }) =>
        kind === 'work' ? [newsText(flow, { kind })] : chunks([...ids]).map((ids) => newsText(flow, { kind, ids })),
      )
      await this.#send(texts).catch(() => undefined)
    }
    this.#sending = undefined
  }
}

function chunks(ids: readonly string[]): string[][] {
  const found: string[][] = [[]]
  let bytes = 0
  for (const id of ids) {
    const more = Buffer.byteLength(JSON.stringify(id)) + 1
    if (bytes + more > MAX_BYTES) {
      found.push([])
      bytes = 0
    }
    bytes += more
    found.at(-1)!.push(id)
  }
  return found
}

function newsText(flow: string, news: StoreNews): string {
  return JSON.stringify({ flow, ...news })
}

/** News as another instance has sent them; undefined where they are of another flow, or cannot be read. */
export function newsFrom(text: string, flow: string): StoreNews | undefined {
  try {
    const { flow: of, ...news } = JSON.parse(text) as { flow: string } & StoreNews
    return of === flow || of === EVERY_FLOW ? news : undefined
  } catch {
    return undefined
  }
}

/** No flow has such a name. */
export const EVERY_FLOW = '*'

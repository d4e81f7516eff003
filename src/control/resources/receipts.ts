import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { MillraceError } from '../../errors.ts'
import type { DeadLetter } from '../../supervisor/dead-letters.ts'
import type { Pipeline } from '../../supervisor/pipeline.ts'
import { ErrorView, errorView } from '../error-view.ts'
import { clearTimeout, monotonicMs, setImmediate, setTimeout, wallMs } from '../../time.ts'

/** A record that was pushed through the API, followed to its end. */
export const PushedRecord = Type.Object(
  {
    id: Type.String(),
    node: Type.String({ description: 'The node that received it.' }),
    state: Type.Enum(['waiting', 'flowing', 'acked', 'failed', 'abandoned', 'refused'], {
      description:
        '`waiting` for credit, `flowing` through the pipeline, then `acked` or `failed`; `abandoned` if the pipeline ended first, `refused` if it never went in.',
    }),
    pushedAt: Type.Number({ description: 'Milliseconds since 1970.' }),
    tookMs: Type.Optional(Type.Number({ description: 'Milliseconds from push to end.' })),
    error: Type.Optional(ErrorView),
  },
  { examples: [{ id: '1', node: 'parse', state: 'acked', pushedAt: 1_790_000_000_000, tookMs: 3.4 }] },
)
export type PushedRecord = Type.Static<typeof PushedRecord>

type State = PushedRecord['state']

/** Records pushed without a key that can still be asked for. */
const KEPT = 1_000
const MOST_WAITING = 100

/** A record, and where it goes. */
interface ToPush {
  readonly node: string
  readonly record: unknown
  /** What it continues. */
  readonly traceparent?: string | undefined
}

/** One pushed record and how it went. */
class Pushed {
  readonly id: string
  readonly node: string
  readonly pushedAt = wallMs()
  state: State = 'waiting'
  tookMs: number | undefined
  error: unknown
  /** Settles when it waits no more. */
  readonly entered: Promise<unknown>
  /** Settles when it has ended, however. */
  readonly ended: Promise<void>
  readonly #since = monotonicMs()

  constructor(id: string, pipeline: Pipeline, { node, record, traceparent }: ToPush) {
    this.id = id
    this.node = node
    const isSource = pipeline.plan.stages.some((stage) => stage.node === node && stage.kind === 'source')
    const entering = isSource
      ? pipeline.push(node, record, { traceparent })
      : pipeline.inject(node, record, { traceparent })
    this.entered = entering.catch(() => undefined)
    this.ended = this.#follow(entering).catch((error: unknown) => {
      this.state = 'refused'
      this.error = error
    })
  }

  async #follow(entering: ReturnType<Pipeline['push']>): Promise<void> {
    const receipt = await entering
    this.state = 'flowing'
    await receipt.done.catch((error: unknown) => (this.error = error))
    this.state = receipt.outcome ?? 'abandoned'
    this.tookMs = monotonicMs() - this.#since
  }
}

/** A record that was pushed with a key: the same key stands for the same record. */
interface Keyed {
  readonly pushed: Pushed
  readonly digest: string
}

/**
 * The records that were pushed through the API: by number, by the key that whoever pushed them chose, and replays with their
 * dead letters.
 */
export class Receipts {
  readonly #pipeline: Pipeline
  readonly #keptKeys: number
  readonly #numbered = new Map<string, Pushed>()
  readonly #keyed = new Map<string, Keyed>()
  /** A letter that is kept no more takes its replay with it. */
  readonly #replays = new WeakMap<DeadLetter, Pushed>()
  #count = 0
  #waiting = 0

  constructor(pipeline: Pipeline, keptKeys: number) {
    this.#pipeline = pipeline
    this.#keptKeys = keptKeys
  }

  /**
   * Pushes a record in.
   * @param waitMs to wait for its end
   * @throws NODE_UNKNOWN, NODE_NOT_PUSHED, INJECT_OFF, PIPELINE_NOT_RUNNING, RECORDS_WAITING
   */
  async push(given: ToPush, waitMs: number): Promise<Pushed> {
    const pushed = this.#start(`${++this.#count}`, given)
    keep(this.#numbered, pushed.id, pushed, KEPT)
    return told(pushed, waitMs, () => this.#numbered.delete(pushed.id))
  }

  /**
   * The same for a record with a key: where one was pushed with it before, tells how that one goes.
   * @throws KEY_REUSED where that was another record, or for another node; and as `push`
   */
  async pushOnce(key: string, given: ToPush, waitMs: number): Promise<Pushed> {
    const id = `key-${key}`
    const digest = digestOf([given.node, given.record])
    const known = this.#keyed.get(id)
    if (known !== undefined && known.digest !== digest) throw new MillraceError('KEY_REUSED', { key })
    const pushed = known?.pushed ?? this.#start(id, given)
    if (known === undefined) keep(this.#keyed, id, { pushed, digest }, this.#keptKeys)
    return told(pushed, waitMs, () => this.#keyed.delete(id))
  }

  /** Puts the record of a letter in before its node once more; a second time, tells how the first one goes. @throws as `push` */
  async replay(letter: DeadLetter): Promise<Pushed> {
    const known = this.#replays.get(letter)
    const pushed = known ?? this.#start(`${REPLAY}${letter.id}`, { node: letter.node, record: letter.input })
    this.#replays.set(letter, pushed)
    return told(pushed, 0, () => this.#replays.delete(letter))
  }

  replayOf(letter: DeadLetter): Pushed | undefined {
    return this.#replays.get(letter)
  }

  /** @throws RECEIPT_UNKNOWN */
  get(id: string): Pushed {
    const letter = id.startsWith(REPLAY) ? this.#pipeline.deadLetters.get(Number(id.slice(REPLAY.length))) : undefined
    const replay = letter === undefined ? undefined : this.#replays.get(letter)
    const found = this.#numbered.get(id) ?? this.#keyed.get(id)?.pushed ?? replay
    if (found === undefined) throw new MillraceError('RECEIPT_UNKNOWN', { id })
    return found
  }

  #start(id: string, given: ToPush): Pushed {
    this.#refuse(given.node)
    const pushed = new Pushed(id, this.#pipeline, given)
    this.#waiting++
    void pushed.entered.then(() => this.#waiting--)
    return pushed
  }

  #refuse(node: string): void {
    const { plan, state } = this.#pipeline
    const stage = plan.nodeStages.find((each) => each.node === node)
    if (stage === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    if (stage.kind === 'source' && stage.work !== 'push') throw new MillraceError('NODE_NOT_PUSHED', { node })
    if (stage.kind !== 'source' && plan.injection === undefined) {
      throw new MillraceError('INJECT_OFF', { node })
    }
    if (state !== 'running') throw new MillraceError('PIPELINE_NOT_RUNNING', { state })
    if (this.#waiting >= MOST_WAITING) throw new MillraceError('RECORDS_WAITING', { waiting: this.#waiting })
  }
}

const REPLAY = 'dead-letter-'

/** What is refused at once is refused to whoever asked, and forgotten. */
async function told(pushed: Pushed, waitMs: number, forget: () => void): Promise<Pushed> {
  if (waitMs > 0) await within(waitMs, pushed.ended)
  else await new Promise((resolve) => setImmediate(resolve))
  if (pushed.state === 'refused' && pushed.error instanceof MillraceError) {
    forget()
    throw pushed.error
  }
  return pushed
}

/** The oldest makes room. */
function keep<T>(map: Map<string, T>, id: string, item: T, most: number): void {
  map.set(id, item)
  if (map.size > most) map.delete(map.keys().next().value!)
}

/** Tells JSON data from other data, in whatever order the keys of its objects stand, and however deep it is. */
function digestOf(data: unknown): string {
  const hash = createHash('sha256')
  const left: unknown[] = [data]
  while (left.length > 0) {
    const value = left.pop()
    if (typeof value !== 'object' || value === null) {
      hash.update(`${JSON.stringify(value)},`)
      continue
    }
    const names = Array.isArray(value) ? value.length : Object.keys(value).toSorted()
    hash.update(`${JSON.stringify(names)}:`)
    if (Array.isArray(value)) for (const item of value as readonly unknown[]) left.push(item)
    else for (const name of names as readonly string[]) left.push((value as Record<string, unknown>)[name])
  }
  return hash.digest('base64')
}

export function receiptView({ id, node, state, pushedAt, tookMs, error }: Pushed, showRecords: boolean): PushedRecord {
  return {
    id,
    node,
    state,
    pushedAt,
    ...(tookMs === undefined ? {} : { tookMs }),
    ...(error === undefined ? {} : { error: errorView(error, showRecords) }),
  }
}

export type { Pushed }

async function within(ms: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms).unref()))
  await Promise.race([promise, late])
  clearTimeout(timer)
}

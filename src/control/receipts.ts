import { Type } from 'typebox'
import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../supervisor/pipeline.ts'
import { ErrorView, errorView } from './error-view.ts'
import { clearTimeout, monotonicMs, setImmediate, setTimeout, wallMs } from '../time.ts'

/** A record that was pushed through the API, followed to its end. */
export const PushedRecord = Type.Object(
  {
    id: Type.String(),
    node: Type.String({ description: 'Where it went in.' }),
    state: Type.Enum(['waiting', 'flowing', 'acked', 'failed', 'abandoned', 'refused'], {
      description:
        'Waits for credit; is on its way; all that came of it is done; it failed; the pipeline ended before; it never went in.',
    }),
    pushedAt: Type.Number({ description: 'Milliseconds since 1970.' }),
    tookMs: Type.Optional(Type.Number({ description: 'From the push to its end.' })),
    error: Type.Optional(ErrorView),
  },
  { examples: [{ id: '1', node: 'parse', state: 'acked', pushedAt: 1_790_000_000_000, tookMs: 3.4 }] },
)
export type PushedRecord = Type.Static<typeof PushedRecord>

type State = PushedRecord['state']

const KEPT = 1_000
const MOST_WAITING = 100

/** One pushed record and how it went. */
class Pushed {
  readonly id: string
  readonly node: string
  readonly pushedAt = wallMs()
  state: State = 'waiting'
  tookMs: number | undefined
  error: unknown
  /** Settles when it has ended, however. */
  readonly ended: Promise<void>
  readonly #since = monotonicMs()

  constructor(id: string, node: string, pipeline: Pipeline, record: unknown) {
    this.id = id
    this.node = node
    this.ended = this.#follow(pipeline, record).catch((error: unknown) => {
      this.state = 'refused'
      this.error = error
    })
  }

  async #follow(pipeline: Pipeline, record: unknown): Promise<void> {
    const isSource = pipeline.plan.stages.some(({ node, kind }) => node === this.node && kind === 'source')
    const pushed = isSource ? pipeline.push(this.node, record) : pipeline.inject(this.node, record)
    const receipt = await pushed
    this.state = 'flowing'
    await receipt.done.catch((error: unknown) => (this.error = error))
    this.state = receipt.outcome ?? 'abandoned'
    this.tookMs = monotonicMs() - this.#since
  }
}

/** The records that were pushed through the API, by the key that whoever pushed them chose, or by number. */
export class Receipts {
  readonly #pipeline: Pipeline
  readonly #pushed = new Map<string, Pushed>()
  #count = 0

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline
  }

  /**
   * Pushes a record in, or, where one with this key was pushed before, tells how that one goes.
   * @param waitMs to wait for its end
   * @throws NODE_UNKNOWN, NODE_NOT_PUSHED, INJECT_OFF, PIPELINE_NOT_RUNNING, RECORDS_WAITING
   */
  async push(node: string, record: unknown, { key, waitMs = 0 }: { key?: string | undefined; waitMs?: number } = {}) {
    const known = key === undefined ? undefined : this.#pushed.get(key)
    const pushed = known ?? this.#start(key ?? `${++this.#count}`, node, record)
    if (waitMs > 0) await within(waitMs, pushed.ended)
    // What is refused at once is refused to whoever asked.
    else await new Promise((resolve) => setImmediate(resolve))
    if (pushed.state === 'refused' && pushed.error instanceof MillraceError) {
      this.#pushed.delete(pushed.id)
      throw pushed.error
    }
    return { pushed, isNew: known === undefined }
  }

  /** @throws RECEIPT_UNKNOWN */
  get(id: string): Pushed {
    const found = this.#pushed.get(id)
    if (found === undefined) throw new MillraceError('RECEIPT_UNKNOWN', { id })
    return found
  }

  find(id: string): Pushed | undefined {
    return this.#pushed.get(id)
  }

  #start(id: string, node: string, record: unknown): Pushed {
    this.#refuse(node)
    const pushed = new Pushed(id, node, this.#pipeline, record)
    this.#pushed.set(id, pushed)
    if (this.#pushed.size > KEPT) this.#pushed.delete(this.#pushed.keys().next().value!)
    return pushed
  }

  #refuse(node: string): void {
    const { plan, state } = this.#pipeline
    const stage = plan.stages.find((each) => each.node === node && !each.isHidden)
    if (stage === undefined) throw new MillraceError('NODE_UNKNOWN', { node })
    if (stage.kind === 'source' && stage.work !== 'push') throw new MillraceError('NODE_NOT_PUSHED', { node })
    if (stage.kind !== 'source' && !plan.stages.some(({ isHidden }) => isHidden)) {
      throw new MillraceError('INJECT_OFF', { node })
    }
    if (state !== 'running') throw new MillraceError('PIPELINE_NOT_RUNNING', { state })
    const waiting = [...this.#pushed.values()].filter((pushed) => pushed.state === 'waiting').length
    if (waiting >= MOST_WAITING) throw new MillraceError('RECORDS_WAITING', { waiting })
  }
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

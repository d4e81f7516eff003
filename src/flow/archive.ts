import { deserialize, serialize } from 'node:v8'
import { ERROR_CODES, type ErrorCode, MillraceError, errorOf } from '../errors.ts'
import type { DoneStep } from './done-steps.ts'
import type { Request } from './request.ts'
import type { RequestRecord } from './request-record.ts'
import type { FlowStore } from './store/store.ts'
import { StoreWriter } from './store/store-writer.ts'

/** A request as it is found in a store. */
interface FoundRequest {
  readonly id: string
  readonly record: RequestRecord
  readonly steps: readonly DoneStep[]
}

/** The requests of one flow in a store. */
export class Archive {
  readonly #store: FlowStore
  readonly #flow: string
  readonly #writer: StoreWriter

  constructor(store: FlowStore, flow: string) {
    this.#store = store
    this.#flow = flow
    this.#writer = new StoreWriter(store)
  }

  /** Why the store cannot be written to; undefined while it can. */
  get failure(): unknown {
    return this.#writer.failure
  }

  async load(): Promise<readonly FoundRequest[]> {
    const stored = await this.#store.load(this.#flow)
    return stored.map(({ id, data, steps }) => {
      const { outcome, ...record } = deserialize(data) as SavedRecord
      return {
        id,
        record: { ...record, outcome: outcome === undefined ? undefined : outcomeOf(outcome) },
        steps: steps.map((step) => deserialize(step) as DoneStep),
      }
    })
  }

  /** @returns a promise that resolves once it is saved. @throws where the input cannot be cloned */
  save(request: Request): Promise<void> {
    const { outcome, ...record } = request.record()
    const saved: SavedRecord = { ...record, outcome: outcome === undefined ? undefined : savedOutcome(outcome) }
    const { state, createdAt } = record
    return this.#writer.add({
      kind: 'request',
      flow: this.#flow,
      id: request.id,
      state,
      createdAt,
      data: serialize(saved),
    })
  }

  saveStep({ id }: Request, key: string, step: DoneStep): Promise<void> {
    return this.#writer.add({ kind: 'step', flow: this.#flow, id, step: key, data: serialize(step) })
  }

  forget(id: string): void {
    void this.#writer.add({ kind: 'forget', flow: this.#flow, id })
  }

  close(): Promise<void> {
    return this.#writer.close()
  }
}

type SavedOutcome = { readonly answer: unknown } | { readonly error: SavedError }
type SavedRecord = Omit<RequestRecord, 'outcome'> & { readonly outcome: SavedOutcome | undefined }

interface SavedError {
  readonly name: string
  readonly message: string
  readonly stack: string
  readonly code?: string | undefined
  readonly detail?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: SavedError | undefined
}

function savedOutcome(outcome: NonNullable<RequestRecord['outcome']>): SavedOutcome {
  return 'answer' in outcome ? outcome : { error: savedError(outcome.error) }
}

function savedError(error: Error): SavedError {
  const { name, message, stack = '', cause } = error
  const { code, detail } = error as { code?: string; detail?: Readonly<Record<string, unknown>> }
  const own = { name, message, stack, ...(typeof code === 'string' ? { code } : {}) }
  return {
    ...own,
    ...(error instanceof MillraceError ? { detail } : {}),
    ...(cause instanceof Error ? { cause: savedError(cause) } : {}),
  }
}

function outcomeOf(outcome: SavedOutcome): NonNullable<RequestRecord['outcome']> {
  return 'answer' in outcome ? outcome : { error: errorFrom(outcome.error) }
}

function errorFrom({ cause, ...own }: SavedError): Error {
  const options = cause === undefined ? {} : { cause: errorFrom(cause) }
  const { name, code, detail } = own
  if (name === 'MillraceError' && code !== undefined && Object.hasOwn(ERROR_CODES, code))
    return new MillraceError(code as ErrorCode, detail, options)
  return Object.assign(errorOf(own), options)
}

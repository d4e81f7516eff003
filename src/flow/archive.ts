import { deserialize, serialize } from 'node:v8'
import type { DoneStep } from './done-steps.ts'
import type { Request } from './request.ts'
import type { RequestRecord } from './request-record.ts'
import { packRecord, unpackRecord } from './saved-record.ts'
import type { FlowStore, StoreChange } from './store/store.ts'
import { StoreWriter } from './store/store-writer.ts'

/** A request as it is found in a store. */
export interface FoundRequest {
  readonly id: string
  readonly record: RequestRecord
  readonly steps: readonly DoneStep[]
}

/** Where requests and what their steps did are kept. */
export interface RequestArchive {
  /** @returns a promise that resolves once it is saved. @throws where the input cannot be cloned */
  save(request: Request): Promise<void>
  saveStep(request: Request, key: string, step: DoneStep): Promise<void>
}

/** The requests of one flow in a store. */
export class Archive implements RequestArchive {
  readonly #store: FlowStore
  readonly #flow: string
  readonly #writer: StoreWriter<StoreChange>

  constructor(store: FlowStore, flow: string) {
    this.#store = store
    this.#flow = flow
    this.#writer = new StoreWriter((changes) => store.save(changes))
  }

  /** Why the store cannot be written to; undefined while it can. */
  get failure(): unknown {
    return this.#writer.failure
  }

  async load(): Promise<readonly FoundRequest[]> {
    const stored = await this.#store.load(this.#flow)
    return stored.map(({ id, data, steps }) => {
      return { id, record: unpackRecord(data), steps: steps.map((step) => deserialize(step) as DoneStep) }
    })
  }

  save(request: Request): Promise<void> {
    const record = request.record()
    const { state, createdAt } = record
    return this.#writer.add({
      kind: 'request',
      flow: this.#flow,
      id: request.id,
      state,
      createdAt,
      data: packRecord(record),
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

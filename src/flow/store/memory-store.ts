import type { FlowStore, StoreChange, StoredRequest } from './store.ts'

interface Kept {
  readonly createdAt: number
  readonly data: Uint8Array
  readonly steps: Map<string, Uint8Array>
}

/** Keeps requests in the memory of this process: for tests, and to hand them from one run of a flow to the next. */
export class MemoryFlowStore implements FlowStore {
  readonly #flows = new Map<string, Map<string, Kept>>()

  load(flow: string): Promise<readonly StoredRequest[]> {
    const kept = [...(this.#flows.get(flow) ?? [])].toSorted(([, a], [, b]) => a.createdAt - b.createdAt)
    return Promise.resolve(kept.map(([id, { data, steps }]) => ({ id, data, steps: [...steps.values()] })))
  }

  save(changes: readonly StoreChange[]): Promise<void> {
    for (const change of changes) this.#apply(change)
    return Promise.resolve()
  }

  #apply(change: StoreChange): void {
    let requests = this.#flows.get(change.flow)
    if (requests === undefined) this.#flows.set(change.flow, (requests = new Map<string, Kept>()))
    const known = requests.get(change.id)
    if (change.kind === 'forget') requests.delete(change.id)
    else if (change.kind === 'step') known?.steps.set(change.step, change.data)
    else {
      const { createdAt, data } = change
      requests.set(change.id, { createdAt, data, steps: known?.steps ?? new Map<string, Uint8Array>() })
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

import { serialize } from 'node:v8'
import type { RequestArchive } from '../archive.ts'
import type { DoneStep } from '../done-steps.ts'
import type { Request } from '../request.ts'
import { packRecord } from '../saved-record.ts'
import type { OwnedChange, RequestCommand, SharedFlowStore } from '../store/shared-store.ts'
import { StoreWriter } from '../store/store-writer.ts'

/** What one instance saves of the requests that it has taken. What it has lost to others is refused by the store, and dropped. */
export class FencedArchive implements RequestArchive {
  readonly #epochs = new WeakMap<Request, number>()
  readonly #writer: StoreWriter<OwnedChange>
  #dropped = 0

  constructor(store: SharedFlowStore, flow: string) {
    this.#writer = new StoreWriter(async (changes) => {
      this.#dropped += (await store.save(flow, changes)).length
    })
  }

  /** Changes that were refused. */
  get dropped(): number {
    return this.#dropped
  }

  /** The request was taken for the `epoch`th time. */
  grant(request: Request, epoch: number): void {
    this.#epochs.set(request, epoch)
  }

  async save(request: Request): Promise<void> {
    const said = request.said === undefined ? undefined : await request.said
    const record = request.record()
    const data = packRecord(said === undefined ? record : { ...record, said })
    await this.#add(request, { kind: 'request', state: record.state, isOpen: request.isOpen, data })
  }

  saveStep(request: Request, key: string, step: DoneStep): Promise<void> {
    return this.#add(request, { kind: 'step', step: key, data: serialize(step) })
  }

  /** What was asked for it is done. */
  done(request: Request, command: RequestCommand): Promise<void> {
    return this.#add(request, { kind: 'done', command })
  }

  /** Any instance may take it from here on. */
  release(request: Request): Promise<void> {
    return this.#add(request, { kind: 'release' })
  }

  close(): Promise<void> {
    return this.#writer.close()
  }

  #add(request: Request, change: Unowned<OwnedChange>): Promise<void> {
    return this.#writer.add({ ...change, id: request.id, epoch: this.#epochs.get(request)! })
  }
}

type Unowned<Change> = Change extends unknown ? Omit<Change, 'id' | 'epoch'> : never

import type { RequestState } from '../request-view.ts'

/** What the instance that runs a request is to do with it. */
export type RequestCommand = 'pause' | 'resume' | 'stop' | 'timeOut'

/** A request as a shared store keeps it: `data` and `steps` are those of `v8.serialize`. */
export interface SharedRequest {
  readonly id: string
  readonly data: Uint8Array
  readonly steps: readonly Uint8Array[]
  readonly state: RequestState
  /** In ms since 1970: when an instance first took it. */
  readonly startedAt: number | undefined
  /** The instance that runs it. */
  readonly owner: string | undefined
  /** How often it was taken. What an owner before the last one saves is refused. */
  readonly epoch: number
  /** What its owner is to do, or whoever takes it next. */
  readonly asked: RequestCommand | undefined
}

/** One change by the instance that has taken a request: refused where another one has taken it since. */
export type OwnedChange = { readonly id: string; readonly epoch: number } & (
  | { readonly kind: 'request'; readonly state: RequestState; readonly isOpen: boolean; readonly data: Uint8Array }
  | { readonly kind: 'step'; readonly step: string; readonly data: Uint8Array }
  /** It is done, unless something else was asked meanwhile. */
  | { readonly kind: 'done'; readonly command: RequestCommand }
  /** Any instance may take it. */
  | { readonly kind: 'release' }
)

/** A new request. */
export interface NewRequest {
  readonly id: string
  readonly createdAt: number
  readonly data: Uint8Array
  /** What it does not do again, by the names of the steps. */
  readonly steps: readonly { readonly step: string; readonly data: Uint8Array }[]
}

/** Which requests of a flow. */
export interface RequestFilter {
  readonly state?: RequestState | undefined
  /** Created at this time or later, and before this one, in ms since 1970. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** How many requests that have ended are known, for how long, and what they may take in all. */
export interface SharedLimits {
  readonly keepRequests: number
  readonly keepMs: number
  readonly keepBytes: number
}

/** What a store tells its instances. It may be lost. */
export type StoreNews =
  /** Something is to be taken. */
  | { readonly kind: 'work' }
  /** The owners of these requests are asked for something. */
  | { readonly kind: 'asked'; readonly ids: readonly string[] }
  | { readonly kind: 'saved'; readonly ids: readonly string[] }

/**
 * Where instances of a flow, in any number of processes, share their requests. An instance that runs requests is registered for a time
 * that it renews; once that is over by the clock of the store, others take what it has. Each call rejects while the store is away.
 */
export interface SharedFlowStore extends AsyncDisposable {
  readonly isShared: true
  /** False where a request with this id is there. */
  add(flow: string, request: NewRequest): Promise<boolean>
  /** Those of them that are there. */
  read(flow: string, ids: readonly string[]): Promise<readonly SharedRequest[]>
  /** Those of them that are open, and the states of these. */
  states(flow: string, ids: readonly string[]): Promise<ReadonlyMap<string, RequestState>>
  /** Newest first, without steps. */
  list(
    flow: string,
    filter: RequestFilter,
    range: { readonly limit: number; readonly offset: number },
  ): Promise<readonly SharedRequest[]>
  count(flow: string, filter: RequestFilter): Promise<number>
  /** Open requests, and those of them that no instance has taken yet. */
  load(flow: string): Promise<{ readonly open: number; readonly queued: number }>
  /** False where it has ended, is to stop, or is not there. */
  ask(flow: string, id: string, command: RequestCommand): Promise<boolean>
  /** Registers a new instance. */
  register(instance: string, leaseMs: number): Promise<void>
  /** False where the instance was taken for dead: others may have what it had. */
  renew(instance: string, leaseMs: number): Promise<boolean>
  /** What it has can be taken at once. */
  leave(instance: string): Promise<void>
  /** Whatever instances that did not renew have can be taken. */
  sweep(): Promise<void>
  /** Takes requests that nobody has, those for which something is asked in any case, and up to so many others. */
  take(flow: string, instance: string, room: number, except: readonly string[]): Promise<readonly SharedRequest[]>
  /** What is asked for the requests that an instance has. */
  asked(flow: string, instance: string): Promise<ReadonlyMap<string, RequestCommand>>
  /** Saves all that is not refused. @returns the changes that are */
  save(flow: string, changes: readonly OwnedChange[]): Promise<readonly OwnedChange[]>
  /** Deletes ended requests beyond the limits. */
  forget(flow: string, limits: SharedLimits): Promise<void>
  /** @returns what ends it */
  listen(flow: string, onNews: (news: StoreNews) => void): () => void
  close(): Promise<void>
}

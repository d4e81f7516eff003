import { MillraceError, errorText } from '../../errors.ts'

/** A request as a store keeps it: `data` is that of `v8.serialize`. */
export interface StoredRequest {
  readonly id: string
  readonly data: Uint8Array
  /** What its steps did. */
  readonly steps: readonly Uint8Array[]
}

/** One change of what a store keeps. */
export type StoreChange =
  | {
      readonly kind: 'request'
      readonly flow: string
      readonly id: string
      readonly state: string
      /** In ms since 1970. */
      readonly createdAt: number
      readonly data: Uint8Array
    }
  | {
      readonly kind: 'step'
      readonly flow: string
      readonly id: string
      readonly step: string
      readonly data: Uint8Array
    }
  /** The request and its steps are not kept any longer. */
  | { readonly kind: 'forget'; readonly flow: string; readonly id: string }

/** Where requests outlive their process. One process uses a store at a time. */
export interface FlowStore extends AsyncDisposable {
  /** All requests of a flow, oldest first. @throws FLOW_STORE_UNUSABLE */
  load(flow: string): Promise<readonly StoredRequest[]>
  /** Keeps all changes, in their order, or none of them. Whoever calls it tries again where it rejects. */
  save(changes: readonly StoreChange[]): Promise<void>
  close(): Promise<void>
}

/** A row of what steps did, as SQL stores read it. */
export interface StepRow {
  readonly id: string
  readonly data: Uint8Array
}

export function stepsById(rows: readonly StepRow[]): ReadonlyMap<string, readonly Uint8Array[]> {
  const found = new Map<string, Uint8Array[]>()
  for (const { id, data } of rows) {
    const steps = found.get(id)
    if (steps === undefined) found.set(id, [data])
    else steps.push(data)
  }
  return found
}

export function unusable(store: string, cause: unknown): MillraceError {
  return new MillraceError('FLOW_STORE_UNUSABLE', { store, reason: errorText(cause).message }, { cause })
}

import type { OwnedChange } from './shared-store.ts'

/** All that one owner changes of a request, as the columns of its row; what is absent stays. */
interface ChangedRow {
  readonly id: string
  readonly epoch: number
  state?: string
  is_open?: boolean
  data?: string
  done?: string
  release?: boolean
}

interface ChangedStep {
  readonly id: string
  readonly epoch: number
  readonly step: string
  readonly data: string
}

/** Changes as rows, the last one of each kind: a statement writes a row once. */
export function merged(changes: readonly OwnedChange[]): {
  readonly rows: ChangedRow[]
  readonly steps: ChangedStep[]
} {
  const rows = new Map<string, ChangedRow>()
  const steps = new Map<string, ChangedStep>()
  for (const change of changes) {
    const { id, epoch } = change
    const key = ownerKey(change)
    let row = rows.get(key)
    if (row === undefined) rows.set(key, (row = { id, epoch }))
    if (change.kind === 'release') row.release = true
    else if (change.kind === 'done') row.done = change.command
    else if (change.kind === 'step') {
      const { step, data } = change
      steps.set(`${key} ${step}`, { id, epoch, step, data: base64(data) })
    } else {
      row.state = change.state
      row.is_open = change.isOpen
      row.data = base64(change.data)
    }
  }
  return { rows: [...rows.values()], steps: [...steps.values()] }
}

/** Names one taking of a request. */
export function ownerKey({ id, epoch }: { readonly id: string; readonly epoch: number }): string {
  return `${epoch} ${id}`
}

/** Bytes as JSON can have them. */
export function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')
}

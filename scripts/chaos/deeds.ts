import { hash } from '#src/test-kit/random.js'
import type { NodeShape } from './shape.ts'

/** A record: the source worker that made it, its number, and the ledger: the nodes that it went through. */
export interface Entry {
  readonly source: number
  readonly n: number
  readonly trail: string
  readonly padding?: string
}

/** The record that a source worker makes as its `n`-th. */
export function made(node: NodeShape, worker: number, n: number): Entry {
  const source = node.firstWorker + worker
  const entry = { source, n, trail: `${node.id}.${worker}:${n}` }
  return node.padding > 0 && n % 4 === 0 ? { ...entry, padding: 'x'.repeat(n % node.padding) } : entry
}

/** What a source with metas says of a record: of two in three nothing. */
export function metaOf({ source, n }: Entry): { readonly of: string } | undefined {
  return n % 3 === 0 ? { of: `${source}:${n}` } : undefined
}

/** A number that follows from the node and the record alone. */
export function dice({ id }: NodeShape, { trail }: Entry): number {
  return hash(`${id} ${trail}`)
}

/** The record with a node's name written into its ledger. */
export function signed(entry: Entry, name: string): Entry {
  return { ...entry, trail: `${entry.trail}/${name}` }
}

/** What comes of a record at a node. */
export function outputs(node: NodeShape, entry: Entry): Entry[] {
  const { id, does } = node
  switch (does) {
    case 'filter':
      return dice(node, entry) % 4 === 0 ? [] : [entry]
    case 'flatMap':
      return Array.from({ length: dice(node, entry) % 3 }, (_, i) => signed(entry, `${id}.${i}`))
    case 'map':
    case 'mapBatch':
    case 'mapEach':
    case 'unwrap':
      return [signed(entry, id)]
    default:
      return [entry]
  }
}

/** What a record sends to the branch `more`. */
export function emitted(node: NodeShape, entry: Entry): Entry[] {
  return node.emits && dice(node, entry) % 5 === 0 ? [signed(entry, `${node.id}+`)] : []
}

export function routeOf(node: NodeShape, entry: Entry): string {
  return dice(node, entry) % 2 === 0 ? 'left' : 'right'
}

/** Fails at every attempt. */
export function isHopeless(node: NodeShape, entry: Entry): boolean {
  return node.isHopeless && dice(node, entry) % 16 === 5
}

/** Attempts at which a record fails before it succeeds. */
export function failuresOf(node: NodeShape, entry: Entry): number {
  if (node.failures === 0 || dice(node, entry) % 7 !== 1) return 0
  return 1 + (dice(node, entry) % node.failures)
}

/** What a record counts for in a batch. */
export function weightOf(node: NodeShape, entry: Entry): number {
  return dice(node, entry) % 16
}

/** What is looked up for a record. */
export function preloadedOf(node: NodeShape, entry: Entry): string {
  return `${entry.trail} at ${node.id}`
}

export function keyOf({ keys }: NodeShape, { n }: Entry): number {
  return n % keys
}

/** Whether a worker of a broadcasting stage gets its copy, where an edge selects. */
export function isSelected(entry: Entry, worker: number): boolean {
  return hash(`${entry.trail} ${worker}`) % 3 > 0
}

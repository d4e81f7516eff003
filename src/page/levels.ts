/** Which nodes and clusters each cluster holds, and in which layers they lie. */
import { layersOf } from './layers.ts'
import type { FlowToLay } from './flow.ts'

/** The outermost level, which no cluster holds. */
export const OUTSIDE = -1

/** What one cluster holds, or nobody: its nodes and clusters, by their layers. Clusters are numbered on after the nodes. */
export interface Level {
  readonly layerOf: Map<number, number>
  layers: number
}

export class Levels {
  readonly #flow: FlowToLay
  readonly #levels = new Map<number, Level>()

  constructor(flow: FlowToLay) {
    this.#flow = flow
    for (const node of flow.boxes.keys()) this.#add(node)
    for (const [number, level] of this.#levels) {
      const items = [...level.layerOf.keys()]
      const position = new Map(items.map((item, i) => [item, i]))
      const pairs = flow.edges.flatMap(([a, b]) => {
        const [from, to] = [position.get(this.itemOf(a, number)!), position.get(this.itemOf(b, number)!)]
        return from === undefined || to === undefined || from === to ? [] : [[from, to] as const]
      })
      const layers = layersOf(items.length, pairs)
      items.forEach((item, i) => level.layerOf.set(item, layers[i]!))
      level.layers = 1 + Math.max(...layers)
    }
  }

  /** What a cluster with nodes holds; OUTSIDE: what no cluster does. */
  get(cluster: number): Level {
    return this.#levels.get(cluster)!
  }

  /** A node, and every cluster around it. */
  #add(item: number): void {
    const holder = this.#holderOf(item)
    const level = this.#levels.get(holder)
    if (level === undefined) this.#levels.set(holder, { layerOf: new Map([[item, 0]]), layers: 1 })
    else level.layerOf.set(item, 0)
    if (level === undefined && holder !== OUTSIDE) this.#add(this.#flow.boxes.length + holder)
  }

  #holderOf(item: number): number {
    const { boxes, clusterOf, clusters } = this.#flow
    return (item < boxes.length ? clusterOf?.[item] : clusters?.[item - boxes.length]?.within) ?? OUTSIDE
  }

  /** What of this level a node is, or is in. */
  itemOf(node: number, level: number): number | undefined {
    for (let item = node; ; item = this.#flow.boxes.length + this.#holderOf(item)) {
      const holder = this.#holderOf(item)
      if (holder === level) return item
      if (holder === OUTSIDE) return undefined
    }
  }

  /** Whether an edge leads against the flow, where both of its ends are seen. */
  leadsBack([from, to]: FlowToLay['edges'][number]): boolean {
    for (let level = this.#holderOf(from); ; level = this.#holderOf(this.#flow.boxes.length + level)) {
      const target = this.itemOf(to, level)
      if (target === undefined) continue
      const { layerOf } = this.#levels.get(level)!
      return layerOf.get(this.itemOf(from, level)!)! > layerOf.get(target)!
    }
  }
}

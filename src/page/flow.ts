/** What a layout is made of, and what it says. */

export interface Box {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Placed {
  /** Middles of the boxes, in the order of the nodes. */
  readonly nodes: readonly Point[]
  /** Middle and size of each cluster, in their order; undefined of one without nodes. */
  readonly clusters: readonly ((Point & Box) | undefined)[]
  /** Points that each edge goes through, in the order of the edges. */
  readonly edges: readonly (readonly Point[])[]
  readonly width: number
  readonly height: number
}

export interface FlowToLay {
  readonly boxes: readonly Box[]
  /** Pairs of node numbers. */
  readonly edges: readonly (readonly [from: number, to: number])[]
  /** The number of the cluster that holds each node; -1 for none. Default: none. */
  readonly clusterOf?: readonly number[]
  /** The room that each cluster's title needs at its top, and the number of the cluster that holds it; -1 for none. */
  readonly clusters?: readonly { readonly title: Box; readonly within: number }[]
  readonly direction: 'right' | 'down'
}

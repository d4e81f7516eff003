/** Ends of the shares that nodes of one loop send to each other, by place; at most one from one node to another. */
export class LoopShares {
  readonly from: number[] = []
  readonly to: number[] = []
  readonly #out: Map<number, number[]>
  readonly #into: Map<number, number[]>
  /** Of nodes with many shares, the place by the end of each. Of others it is sooner found in their list. */
  readonly #byEnd = new Map<number, Map<number, number>>()

  constructor(members: readonly number[]) {
    this.#out = new Map(members.map((node) => [node, []]))
    this.#into = new Map(members.map((node) => [node, []]))
  }

  has(node: number): boolean {
    return this.#out.has(node)
  }

  /** Places of what a node sends, and of what comes to it. */
  out(node: number): readonly number[] {
    return this.#out.get(node)!
  }
  into(node: number): readonly number[] {
    return this.#into.get(node)!
  }

  find(from: number, to: number): number | undefined {
    const byEnd = this.#byEnd.get(from)
    return byEnd === undefined ? this.out(from).find((place) => this.to[place] === to) : byEnd.get(to)
  }

  /** The place from one node to another, a new one where there is none. */
  place(from: number, to: number): number {
    const known = this.find(from, to)
    if (known !== undefined) return known
    const place = this.from.push(from) - 1
    this.to.push(to)
    const out = this.#out.get(from)!
    out.push(place)
    this.#into.get(to)!.push(place)
    const byEnd = this.#byEnd.get(from)
    if (byEnd !== undefined) byEnd.set(to, place)
    else if (out.length > MANY) this.#byEnd.set(from, new Map(out.map((each) => [this.to[each]!, each])))
    return place
  }
}

/** Shares of one node from which on they are looked up. */
const MANY = 8

import type { Heads } from '../../lane/heads.ts'
import type { BatchFacts } from '../../plan/definition.ts'
import { type Member, recordIdOf } from '../chunk.ts'

/** What a handler sees of its batch. Its own properties are plain data. */
export class BatchView implements BatchFacts {
  readonly key: BatchFacts['key']
  readonly size: number
  readonly weight: number | undefined
  readonly trigger: BatchFacts['trigger']
  readonly openMs: number
  readonly #membersOf: () => readonly Member[]
  readonly #heads: Heads | undefined
  #members: readonly Member[] | undefined

  /** @param membersOf where its records count: asked for once, if at all */
  constructor(
    { key, size, weight, trigger, openMs }: Omit<BatchFacts, 'idAt' | 'metaAt'>,
    membersOf: () => readonly Member[],
    heads: Heads | undefined,
  ) {
    this.key = key
    this.size = size
    this.weight = weight
    this.trigger = trigger
    this.openMs = openMs
    this.#membersOf = membersOf
    this.#heads = heads
  }

  idAt(index: number): string | undefined {
    const member = this.#of(index)
    return member && recordIdOf(member.header, member.index)
  }

  metaAt(index: number): unknown {
    const member = this.#of(index)
    return member && this.#heads?.metaOf(member.header.slot)
  }

  /** @param now in ms of the monotonic clock */
  isExpiredAt(index: number, now: number): boolean {
    return this.#heads?.isExpired(this.#of(index)!.header.slot, now) === true
  }

  /** The records at these indexes, as a batch of their own. */
  only(indexes: readonly number[]): BatchView {
    const members = indexes.map((index) => this.#of(index)!)
    const { key, weight, trigger, openMs } = this
    return new BatchView({ key, size: members.length, weight, trigger, openMs }, () => members, this.#heads)
  }

  #of(index: number): Member | undefined {
    this.#members ??= this.#membersOf()
    return this.#members[index]
  }
}

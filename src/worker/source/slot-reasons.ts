import type { StashEntry } from '../../lane/stash.ts'
import type { Slots } from '../../lane/slots.ts'
import type { AckReason } from '../../plan/definition.ts'
import { NO_ANCHORS } from '../chunk.ts'
import type { Pending } from '../hold/pending.ts'

/** What workers say of a source's record: why it failed, and a handler's note. */
export type FailureReason = Omit<AckReason, 'outcome'>

/** How a reason or a note lies in the stash. */
export interface KeptReason {
  readonly text: string
  readonly slots: readonly number[]
  /** Of the chunk in each of these slots: a slot may be another one's by the time that a successor looks. */
  readonly sequences: readonly number[]
}

interface Told {
  readonly text: string
  readonly entry: StashEntry | undefined
  /** Slots that it is still kept for. */
  left: number
}

const BLANK = { furtherAnchors: NO_ANCHORS, baseLow: 0, baseHigh: 0, first: 0, salt: 0, attempt: 0, trace: 0 }

/** Whether an entry of a source's stash is a reason; the others are receipts. */
export function isReason(kept: object): kept is KeptReason {
  return 'text' in kept
}

/** What was said of the records of a source's open slots, until they are closed: the first reason of each slot, and its last note. */
export class SlotReasons {
  readonly #slots: Slots
  readonly #pending: Pending | undefined
  readonly #reasons = new Map<number, Told>()
  readonly #notes = new Map<number, Told>()

  /** @param pending where they outlive the worker; without one they do not */
  constructor(slots: Slots, pending: Pending | undefined) {
    this.#slots = slots
    this.#pending = pending
  }

  /** Takes up what an earlier life has kept. */
  recover(entry: StashEntry, { text, slots, sequences }: KeptReason): void {
    const open = slots.filter((slot, i) => this.#slots.count(slot) > 0 && this.#slots.sequence(slot) === sequences[i])
    if (open.length === 0) this.#pending!.finish(entry)
    else this.#keep(text, entry, open)
  }

  /** @returns of how many slots it could not be kept */
  add(text: string, given: readonly number[]): number {
    const isNew = (slot: number): boolean => isNote(text) || !this.#reasons.has(slot)
    const slots = [...new Set(given)].filter(isNew)
    if (slots.length === 0) return 0
    if (this.#pending === undefined) {
      this.#keep(text, undefined, slots)
      return 0
    }
    const kept: KeptReason = { text, slots, sequences: slots.map((slot) => this.#slots.sequence(slot)) }
    const entry = this.#pending.put({ ...BLANK, slot: slots[0]! }, kept, 0, 0)
    if (entry === undefined) return slots.length
    this.#keep(text, entry, slots)
    return 0
  }

  of(slot: number): FailureReason | undefined {
    const [reason, note] = [this.#reasons.get(slot), this.#notes.get(slot)]
    if (reason === undefined && note === undefined) return undefined
    return { ...parsed(reason), ...parsed(note) }
  }

  /** The slot is closed with the next hand-off. */
  forget(slot: number): void {
    this.#drop(this.#reasons, slot)
    this.#drop(this.#notes, slot)
  }

  #keep(text: string, entry: StashEntry | undefined, slots: readonly number[]): void {
    const told: Told = { text, entry, left: slots.length }
    const bySlot = isNote(text) ? this.#notes : this.#reasons
    for (const slot of slots) {
      this.#drop(bySlot, slot)
      bySlot.set(slot, told)
    }
  }

  #drop(bySlot: Map<number, Told>, slot: number): void {
    const told = bySlot.get(slot)
    if (told === undefined) return
    bySlot.delete(slot)
    if (--told.left === 0 && told.entry !== undefined) this.#pending!.finish(told.entry)
  }
}

function isNote(text: string): boolean {
  return text.startsWith('{"note":')
}

function parsed(told: Told | undefined): FailureReason | undefined {
  return told && (JSON.parse(told.text) as FailureReason)
}

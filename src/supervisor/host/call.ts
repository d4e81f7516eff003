import { type ErrorData, errorOf } from '../../errors.ts'

/** A pushed record whose answer is waited for. */
export class Call {
  readonly answered: Promise<unknown>
  /** That of its record's chunk, once it is in one. */
  sequence: number | undefined
  /** By which its id is made: how many were taken before it, or its number in the ingress journal. */
  number: number | undefined
  #known: Error | undefined
  #answer!: (record: unknown) => void
  #refuse!: (reason: Error) => void

  constructor() {
    this.answered = new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#refuse = reject
    })
    // Nobody may wait for the answer yet when the pipeline ends.
    this.answered.catch(() => undefined)
  }

  answer(record: unknown): void {
    this.#answer(record)
  }

  /** There will be no answer. */
  refuse(reason: Error): void {
    this.#refuse(reason)
  }

  explain(reason: Error): void {
    this.#known = reason
  }

  /** Why the record was given up, as far as it is known. */
  get reason(): Error | undefined {
    return this.#known
  }
}

/** The open calls of one push source. */
export class Calls {
  readonly #idOf: (number: number) => string
  readonly #bySequence = new Map<number, Call>()

  /** @param idOf the id of the source's record with this number */
  constructor(idOf: (number: number) => string) {
    this.#idOf = idOf
  }

  /** The chunk of the call's record has this sequence. @param number by which the record's id is made */
  open(call: Call, sequence: number, number: number): void {
    call.sequence = sequence
    call.number = number
    this.#bySequence.set(sequence, call)
  }

  close({ sequence }: Call): void {
    if (sequence !== undefined) this.#bySequence.delete(sequence)
  }

  /** An output has a record that came of this pushed one. False where nobody waits for it: the first answer counts. */
  answer(sequence: number, record: unknown): boolean {
    const call = this.#bySequence.get(sequence)
    this.#bySequence.delete(sequence)
    call?.answer(record)
    return call !== undefined
  }

  /** A record was given up. Failures are few, and told at a limited rate, so the ids of open calls are made only here. */
  explain(recordId: string, error: ErrorData): void {
    for (const call of this.#bySequence.values())
      if (this.#idOf(call.number!) === recordId) call.explain(errorOf(error))
  }

  /** The pipeline is over. */
  abandon(reason: Error): void {
    for (const call of this.#bySequence.values()) call.refuse(reason)
  }
}

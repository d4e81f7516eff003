/** The records that are moved, and what their sums must be. Everyone in a suite moves the same ones. */
export interface Kind<T> {
  /** The record with an index. Records repeat after PERIOD. */
  readonly make: (index: number) => T
  /** Trivial work. */
  readonly map: (record: T) => T
  /** What the last thread adds up; every field counts. */
  readonly sumOf: (record: T) => number
}

const PERIOD = 1 << 16

export interface SixFields {
  readonly id: number
  readonly count: number
  readonly value: number
  readonly isGood: boolean
  readonly name: string
  readonly city: string
}

const NAMES = Array.from({ length: 64 }, (_, i) => `sensor ${i}`)
const CITIES = Array.from({ length: 32 }, (_, i) => 'Springfield'.slice(0, 4 + (i % 7)))

/** Two integers, a float, a boolean, two short strings. */
export const SIX_FIELDS: Kind<SixFields> = {
  make(index) {
    const id = index & (PERIOD - 1)
    return {
      id,
      count: id % 100,
      value: id + 0.5,
      isGood: (id & 1) === 0,
      name: NAMES[id & 63]!,
      city: CITIES[id & 31]!,
    }
  },
  map: (record) => ({ ...record, count: record.count + 1 }),
  sumOf: ({ id, count, value, isGood, name, city }) =>
    id + count + value + (isGood ? 1 : 0) + name.length + city.length,
}

export interface Payload {
  readonly id: number
  readonly payload: string
}

/** `{ id, payload }` with so many characters. */
export function payloads(characters: number): Kind<Payload> {
  const texts = Array.from({ length: 64 }, (_, i) => `${i} `.padEnd(characters, 'payload ').slice(0, characters))
  return {
    make(index) {
      const id = index & (PERIOD - 1)
      return { id, payload: texts[id & 63]! }
    },
    map: ({ id, payload }) => ({ id: id + 1, payload }),
    sumOf: ({ id, payload }) => id + payload.length,
  }
}
export const PAYLOAD: Kind<Payload> = payloads(64)

export const INTS: Kind<number> = {
  make: (index) => index & (PERIOD - 1),
  map: (record) => record + 1,
  sumOf: (record) => record,
}

/** Sum of the first so many records of a kind, after so many stages of trivial work. */
export function sums<T>(kind: Kind<T>, maps: number): (count: number) => number {
  const upTo = new Float64Array(PERIOD + 1)
  for (let i = 0; i < PERIOD; i++) {
    let record = kind.make(i)
    for (let k = 0; k < maps; k++) record = kind.map(record)
    upTo[i + 1] = upTo[i]! + kind.sumOf(record)
  }
  return (count) => Math.floor(count / PERIOD) * upTo[PERIOD]! + upTo[count % PERIOD]!
}

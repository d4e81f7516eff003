import type { BorrowedBytesCodec, CodecName, Handler, NodeKind, StructCodec, Via } from './values.ts'

/**
 * What one option may be. `docs/options.md` is printed from these tables, the validation reads them, the types of options
 * are made of them, and the defaults stand nowhere else. A number is finite; `min` and `max` are included.
 */
export interface OptionSpec {
  readonly type:
    | 'integer'
    | 'number'
    | 'boolean'
    | 'string'
    | 'strings'
    | 'handler'
    | 'limit'
    | 'oneOf'
    | 'object'
    | 'codec'
    | 'via'
    | 'signal'
    | 'clonable'
    | 'logger'
  readonly text: string
  readonly default?: OptionDefault | DependentDefault
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  /** Of a number: the value itself is not allowed, only more. */
  readonly above?: number
  readonly values?: readonly string[]
  /** Of a number: words that may stand in its place. */
  readonly words?: readonly string[]
  /** Of an object; of a limit, which may also be a number: the first of them. */
  readonly fields?: Readonly<Record<string, OptionSpec>>
  /** Node options: the kinds that take it. Absent: every kind. */
  readonly kinds?: readonly NodeKind[]
  /** Node options: it says what the node does, so that a node has one of them. */
  readonly isWork?: true
}
/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionSpec>>

/** What an option is if it is left out. */
export type OptionDefault = number | boolean | string
/** A default that other options decide: `is` if one of `when` is given, else `else`. */
export interface DependentDefault {
  readonly when: readonly string[]
  readonly is: OptionDefault
  readonly else: OptionDefault
}

/** The value of one option, its nested options made by `Nested`. */
type Value<S extends OptionSpec, Fields> = S extends { type: 'oneOf'; values: readonly (infer V)[] }
  ? V
  : S extends { type: 'integer' | 'number'; words: readonly (infer W)[] }
    ? number | W
    : S extends { type: 'integer' | 'number' }
      ? number
      : S extends { type: 'boolean' }
        ? boolean
        : S extends { type: 'string' }
          ? string
          : S extends { type: 'strings' }
            ? readonly string[]
            : S extends { type: 'handler' }
              ? Handler
              : S extends { type: 'codec' }
                ? CodecName | StructCodec | BorrowedBytesCodec
                : S extends { type: 'via' }
                  ? Via
                  : S extends { type: 'limit' }
                    ? number | Fields
                    : S extends { type: 'signal' }
                      ? AbortSignal
                      : S extends { type: 'object' }
                        ? Fields
                        : unknown

type FieldsOf<S> = S extends { fields: infer F extends OptionTable } ? F : {}

/** Options of a table as users give them: each may be left out. */
export type Given<T extends OptionTable> = {
  readonly [K in keyof T]?: Value<T[K], Given<FieldsOf<T[K]>>>
}

/** Of a table, the options that hold no function of the user, neither themselves nor nested. */
export type WithoutHandlers<T extends OptionTable> = {
  readonly [K in keyof T as HoldsHandler<T[K]> extends true ? never : K]: T[K]
}
type HoldsHandler<S> = S extends { type: 'handler' }
  ? true
  : S extends { fields: infer F }
    ? [Extract<F[keyof F], { type: 'handler' }>] extends [never]
      ? false
      : true
    : false

/** Names of the options in a table of nodes that nodes of a kind take. */
export type OptionsFor<T extends OptionTable, Kind extends NodeKind> = {
  [K in keyof T]: T[K] extends { kinds: readonly (infer Kinds)[] } ? (Kind extends Kinds ? K : never) : K
}[keyof T]

type Always<T extends OptionTable> = {
  [K in keyof T]: T[K] extends { default: unknown } | { type: 'object'; fields: OptionTable } ? K : never
}[keyof T]

/** Options after `resolve`: what has a default is there. */
export type Resolved<T extends OptionTable> = {
  readonly [K in Always<T>]: Value<T[K], Resolved<FieldsOf<T[K]>>>
} & { readonly [K in Exclude<keyof T, Always<T>>]?: Value<T[K], Resolved<FieldsOf<T[K]>>> }

/** Fills the defaults of a table in, nested tables too. The given options are valid: `validate` has looked at them. */
export function resolve<T extends OptionTable>(table: T, given: object = {}): Resolved<T> {
  const entries = Object.entries(table as OptionTable).flatMap(([name, spec]) => {
    const value: unknown = Reflect.get(given, name)
    if (spec.type === 'object' && spec.fields !== undefined) return [[name, resolve(spec.fields, value ?? {})]]
    const found = value === undefined ? defaultOf(spec, given) : value
    return found === undefined ? [] : [[name, found]]
  })
  return Object.freeze(Object.fromEntries(entries)) as Resolved<T>
}

/** What an option is where it is left out, beside the options that are given. */
export function defaultOf({ default: standard }: OptionSpec, given: object): OptionDefault | undefined {
  if (typeof standard !== 'object') return standard
  return standard.when.some((name) => isGiven(Reflect.get(given, name))) ? standard.is : standard.else
}

/** What is false is as what is left out. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false
}

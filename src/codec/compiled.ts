import { canCompile } from './compile.ts'
import { type RowDecoder, type RowEncoder, compileDecoder, compileEncoder } from './shape-compile.ts'
import { walkingDecoder, walkingEncoder } from './shape-walk.ts'

/** Compiled code that is kept, of each kind: more than the shapes of a pipeline that are in use at once. */
const MOST = 256

/** Keeps what was made for a text; what was not asked for longest makes room. */
export class CompiledCache<T> {
  readonly #make: (text: string) => T
  readonly #most: number
  readonly #made = new Map<string, T>()

  constructor(make: (text: string) => T, most: number = MOST) {
    this.#make = make
    this.#most = most
  }

  get size(): number {
    return this.#made.size
  }

  get(text: string): T {
    const made = this.#made.get(text) ?? this.#make(text)
    this.#made.delete(text)
    this.#made.set(text, made)
    for (const oldest of this.#made.keys()) {
      if (this.#made.size <= this.#most) break
      this.#made.delete(oldest)
    }
    return made
  }
}

/** The encoders and decoders that the lanes of one pipeline share in one thread. */
export class Compiled {
  readonly encoders: CompiledCache<RowEncoder> = new CompiledCache<RowEncoder>(
    canCompile ? compileEncoder : walkingEncoder,
  )
  readonly decoders: CompiledCache<RowDecoder> = new CompiledCache<RowDecoder>(
    canCompile ? compileDecoder : walkingDecoder,
  )
}

const byOwner = new WeakMap<object, Compiled>()

/** @param owner what the code ends with: the memory of the pipeline */
export function compiledOf(owner: object): Compiled {
  let compiled = byOwner.get(owner)
  if (compiled === undefined) byOwner.set(owner, (compiled = new Compiled()))
  return compiled
}

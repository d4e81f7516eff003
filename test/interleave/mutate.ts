import type { Source } from './compile.ts'

/** A change that breaks one ordering: `from` stands exactly once in the built `file`, or the mutation is out of date. */
export interface Mutation {
  /** What is broken, as a sentence. */
  readonly name: string
  /** Below dist. */
  readonly file: string
  readonly from: string
  readonly to: string
  /** Many orders must be tried before one shows it: some seconds. */
  readonly isSlow?: true
  /** Only a resize shows it. */
  readonly isOfResize?: true
}

export function mutate(sources: readonly Source[], { name, file, from, to }: Mutation, dist: URL): Source[] {
  const url = new URL(file, dist).href
  return sources.map((source) => {
    if (source.url !== url) return source
    const parts = source.text.split(from)
    if (parts.length !== 2)
      throw new Error(`"${name}": ${file} has ${parts.length - 1} places with ${JSON.stringify(from)}`)
    return { url, text: parts.join(to) }
  })
}

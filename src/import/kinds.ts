/** Which files become one table. */
import type { DeclaredKind } from './declared.ts'
import { withoutExtension } from './names.ts'

/** A kind of files, ready to be matched. */
export interface Kind {
  readonly name: string
  readonly declared: Omit<DeclaredKind, 'pattern'>
}

/** A file of a kind, with what the placeholders of the pattern stand for in its path. */
export interface Match {
  readonly kind: Kind
  readonly placeholders: Readonly<Record<string, string>>
}

/** Finds the kind of a path: the first declared one that its pattern fits, else one of its own. */
export function matcherOf(declared: readonly DeclaredKind[]): (path: string) => Match {
  const kinds = declared.map((each) => {
    const { pattern, ...rest } = each
    return { kind: { name: each.name ?? kindNameOf(pattern), declared: rest }, fits: patternOf(pattern) }
  })
  return (path) => {
    for (const { kind, fits } of kinds) {
      const placeholders = fits(path)
      if (placeholders !== undefined) return { kind, placeholders }
    }
    return { kind: { name: withoutExtension(path), declared: {} }, placeholders: {} }
  }
}

/** `{tenant}/orders_*.csv` becomes `orders`. */
export function kindNameOf(pattern: string): string {
  const plain = withoutExtension(pattern)
    .replace(/\{[^{}]*\}|\*+/g, '')
    .replace(/\/{2,}/g, '/')
    .replace(/^[/_.-]+|[/_.-]+$/g, '')
  return plain === '' ? 'files' : plain
}

/** `*` is anything within a folder, `**` any folders, `{name}` a part within a folder that becomes a column. */
export function patternOf(pattern: string): (path: string) => Readonly<Record<string, string>> | undefined {
  const names: string[] = []
  const source = pattern.replace(/\*\*\/?|\*|\{([^{}]+)\}|[^*{]+|\{/g, (part, name: string | undefined) => {
    if (name !== undefined) {
      names.push(name)
      return '([^/]+)'
    }
    if (part === '**/') return '(?:.*/)?'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    return part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
  })
  const regexp = new RegExp(`^${source}$`, 'u')
  return (path) => {
    const found = regexp.exec(path)
    return found === null ? undefined : Object.fromEntries(names.map((name, i) => [name, found[i + 1]!]))
  }
}

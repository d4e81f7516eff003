/** Names that PostgreSQL takes, and a person types without quotes. */

/** PostgreSQL cuts longer names off. */
const MAX_NAME_BYTES = 63
const EXTENSIONS = /\.(?:csv|tsv|txt|ndjson|jsonl)(?:\.gz)?$/i

/** `Cost Total $` becomes `cost_total`; letters of other scripts stay, accents on Latin ones go. */
export function plainName(title: string): string {
  const words = title
    .normalize('NFKD')
    .replace(/[\u{300}-\u{36f}]/gu, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
  // A digit needs quotes, and `pg_…` may be a table of the server's own.
  return cutName(/^(?:[\p{N}\p{M}]|pg_)/u.test(words) ? `_${words}` : words, MAX_NAME_BYTES)
}

/** `tenants/us-employment.csv.gz` becomes `tenants/us-employment`. */
export function withoutExtension(path: string): string {
  return path.replace(EXTENSIONS, '')
}

/** The name, or the name with a number that nobody has yet: `a`, `a_2`, `a_3`. It is taken from then on. */
export function takeName(name: string, taken: Set<string>): string {
  let unique = name
  for (let count = 2; taken.has(unique); count++) {
    const suffix = `_${count}`
    unique = cutName(name, MAX_NAME_BYTES - suffix.length) + suffix
  }
  taken.add(unique)
  return unique
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  const escaped = text.replaceAll("'", "''")
  return text.includes('\\') ? ` E'${escaped.replaceAll('\\', '\\\\')}'` : `'${escaped}'`
}

/** Whole characters, in so many bytes of UTF-8 at most. */
function cutName(name: string, bytes: number): string {
  let cut = name.slice(0, bytes)
  while (Buffer.byteLength(cut) > bytes) cut = cut.replace(/.$/su, '')
  return cut
}

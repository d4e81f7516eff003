/** A value in the text format of COPY. */
export function copyValue(value: string | number | undefined): string {
  if (value === undefined) return '\\N'
  return typeof value === 'number' ? String(value) : escaped(value)
}

/** An array of texts, which hold no quotes: ids. */
export function copyArray(texts: readonly string[]): string {
  return `{${texts.join()}}`
}

export function copyLine(values: readonly string[]): string {
  return `${values.join('\t')}\n`
}

/** No text of PostgreSQL holds a NUL: it is left out. */
function escaped(text: string): string {
  return text
    .replaceAll('\0', '')
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
}

import { isAscii, isUtf8 } from 'node:buffer'
import { DeclaredCells } from './declared-cells.ts'
import { LF } from './dialect.ts'
import { addCell, emptyEvidence } from './evidence.ts'
import { objectOf } from './json-objects.ts'
import { type Letter, MAX_STAGED_COLUMNS, type ParsedPiece, type Piece, RAW_CHARACTERS } from './records.ts'
import { isBlank } from './rows.ts'

/** The lines of a piece, an object each, as COPY takes them. A name that an object has not, or with null, is a missing value. */
export function parseJsonPiece({ file, version, piece, line: firstLine, bytes, head, end }: Piece): ParsedPiece {
  const { titles } = head
  const isWide = titles.length > MAX_STAGED_COLUMNS
  const evidence = emptyEvidence(titles.length)
  const declared = DeclaredCells.of(head.declared)
  const known = new Set(titles)
  const letters: Letter[] = []
  const unknown = new Set<string>()
  const rows: string[] = []
  const cells = new Int32Array(titles.length * 2)
  let notUtf8 = 0
  let line = firstLine - 1
  for (let from = 0, to = 0; from < bytes.length; from = to) {
    const found = bytes.indexOf(LF, from)
    to = found === -1 ? bytes.length : found + 1
    line++
    if (isBlank(bytes, from, to)) continue
    const row = bytes.subarray(from, to)
    const isText = isUtf8(row)
    const text = Buffer.from(row)
      .toString(isText ? 'utf8' : 'latin1')
      .replace(/^\u{feff}/u, '')
      .trimEnd()
    const refuse = (more: Omit<Letter, 'line' | 'raw'>): void =>
      void letters.push({ line, ...more, raw: text.slice(0, RAW_CHARACTERS).replaceAll('\0', '␀') })
    if (!isText) {
      notUtf8++
      refuse({ reason: 'not UTF-8' })
      continue
    }
    const object = objectOf(text)
    if (object === undefined) {
      refuse({ reason: 'no JSON object' })
      continue
    }
    const [bad] = [...object].find(([, value]) => value !== null && /\0|\p{Surrogate}/u.test(value)) ?? []
    if (bad !== undefined) {
      refuse({ column: bad, reason: `${bad}: holds a NUL or half a character, which PostgreSQL does not keep` })
      continue
    }
    for (const name of object.keys()) if (!known.has(name)) unknown.add(name)
    const values = titles.map((title) => object.get(title) ?? null)
    const plain = Buffer.from(values.join(''))
    let at = 0
    for (const [i, value] of values.entries()) {
      cells[2 * i] = value === null ? -1 : at
      if (value !== null) cells[2 * i + 1] = at += Buffer.byteLength(value)
    }
    const refusal = declared?.refusal(titles, plain, cells)
    if (refusal !== undefined) {
      refuse(refusal)
      continue
    }
    for (let i = 0; i < titles.length; i++) {
      const [start, stop] = [cells[2 * i]!, cells[2 * i + 1]!]
      if (start !== -1 && start === stop) evidence.empties[i]!++
      if (start === -1 || start === stop || declared?.isMissing(i, plain, start, stop) === true) continue
      addCell(evidence, i, plain, start, stop, line)
    }
    rows.push(`${line}\t${isWide ? arrayText(values) : values.map(cellText).join('\t')}\n`)
  }
  return {
    file,
    version,
    piece,
    bytes: bytes.length,
    rows: rows.length,
    copy: Buffer.from(rows.join('')),
    evidence,
    letters,
    notUtf8,
    hasUtf8: !isAscii(bytes),
    unknown: [...unknown],
    head,
    ...(end === undefined ? {} : { end }),
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function escaped(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character]!)
}

function cellText(value: string | null): string {
  return value === null ? '\\N' : escaped(value)
}

function arrayText(values: readonly (string | null)[]): string {
  return escaped(
    `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, String.raw`\$&`)}"`)).join()}}`,
  )
}

/**
 * What a cell may be, read from its bytes. A type is offered only where it gives the value back as it was: `007`, `1e5` and
 * `2023-02-29` are texts.
 */

/** One bit for each type that takes a cell; none: the cell is text. */
export const BOOLEAN = 1
export const BIGINT = 2
/** Decimals whose digits a double keeps: 15 at most, no zero at the end. */
export const DOUBLE = 4
export const NUMERIC = 8
export const DATE = 16
export const TIMESTAMP = 32
export const TIMESTAMPTZ = 64
/** Days written 1/31/2024, and 31/1/2024 or 31.1.2024. */
export const DATE_MDY = 128
export const DATE_DMY = 256
/** Decimals with a comma. Numbers without one are such decimals too. */
export const DECIMAL_COMMA = 512
export const ANY_TYPE = 1023

const [MINUS, POINT, COMMA, SLASH, COLON, SPACE, PLUS] = [0x2d, 0x2e, 0x2c, 0x2f, 0x3a, 0x20, 0x2b]
const [ZERO, NINE] = [0x30, 0x39]
const DOUBLE_DIGITS = 15
/** PostgreSQL's numeric takes 131,072 digits before the point, and 16,383 behind it. */
const MAX_DIGITS = 10_000
const MAX_BIGINT = Buffer.from('9223372036854775807')
const MIN_BIGINT = Buffer.from('9223372036854775808')
const ANY_INTEGER = BIGINT | DOUBLE | NUMERIC | DECIMAL_COMMA

/** Words that stand for a missing value where all else in a column is of a type. */
export const NULL_WORDS = ['NA', 'N/A', 'n/a', 'null', 'NULL', 'None', 'nil', '-', '.', '?', '#N/A', '\\N'] as const
const NULL_WORD_BITS = new Map<string, number>(NULL_WORDS.map((word, index) => [word, 1 << index]))
// As COPY has it.
NULL_WORD_BITS.set('\\\\N', NULL_WORD_BITS.get('\\N')!)
const LONGEST_NULL_WORD = 4

/** The bit of a word that may stand for a missing value, or 0. */
export function nullWordOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > LONGEST_NULL_WORD) return 0
  return NULL_WORD_BITS.get(String.fromCharCode(...bytes.subarray(from, to))) ?? 0
}

/** The types that take a cell, of at least one byte. */
export function typesOf(bytes: Uint8Array, from: number, to: number): number {
  const first = bytes[from]!
  if ((first >= ZERO && first <= NINE) || first === MINUS || first === POINT) return numberOrTime(bytes, from, to)
  const length = to - from
  if (length === 4) return isWord(bytes, from, 'true') ? BOOLEAN : 0
  if (length === 5) return isWord(bytes, from, 'false') ? BOOLEAN : 0
  return length === 3 && first === 0x4e && bytes[from + 1] === 0x61 && bytes[from + 2] === 0x4e ? DOUBLE | NUMERIC : 0
}

/** In small letters, in capitals, or with one capital at the beginning. */
function isWord(bytes: Uint8Array, from: number, word: string): boolean {
  const isCapital = bytes[from]! < 0x60
  const areCapitals = bytes[from + 1]! < 0x60
  if (areCapitals && !isCapital) return false
  for (let i = 0; i < word.length; i++) {
    const lower = word.charCodeAt(i)
    if (bytes[from + i] !== ((i === 0 ? isCapital : areCapitals) ? lower - 32 : lower)) return false
  }
  return true
}

function numberOrTime(bytes: Uint8Array, from: number, to: number): number {
  const isNegative = bytes[from] === MINUS
  const start = isNegative ? from + 1 : from
  const wholeEnd = digitsEnd(bytes, start, to)
  const whole = wholeEnd - start
  if (wholeEnd === to) return integerTypes(bytes, start, whole, isNegative)
  const next = bytes[wholeEnd]!
  if (next === POINT || next === COMMA) {
    const end = digitsEnd(bytes, wholeEnd + 1, to)
    if (end === to) return decimalTypes(bytes, start, wholeEnd, to, isNegative, next === COMMA)
    const after = bytes[end]!
    if (next === POINT && after === POINT && !isNegative) return dayOf(bytes, start, wholeEnd, end, to)
    if (next === POINT && (after === 0x65 || after === 0x45)) return printedTypes(bytes, start, wholeEnd, end, to)
    return 0
  }
  if (isNegative || (next !== MINUS && next !== SLASH)) return 0
  if (whole === 4) return timeTypes(bytes, from, to)
  const end = digitsEnd(bytes, wholeEnd + 1, to)
  return end < to && bytes[end] === next ? dayOf(bytes, start, wholeEnd, end, to) : 0
}

function digitsEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++
  return at
}

function integerTypes(bytes: Uint8Array, start: number, digits: number, isNegative: boolean): number {
  if (digits === 0 || digits > MAX_DIGITS) return 0
  // PostgreSQL's integers have no zero below zero; its doubles do.
  if (bytes[start] === ZERO) return digits > 1 ? 0 : isNegative ? DOUBLE : ANY_INTEGER
  if (digits <= DOUBLE_DIGITS) return ANY_INTEGER
  if (digits < MAX_BIGINT.length) return BIGINT | NUMERIC | DECIMAL_COMMA
  if (digits > MAX_BIGINT.length) return NUMERIC | DECIMAL_COMMA
  const most = isNegative ? MIN_BIGINT : MAX_BIGINT
  for (let i = 0; i < digits; i++) {
    if (bytes[start + i] === most[i]) continue
    return bytes[start + i]! < most[i]! ? BIGINT | NUMERIC | DECIMAL_COMMA : NUMERIC | DECIMAL_COMMA
  }
  return BIGINT | NUMERIC | DECIMAL_COMMA
}

function decimalTypes(
  bytes: Uint8Array,
  start: number,
  wholeEnd: number,
  to: number,
  isNegative: boolean,
  hasComma: boolean,
): number {
  const whole = wholeEnd - start
  if (to === wholeEnd + 1 || (bytes[start] === ZERO && whole > 1) || to - start > MAX_DIGITS) return 0
  let firstDigit = start
  while (firstDigit < to && (bytes[firstDigit] === ZERO || firstDigit === wholeEnd)) firstDigit++
  if (isNegative && firstDigit === to) return hasComma ? 0 : DOUBLE
  if (hasComma) return whole === 0 ? 0 : DECIMAL_COMMA
  const significant = to - firstDigit - (firstDigit < wholeEnd ? 1 : 0)
  const isKeptByDouble = significant <= DOUBLE_DIGITS && bytes[to - 1] !== ZERO
  return isKeptByDouble ? NUMERIC | DOUBLE : NUMERIC
}

/** As programs print: `1.5e+10`, `2.25E-07`. `1e5` may be a code. */
function printedTypes(bytes: Uint8Array, start: number, wholeEnd: number, exponentAt: number, to: number): number {
  const sign = bytes[exponentAt + 1]
  const digits = to - exponentAt - 2
  if (wholeEnd !== start + 1 || exponentAt === wholeEnd + 1 || (sign !== PLUS && sign !== MINUS)) return 0
  if (digits < 2 || digits > 3 || digitsEnd(bytes, exponentAt + 2, to) !== to) return 0
  let exponent = 0
  for (let at = exponentAt + 2; at < to; at++) exponent = exponent * 10 + bytes[at]! - ZERO
  return exponentAt - start - 1 <= DOUBLE_DIGITS && exponent <= 300 ? DOUBLE | NUMERIC : 0
}

/** Days with the year at the end: `1/31/2024`, `31.1.2024`. */
function dayOf(bytes: Uint8Array, start: number, firstEnd: number, secondEnd: number, to: number): number {
  if (to - secondEnd !== 5 || digitsEnd(bytes, secondEnd + 1, to) !== to) return 0
  if (firstEnd - start > 2 || secondEnd - firstEnd > 3 || secondEnd === firstEnd + 1 || firstEnd === start) return 0
  const first = figure(bytes, start, firstEnd)
  const second = figure(bytes, firstEnd + 1, secondEnd)
  const year = figure(bytes, secondEnd + 1, to)
  const dayFirst = isDay(year, second, first) ? DATE_DMY : 0
  // Nobody writes the month first with points.
  return bytes[firstEnd] !== POINT && isDay(year, first, second) ? dayFirst | DATE_MDY : dayFirst
}

/** `2024-01-31`, and with a time behind it, and a zone behind that. */
function timeTypes(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 10 || bytes[from + 7] !== bytes[from + 4]) return 0
  if (!areDigits(bytes, from + 5, 2) || !areDigits(bytes, from + 8, 2)) return 0
  if (!isDay(figure(bytes, from, from + 4), figure(bytes, from + 5, from + 7), figure(bytes, from + 8, from + 10)))
    return 0
  if (to === from + 10) return DATE
  let at = from + 10
  if (bytes[at] !== SPACE && bytes[at] !== 0x54) return 0
  if (to < at + 6 || !isPair(bytes, at + 1, 23) || bytes[at + 3] !== COLON || !isPair(bytes, at + 4, 59)) return 0
  at += 6
  if (bytes[at] === COLON && at < to) {
    if (to < at + 3 || !isPair(bytes, at + 1, 59)) return 0
    at += 3
    if (bytes[at] === POINT && at < to) {
      const end = digitsEnd(bytes, at + 1, to)
      // PostgreSQL keeps microseconds.
      if (end === at + 1 || end > at + 7) return 0
      at = end
    }
  }
  if (at === to) return TIMESTAMP
  if (bytes[at] === 0x5a) return at + 1 === to ? TIMESTAMPTZ : 0
  if (bytes[at] !== PLUS && bytes[at] !== MINUS) return 0
  // PostgreSQL goes 15:59 from Greenwich.
  const isZone = to === at + 6 && isPair(bytes, at + 1, 15) && bytes[at + 3] === COLON && isPair(bytes, at + 4, 59)
  return isZone ? TIMESTAMPTZ : 0
}

function areDigits(bytes: Uint8Array, from: number, count: number): boolean {
  return digitsEnd(bytes, from, from + count) === from + count
}

function isPair(bytes: Uint8Array, from: number, most: number): boolean {
  return areDigits(bytes, from, 2) && figure(bytes, from, from + 2) <= most
}

function figure(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) value = value * 10 + bytes[at]! - ZERO
  return value
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Only days that the calendar has. */
function isDay(year: number, month: number, day: number): boolean {
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > DAYS[month - 1]!) return false
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
}

/** What the head of a file tells. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sniff, type DeclaredDialect, type Nothing, type Sniffed } from '#src/import/sniff.js'

const look = (text: string | Uint8Array, declared: DeclaredDialect = {}): Sniffed | Nothing =>
  sniff(Buffer.from(text as string), true, declared)
function found(text: string | Uint8Array, declared: DeclaredDialect = {}): Sniffed {
  const sniffed = look(text, declared)
  if ('reason' in sniffed) throw new Error(sniffed.reason)
  return sniffed
}

test('the delimiter is the one that parts rows alike', () => {
  for (const [text, delimiter, titles] of [
    ['a,b\n1,2\n', ',', ['a', 'b']],
    ['a;b\n"1,5";2\n1,7;3\n', ';', ['a', 'b']],
    ['a\tb\n1,2\t3\n', '\t', ['a', 'b']],
    ['a|b|c\n1|2|x;y\n', '|', ['a', 'b', 'c']],
    ['name\nSmith, John\n', ',', ['name']],
    ['only\n1\n2\n', ',', ['only']],
    ['a,"b;c;d"\n1,"2;3;4"\n', ',', ['a', 'b;c;d']],
  ] as const) {
    const { dialect, titles: seen } = found(text)
    assert.equal(String.fromCharCode(dialect.delimiter), delimiter, text)
    assert.deepEqual(seen, titles, text)
  }
})

test('titles and comments before a header are left out, and told', () => {
  const report = found('# exported by a program\nSales of 2024\n\nid,amount\n1,2\n3,4\n')
  assert.deepEqual([report.titles, report.line], [['id', 'amount'], 5])
  assert.deepEqual(report.remarks, ['2 rows before the header'])
  assert.deepEqual(found('id\n1\n2\n').titles, ['id'])
  assert.deepEqual(found('a;b\n\n', { skipLines: 0 }).titles, ['a', 'b'])
})

test('a first row of dates, decimals or numbers below zero is data; years and counters may be titles', () => {
  for (const [text, width] of [
    ['Smith,42,2024-01-02\nJones,7,2024-01-03\n', 3],
    ['1.5,2\n1.7,3\n', 2],
    ['5,7\n6,8\n', 2],
  ] as const) {
    const { titles, offset, remarks } = found(text)
    assert.deepEqual([titles.length, titles[0], offset, remarks], [width, 'column 1', 0, ['no header']], text)
  }
  for (const text of ['country,1990,1991\nAT,3.4,5.1\n', '1,2,3\n0.5,0.6,0.7\n', 'a,b\n', 'x,y\n1,2\n'])
    assert.notEqual(found(text).offset, 0, text)
  assert.deepEqual(found('1,2\n3,4\n', { header: ['p', 'q'] }).titles, ['p', 'q'])
  assert.equal(found('1.5,2\n1.7,3\n', { header: true }).line, 2)
})

test('encodings: UTF-8 with and without a mark, windows-1252; what is neither is a binary file', () => {
  assert.deepEqual(found('\u{feff}id,é\n1,2\n').remarks, ['byte order mark'])
  assert.deepEqual(found('\u{feff}id,é\n1,2\n').titles, ['id', 'é'])
  const latin = found(Buffer.from('id,caf\xe9\n1,2\n', 'latin1'))
  assert.deepEqual([latin.titles, latin.dialect.encoding], [['id', 'café'], 'windows-1252'])
  assert.deepEqual(look(Uint8Array.from([0x89, 0x50, 0, 0x0a])), { reason: 'a binary file', isFault: true })
  assert.deepEqual(look('\n\r\n'), { reason: 'the file is empty', isFault: false })
})

test('quotes behind backslashes, blanks behind delimiters, titles at the end that no row has', () => {
  assert.equal(found('a,b\n"x \\"y\\", z",2\n"q",3\n').dialect.escape, 'backslash')
  const spaced = found('a, "b, c", d\n1, "x, y", 3\n')
  assert.deepEqual([spaced.titles, spaced.dialect.skipsSpace], [['a', 'b, c', 'd'], true])
  assert.deepEqual(found('a,b,,\n1,2\n3,4\n').titles, ['a', 'b'])
  assert.deepEqual(found('a,a,,\n1,2,3,4\n').remarks, ['duplicate column "a"', 'unnamed columns'])
})

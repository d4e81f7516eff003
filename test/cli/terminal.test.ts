/** Names of graphs, nodes and pipelines are other people's texts: a terminal shows them, and never obeys them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { cli } from '#src/cli/cli.js'
import { COMMANDS } from '#src/cli/commands.js'
import { TerminalScreen } from '#src/cli/screen.js'
import { plainText, safeOutput, style, terminalText } from '#src/cli/terminal-text.js'
import { printable } from '#src/shown.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-terminal-'))
after(() => rmSync(folder, { recursive: true }))

/** Clears the screen, sets the title, in seven bits and in eight; returns, rings, turns the line around. */
const EVIL = '\u001B[2J\u001B]0;title\u0007\u009B31m\u0090q\r\b\u007F\u202Eevil\u2066'
// oxlint-disable-next-line no-control-regex -- what no text may bring
const CONTROL = /[\u0000-\u0008\u000B-\u001A\u001C-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/
// oxlint-disable-next-line no-control-regex -- what a command may bring
const SGR = /\u001B\[[\d;]*m/g
// oxlint-disable-next-line no-control-regex -- what a screen may bring
const SCREEN = /\u001B\[[HJK]/g

function harmless(text: string): void {
  assert.doesNotMatch(text, CONTROL, JSON.stringify(text))
  assert.ok(!text.replaceAll(SGR, '').includes('\u001B'), JSON.stringify(text))
}

async function printed(color: boolean, ...args: string[]): Promise<string> {
  const lines: string[] = []
  const line = (text: string): void => void lines.push(text)
  await cli(args, { print: line, warn: line, color })
  return lines.join('\n')
}

const graph = {
  name: `graph ${EVIL}`,
  nodes: [
    { id: `in ${EVIL}`, kind: 'source', rate: 10, label: EVIL },
    { id: `slow ${EVIL}`, kind: 'transform', latencyMs: 500, description: EVIL, cluster: EVIL },
    { id: `out ${EVIL}`, kind: 'sink' },
    { id: `alone ${EVIL}`, kind: 'sink', [EVIL]: 1 },
  ],
  edges: [
    { from: `in ${EVIL}`, to: `slow ${EVIL}`, label: EVIL },
    { from: `slow ${EVIL}`, to: `out ${EVIL}`, when: EVIL },
    { from: `slow ${EVIL}`, to: `nowhere ${EVIL}` },
  ],
  clusters: [{ id: EVIL, label: EVIL }],
}
const file = join(folder, 'evil.json')
writeFileSync(file, JSON.stringify(graph))
const sound = join(folder, 'sound.json')
const nodes = graph.nodes.slice(0, 3)
writeFileSync(sound, JSON.stringify({ ...graph, nodes, edges: graph.edges.slice(0, 2) }))

test('no command prints a control character of a graph, with colours or without', async () => {
  for (const path of [file, sound])
    for (const color of [true, false])
      for (const args of [
        ['check', path],
        ['check', path, '--json'],
        ['simulate', path],
        ['simulate', path, '--json'],
        ['draw', path],
        ['draw', path, '--format', 'mermaid'],
        ['draw', path, '--format', 'svg'],
        ['diff', path, sound],
        ['run', path],
        ['rehearse', path, '--seconds', '0.1'],
        ['check', join(folder, EVIL)],
        ['top', EVIL],
        [EVIL],
        ['check', path, `--${EVIL}`],
      ]) {
        const text = await printed(color, ...args)
        assert.notEqual(text, '')
        harmless(text)
        if (!color) assert.ok(!text.includes('\u001B'), args.join(' '))
      }
})

test('JSON that is printed is the same data', async () => {
  const found = JSON.parse(await printed(true, 'check', file, '--json')) as { graph: string }
  assert.equal(found.graph, graph.name)
})

test('a screen shows what a pipeline is called, and takes nothing from it', () => {
  let written = ''
  const screen = new TerminalScreen({
    columns: 200,
    rows: 5,
    write: (text) => void (written += text),
    onResize: () => () => {},
  })
  written = ''
  screen.show(() => [`name ${EVIL}`, style('bold', EVIL, { color: true })])
  const own = written.replaceAll(SCREEN, '').replaceAll('\r\n', '\n')
  harmless(own)
  assert.ok(own.includes('\\u001b[2J') && own.includes('\u001B[1m\\u001b[2J'))
})

test('styles come through, whatever text they are around, and no other sequence does', () => {
  const lines: string[] = []
  const output = safeOutput({ print: (text) => void lines.push(text), warn: () => undefined, color: true })
  const texts = fc.string({
    unit: fc.constantFrom(...Array.from('ab\u001B[]0123m;\u0001\u0007\u009B\n\t\u202E'), ...Array.from(EVIL)),
  })
  fc.assert(
    fc.property(texts, texts, (before, inside) => {
      const text = `${before}${style('red', inside, output)}`
      output.print(text)
      assert.equal(lines.at(-1), `${printable(before)}\u001B[31m${printable(inside)}\u001B[39m`)
      assert.equal(plainText(text), printable(before) + printable(inside))
      assert.equal(terminalText(before), printable(before))
    }),
  )
})

test('every command with a token says where it is seen', async () => {
  const withToken = Object.entries(COMMANDS).filter(([, { options }]) => options['token'] !== undefined)
  assert.ok(withToken.length >= 3)
  for (const [name] of withToken)
    assert.match(await printed(false, name, '--help'), /--token TOKEN .*command line.*MILLRACE_TOKEN/)
})

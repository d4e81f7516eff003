/** The programs in the documentation are run from its own text, and print what stands below them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PAGES = ['start', 'how-to', 'coming-from', 'testing']
const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
const server = createServer(({ url = '' }, answer) => answer.end(JSON.stringify({ id: Number(url.slice(1)) })))

before(async () => {
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['node-sqlite3-wasm'])
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  symlinkSync(ROOT, join(folder, 'node_modules/millrace'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
after(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Program {
  readonly title: string
  readonly code: string
  readonly prints: string
}

/** Each block of code that is a program, under its title, with the block of text below it. */
function programsOf(page: string): Program[] {
  const text = readFileSync(join(ROOT, 'docs', `${page}.md`), 'utf8')
  return text.split(/^## /m).flatMap((section) => {
    const title = section.split('\n')[0]!
    const blocks = [...section.matchAll(/^```ts\n([^]*?)^```\n(?:\s*^```text\n([^]*?)^```)?/gm)]
    return blocks
      .filter(([, code]) => /^import .*from 'millrace'/m.test(code!) && !code!.includes("from 'vitest'"))
      .map(([, code, prints]) => ({
        title,
        code: code!,
        prints: prints ?? assert.fail(`${page}: ${title} says no output`),
      }))
  })
}

for (const page of PAGES) {
  const programs = programsOf(page)
  test(`docs/${page}.md has programs`, () => assert.ok(programs.length > 0))
  programs.forEach(({ title, code, prints }, i) => {
    test(`docs/${page}.md: ${title}`, async () => {
      const file = join(folder, `${page}-${i}.js`)
      writeFileSync(file, code)
      const env = { ...process.env, API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
      const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder, env, timeout: 60_000 })
      assert.equal(stdout, prints)
    })
  })
}

/** The commands of a page that look at a graph and end, in their order. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, 'docs', `${page}.md`), 'utf8')
  const commands = [...text.matchAll(/^ *npx millrace ((?:check|simulate|draw|run) .*?)(?: +#.*)?$/gm)]
  return commands.map(([, command]) => command!)
}

for (const page of ['start', 'how-to']) {
  test(`docs/${page}.md: commands`, async () => {
    const graph = programsOf('start')[0]!.code
    for (const name of ['mill.js', 'graph.js']) writeFileSync(join(folder, name), graph)
    const commands = commandsOf(page)
    assert.ok(commands.length > 2)
    for (const command of commands) {
      const args = [join(ROOT, 'dist/cli/main.js'), ...command.split(' ')]
      await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 60_000 })
    }
  })
}

/** What a heading is called in an address. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[`*?,.:()'’/]/g, '')
    .trim()
    .replaceAll(/ /g, '-')
}

test('pages and headings that are linked to are there', () => {
  for (const page of [...PAGES, 'index', 'concepts', 'examples', 'deploy', 'bundling', 'drawing', 'cli']) {
    const text = readFileSync(join(ROOT, 'docs', `${page}.md`), 'utf8')
    for (const [, target, heading] of text.matchAll(/\]\(([\w./-]+\.md)?(?:#([\w-]+))?\)/g)) {
      if (target === undefined && heading === undefined) continue
      const other = readFileSync(join(ROOT, 'docs', target ?? `${page}.md`), 'utf8')
      const anchors = [...other.matchAll(/^#+ (.*)$/gm)].map(([, line]) => anchor(line!))
      if (heading !== undefined) assert.ok(anchors.includes(heading), `${page}.md: ${target}#${heading}`)
    }
  }
})
